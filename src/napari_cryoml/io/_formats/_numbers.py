"""Rows of numbers in plain text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError


def number_rows(text: str, path: Path, *, at_least: int, what: str) -> npt.NDArray[np.float64]:
    """Return the numbers of a text, shape (n, columns); blank and ``#`` lines are passed over.

    Parameters
    ----------
    text : str
    path : Path
        Where the text is from, for the complaint.
    at_least : int
        Columns a row must have.
    what : str
        Names of the columns, for the complaint.

    Raises
    ------
    InputError
        If a cell is no finite number, or a row has another number of columns than the first.
    """
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.replace(",", " ").split()
        if not cells or cells[0].startswith("#"):
            continue
        values = _values(cells)
        width = len(rows[0]) if rows else max(at_least, len(cells))
        if values is None or len(values) != width:
            raise InputError(
                f"{path}, line {number}: {line.strip()!r} was found where {width} numbers "
                f"({what}) were expected; mend or remove the line."
            )
        rows.append(values)
    return np.array(rows, dtype=np.float64).reshape(-1, len(rows[0]) if rows else at_least)


def _values(cells: list[str]) -> list[float] | None:
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None


def plain(value: float) -> str:
    """Return the shortest text of a number: no point where it is whole."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))

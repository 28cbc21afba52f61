"""Rows of an embedding that a command works on, and the picks they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._embed_files import column_of, listed
from napari_cryoml.data import Embedding, Picks, PicksTable

COLUMN: TypeAlias = Annotated[
    str | None, typer.Option(help="Keep rows by this column, as cluster; all by default.")
]
VALUES: TypeAlias = Annotated[
    str | None, typer.Option(help="Its values to keep, as 3,7; needed with a column.")
]
INVERT: TypeAlias = Annotated[
    bool, typer.Option("--invert", help="Keep all rows but those of these values.")
]


def selected(rows: Embedding, column: str | None, values: str | None, invert: bool) -> Embedding:
    """Return the rows that have one of some values in a column, or none of them.

    Raises
    ------
    InputError
        If there is no such column or value, one is given without the other, or no row is left.
    """
    kept = rows.take(_mask(rows, column, values, invert))
    if not len(kept):
        raise InputError("No row is left: choose other values.")
    return kept


def _mask(
    rows: Embedding, column: str | None, values: str | None, invert: bool
) -> npt.NDArray[np.bool_]:
    if (column is None) != (values is None) or (invert and column is None):
        raise InputError("--column and --values belong together, as --column cluster --values 3,7.")
    if column is None or values is None:
        return np.ones(len(rows), np.bool_)
    cells = _words(column_of(rows, column))
    wanted = [_word(value.strip()) for value in values.split(",")]
    for value in wanted:
        if value not in cells:
            known = listed(np.unique(cells))
            raise InputError(f"No row has {value!r} in the column {column!r}; there are {known}.")
    return np.isin(cells, wanted) ^ invert


def _words(values: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return a column as it is typed: whole numbers without a point, truth values in small."""
    return np.array([_word(str(value)) for value in values.tolist()], dtype=np.str_)


def _word(text: str) -> str:
    if text in ("True", "False"):
        return text.lower()
    return text.removesuffix(".0") if text.removesuffix(".0").lstrip("-").isdecimal() else text


def picks_of(rows: Embedding) -> PicksTable:
    """Return the rows of an embedding as picks, with all columns of the table.

    Raises
    ------
    InputError
        If the embedding knows no images.
    """
    if rows.images is None or rows.positions is None:
        raise InputError(
            "This embedding knows no positions in images, so it gives no picks: write it as "
            ".parquet or .h5ad instead."
        )
    from napari_cryoml.io import POSE_COLUMNS, rotations_of

    scores = rows.table.get("score")
    has_scores = scores is not None and scores.dtype.kind in "iuf"
    rotations = rotations_of(rows.table) if rows.positions.shape[1] == 3 else None
    told = {"score"} if has_scores else set()
    told |= set() if rotations is None else set(POSE_COLUMNS)
    whole = {name: values for name, values in rows.table.items() if name not in told}
    pixel_size = CutAs.of(rows).pixel_size
    picks = []
    for image in dict.fromkeys(rows.images.tolist()):
        at = rows.images == image
        columns = {name: values[at] for name, values in whole.items()}
        score = scores[at] if has_scores and scores is not None else None
        turns = None if rotations is None else rotations[at]
        picks.append(
            Picks(image, rows.positions[at], score, pixel_size, columns=columns, rotations=turns)
        )
    return PicksTable.of(picks)


@dataclass(frozen=True, slots=True)
class CutAs:
    """How the crops of an embedding were cut, as far as its provenance tells.

    Parameters
    ----------
    box : int or None
        Side of the crops in pixels of the image.
    size : int or None
        Side once they were reduced.
    pixel_size : float or None
        Angstrom per pixel of the image.
    """

    box: int | None
    size: int | None
    pixel_size: float | None

    @classmethod
    def of(cls, rows: Embedding) -> CutAs:
        """Return what is known; a provenance may hold anything."""
        sides = rows.provenance.get("size")
        box = _positive(rows.provenance.get("box"))
        size = _positive(sides[-1] if isinstance(sides, list) and sides else None)
        reduced = _positive(rows.provenance.get("pixel_size"))
        known = box and size and reduced
        pixel_size = float(f"{reduced * size / box:.7g}") if known else None
        return cls(int(box) if box else None, int(size) if size else None, pixel_size)


def _positive(value: Any) -> float:
    """Return a number above 0, or 0 for anything else."""
    return float(value) if isinstance(value, int | float) and 0 < value < np.inf else 0.0

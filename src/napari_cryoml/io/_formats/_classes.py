"""Names of classes, in formats that have a number for them.

The column ``class`` of the picks holds names, "" for particles that nobody has classified. Formats
of numbers keep names that are none in a small file beside their own: ``picks.classes.doc`` beside
``picks.tbl``, one ``number name`` a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml.io._formats._files import read_text, write_text

CLASS = "class"
CONFIDENCE = "confidence"
_BESIDE = ".classes.doc"


def names_of(
    numbers: npt.ArrayLike, names: Mapping[int, str] | None = None
) -> npt.NDArray[np.str_] | None:
    """Return the names of classes by their numbers, "" for 0 and less; None if all are that."""
    values = np.nan_to_num(np.asarray(numbers, np.float64))
    if not (values > 0).any():
        return None
    known = names or {}
    texts = [known.get(round(n), f"{n:g}") if n > 0 else "" for n in values.tolist()]
    return np.array(texts, dtype=np.str_)


def texts_of(values: npt.ArrayLike) -> npt.NDArray[np.str_]:
    """Return a column of classes as names; missing ones are ""."""
    texts = [_text(value) for value in np.asarray(values, dtype=object).tolist()]
    return np.array(texts, dtype=np.str_)


def numbers_of(names: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], dict[int, str]]:
    """Return a number for each class name, and the names by number where these are needed.

    Names that are whole numbers above 0 keep theirs; else the names are numbered from 1 in their
    order. Particles without a class get 0.
    """
    texts = texts_of(names)
    known = sorted(set(texts.tolist()) - {""})
    if all(name.isdecimal() and int(name) > 0 and str(int(name)) == name for name in known):
        return np.array([int(name or 0) for name in texts.tolist()], np.int64), {}
    numbers = {name: number for number, name in enumerate(known, start=1)}
    codes = np.array([numbers.get(name, 0) for name in texts.tolist()], np.int64)
    return codes, {number: name for name, number in numbers.items()}


def column_in(frame: pd.DataFrame, path: Path) -> dict[str, npt.NDArray[np.str_]]:
    """Return the column of class names of a table of numbers; none if nothing is classified."""
    names = names_of(frame[CLASS], names_beside(path)) if CLASS in frame else None
    return {} if names is None else {CLASS: names}


def numbered(frame: pd.DataFrame, columns: pd.DataFrame) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return a table with the numbers of the classes among `columns`, and their names."""
    if CLASS not in columns or CLASS not in frame:
        return frame, {}
    numbers, names = numbers_of(columns[CLASS])
    return frame.assign(**{CLASS: numbers}), names


def names_beside(path: Path) -> dict[int, str]:
    """Return the names of classes in the file beside a coordinate file, if there is one."""
    beside = path.with_name(path.stem + _BESIDE)
    if not beside.is_file():
        return {}
    lines = (line.split(maxsplit=1) for line in read_text(beside).splitlines())
    return {int(cells[0]): cells[1].strip() for cells in lines if _is_entry(cells)}


def write_names(path: Path, names: Mapping[int, str]) -> list[Path]:
    """Write the names of classes beside a coordinate file, or take away those of an older one."""
    beside = path.with_name(path.stem + _BESIDE)
    if not names:
        beside.unlink(missing_ok=True)
        return []
    write_text(beside, "".join(f"{number} {name}\n" for number, name in names.items()))
    return [beside]


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN differs from itself
        return ""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def _is_entry(cells: list[str]) -> bool:
    return len(cells) == 2 and cells[0].isdecimal()

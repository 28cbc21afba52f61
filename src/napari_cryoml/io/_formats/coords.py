"""Plain .coords and .txt files: x y [z] in pixels, 0-based, one particle a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats._files import read_text, write_text
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._numbers import number_rows, plain


def read(path: Path, hints: Hints) -> PicksTable:
    """Read x y, x y z, or class x y z (four columns, as DeepETPicker writes them)."""
    rows = number_rows(read_text(path), path, at_least=2, what="x y [z]")
    columns = {"class": rows[:, 0]} if rows.shape[1] == 4 else {}
    if rows.shape[1] > 4:
        raise InputError(
            f"{path} has {rows.shape[1]} columns of numbers and no header; x y, x y z or "
            "class x y z were expected: give the columns a header and call the file .csv."
        )
    xyz = rows[:, -min(rows.shape[1], 3) :]
    picks = Picks(hints.image or path.stem, xyz[:, ::-1], None, hints.pixel_size, None, columns)
    return PicksTable((picks,))


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write the positions of one image; a class column of the source is kept."""
    (picks,) = table
    rows = picks.positions[:, ::-1]
    if picks.ndim == 3 and "class" in picks.columns:
        rows = np.column_stack([np.asarray(picks.columns["class"], np.float64), rows])
    write_text(path, "".join(" ".join(map(plain, row)) + "\n" for row in rows.tolist()))
    return [path]


def recognises(path: Path) -> bool:
    """Tell whether a text file starts with a row of two to four numbers."""
    for line in read_text(path).splitlines():
        cells = line.replace(",", " ").split()
        if cells and not cells[0].startswith("#"):
            return 2 <= len(cells) <= 4 and all(_is_number(cell) for cell in cells)
    return True


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


FORMAT = Format(
    name="coords",
    title="plain x y [z] columns: pixels, centres, 0-based",
    suffixes=(".coords", ".txt"),
    read=read,
    write=write,
    per_image=True,
    recognises=recognises,
)

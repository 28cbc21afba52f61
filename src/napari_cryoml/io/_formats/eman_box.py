"""EMAN .box files: the corner of each box nearest to the origin, and its size, in pixels.

A box's centre is its corner plus half its size, so that a box of size 0 is written at its centre.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import _rows
from napari_cryoml.io._formats._files import read_text, write_text
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._numbers import number_rows, plain

_MORE = ("width", "height")


def read(path: Path, hints: Hints) -> PicksTable:
    """Read the boxes of one image: columns x, y, width, height, and any that follow."""
    rows = number_rows(read_text(path), path, at_least=4, what="x y width height")
    sizes = rows[:, 2:4]
    columns = dict(zip(_MORE, sizes.T, strict=True))
    columns |= {f"box_{n}": rows[:, n] for n in range(4, rows.shape[1])}
    positions = rows[:, 1::-1] + sizes[:, ::-1] / 2
    picks = Picks(
        hints.image or path.stem, positions, None, hints.pixel_size, common_size(sizes), columns
    )
    return PicksTable((picks,))


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write the boxes of one image."""
    (picks,) = table
    sizes = box_sizes(picks, hints, _MORE)
    corners = picks.positions[:, ::-1] - sizes / 2
    columns = _rows.joined_columns(table)
    further = [n for n in columns.columns if str(n).startswith("box_")]
    more = columns[further].to_numpy(np.float64).reshape(len(picks), len(further))
    rows = np.column_stack([corners, sizes, more])
    lines = ["\t".join(plain(value) for value in row) for row in rows.tolist()]
    write_text(path, "".join(f"{line}\n" for line in lines))
    return [path]


def common_size(sizes: npt.NDArray[np.float64]) -> float | None:
    """Return the one edge length of all boxes, or None if they differ or have none."""
    edges = np.unique(sizes[np.isfinite(sizes)])
    return float(edges[0]) if len(edges) == 1 and edges[0] > 0 else None


def box_sizes(picks: Picks, hints: Hints, names: tuple[str, str]) -> npt.NDArray[np.float64]:
    """Return width and height of each box, shape (n, 2).

    They are the size asked for, else those of the source, else the diameter.

    Raises
    ------
    InputError
        If none of these is known.
    """
    if hints.box_size is not None:
        return np.full((len(picks), 2), float(hints.box_size))
    if all(name in picks.columns for name in names):
        columns = [np.asarray(picks.columns[name], np.float64) for name in names]
        return np.column_stack(columns)
    if picks.diameter is not None or len(picks) == 0:
        return np.full((len(picks), 2), float(picks.diameter or 0))
    raise InputError(
        f"The picks of {picks.image!r} have no box size, and boxes need one: give box_size "
        "(--box-size in the shell) in pixels."
    )


def is_helicon(path: Path) -> bool:
    """Tell whether a .box file is one of e2helixboxer's, which start with comments."""
    return read_text(path).lstrip().startswith("#")


def read_helicon(path: Path, hints: Hints) -> PicksTable:
    """Read the segments of helices: centres, with the number of their helix."""
    lines = read_text(path).splitlines()
    helix, numbers, kept, width = -1, [], [], None
    image = hints.image or path.stem
    for line in lines:
        text = line.strip()
        if text.startswith("#micrograph:") and hints.image is None:
            image = text.partition(":")[2].strip() or image
        elif text.startswith("#segment width:"):
            width = float(text.partition(":")[2])
        helix += text.startswith("#helix")
        if text and not text.startswith("#"):
            kept.append(text)
            numbers.append(helix)
    rows = number_rows("\n".join(kept), path, at_least=2, what="x y")
    columns = {"helix": np.array(numbers, dtype=np.int64)}
    return PicksTable((Picks(image, rows[:, 1::-1], None, hints.pixel_size, width, columns),))


FORMAT = Format(
    name="box",
    title="EMAN .box: pixels, corner nearest the origin and size",
    suffixes=(".box",),
    read=read,
    write=write,
    per_image=True,
    ndims=(2,),
    lengths=frozenset(_MORE),
)

HELICON_FORMAT = Format(
    name="helicon",
    title="e2helixboxer .box: pixels, centres of segments",
    suffixes=(".box",),
    read=read_helicon,
    per_image=True,
    ndims=(2,),
    recognises=is_helicon,
)

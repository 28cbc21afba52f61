"""crYOLO .cbox files: pixels; the corner of each box in x and y, its centre in z."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import _rows
from napari_cryoml.io._formats._files import read_text
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._star_blocks import Block, loop_of, read_blocks, write_blocks
from napari_cryoml.io._formats.eman_box import box_sizes, common_size

_BLOCK = "cryolo"
_POSITION = ("CoordinateX", "CoordinateY", "CoordinateZ")
_SIZE = ("Width", "Height")
_ORDER = (*_POSITION, *_SIZE, "Depth", "EstWidth", "EstHeight", "Confidence", "NumBoxes", "Angle")


def read(path: Path, hints: Hints) -> PicksTable:
    """Read the boxes of one image.

    The picks are 2-D where no box has a z, or all lie in slice 0. The confidence becomes the
    score; an empty file is an image without particles.
    """
    if not read_text(path).strip():
        return PicksTable((Picks(hints.image or path.stem, np.empty((0, 2))),))
    blocks = read_blocks(path)
    frame = loop_of(blocks[_BLOCK]) if _BLOCK in blocks else pd.DataFrame()
    missing = [name for name in (*_POSITION[:2], *_SIZE) if name not in frame]
    if missing:
        raise InputError(
            f"{path} is not a .cbox file of crYOLO: its data_{_BLOCK} block has no "
            f"{', '.join(missing)}."
        )
    positions, sizes = _positions(frame, path), _numbers(frame[list(_SIZE)])
    confidence = _numbers(frame.get("Confidence", pd.Series(np.nan, index=frame.index)))
    scores = confidence.astype(np.float32) if np.isfinite(confidence).all() and len(frame) else None
    spent = [*_POSITION, *(["Confidence"] if scores is not None else [])]
    columns = _rows.columns_of(frame, spent)
    picks = Picks(
        hints.image or path.stem, positions, scores, hints.pixel_size, common_size(sizes), columns
    )
    rest = {name: block for name, block in blocks.items() if name != _BLOCK}
    return PicksTable((picks,), {"cbox": {picks.image: rest}})


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write the boxes of one image, with the slices they lie in."""
    (picks,) = table
    kept = table.extra.get("cbox", {})
    rest: dict[str, Block] = dict(kept.get(picks.image, {})) if isinstance(kept, Mapping) else {}
    rest.pop("global", None)
    own = {"cryolo_include": pd.DataFrame({"slice_index": _slices(picks)})}
    blocks: dict[str, Block] = {"global": {"cbox_format_version": "1.0"}}
    write_blocks(path, {**blocks, _BLOCK: _frame(table, picks, hints), **own, **rest})
    return [path]


def _frame(table: PicksTable, picks: Picks, hints: Hints) -> pd.DataFrame:
    sizes = box_sizes(picks, hints, _SIZE)
    nothing = np.full(len(picks), np.nan)
    corners = picks.positions[:, :-3:-1] - sizes / 2
    flat = picks.ndim == 2
    depth = nothing if flat else sizes.max(axis=1)
    data: dict[str, npt.NDArray[Any]] = dict.fromkeys(_ORDER, nothing)
    data |= {"Depth": np.asarray(picks.columns.get("Depth", depth))}
    for name, values in _rows.joined_columns(table).items():
        if name in _ORDER or "cbox" in table.extra:
            data[str(name)] = values.to_numpy()
    data |= dict(zip(_POSITION[:2], corners.T, strict=True))
    data |= {"CoordinateZ": nothing if flat else picks.positions[:, 0]}
    data |= dict(zip(_SIZE, sizes.T, strict=True))
    scores = _rows.joined_scores(table)
    if scores is not None:
        data["Confidence"] = scores
    return pd.DataFrame(data)


def _slices(picks: Picks) -> npt.NDArray[np.float64]:
    return np.unique(np.rint(picks.positions[:, 0])) if picks.ndim == 3 else np.empty(0)


def _positions(frame: pd.DataFrame, path: Path) -> npt.NDArray[np.float64]:
    corners, sizes = _numbers(frame[list(_POSITION[:2])]), _numbers(frame[list(_SIZE)])
    xy = corners + sizes / 2
    if not np.isfinite(xy).all():
        row = int(np.flatnonzero(~np.isfinite(xy).all(axis=1))[0]) + 1
        raise InputError(f"{path} has no number for a corner or a size in row {row} of its boxes.")
    z = _numbers(frame.get("CoordinateZ", pd.Series(np.nan, index=frame.index)))
    flat = not np.isfinite(z).all() or not z.any()
    return xy[:, ::-1] if flat else np.column_stack([z, xy[:, ::-1]])


def _numbers(values: Any) -> npt.NDArray[np.float64]:
    frame = pd.DataFrame(values).apply(pd.to_numeric, errors="coerce")
    numbers = frame.to_numpy(np.float64)
    return numbers[:, 0] if isinstance(values, pd.Series) else numbers


FORMAT = Format(
    name="cbox",
    title="crYOLO .cbox: pixels, corner in x and y, centre in z",
    suffixes=(".cbox",),
    read=read,
    write=write,
    per_image=True,
    lengths=frozenset({*_SIZE, "Depth", "EstWidth", "EstHeight"}),
    directions=frozenset({"Angle"}),
)

"""Picks as RELION's STAR blocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml._errors import InputError
from napari_cryoml.data import PicksTable
from napari_cryoml.io._formats import _rows
from napari_cryoml.io._formats._format import Hints
from napari_cryoml.io._formats._relion_document import (
    CENTRED,
    PIXELS,
    SCORES,
    UNSET_SCORE,
    StarDocument,
    shapes_in,
)
from napari_cryoml.io._formats._relion_optics import (
    new_optics,
    optics_of,
    row_pixel_sizes,
    with_pixel_sizes,
)
from napari_cryoml.io._formats._relion_poses import angles_of, class_labels, shifts_in
from napari_cryoml.io._formats._star_blocks import Block, loop_of, write_blocks
from napari_cryoml.io._names import stem


def write(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write one joined STAR file; the blocks and labels of a STAR source are kept."""
    document = table.extra.get("star")
    if isinstance(document, StarDocument):
        blocks = _rewritten(table, document, hints, path.stem)
    else:
        blocks = new_blocks(table, hints)
    write_blocks(path, blocks)
    return [path]


def write_centred(table: PicksTable, path: Path, hints: Hints) -> list[Path]:
    """Write a RELION 5 tomogram particle file: angstrom from the centre of the tomogram."""
    frame = particle_frame(table, hints, centred=True)
    sizes = _known_sizes(table, hints)
    if sizes is None:
        raise InputError(f"{path} needs the pixel size in angstrom: give pixel_size.")
    optics, groups = new_optics(sizes, 3)
    blocks = {"optics": optics, "particles": frame.assign(rlnOpticsGroup=groups)}
    write_blocks(path, blocks)
    return [path]


def particle_frame(
    table: PicksTable,
    hints: Hints,
    *,
    centred: bool = False,
    image_column: str | None = "",
    score_column: str = SCORES[0],
    foreign: frozenset[str] = frozenset(),
) -> pd.DataFrame:
    """Return all picks as one data frame under RELION's labels.

    Parameters
    ----------
    table : PicksTable
    hints : Hints
    centred : bool, default False
        Write angstrom from the centre instead of pixels.
    image_column : str, optional
        Label of the image's name: chosen by ndim if empty, left out if None.
    score_column : str
        Label of the scores.
    foreign : frozenset of str
        Columns that are kept although they carry no label of RELION's.
    """
    ndim = _rows.ndim_of(table)
    images = _rows.image_of_rows(table)
    positions = _rows.joined_positions(table, ndim)
    first: dict[str, npt.NDArray[Any]] = {}
    if image_column == "":
        image_column = "rlnTomoName" if ndim == 3 else "rlnMicrographName"
        images = np.array([_relion_name(str(name), ndim) for name in images], dtype=object)
    if image_column is not None:
        first[image_column] = images
    rest = _rows.joined_columns(table)
    if ndim == 3:
        positions = _unshifted(positions, rest, _known_sizes(table, hints))
    labels: tuple[str, ...] = PIXELS[:ndim]
    if centred:
        labels, positions = CENTRED, _to_centre(table, positions, hints)
    first |= {label: positions[:, -1 - axis] for axis, label in enumerate(labels)}
    scores = _rows.joined_scores(table)
    if scores is not None:
        first[score_column] = np.where(np.isnan(scores), UNSET_SCORE, scores)
    new = class_labels(rest) | (angles_of(table, rest) if ndim == 3 else {})
    kept = [n for n in rest.columns if n not in first and (n.startswith("rln") or n in foreign)]
    return pd.DataFrame({**first, **{name: rest[name].to_numpy() for name in kept}, **new})


def _unshifted(
    positions: npt.NDArray[np.float64],
    columns: pd.DataFrame,
    sizes: npt.NDArray[np.float64] | None,
) -> npt.NDArray[np.float64]:
    """Return the coordinates that lie at the positions once the columns' shifts are applied."""
    shifts = shifts_in(columns, sizes) if len(columns) == len(positions) else None
    return positions if shifts is None else positions - shifts


def _to_centre(
    table: PicksTable, positions: npt.NDArray[np.float64], hints: Hints
) -> npt.NDArray[np.float64]:
    sizes = _known_sizes(table, hints)
    if sizes is None:
        raise InputError(
            "Coordinates in angstrom from the centre of the tomogram need the pixel size: give "
            "pixel_size."
        )
    why = "Coordinates in angstrom from the centre of the tomogram are to be written"
    halves = [
        np.tile(np.array(hints.required_shape(picks.image, 3, why)) / 2, (len(picks), 1))
        for picks in table
        if len(picks)
    ]
    return (positions - np.concatenate([np.empty((0, 3)), *halves])) * sizes[:, None]


def _known_sizes(table: PicksTable, hints: Hints) -> npt.NDArray[np.float64] | None:
    """Return the pixel size of each row's image, or None unless all of them are known."""
    sizes = [
        np.full(len(picks), picks.pixel_size or hints.pixel_size or np.nan)
        for picks in table
        if len(picks)
    ]
    joined = np.concatenate(sizes) if sizes else np.empty(0)
    return joined if len(joined) and np.isfinite(joined).all() else None


def _relion_name(image: str, ndim: int) -> str:
    """Return RELION's name of an image: tomograms without extension, slices as ``n@stack``."""
    if ndim == 3:
        return stem(image)
    base, mark, index = image.rpartition("#")
    return f"{int(index) + 1:06d}@{base}" if mark and index.isdigit() else image


def new_blocks(
    table: PicksTable, hints: Hints, foreign: frozenset[str] = frozenset()
) -> dict[str, Block]:
    """Return picks that come from no STAR file as its blocks.

    Parameters
    ----------
    table : PicksTable
    hints : Hints
    foreign : frozenset of str
        Columns that are kept although they carry no label of RELION's.
    """
    frame = particle_frame(table, hints, foreign=foreign)
    sizes = _known_sizes(table, hints)
    if sizes is None:
        return {"": frame}
    optics, groups = new_optics(sizes, _rows.ndim_of(table))
    return {"optics": optics, "particles": frame.assign(rlnOpticsGroup=groups)}


def _rewritten(
    table: PicksTable, document: StarDocument, hints: Hints, file_stem: str
) -> dict[str, Block]:
    hints = replace(hints, shapes={**shapes_in(document.blocks), **hints.shapes})
    frame = particle_frame(
        table,
        hints,
        centred=document.centred,
        image_column=document.image_column or _column_if_needed(table, file_stem),
        score_column=document.score_column or SCORES[0],
        foreign=frozenset(document.columns),
    )
    if len(frame) == 0:
        frame = frame.reindex(columns=list(dict.fromkeys([*document.columns, *frame.columns])))
    labels = [name for name in document.columns if name in frame]
    labels += [name for name in frame.columns if name not in labels]
    blocks = dict(document.blocks)
    blocks[document.particles] = frame[labels]
    if document.centred:
        return blocks
    return _with_changed_sizes(blocks, document.particles, table, hints)


def _column_if_needed(table: PicksTable, file_stem: str) -> str | None:
    """Return None where the file's own name says which image it is about."""
    return None if all(stem(image) == file_stem for image in table.images) else ""


def _with_changed_sizes(
    blocks: dict[str, Block], particles: str, table: PicksTable, hints: Hints
) -> dict[str, Block]:
    """Return the blocks with the pixel size of the picks, where scaling has changed it."""
    frame = loop_of(blocks[particles])
    sizes = _known_sizes(table, hints)
    told = row_pixel_sizes(frame, blocks)
    if sizes is None or (told is not None and np.allclose(sizes, told, rtol=1e-6, atol=0)):
        return blocks
    optics = optics_of(blocks)
    if optics is not None and "rlnOpticsGroup" in frame:
        groups = frame["rlnOpticsGroup"].to_numpy(np.int64)
        return {**blocks, "optics": with_pixel_sizes(optics, groups, sizes)}
    return {**blocks, particles: frame.assign(rlnMicrographPixelSize=sizes)}

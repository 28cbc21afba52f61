"""RELION STAR files, all dialects, micrographs and tomograms.

Positions are pixels of the micrograph, 0-based, the centre of the first pixel at 0. The shift of an
alignment (``rlnOrigin...``) moves the particles of tomograms; in micrographs it is a column.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io._formats import _rows
from napari_cryoml.io._formats._format import Format, Hints
from napari_cryoml.io._formats._poses import RELION_BOX
from napari_cryoml.io._formats._relion_document import (
    CENTRED,
    PIXELS,
    SCORES,
    UNSET_SCORE,
    StarDocument,
    shapes_in,
)
from napari_cryoml.io._formats._relion_optics import row_pixel_sizes
from napari_cryoml.io._formats._relion_poses import (
    OUR_CLASS_LABELS,
    classes_in,
    rotations_in,
    shifts_in,
)
from napari_cryoml.io._formats._relion_writing import write, write_centred
from napari_cryoml.io._formats._star_blocks import Block, loop_of, read_blocks

_BEST_BLOCKS = ("particles", "", "images")
_LENGTHS = frozenset({"rlnOriginX", "rlnOriginY", "rlnOriginZ"})
_DIRECTIONS = frozenset(
    f"rlnAngle{name}" for name in ("Rot", "Tilt", "Psi", "RotPrior", "TiltPrior", "PsiPrior")
) | frozenset(RELION_BOX.columns)


def read(path: Path, hints: Hints) -> PicksTable:
    """Read particles or coordinates of one or many images from a STAR file."""
    blocks = read_blocks(path)
    return table_of(blocks, _particle_block(path, blocks), path, hints)


def table_of(blocks: Mapping[str, Block], name: str, path: Path, hints: Hints) -> PicksTable:
    """Return the picks in block `name` of a STAR file that has been read."""
    frame = loop_of(blocks[name])
    document = StarDocument(
        {key: block if key != name else frame.iloc[:0] for key, block in blocks.items()},
        name,
        tuple(str(column) for column in frame.columns),
        _image_column(frame),
        _score_column(frame),
    )
    images = _image_names(frame, document, path, hints)
    sizes = row_pixel_sizes(frame, blocks)
    if document.centred:
        sizes = _given_or(hints.pixel_size, sizes, len(frame))
        positions = _from_centre(frame, images, sizes, blocks, path, hints)
    else:
        positions = _pixel_positions(frame, path)
    used = [*(CENTRED if document.centred else PIXELS), document.image_column]
    scores, spent = _scores(frame, document.score_column)
    used += [spent, *OUR_CLASS_LABELS]
    columns = _rows.columns_of(frame, [label for label in used if label])
    columns |= classes_in(frame, positions.shape[1])
    rotations = None
    if positions.shape[1] == 3:
        rotations = rotations_in(frame)
        positions, sizes = _shifted(positions, frame, sizes, path, hints)
    rows = Picks("", positions, scores, None, None, columns, rotations)
    if len(rows) == 0 and document.image_column is None:
        picks: tuple[Picks, ...] = (replace(rows, image=hints.image or path.stem),)
    else:
        picks = _rows.split_by_image(rows, images)
    return PicksTable(_with_sizes(picks, images, sizes), {"star": document})


def _particle_block(path: Path, blocks: Mapping[str, Block]) -> str:
    with_positions = [name for name, block in blocks.items() if _has_positions(loop_of(block))]
    if not with_positions:
        found = ", ".join(f"data_{name}" for name in blocks)
        raise InputError(
            f"{path} holds no particle coordinates (blocks found: {found}): a block with the "
            "labels rlnCoordinateX and rlnCoordinateY is needed."
        )
    ranked = [name for name in _BEST_BLOCKS if name in with_positions] + with_positions
    if len(with_positions) > 1:
        others = ", ".join(f"data_{name}" for name in with_positions if name != ranked[0])
        warnings.warn(
            f"{path.name} holds several blocks of coordinates: data_{ranked[0]} was read, "
            f"{others} was not.",
            InputWarning,
            stacklevel=2,
        )
    return ranked[0]


def _has_positions(frame: pd.DataFrame) -> bool:
    return set(PIXELS[:2]) <= set(frame.columns) or set(CENTRED) <= set(frame.columns)


def _image_column(frame: pd.DataFrame) -> str | None:
    return next((n for n in ("rlnTomoName", "rlnMicrographName") if n in frame), None)


def _score_column(frame: pd.DataFrame) -> str | None:
    return next((name for name in SCORES if name in frame), None)


def _image_names(
    frame: pd.DataFrame, document: StarDocument, path: Path, hints: Hints
) -> npt.NDArray[Any]:
    column = document.image_column
    if column is not None and (hints.image is None or frame[column].nunique() > 1):
        return frame[column].astype(str).to_numpy(object)
    return np.full(len(frame), hints.image or path.stem, dtype=object)


def _scores(
    frame: pd.DataFrame, column: str | None
) -> tuple[npt.NDArray[np.float32] | None, str | None]:
    """Return the scores and the label they use up; unset ones are left among the columns."""
    if column is None:
        return None, None
    scores = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float32)
    if len(scores) and (scores == UNSET_SCORE).all():
        return None, None
    return scores, column


def _pixel_positions(frame: pd.DataFrame, path: Path) -> npt.NDArray[np.float64]:
    labels = [label for label in PIXELS if label in frame]
    return _numbers(frame, labels[::-1], path)


def _numbers(frame: pd.DataFrame, labels: list[str], path: Path) -> npt.NDArray[np.float64]:
    try:
        values = frame[labels].apply(pd.to_numeric).to_numpy(np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} has a coordinate that is not a number: {error}.") from None
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0]) + 1
        raise InputError(
            f"{path} has no number for a coordinate in row {row} of its particles: mend or remove "
            "the row."
        )
    return values.reshape(-1, len(labels))


def _from_centre(
    frame: pd.DataFrame,
    images: npt.NDArray[Any],
    sizes: npt.NDArray[np.float64] | None,
    blocks: Mapping[str, Block],
    path: Path,
    hints: Hints,
) -> npt.NDArray[np.float64]:
    """Return pixels for angstrom from the centre, which RELION puts at shape / 2."""
    if sizes is None:
        raise InputError(
            f"{path} holds coordinates in angstrom and no rlnTomoTiltSeriesPixelSize: give the "
            "pixel size of the tomograms (pixel_size)."
        )
    listed = _listed_shapes(blocks, path) if hints.pixel_size is None else {}
    given = replace(hints, shapes={**listed, **hints.shapes})
    why = f"{path} holds coordinates in angstrom from the centre of the tomogram"
    shapes = {name: given.required_shape(name, 3, why) for name in dict.fromkeys(images.tolist())}
    centres = np.array([shapes[name] for name in images]).reshape(-1, 3) / 2
    return _numbers(frame, list(CENTRED[::-1]), path) / sizes[:, None] + centres


def _shifted(
    positions: npt.NDArray[np.float64],
    frame: pd.DataFrame,
    sizes: npt.NDArray[np.float64] | None,
    path: Path,
    hints: Hints,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Return positions with the shifts of the alignment, and the pixel sizes that took."""
    shifts = shifts_in(frame, sizes)
    if shifts is None and hints.pixel_size is not None:
        sizes = np.full(len(frame), hints.pixel_size)
        shifts = shifts_in(frame, sizes)
    if shifts is None:
        warnings.warn(
            f"{path.name} holds shifts in angstrom (rlnOriginXAngst) and no pixel size of its "
            "coordinates, so that they were kept and not applied: give the pixel size.",
            InputWarning,
            stacklevel=2,
        )
        return positions, sizes
    return positions + shifts, sizes


def _listed_shapes(blocks: Mapping[str, Block], path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the file lists, or a ``tomograms.star`` of RELION's beside it."""
    beside = path.with_name("tomograms.star")
    shapes = shapes_in(read_blocks(beside)) if beside.is_file() else {}
    return {**shapes, **shapes_in(blocks)}


def _given_or(
    pixel_size: float | None, sizes: npt.NDArray[np.float64] | None, n: int
) -> npt.NDArray[np.float64] | None:
    return sizes if pixel_size is None else np.full(n, pixel_size)


def _with_sizes(
    picks: tuple[Picks, ...],
    images: npt.NDArray[Any],
    sizes: npt.NDArray[np.float64] | None,
) -> tuple[Picks, ...]:
    if sizes is None:
        return picks
    by_image = dict(zip(images[::-1].tolist(), sizes[::-1].tolist(), strict=True))
    return tuple(replace(one, pixel_size=by_image.get(one.image)) for one in picks)


FORMAT = Format(
    name="star",
    title="RELION STAR, one file for all images: pixels, centres, 0-based",
    suffixes=(".star",),
    read=read,
    write=write,
    lengths=_LENGTHS,
    directions=_DIRECTIONS,
    poses=True,
)

CENTRED_FORMAT = Format(
    name="relion5-tomo",
    title="RELION 5 tomogram particles: angstrom from the centre of the tomogram",
    suffixes=(),
    write=write_centred,
    ndims=(3,),
    poses=True,
)

"""Poses of subtomograms on their way to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import RigidPoses
from napari_cryoml.cli._options import check_output
from napari_cryoml.data import Crops, Picks, PicksTable


def poses_table(
    crops: Crops, poses: RigidPoses, columns: dict[str, npt.NDArray[Any]], name: str
) -> PicksTable:
    """Return particles where they were found to lie, with their orientations.

    Parameters
    ----------
    crops : Crops
    poses : RigidPoses
        Of all crops; those without a pose are left out.
    columns : dict of str to array of shape (n,)
        What else is to be told of each.
    name : str
        Stands for the image of boxes that have no places in tomograms; their positions are voxels
        of each box.
    """
    known = np.flatnonzero(np.isfinite(poses.shifts).all(axis=1))
    placed = crops.images is not None and crops.positions is not None
    positions = _in_tomograms(crops, poses.shifts) if placed else _in_boxes(crops, poses.shifts)
    images = crops.images if crops.images is not None and placed else np.full(len(crops), name)
    told = {**_columns(crops), "id": np.asarray(crops.ids), **columns}
    size = getattr(crops, "pixel_size", None)
    sampling = None if size is None else float(size) / _reduction(crops)
    table = []
    for image in dict.fromkeys(images[known].tolist()):
        rows = known[images[known] == image]
        table.append(
            Picks(
                image,
                positions[rows],
                poses.scores[rows].astype(np.float32),
                sampling,
                getattr(crops, "diameter", None),
                {key: np.asarray(values)[rows] for key, values in told.items()},
                poses.rotations[rows],
            )
        )
    return PicksTable.of(table)


def check_particles_output(path: Path, ndim: int = 3) -> None:
    """Complain of a name under which no particles can be written, before long work.

    Raises
    ------
    InputError
        If its folder cannot be written to, or its suffix tells no format of particles.
    """
    from napari_cryoml.io import FORMATS

    check_output(path)
    kinds = [kind for kind in FORMATS.values() if kind.write and not (kind.folder or kind.named)]
    known = sorted({suffix for kind in kinds if ndim in kind.ndims for suffix in kind.suffixes})
    if path.suffix.lower() not in known:
        raise InputError(
            f"{path.name} tells no format of particles of {ndim} axes: end its name in "
            f"{', '.join(known)}."
        )


def write_poses(table: PicksTable, path: Path) -> None:
    """Write particles and their orientations; keep them elsewhere if that fails."""
    from napari_cryoml.io import save_or_rescue, write_picks

    save_or_rescue(lambda place: write_picks(table, place), path)


def read_references(
    paths: list[Path], side: int, pixel_size: float | None
) -> npt.NDArray[np.float32]:
    """Return maps (k, z, y, x) of the side and the sampling of boxes.

    A map of that side that does not tell of another sampling is taken as it is; others are
    resampled and centred, and structures become densities.

    Raises
    ------
    InputError
        If a file cannot be read, or must be resampled and the boxes have no voxel size.
    """
    return np.stack([_reference(path, side, pixel_size) for path in paths])


def _reference(path: Path, side: int, pixel_size: float | None) -> npt.NDArray[np.float32]:
    from napari_cryoml.simulate import read_map

    as_it_is = _same_grid(path, side, pixel_size)
    if as_it_is is not None:
        return as_it_is
    if pixel_size is None:
        raise InputError(
            f"{path.name} has another grid than the boxes, whose voxel size is not known: give "
            "--pixel-size."
        )
    return read_map(path, pixel_size, side).array


def _same_grid(path: Path, side: int, pixel_size: float | None) -> npt.NDArray[np.float32] | None:
    from napari_cryoml.io import open_images

    if path.suffix.lower() not in (".mrc", ".map", ".ccp4", ".rec"):
        return None
    image = open_images([path])[0]
    size = image.pixel_size
    same = pixel_size is None or size is None or abs(size / pixel_size - 1) < 0.01
    if image.shape != (side,) * 3 or not same:
        return None
    array = np.asarray(image.read(), np.float32)
    if not np.isfinite(array).all() or array.max() == array.min():
        raise InputError(
            f"{path.name} shows nothing to align to: its voxels are all alike, or some are not "
            "finite; mask it, or choose another map."
        )
    return array


def _reduction(crops: Crops) -> float:
    return float(getattr(crops, "box", crops.shape[-1])) / crops.shape[-1]


def _in_boxes(crops: Crops, shifts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return shifts + crops.shape[-1] // 2


def _in_tomograms(crops: Crops, shifts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return where particles lie: a voxel v of a crop is that far from the start of its box."""
    box, factor = getattr(crops, "box", crops.shape[-1]), _reduction(crops)
    positions = np.asarray(crops.positions, np.float64)
    middle = positions - getattr(crops, "offsets", np.zeros_like(positions))
    return middle - box // 2 + factor * _in_boxes(crops, shifts)


def _columns(crops: Crops) -> dict[str, npt.NDArray[Any]]:
    """Return what is known of crops, without what their new poses take the place of."""
    known = getattr(crops, "columns", {})
    return {key: np.asarray(values) for key, values in known.items() if key != "score"}

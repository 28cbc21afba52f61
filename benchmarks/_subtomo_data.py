"""Simulated subtomograms that the benchmarks share: ten complexes, made once for each setting."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from _data import DATA, SCRATCH
from napari_cryoml.data import ArrayCrops, MissingWedge
from napari_cryoml.jobs import run_inline
from napari_cryoml.simulate import (
    DensityMap,
    SubtomogramConfig,
    procedural_maps,
    read_map,
    simulate_subtomograms,
)

MAPS = ("6qzp", "4v4r_50S", "4v4r_30S", "2uv8", "4cr2", "3j9i", "6pxm", "1f4a", "7n4y", "1bxn")
"""Ten complexes of 110 angstrom or more that differ well."""
BOX, PIXEL_SIZE = 32, 10.0
_SHIFT_PX = 3.0


@dataclass(frozen=True)
class Subtomograms:
    """Labelled crops of one setting.

    Parameters
    ----------
    crops : ArrayCrops
    classes : tuple of str
    labels : array of shape (n,), intp
    rotations : array of shape (n, 3, 3)
    shifts : array of shape (n, 3)
    """

    crops: ArrayCrops
    classes: tuple[str, ...]
    labels: npt.NDArray[np.intp]
    rotations: npt.NDArray[np.float64]
    shifts: npt.NDArray[np.float64]

    @property
    def wedge(self) -> MissingWedge | None:
        """Tilts of the series."""
        return self.crops.wedge

    def binned(self) -> Subtomograms:
        """Return them in voxels twice as wide, which makes networks eight times as quick."""
        n, channels, *shape = self.crops.array.shape
        blocks = np.asarray(self.crops.array, np.float32).reshape(
            n, channels, *(part for side in shape for part in (side // 2, 2))
        )
        crops = ArrayCrops.of(
            blocks.mean(axis=(3, 5, 7)),
            pixel_size=2 * (self.crops.pixel_size or PIXEL_SIZE),
            wedge=self.wedge,
        )
        return Subtomograms(crops, self.classes, self.labels, self.rotations, self.shifts / 2)

    def take(self, rows: npt.NDArray[np.intp]) -> Subtomograms:
        """Return some of them."""
        crops = ArrayCrops(
            self.crops.array[rows],
            self.crops.ids[rows],
            {},
            self.crops.pixel_size,
            self.crops.wedge,
        )
        return Subtomograms(
            crops, self.classes, self.labels[rows], self.rotations[rows], self.shifts[rows]
        )


@cache
def ten_maps() -> tuple[DensityMap, ...]:
    """Return the ten maps, or ten made-up complexes where the folder of data is absent."""
    folder = DATA / "maps" / "density_10A"
    paths = [folder / f"{name}.mrc" for name in MAPS]
    if all(path.is_file() for path in paths):
        return tuple(read_map(path, pixel_size=PIXEL_SIZE, box=BOX) for path in paths)
    return tuple(procedural_maps(len(MAPS), BOX, PIXEL_SIZE, seed=0))


def maps_in_words() -> str:
    """Return which maps these are."""
    real = (DATA / "maps" / "density_10A").is_dir()
    return "density maps of ten complexes" if real else "ten made-up complexes"


def subtomograms(
    snr: float | None, tilt: float, per_class: int, seed: int, *, neighbours: int = 0
) -> Subtomograms:
    """Return simulated subtomograms of ten complexes; kept on disk between runs.

    Parameters
    ----------
    snr : float or None
        None for no noise.
    tilt : float
        Largest tilt, degrees.
    per_class : int
    seed : int
    neighbours : int
        Other complexes around each.
    """
    place = SCRATCH / f"subtomograms_{maps_in_words().replace(' ', '_')}_{snr}_{tilt:g}"
    place = place.with_name(f"{place.name}_{per_class}_{seed}_{neighbours}.npz")
    names = tuple(one.name for one in ten_maps())
    wedge = MissingWedge(-tilt, tilt)
    if not place.is_file():
        config = SubtomogramConfig(
            box=BOX,
            pixel_size=PIXEL_SIZE,
            snr=snr,
            tilt_max=tilt,
            shift_px=_SHIFT_PX,
            neighbours=neighbours,
        )
        made = run_inline(simulate_subtomograms(ten_maps(), per_class, config, seed))
        place.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            place,
            crops=np.asarray(made.crops.array, np.float32),
            labels=made.labels,
            rotations=made.rotations,
            shifts=made.shifts,
        )
    with np.load(place, allow_pickle=False) as kept:
        crops = ArrayCrops.of(kept["crops"], pixel_size=PIXEL_SIZE, wedge=wedge)
        return Subtomograms(
            crops, names, kept["labels"].astype(np.intp), kept["rotations"], kept["shifts"]
        )


def halves(labels: npt.NDArray[np.intp], seed: int) -> tuple[npt.NDArray[np.intp], ...]:
    """Return the rows of two halves, each with half of every class."""
    return parts(labels, (0.5, 0.5), seed)


def parts(
    labels: npt.NDArray[np.intp], shares: tuple[float, ...], seed: int
) -> tuple[npt.NDArray[np.intp], ...]:
    """Return the rows of parts, each with its share of every class."""
    rng = np.random.default_rng(seed)
    found: list[list[npt.NDArray[np.intp]]] = [[] for _ in shares]
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        ends = np.rint(np.cumsum(shares) * len(rows)).astype(int)
        for part, piece in zip(found, np.split(rows, ends[:-1]), strict=True):
            part.append(piece)
    return tuple(np.sort(np.concatenate(part)) for part in found)

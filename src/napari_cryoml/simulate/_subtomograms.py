"""Subtomograms: a turned complex in a box, seen through a tilt series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops, MissingWedge
from napari_cryoml.jobs import Command, Event, Job
from napari_cryoml.simulate._density import random_rotations
from napari_cryoml.simulate._density_maps import DensityMap
from napari_cryoml.simulate._imaging import Imaging, Poses
from napari_cryoml.simulate._neighbours import place_neighbours
from napari_cryoml.simulate._tilt_series import TiltSeriesConfig

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

EMPTY = "empty"
"""Class of the boxes that hold no particle."""

_CHUNK = 16
"""Boxes of 32 voxels or less that are made at a time."""


class SubtomogramConfig(TiltSeriesConfig):
    """What subtomograms show, and how their tilt series is taken."""

    box: int = Field(32, ge=8, le=256, description="Voxels a side.")
    shift_px: float = Field(
        2.0, ge=0, description="Farthest that a particle lies from the middle, voxels each axis."
    )
    neighbours: int = Field(
        0, ge=0, le=32, description="Other complexes about the particle, where there is room."
    )
    empty_class: bool = Field(
        False, description="Whether there is a class of boxes without a particle."
    )


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSubtomograms:
    """Subtomograms and the truth about them.

    Parameters
    ----------
    crops : ArrayCrops
        Array of shape (n, 1, z, y, x), float32; the column ``class`` names the classes.
    classes : tuple of str
        Names of the classes; the empty one is the last.
    labels : array of shape (n,)
        Class of each, a row of `classes`. They take turns, so that the first rows of a
        simulation that was stopped hold all classes alike.
    rotations : array of shape (n, 3, 3)
        Act on columns zyx and bring an offset in the map to the offset in the box.
    shifts : array of shape (n, 3)
        Voxels zyx from voxel ``n // 2`` of the box to the particle's centre.
    wedge : MissingWedge
    """

    crops: ArrayCrops
    classes: tuple[str, ...]
    labels: Rows
    rotations: Floats
    shifts: Floats
    wedge: MissingWedge

    def __len__(self) -> int:
        return len(self.labels)


def simulate_subtomograms(
    maps: Sequence[DensityMap],
    per_class: int,
    config: SubtomogramConfig | None = None,
    seed: int = 0,
) -> Job[SimulatedSubtomograms]:
    """Simulate subtomograms of known class and pose: a job with an event every few boxes.

    A complex in an even orientation, shifted, is projected through the tilt series (as central
    slices of its spectrum); noise is added; both pass the lens and the detector; and direct
    Fourier inversion gives the box with its missing wedge. All boxes have noise of deviation 1;
    the maps are scaled, each by one factor, so that the particle's variance in the box is `snr`
    on average over poses. Neighbours come on top of that. Defocus is the same for all tilts and
    all heights.

    Parameters
    ----------
    maps : sequence of DensityMap
        One a class; other grids than the config's are resampled.
    per_class : int
        Boxes of each class.
    config : SubtomogramConfig, optional
    seed : int
        0 or more. Every box has a seed of its own that follows from it.

    Yields
    ------
    Event
        After each chunk of boxes. `Command.STOP` keeps those that are done.

    Returns
    -------
    SimulatedSubtomograms

    Raises
    ------
    InputError
        If there is no map, two have one name, or a number is out of range.

    References
    ----------
    Xu et al., Bioinformatics 33, i13 (2017), section 3.1.1.
    """
    config = SubtomogramConfig() if config is None else config
    check_maps(maps, seed)
    if per_class < 1:
        raise InputError(f"1 subtomogram or more of each class is needed; {per_class} was given.")
    fitted = [entry.fitted(config.pixel_size, config.box) for entry in maps]
    classes = (*(entry.name for entry in fitted), *((EMPTY,) if config.empty_class else ()))
    total = per_class * len(classes)
    yield Event(done=0, total=total, message="measuring signal and noise")
    scene = _Scene(fitted, config, seed)
    boxes = np.empty((total, 1, *(config.box,) * 3), np.float32)
    poses: list[Poses] = []
    done = 0
    for rows in _chunks(total, config.box):
        poses.append(scene.poses(rows))
        boxes[rows, 0] = scene.boxes(rows, poses[-1])
        done = int(rows[-1]) + 1
        if (yield Event(done=done, total=total)) is Command.STOP:
            break
    return _result(boxes[:done], classes, poses, config)


def check_maps(maps: Sequence[DensityMap], seed: int) -> None:
    """Complain of maps that cannot be told apart by name, of none, and of seeds below 0."""
    names = [entry.name for entry in maps]
    if not names or seed < 0:
        raise InputError(
            "A simulation needs 1 map or more and a seed of 0 or more; "
            f"{len(names)} maps and seed {seed} were given."
        )
    known = [*names, EMPTY]
    twice = sorted({name for name in known if known.count(name) > 1})
    if twice:
        raise InputError(
            f"Each map needs a name of its own, other than {EMPTY!r}; there is more than one "
            f"{', '.join(twice)}: rename the files."
        )


def _chunks(total: int, box: int) -> Iterator[Rows]:
    """Yield the rows in portions whose tilt series take about as much memory for any box."""
    size = max(_CHUNK * 32**2 // max(box, 32) ** 2, 1)
    for start in range(0, total, size):
        yield np.arange(start, min(start + size, total))


class _Scene:
    """What the boxes of one simulation show."""

    def __init__(self, maps: Sequence[DensityMap], config: SubtomogramConfig, seed: int) -> None:
        self.config, self.seed = config, seed
        self.n_classes = len(maps) + config.empty_class
        self.radii = [entry.radius for entry in maps]
        self.imaging = Imaging([entry.array for entry in maps], config, config.box)

    def generator(self, row: int, of: int) -> np.random.Generator:
        """Return the generator of one box: 0 for its pose, 1 for its noise."""
        return np.random.default_rng([self.seed, row, of])

    def poses(self, rows: Rows) -> Poses:
        """Return kind, turn and place of the particle in each box; kind -1 is none."""
        drawn = [self.generator(int(row), 0) for row in rows]
        rotations = np.concatenate([random_rotations(1, rng) for rng in drawn])
        far = self.config.shift_px
        shifts = np.stack([rng.uniform(-far, far, 3) for rng in drawn])
        kinds = rows % self.n_classes
        return Poses(np.where(kinds < len(self.radii), kinds, -1), rotations, shifts)

    def boxes(self, rows: Rows, poses: Poses) -> npt.NDArray[np.float32]:
        """Return the reconstructions, (b, box, box, box)."""
        owners = np.arange(len(rows))
        noise = [self.generator(int(row), 1) for row in rows]
        crowd, homes = self._neighbours(rows, poses)
        return self.imaging.boxes(
            poses.joined(crowd), np.concatenate([owners, homes]), len(rows), noise
        )

    def _neighbours(self, rows: Rows, poses: Poses) -> tuple[Poses, Rows]:
        """Return the neighbours of all boxes, and in which box each is."""
        found = [
            self._crowd(self.generator(int(row), 2), int(kind), shift)
            for row, kind, shift in zip(rows, poses.kinds, poses.shifts, strict=True)
        ]
        homes = np.repeat(np.arange(len(rows)), [len(crowd.kinds) for crowd in found])
        crowd = Poses.none()
        for some in found:
            crowd = crowd.joined(some)
        return crowd, homes

    def _crowd(self, rng: np.random.Generator, kind: int, shift: Floats) -> Poses:
        # An empty box keeps a hole as wide as a particle: it is the crowd that must not tell.
        own = float(np.mean(self.radii)) if kind < 0 else self.radii[kind]
        kinds, offsets = place_neighbours(
            self.config.neighbours, own, self.radii, self.config.box, rng
        )
        return Poses(kinds, random_rotations(len(kinds), rng), offsets + shift)


def _result(
    boxes: npt.NDArray[np.float32],
    classes: tuple[str, ...],
    poses: Sequence[Poses],
    config: SubtomogramConfig,
) -> SimulatedSubtomograms:
    labels = np.arange(len(boxes)) % len(classes)
    names = np.asarray(classes, np.str_)[labels]
    ids = [f"{name}_{row // len(classes):04d}" for row, name in enumerate(names)]
    crops = ArrayCrops.of(
        boxes, ids, {"class": names}, pixel_size=config.pixel_size, wedge=config.wedge
    )
    return SimulatedSubtomograms(
        crops,
        classes,
        labels,
        np.concatenate([some.rotations for some in poses]),
        np.concatenate([some.shifts for some in poses]),
        config.wedge,
    )

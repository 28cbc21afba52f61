"""Crowded tomograms, with the truth about every particle in them."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from scipy import ndimage

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import MissingWedge, Picks
from napari_cryoml.jobs import Command, Event, Job, run_inline
from napari_cryoml.simulate._density import random_rotations
from napari_cryoml.simulate._density_maps import DensityMap
from napari_cryoml.simulate._neighbours import fill
from napari_cryoml.simulate._slab import Slab
from napari_cryoml.simulate._subtomograms import check_maps
from napari_cryoml.simulate._tilt_series import TiltSeriesConfig

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Volume = npt.NDArray[np.float32]

_SAMPLES = 12
"""Lone particles of each class that the power of the signal is measured on."""


class TomogramConfig(TiltSeriesConfig):
    """What a tomogram shows, and how its tilt series is taken."""

    shape: tuple[int, int, int] = Field((64, 256, 256), description="Shape z,y,x in voxels.")
    n_particles: int = Field(
        120, ge=1, le=20000, description="Complexes of all classes together, where there is room."
    )
    box: int = Field(
        32, ge=8, le=256, description="Side of the box that the SNR is told for, voxels."
    )

    @model_validator(mode="after")
    def _check_shape(self) -> TomogramConfig:
        if min(self.shape) < 16:
            raise ValueError("shape must be 16 voxels or more each way")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedTomogram:
    """A tomogram and the truth about it.

    Parameters
    ----------
    image : array of shape (z, y, x), float32
    picks : Picks
        Every particle, with its rotation and, in the column ``class``, what it is.
    wedge : MissingWedge
    pixel_size : float
        Angstrom per voxel.
    """

    image: Volume
    picks: Picks
    wedge: MissingWedge
    pixel_size: float

    def boxes(self, side: int) -> tuple[Rows, Volume, Floats]:
        """Cut boxes about the particles by whole voxels.

        Parameters
        ----------
        side : int
            Voxels; particles whose box leaves the tomogram are left out.

        Returns
        -------
        rows : array of shape (m,)
            Which particles of `picks` these are.
        boxes : array of shape (m, side, side, side)
        shifts : array of shape (m, 3)
            Voxels zyx from voxel ``side // 2`` to the particle's centre.
        """
        nearest = np.rint(self.picks.positions).astype(np.intp)
        corners = nearest - side // 2
        inside = ((corners >= 0) & (corners + side <= self.image.shape)).all(axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(self.image, (side,) * 3)
        rows = np.flatnonzero(inside)
        return rows, windows[tuple(corners[rows].T)], (self.picks.positions - nearest)[rows]


def simulate_tomogram(
    maps: Sequence[DensityMap],
    config: TomogramConfig | None = None,
    seed: int = 0,
    *,
    name: str = "tomogram.mrc",
) -> SimulatedTomogram:
    """Simulate a crowded tomogram.

    Turned complexes of all classes are placed at random so that the balls around them do not
    overlap. The volume is projected along parallel rays under every tilt, noise is added, both
    pass lens and detector, and weighted back-projection gives the tomogram with its missing
    wedge. Noise has deviation 1. Complexes are equally dense, as proteins are, so that small ones
    are fainter; a lone particle has a variance of `config.snr` in a box of `config.box`, on
    average over classes and poses. Defocus is the same for all tilts and heights, and there is no
    matter beyond the faces of the volume.

    Parameters
    ----------
    maps : sequence of DensityMap
        One a class; other grids than the config's are resampled.
    config : TomogramConfig, optional
    seed : int
        Of places, turns and noise.
    name : str
        Image name of the picks.

    Returns
    -------
    SimulatedTomogram

    Raises
    ------
    InputError
        If there is no map, two have one name, or one is larger than the volume.

    Warns
    -----
    InputWarning
        If not all particles found room.
    """
    return run_inline(tomogram_job(maps, config, seed, name=name))


def tomogram_job(
    maps: Sequence[DensityMap],
    config: TomogramConfig | None = None,
    seed: int = 0,
    *,
    name: str = "tomogram.mrc",
) -> Job[SimulatedTomogram]:
    """Simulate a tomogram as `simulate_tomogram` does, which tells more: a job.

    Parameters
    ----------
    maps, config, seed, name
        As there.

    Yields
    ------
    Event
        After each particle and each tilt. `Command.STOP` leaves out the particles that have not
        been drawn yet; the tilt series is taken to its end all the same.

    Returns
    -------
    SimulatedTomogram

    Raises
    ------
    InputError
        As there.
    """
    config = TomogramConfig() if config is None else config
    check_maps(maps, seed)
    rng = np.random.default_rng([seed, 23])
    fitted = [_equally_dense(entry.fitted(config.pixel_size)) for entry in maps]
    kinds, positions = _places(fitted, config, rng)
    picks = _truth(name, fitted, kinds, positions, random_rotations(len(kinds), rng), config)
    total = len(kinds) + len(config.tilts) * (1 if config.snr is None else 2)
    stopped = (
        yield Event(done=0, total=total, message="measuring signal and noise")
    ) is Command.STOP
    gain, noise_scale = _scales(fitted, config)
    matter, drawn = np.zeros(config.shape, np.float32), np.zeros(len(kinds), bool)
    for row in _drawing(matter, [gain * entry.array for entry in fitted], kinds, picks):
        drawn[row] = True
        event = Event(done=int(drawn.sum()), total=total, message="drawing particles")
        stopped |= (yield event) is Command.STOP
        if stopped:
            break
    slab = Slab(config.shape, config)
    image = yield from _counted(slab.signal_by_tilt(matter), len(kinds), total, "tilting")
    if config.snr is not None:
        done = len(kinds) + len(config.tilts)
        image += noise_scale * (yield from _counted(slab.noise_by_tilt(rng), done, total, "noise"))
    return SimulatedTomogram(image, picks.take(drawn), config.wedge, config.pixel_size)


def _truth(
    name: str,
    maps: Sequence[DensityMap],
    kinds: Rows,
    positions: Floats,
    rotations: Floats,
    config: TomogramConfig,
) -> Picks:
    names = np.asarray([entry.name for entry in maps], np.str_)
    return Picks(
        name,
        positions,
        pixel_size=config.pixel_size,
        diameter=2 * float(np.mean([entry.radius for entry in maps])),
        columns={"class": names[kinds]},
        rotations=rotations,
    )


def _counted(
    steps: Generator[None, None, Volume], done: int, total: int, message: str
) -> Job[Volume]:
    """Return what a generator does, with an event after each of its steps."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Volume = end.value
            return found
        done += 1
        yield Event(done=done, total=total, message=message)


def _drawing(
    matter: Volume, arrays: Sequence[Volume], kinds: Rows, picks: Picks
) -> Iterator[np.intp]:
    """Draw all particles in place, and yield which one has been drawn."""
    rotations = np.asarray(picks.rotations)
    for kind, array in enumerate(arrays):
        rows = np.flatnonzero(kinds == kind)
        turning = _turned(matter, array, picks.positions[rows], rotations[rows])
        for row, _ in zip(rows, turning, strict=True):
            yield row


def _places(
    maps: Sequence[DensityMap], config: TomogramConfig, rng: np.random.Generator
) -> tuple[Rows, Floats]:
    """Return kinds (n,), alike in number, and centres (n, 3), the largest placed first."""
    radii = [entry.radius for entry in maps]
    for entry, radius in zip(maps, radii, strict=True):
        if 2 * radius > min(config.shape) - 1:
            raise InputError(
                f"{entry.name} is {2 * radius:.0f} voxels wide and has no room in a tomogram of "
                f"{min(config.shape)} voxels: make the tomogram larger, or the voxels."
            )
    wanted = np.arange(config.n_particles) % len(maps)
    order = np.argsort(-np.asarray(radii)[wanted], kind="stable")
    kinds, positions = fill(wanted[order], radii, config.shape, rng)
    if len(kinds) < config.n_particles:
        warnings.warn(
            f"Only {len(kinds)} of {config.n_particles} particles found room: ask for fewer, or "
            "for a larger tomogram.",
            InputWarning,
            stacklevel=3,
        )
    mixed = rng.permutation(len(kinds))
    return kinds[mixed], positions[mixed]


def _draw(matter: Volume, array: Volume, positions: Floats, rotations: Floats) -> None:
    """Add turned copies of a map, each where it lies, in place."""
    for _ in _turned(matter, array, positions, rotations):
        pass


def _turned(matter: Volume, array: Volume, positions: Floats, rotations: Floats) -> Iterator[None]:
    """Add turned copies of a map, each where it lies, in place and one a step."""
    smooth = ndimage.spline_filter(array.astype(np.float64), order=3, mode="constant")
    size = array.shape[0]
    # The corners of a turned box are needed too where matter lies in them.
    reach = int(np.ceil(size / 2)) + 1
    for position, rotation in zip(positions, rotations, strict=True):
        start = np.floor(position).astype(int) - reach
        offset = size // 2 - rotation.T @ (position - start)
        turned = ndimage.affine_transform(
            smooth, rotation.T, offset, (2 * reach + 1,) * 3, order=3, prefilter=False
        )
        low = np.maximum(start, 0)
        high = np.minimum(start + 2 * reach + 1, matter.shape)
        inner = tuple(slice(a, b) for a, b in zip(low - start, high - start, strict=True))
        matter[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] += turned[inner]
        yield


def _equally_dense(entry: DensityMap) -> DensityMap:
    """Return a map whose body (what is denser than a tenth of the largest value) has density 1."""
    body = entry.array > entry.array.max() / 10
    return replace(entry, array=entry.array / entry.array[body].mean())


def _scales(maps: Sequence[DensityMap], config: TomogramConfig) -> tuple[np.float32, np.float32]:
    """Return the factors of the maps and of the noise.

    Lone particles stand in a row along the tilt axis, a box each, in a slab of their own.
    """
    side = config.box
    slab = Slab((side, side * _SAMPLES, side), config)
    rotations = random_rotations(_SAMPLES, np.random.default_rng(0))
    middles = np.full((_SAMPLES, 3), side // 2, np.float64)
    middles[:, 1] += side * np.arange(_SAMPLES)
    powers = []
    for entry in maps:
        matter = np.zeros(slab.shape, np.float32)
        _draw(matter, entry.array, middles, rotations)
        powers.append(_variance(slab.signal(matter), side))
    noise = _variance(slab.noise(np.random.default_rng(0)), side)
    signal = np.mean(powers) / (config.snr or 1.0)
    return np.float32(1 / np.sqrt(signal)), np.float32(1 / np.sqrt(noise))


def _variance(row: Volume, side: int) -> float:
    boxes = row.reshape(side, _SAMPLES, side, side)
    return float(np.var(boxes, axis=(0, 2, 3), dtype=np.float64).mean())

"""Images aligned to each other without a reference."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._config import AverageConfig
from napari_cryoml.averaging._likelihood import (
    Reference,
    Search,
    improved,
    likeliest,
    random_reference,
    reference_of,
)
from napari_cryoml.averaging._mask import soft_mask
from napari_cryoml.averaging._polar import PolarGrid, Spectra
from napari_cryoml.averaging._poses import Poses
from napari_cryoml.averaging._refinement import refined_poses
from napari_cryoml.jobs import Command, Event, Job

FINE_ROUNDS = 4
_COARSE_RINGS = 8
_ANGLES_PER_RING = 6
"""A detail of the outermost ring is then no shorter than one step along it: 2 pi, less the mask."""
_SHIFT_SHARE = 1 / 16

Images = npt.NDArray[np.float32]


@dataclass(slots=True)
class Pace:
    """How far an alignment has come, and whether it was told to stop."""

    total: int
    done: int = 0
    stopped: bool = False

    def step(self) -> Generator[Event, Command | None, None]:
        """Tell of one more round."""
        self.done += 1
        command = yield Event(done=self.done, total=self.total)
        self.stopped = self.stopped or command is Command.STOP


def rounds_of(config: AverageConfig) -> int:
    """Return how many rounds `aligned` takes."""
    return config.starts * config.iterations + FINE_ROUNDS


def aligned(
    images: Images, config: AverageConfig, rng: np.random.Generator, pace: Pace
) -> Job[tuple[Poses, Reference]]:
    """Return the poses of images that were never compared with any others: a job.

    The likeliest of several random starts at coarse resolution is refined at fine resolution.
    After `Command.STOP` the poses are those of the work so far.

    Parameters
    ----------
    images : array of shape (n, y, x)
    config : AverageConfig
    rng : Generator
        For the starts.
    pace : Pace

    Returns
    -------
    Poses, Reference
        The reference is that of `fine_search`.
    """
    masked, mask = _masked(images, config)
    share = float(np.mean(np.square(mask)))
    coarse, fine = coarse_search(mask.shape, config, share), fine_search(mask.shape, config, share)
    spectra = whitened(coarse.grid.samples(masked))
    reference = yield from _started(spectra, coarse, config, rng, pace)
    turn, shift = likeliest(spectra, reference, coarse)
    spectra = whitened(fine.grid.samples(masked))
    turn = _same_turn(turn, coarse.grid.n_angles, fine.grid.n_angles)
    reference = reference_of(spectra, fine, turn, shift)
    for _ in range(1 if pace.stopped else FINE_ROUNDS):
        reference = improved(spectra, reference, fine)
        yield from pace.step()
        if pace.stopped:
            break
    return refined_poses(spectra, reference, fine), reference


def joining(one: Reference, other: Reference, search: Search) -> Poses:
    """Return the single pose that lays what `other` shows on what `one` shows."""
    target = Reference(one.spectrum, np.ones(search.grid.n_rings))
    half = other.spectrum[None, :, : search.grid.n_angles // 2]
    return refined_poses(half, target, search)


def whitened(spectra: Spectra) -> Spectra:
    """Return spectra (n, n_rings, n_angles / 2) whose mean power is 1 on each ring."""
    power = np.square(np.abs(spectra)).mean(axis=(0, 2))
    return (spectra / np.sqrt(np.maximum(power, 1e-12))[:, None]).astype(np.complex64)


def max_shift_of(shape: tuple[int, ...], config: AverageConfig) -> float:
    """Return how far crops of a shape may be moved, pixels."""
    return _SHIFT_SHARE * min(shape) if config.max_shift is None else config.max_shift


def coarse_search(shape: tuple[int, ...], config: AverageConfig, share: float) -> Search:
    """Return the search for which random starts are cheap."""
    n_rings = min(_COARSE_RINGS, _n_rings(shape, config))
    n_angles = min(_ANGLES_PER_RING * n_rings, _n_angles(config))
    grid = PolarGrid(min(shape), n_rings, n_angles)
    return Search.within(grid, max_shift_of(shape, config), mirror=config.mirror, share=share)


def fine_search(
    shape: tuple[int, ...], config: AverageConfig, share: float = 1.0, further: float = 1.0
) -> Search:
    """Return the search at the angular step that was asked for, `further` times as far."""
    grid = PolarGrid(min(shape), _n_rings(shape, config), _n_angles(config))
    reach = further * max_shift_of(shape, config)
    return Search.within(grid, reach, mirror=config.mirror, share=share)


def _n_angles(config: AverageConfig) -> int:
    return 2 * round(180 / config.angular_step)


def _n_rings(shape: tuple[int, ...], config: AverageConfig) -> int:
    return max(min(_n_angles(config) // _ANGLES_PER_RING, min(shape) // 2 - 1), 1)


def _masked(images: Images, config: AverageConfig) -> tuple[Images, Images]:
    """Return images within a soft disc, of mean 0 there, and the disc."""
    mask = soft_mask(images.shape[1:], config.diameter)
    means = np.einsum("nyx,yx->n", images, mask) / mask.sum()
    return (images - means[:, None, None]) * mask, mask


def _started(
    spectra: Spectra,
    search: Search,
    config: AverageConfig,
    rng: np.random.Generator,
    pace: Pace,
) -> Job[Reference]:
    """Return the likeliest reference that random starts lead to."""
    found: list[Reference] = []
    while len(found) < config.starts and not (found and pace.stopped):
        reference = random_reference(spectra, search, rng)
        for _ in range(config.iterations):
            reference = improved(spectra, reference, search)
            yield from pace.step()
            if pace.stopped:
                break
        found.append(reference)
    return max(found, key=lambda reference: reference.log_likelihood)


def _same_turn(turn: npt.NDArray[np.intp], of: int, to: int) -> npt.NDArray[np.intp]:
    """Return turns of a circle of `of` steps on one of `to` steps; mirrored ones follow both."""
    mirrored, number = np.divmod(turn, of)
    return mirrored * to + np.rint(number * to / of).astype(np.intp) % to

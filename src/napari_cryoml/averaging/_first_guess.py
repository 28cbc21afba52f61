"""A first reference from particles that were never compared with anything."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._align_config import AlignConfig
from napari_cryoml.averaging._particles import Particles, random_poses
from napari_cryoml.jobs import Job

GUESS_ROUNDS = 2

Rows = npt.NDArray[np.intp]
Volume = npt.NDArray[np.float32]


def first_guess(
    particles: Particles, rows: Rows, config: AlignConfig, starts: int, rng: np.random.Generator
) -> Job[Volume]:
    """Return the average, grown from random orientations, that its particles fit best.

    Parameters
    ----------
    particles : Particles
    rows : array, intp
        Those to grow it from; `GUESS_ROUNDS` units of work for each and each start.
    config : AlignConfig
        Coarse.
    starts : int
        How often to begin anew.
    rng : Generator
    """
    best, score = yield from _grown(particles, rows, config, rng)
    for _ in range(starts - 1):
        if particles.progress.stopped:
            break
        other, fit = yield from _grown(particles, rows, config, rng)
        if fit > score:
            best, score = other, fit
    return best


def _grown(
    particles: Particles, rows: Rows, config: AlignConfig, rng: np.random.Generator
) -> Job[tuple[Volume, float]]:
    average, fit = particles.average(rows, random_poses(len(rows), rng)), -1.0
    for _ in range(GUESS_ROUNDS):
        if particles.progress.stopped:
            break
        found = yield from particles.align(rows, average, config)
        if not found.aligned.all():
            break
        average, fit = particles.average(rows, found.poses), float(found.poses.scores.mean())
    return average, fit

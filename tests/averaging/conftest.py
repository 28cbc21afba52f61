"""Crops of one made-up particle in known poses."""

from dataclasses import dataclass

import numpy as np
import pytest

from napari_cryoml.averaging import AverageConfig
from napari_cryoml.averaging._poses import turns
from napari_cryoml.simulate import random_complex, random_rotations

SIDE = 32


@dataclass(frozen=True)
class Particles:
    """Crops (n, y, x), how each was turned and moved, and the particle as it was before."""

    crops: np.ndarray
    angles: np.ndarray
    shifts: np.ndarray
    truth: np.ndarray


def particles(n, snr, *, side=SIDE, seed=0, max_shift=1.0, mirrored=()):
    """Return dark particles of one view, turned x towards y by `angles` and moved by `shifts`."""
    rng = np.random.default_rng(seed)
    species = random_complex(0.65 * side, "C1", 3)
    view = random_rotations(1, rng)[0]
    centre = np.full(2, side // 2)
    truth = -species.projection((side, side), centre, view)
    angles, shifts = rng.uniform(-180, 180, n), rng.uniform(-max_shift, max_shift, (n, 2))
    crops = np.empty((n, side, side))
    for row in range(n):
        turn = np.eye(3)
        turn[1:, 1:] = turns(np.deg2rad(angles[row]))
        if row in mirrored:
            turn = turn @ np.diag([1, -1, 1])
        crops[row] = -species.projection((side, side), centre + shifts[row], turn @ view)
    y, x = np.indices((side, side)) - side // 2
    disc = np.hypot(y, x) <= 0.325 * side
    signal = np.sqrt(snr / np.mean(truth[disc] ** 2))
    crops = signal * crops + rng.normal(size=crops.shape)
    return Particles(crops.astype(np.float32), angles, shifts, signal * truth)


def spread_deg(angles):
    """Return how far angles in degrees lie from their common direction, each."""
    phases = np.exp(1j * np.deg2rad(angles))
    return np.abs(np.rad2deg(np.angle(phases / phases.mean())))


@pytest.fixture(scope="session")
def quick():
    """Return options of an alignment that takes a moment."""
    return AverageConfig(iterations=6, starts=2, angular_step=10)

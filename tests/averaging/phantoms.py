"""Subtomograms of a particle without symmetry, in known poses."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from napari_cryoml.data import MissingWedge

SIDE = 20
WEDGE = MissingWedge(-60, 60)
# Places zyx in units of the box and weights of the blobs that a particle is made of.
BLOBS = {
    "boot": [
        (-0.2, 0, 0, 1),
        (0.0, 0, 0, 1),
        (0.2, 0, 0, 1),
        (0.2, 0.17, 0, 1.2),
        (-0.1, 0, 0.2, 1),
    ],
    "bent": [(0, -0.2, -0.1, 1), (0, 0.05, 0, 1.4), (0.17, 0.1, 0.1, 1), (0, 0.0, 0.22, 0.8)],
}


@dataclass(frozen=True)
class Subtomograms:
    """Boxes (n, z, y, x), how each particle lies in them, and the reference."""

    boxes: np.ndarray
    rotations: np.ndarray
    shifts: np.ndarray
    reference: np.ndarray


def particle(rotation=None, shift=(0, 0, 0), *, side=SIDE, blobs="boot", sigma=0.055):
    """Return a box with a particle in some pose, drawn anew rather than turned."""
    rotation = np.eye(3) if rotation is None else rotation
    grid = np.stack(np.indices((side,) * 3), -1) - side // 2
    box = np.zeros((side,) * 3)
    for *place, weight in BLOBS[blobs]:
        centre = rotation @ (side * np.array(place)) + shift
        square = np.square(grid - centre).sum(axis=-1)
        box += weight * np.exp(-square / (2 * (sigma * side) ** 2))
    return box.astype(np.float32)


def subtomograms(n, snr=None, *, wedge=WEDGE, shift=1.5, seed=0, **options):
    """Return particles turned and moved at random, without what the wedge takes away."""
    rng = np.random.default_rng(seed)
    rotations = Rotation.random(n, random_state=seed).as_matrix()
    shifts = rng.uniform(-shift, shift, (n, 3))
    boxes = []
    for rotation, by in zip(rotations, shifts, strict=True):
        box = through(particle(rotation, by, **options), wedge)
        if snr is not None:
            noise = through(rng.normal(size=box.shape), wedge)
            box = box + noise * (box.std() / noise.std() / np.sqrt(snr))
        boxes.append(box.astype(np.float32))
    return Subtomograms(np.array(boxes), rotations, shifts, particle(**options))


def through(box, wedge):
    """Return what a wedge leaves of a box."""
    return box if wedge is None else np.fft.ifftn(np.fft.fftn(box) * wedge.mask(box.shape)).real

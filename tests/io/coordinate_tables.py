"""Small tables of picks with obvious numbers, and how two tables are compared."""

import numpy as np

from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import match_images


def table(ndim=2, images=("a.mrc", "b.mrc"), scores=True, pixel_size=1.5, step=0.0):
    """Return picks at (z)yx = ([30,] 20, 10), ([31,] 21, 11)... in each image."""
    picks = []
    for number, image in enumerate(images):
        n = 3 - number % 2
        first = np.array([30.0, 20.0, 10.0])[-ndim:]
        positions = first + np.arange(n)[:, None] + 100 * number + step
        values = np.arange(n, dtype=np.float32) / 8 if scores else None
        picks.append(Picks(image, positions, values, pixel_size))
    return PicksTable(tuple(picks))


def shapes(ndim, images=("a.mrc", "b.mrc")):
    return dict.fromkeys(images, (240, 480, 512)[-ndim:])


def assert_same(found, expected, *, atol=1e-6, scores=True):
    """Assert that two tables hold the same picks, whatever form the names of images take."""
    assert len(found) == len(expected)
    names = match_images(found.images, expected.images)
    for picks in found:
        other = expected[names[picks.image]]
        np.testing.assert_allclose(picks.positions, other.positions, atol=atol, rtol=0)
        if scores and other.scores is not None:
            np.testing.assert_allclose(picks.scores, other.scores, atol=1e-6)

"""Small images of dark balls, whose particles are known, and simulated micrographs."""

from collections.abc import Callable

import numpy as np
import pytest

from napari_cryoml.data import Annotations, ArrayImage
from napari_cryoml.features import FeatureCache

DIAMETER = 14.0

Field = tuple[ArrayImage, np.ndarray]


def _make_field(
    seed: int = 0,
    size: int = 96,
    ndim: int = 2,
    name: str = "a",
    pixel_size: float | None = None,
    diameter: float = DIAMETER,
    noise: float = 1.0,
) -> Field:
    """Return an image of dark balls in noise, and their centres."""
    rng = np.random.default_rng(seed)
    step = round(1.6 * diameter)
    along = np.arange(step // 2, size - step // 2 + 1, step)
    grid = np.stack(np.meshgrid(*[along] * ndim, indexing="ij"), -1).reshape(-1, ndim)
    centres = grid + rng.integers(-3, 4, grid.shape)
    pixels, axes = rng.normal(0, noise, (size,) * ndim), np.indices((size,) * ndim)
    for centre in centres:
        squares = sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True))
        pixels -= 3 * np.exp(-squares / (2 * (diameter / 4) ** 2))
    return ArrayImage(pixels.astype(np.float32), name, pixel_size), centres.astype(float)


@pytest.fixture(scope="session")
def make_field() -> Callable[..., Field]:
    """Return a function that makes an image of balls, 14 px across, and their centres."""
    return _make_field


@pytest.fixture(scope="session")
def fields() -> dict[str, Field]:
    """Return four images of 16 balls each, by name; do not change them."""
    return {name: _make_field(seed, name=name) for seed, name in enumerate("abcd")}


@pytest.fixture(scope="session")
def cache() -> FeatureCache:
    """Return a cache of features that many tests share."""
    return FeatureCache()


@pytest.fixture(scope="session")
def label() -> Callable[..., Annotations]:
    """Return a function that makes annotations of positives and negatives."""

    def make(positives=(), negatives=(), ndim: int = 2) -> Annotations:
        rows = np.array([*positives, *negatives], dtype=float).reshape(-1, ndim)
        kinds = np.repeat([1, 0], [len(positives), len(negatives)])
        return Annotations(rows, kinds.astype(np.int8))

    return make

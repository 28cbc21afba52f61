"""Crops of a few shapes that are easily told apart: balls, rings and bars, in 2-D and 3-D."""

import numpy as np

from napari_cryoml.classification import LabelledCrops
from napari_cryoml.data import ArrayCrops

NAMES = ("ball", "bar", "ring")


def crops_of_shapes(n=24, side=12, ndim=3, noise=0.5, seed=0, n_classes=3):
    """Return crops, a third of each shape in turn, and their classes in a column."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(side) - side // 2] * ndim, indexing="ij"), axis=-1)
    radius = np.linalg.norm(grid, axis=-1)
    bar = np.abs(grid[..., -1]) <= 1
    masks = [radius <= side / 4, bar & (radius <= side / 2), np.abs(radius - side / 3) <= 1]
    kinds = np.arange(n) % n_classes
    images = np.stack([masks[kind] for kind in kinds]) * 2.0
    images += noise * rng.normal(size=images.shape)
    names = np.array(NAMES)[kinds]
    columns = {"kind": names, "protein": names}
    return ArrayCrops.of(images[:, None].astype(np.float32), columns=columns, pixel_size=10.0)


def labelled_shapes(n=24, unlabelled=0, **options):
    """Return such crops of which the last few have no label."""
    crops = crops_of_shapes(n, **options)
    kinds = crops.columns["kind"].copy()
    kinds[len(kinds) - unlabelled :] = ""
    return LabelledCrops.of(crops, dict(zip(crops.ids.tolist(), kinds.tolist(), strict=True)))

"""A small classifier, crops of two classes, and batches of them."""

import numpy as np
import torch
from torch import nn

from napari_cryoml.models import Classifier, classifiers
from napari_cryoml.objectives import CropBatch

SIDE = 8


class ToyClassifier(Classifier):
    """One convolution with batch norm, its mean over the crop, and classes."""

    def __init__(self, shape, n_classes, n_channels=1):
        super().__init__(shape, n_classes, n_channels)
        ndim = len(self.shape)
        make, pool = (nn.Conv2d, nn.AvgPool2d) if ndim == 2 else (nn.Conv3d, nn.AvgPool3d)
        norm = nn.BatchNorm2d if ndim == 2 else nn.BatchNorm3d
        self.layers = nn.Sequential(make(n_channels, 8, 3, padding=1), norm(8), nn.ReLU(), pool(2))
        self.map_shape = (8, *(side // 2 for side in self.shape))
        self.latent = 8
        self.head = nn.Linear(8, n_classes)

    def feature_map(self, crops):
        return self.layers(crops)

    def vectors(self, feature_map):
        return feature_map.flatten(2).mean(2)


def build_network(name, ndim, n_classes=2, seed=0, n_channels=1):
    torch.manual_seed(seed)
    shape = (SIDE,) * ndim
    if name == "toy":
        return ToyClassifier(shape, n_classes, n_channels)
    return classifiers.create(name).build(shape, n_classes, n_channels)


def toy_crops(n, ndim, seed=0, n_channels=1):
    """Return noisy crops (n, C, *shape), with a bright middle (1) or bright border (0)."""
    generator = torch.Generator().manual_seed(seed)
    shape = (SIDE,) * ndim
    classes = torch.arange(n) % 2
    axes = torch.meshgrid(*(torch.arange(SIDE) - 3.5,) * ndim, indexing="ij")
    radius = sum(axis**2 for axis in axes).sqrt()
    discs = torch.stack([(radius > 3).float(), (radius < 2).float()])
    noise = torch.randn(n, n_channels, *shape, generator=generator)
    crops = 2 * discs[classes][:, None] + 0.3 * noise
    crops -= crops.flatten(2).mean(2).reshape(n, n_channels, *(1,) * ndim)
    crops /= crops.flatten(2).std(2).reshape(n, n_channels, *(1,) * ndim)
    return crops, classes


def toy_batch(n, ndim, n_views, labelled=0.5, epoch=0, seed=0, n_channels=1):
    """Return a batch of which a share has labels, and what all the labels are."""
    crops, classes = toy_crops(n, ndim, seed, n_channels)
    labels = classes.clone()
    labels[round(labelled * n) :] = -1
    generator = torch.Generator().manual_seed(seed + 1)
    noise = 0.1 * torch.randn(n_views, *crops.shape, generator=generator)
    views = tuple(crops + each for each in noise)
    return CropBatch(views, labels, torch.arange(n), epoch), classes


def unit_vectors(*shape, seed=0):
    vectors = np.random.default_rng(seed).normal(size=shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

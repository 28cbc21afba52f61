"""Batches of crops: dense ones that score many positions, or the published patches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_cryoml._errors import InputError
from napari_cryoml.data import NEGATIVE, POSITIVE, UNLABELLED
from napari_cryoml.preprocess import mirrored_region
from napari_cryoml.training._augmentation import augment
from napari_cryoml.training._config import TrainingConfig
from napari_cryoml.training._labels import IGNORED, LabelledImage


@dataclass(frozen=True, slots=True, eq=False)
class DetectionBatch:
    """Crops, and the label of each position a network scores in them.

    Parameters
    ----------
    images : Tensor of shape (b, 1, ...spatial), float32
    labels : Tensor of shape (b, ...grid), int8
        1 particle, 0 labelled as none, -1 unlabelled, -2 outside the image.
    """

    images: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> DetectionBatch:
        """Return the batch on `device`."""
        return DetectionBatch(self.images.to(device), self.labels.to(device))

    def __len__(self) -> int:
        return len(self.images)

    def part(self, rows: slice) -> DetectionBatch:
        """Return some of the crops."""
        return DetectionBatch(self.images[rows], self.labels[rows])


class Sampler(Protocol):
    """Draws batches for ever; the seed decides all of them."""

    def draw(self) -> DetectionBatch:
        """Return the next batch."""
        ...

    def halve(self) -> bool:
        """Halve the batches from now on; False if they are as small as they get."""
        ...


class DenseCrops:
    """Crops much larger than the receptive field: each position of the network's grid counts.

    Parameters
    ----------
    images : sequence of LabelledImage
        All of one number of axes, at one working scale.
    receptive_field, stride : int
        Of the network, in pixels.
    config : TrainingConfig
    """

    def __init__(
        self,
        images: Sequence[LabelledImage],
        receptive_field: int,
        stride: int,
        config: TrainingConfig,
    ) -> None:
        self._images = images
        self._field, self._stride, self._config = receptive_field, stride, config
        self._crops = config.crops
        self._size = max(config.crop_size, receptive_field)
        self._rng = np.random.default_rng(config.seed)
        self._generator = torch.Generator().manual_seed(config.seed)
        self._labelled = [
            (index, position)
            for index, image in enumerate(images)
            for position in _label_centres(image.labels)
        ]
        areas = np.array([image.pixels.size for image in images], dtype=np.float64)
        self._weights = areas / areas.sum()

    def draw(self) -> DetectionBatch:
        """Return the next batch."""
        drawn = [self._draw_crop() for _ in range(self._crops)]
        images = torch.from_numpy(np.stack([pixels for pixels, _ in drawn]))[:, None]
        labels = torch.from_numpy(np.stack([labels for _, labels in drawn]))
        images, labels = augment(images, labels, self._config.augmentation, self._generator)
        return DetectionBatch(images, labels[(slice(None), *[self._grid()] * (labels.ndim - 1))])

    def halve(self) -> bool:
        """Halve the number of crops, then their size; False at one crop of the field."""
        if self._crops > 1:
            self._crops //= 2
        elif self._size > self._field:
            self._size = max(self._size // 2, self._field)
        else:
            return False
        return True

    def _grid(self) -> slice:
        """Return the pixels of a crop that are centres of a position of the network's grid."""
        first = self._field // 2
        return slice(first, first + self._size - self._field + 1, self._stride)

    def _draw_crop(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
        if self._labelled and self._rng.random() < self._config.labelled_share:
            index, position = self._labelled[self._rng.integers(len(self._labelled))]
            reach = (self._size - self._field) / 2
            centre = position + self._rng.uniform(-reach, reach, len(position))
            origin = np.round(centre - self._size / 2).astype(int)
        else:
            index = int(self._rng.choice(len(self._images), p=self._weights))
            shape = np.array(self._images[index].pixels.shape)
            low, high = self._origins(shape)
            origin = self._rng.integers(low, high + 1)
        image = self._images[index]
        low, high = self._origins(np.array(image.pixels.shape))
        origin = np.clip(origin, low, high)
        return _cut(image, origin, self._size)

    def _origins(
        self, shape: npt.NDArray[np.int_]
    ) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
        """Return the least and the greatest corner whose scored positions reach to the border."""
        border = self._field // 2
        low = np.full(len(shape), -border)
        return low, np.maximum(shape + border - self._size, low)


class PatchSampler:
    """The published sampler: patches of the receptive field, one position each.

    Each step holds a fixed number of labelled patches (positives and labelled negatives alike)
    and fills up with unlabelled ones drawn evenly from all pixels of all images; every patch is
    turned by a random angle (Bepler et al. 2018, supplementary methods).

    Parameters
    ----------
    images : sequence of LabelledImage
    receptive_field : int
        Edge of a patch in pixels.
    config : TrainingConfig
    """

    def __init__(
        self, images: Sequence[LabelledImage], receptive_field: int, config: TrainingConfig
    ) -> None:
        self._images = images
        self._field = receptive_field
        self._config = config
        self._patches, self._labelled_patches = config.patches, config.labelled_patches
        self._augmentation = config.augmentation.model_copy(update={"turns": "any"})
        self._rng = np.random.default_rng(config.seed)
        self._generator = torch.Generator().manual_seed(config.seed)
        self._labelled = [
            (index, position)
            for index, image in enumerate(images)
            for position in np.argwhere(image.labels >= 0)
        ]
        if not self._labelled:
            raise InputError("The published sampler needs a label inside an image; label some.")
        areas = np.array([image.pixels.size for image in images], dtype=np.float64)
        self._weights = areas / areas.sum()

    def draw(self) -> DetectionBatch:
        """Return the next batch."""
        picks = self._rng.integers(len(self._labelled), size=self._labelled_patches)
        places = [self._labelled[pick] for pick in picks]
        places += [self._unlabelled() for _ in range(self._patches - self._labelled_patches)]
        # Wide enough that no corner of a turned patch leaves what was cut.
        wide = math.ceil(self._field * math.sqrt(2)) | 1
        pixels, labels = zip(*[self._cut(place, wide) for place in places], strict=True)
        images = torch.from_numpy(np.stack(pixels))[:, None]
        turned, _ = augment(
            images, torch.from_numpy(np.stack(labels)), self._augmentation, self._generator
        )
        ndim = images.ndim - 2
        margin = (wide - self._field) // 2
        core = (slice(None), slice(None), *[slice(margin, margin + self._field)] * ndim)
        values = [int(self._images[index].labels[tuple(place)]) for index, place in places]
        shape = (len(values),) + (1,) * ndim
        return DetectionBatch(turned[core], torch.tensor(values, dtype=torch.int8).reshape(shape))

    def halve(self) -> bool:
        """Halve the number of patches; False at two."""
        if self._patches <= 2:
            return False
        self._patches //= 2
        self._labelled_patches = max(1, self._labelled_patches // 2)
        return True

    def _unlabelled(self) -> tuple[int, npt.NDArray[np.int_]]:
        """Return a pixel that carries no label, drawn evenly; soon found, for labels are rare."""
        while True:
            index = int(self._rng.choice(len(self._images), p=self._weights))
            labels = self._images[index].labels
            place = self._rng.integers(np.zeros(labels.ndim, int), labels.shape)
            if labels[tuple(place)] == UNLABELLED:
                return index, place

    def _cut(
        self, place: tuple[int, npt.NDArray[np.int_]], wide: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
        index, position = place
        origin = position - wide // 2
        return _cut(self._images[index], origin, wide)


def _cut(
    image: LabelledImage, origin: npt.NDArray[np.int_], size: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """Return the cube of edge `size` whose first pixel is `origin`, and its labels.

    Beyond the border the pixels are mirrored and the labels ignored.
    """
    extent = [size] * image.pixels.ndim
    pixels = mirrored_region(image.pixels, origin, extent)
    labels = np.full(extent, IGNORED, np.int8)
    low, high = np.maximum(origin, 0), np.minimum(origin + size, image.labels.shape)
    inside = tuple(slice(a, max(a, b)) for a, b in zip(low - origin, high - origin, strict=True))
    labels[inside] = image.labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return pixels, labels


def _label_centres(labels: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Return a pixel position for each labelled disc, shape (n, ndim)."""
    from scipy import ndimage

    centres = []
    for value in (NEGATIVE, POSITIVE):
        discs, count = ndimage.label(labels == value)
        centres += ndimage.center_of_mass(discs > 0, discs, range(1, count + 1))
    return np.array(centres, dtype=np.float64).reshape(-1, labels.ndim)

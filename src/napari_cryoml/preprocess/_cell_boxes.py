"""Boxes around cells: beyond the border, at another sampling, with their masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.preprocess._border import mirrored_region
from napari_cryoml.preprocess._cells_config import Edge

Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CellCutting:
    """How boxes are cut out of an image of several channels.

    The pixel at ``size // 2`` of a crop is the pixel of the image that is nearest to the centroid;
    pixel ``i`` lies ``(i - size // 2) * ratio`` pixels of the image from it.

    Parameters
    ----------
    size : int
        Side of a crop in pixels.
    ratio : float, default 1
        Pixels of the image per pixel of the crop. Coarser crops are averaged, finer ones
        interpolated, both with linear weights.
    edge : {"mirror", "pad", "drop"}
        What lies beyond the border of the image.
    """

    size: int
    ratio: float = 1.0
    edge: Edge = "mirror"

    @cached_property
    def offsets(self) -> npt.NDArray[np.float64]:
        """Distance of each pixel of a crop from its centre, pixels of the image, shape (size,)."""
        steps = np.arange(self.size, dtype=np.float64) - self.size // 2
        return np.asarray(steps * self.ratio, np.float64)

    @property
    def _reach(self) -> float:
        return 0.0 if self.ratio == 1 else max(self.ratio, 1.0)

    @property
    def _first(self) -> int:
        return floor(self.offsets[0] - self._reach)

    @cached_property
    def extent(self) -> int:
        """Side of what is read of the image for one crop, in its pixels."""
        return ceil(self.offsets[-1] + self._reach) - self._first + 1

    @cached_property
    def _weights(self) -> npt.NDArray[np.float32]:
        """Share of each pixel of the image in each pixel of a crop, shape (size, extent)."""
        places = self._first + np.arange(self.extent)
        gaps = np.abs(self.offsets[:, None] - places[None]) / max(self.ratio, 1.0)
        weights = np.maximum(1 - gaps, 0)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)

    def inside(
        self, positions: npt.NDArray[np.float64], shape: tuple[int, ...]
    ) -> npt.NDArray[np.bool_]:
        """Tell which crops are kept in an image of this shape (Y, X); all unless `edge` is drop."""
        if self.edge != "drop":
            return np.ones(len(positions), bool)
        centres = nearest_pixels(positions)
        low, high = floor(self.offsets[0]), ceil(self.offsets[-1])
        return np.asarray(((centres + low >= 0) & (centres + high < shape)).all(axis=1))

    def boxes(self, image: Any, positions: npt.NDArray[np.float64]) -> Boxes:
        """Return the crops around some positions.

        Parameters
        ----------
        image : array of shape (C, Y, X)
            Or what is sliced like one; regions alone are asked for.
        positions : array of shape (k, 2)
            Pixel yx.

        Returns
        -------
        array of shape (k, C, size, size), float32
            Pixels that are not finite have the median of the others in their crop.
        """
        regions = np.empty((len(positions), image.shape[0], self.extent, self.extent), np.float32)
        starts = nearest_pixels(positions) + self._first
        for region, start in zip(regions, starts, strict=True):
            region[...] = self._region(image, start)
        _mend(regions)
        if self.ratio == 1:
            return regions
        return np.asarray(self._weights @ regions @ self._weights.T, np.float32)

    def _region(self, image: Any, start: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
        """Return what is needed of all channels for one crop."""
        stop = start + self.extent
        (top, left), (bottom, right) = start.tolist(), stop.tolist()
        height, width = image.shape[1:]
        if top >= 0 and left >= 0 and bottom <= height and right <= width:
            return np.asarray(image[:, top:bottom, left:right])
        whole = (image.shape[0], self.extent, self.extent)
        if self.edge != "pad":
            return mirrored_region(image, (0, top, left), whole)
        return _padded(image, start, whole)

    def masks(
        self, labels: Any, positions: npt.NDArray[np.float64], numbers: npt.ArrayLike
    ) -> npt.NDArray[np.bool_]:
        """Return which pixels of each crop belong to its cell.

        Parameters
        ----------
        labels : array of shape (Y, X)
        positions : array of shape (k, 2)
            Pixel yx.
        numbers : array of shape (k,)
            Label of each cell.

        Returns
        -------
        array of shape (k, size, size), bool
            False beyond the border; at another sampling, that of the nearest pixel.
        """
        steps = np.floor(self.offsets + 0.5).astype(np.intp)
        masks = np.zeros((len(positions), self.size, self.size), bool)
        height, width = labels.shape
        for mask, (y, x), number in zip(
            masks, nearest_pixels(positions), np.asarray(numbers), strict=True
        ):
            rows, columns = y + steps, x + steps
            down, across = _within(rows, height), _within(columns, width)
            found = np.asarray(labels[_span(rows[down])])[:, _span(columns[across])]
            rows, columns = rows[down], columns[across]
            mask[down, across] = found[np.ix_(rows - rows[0], columns - columns[0])] == number
        return masks


def nearest_pixels(positions: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the pixels nearest to positions."""
    return np.floor(positions + 0.5).astype(np.intp)


def _padded(image: Any, start: npt.NDArray[np.intp], whole: tuple[int, ...]) -> Boxes:
    """Return a region with zeros beyond the border."""
    region = np.zeros(whole, np.float32)
    low = np.maximum(start, 0)
    high = np.minimum(start + whole[1:], image.shape[1:])
    if (high > low).all():
        (top, left), (bottom, right) = (low - start).tolist(), (high - start).tolist()
        region[:, top:bottom, left:right] = image[:, low[0] : high[0], low[1] : high[1]]
    return region


def _within(places: npt.NDArray[np.intp], length: int) -> slice:
    """Return the part of ascending places that lies between 0 and a length."""
    return slice(*np.searchsorted(places, [0, length]).tolist())


def _span(places: npt.NDArray[np.intp]) -> slice:
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def _mend(boxes: Boxes) -> None:
    """Replace what is not finite in a channel of a crop by the median of the rest."""
    finite = np.isfinite(boxes)
    axes = (2, 3)
    for row, channel in np.argwhere(~finite.all(axis=axes) & finite.any(axis=axes)):
        good = finite[row, channel]
        boxes[row, channel][~good] = np.median(boxes[row, channel][good])

"""The cells of a labels image: their labels, areas, centroids, and sums over their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

Floats = npt.NDArray[np.float64]

_LARGEST_TABLE = 2**22


@dataclass(frozen=True, slots=True, eq=False)
class CellRegions:
    """The pixels of each cell.

    Parameters
    ----------
    labels : array of shape (n,), int64
        Label of each cell, ascending.
    pixels : array of shape (m,)
        Flat index of each pixel that belongs to a cell, ascending.
    owners : array of shape (m,)
        Row of the cell that it belongs to.
    width : int
        Length of the image's last axis.
    """

    labels: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.intp]
    owners: npt.NDArray[np.intp]
    width: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def areas(self) -> npt.NDArray[np.int64]:
        """Pixels of each cell, shape (n,)."""
        return np.bincount(self.owners, minlength=len(self)).astype(np.int64)

    @property
    def centroids(self) -> Floats:
        """Mean position yx of the pixels of each cell, shape (n, 2)."""
        return np.column_stack(
            [self.mean(self.pixels // self.width), self.mean(self.pixels % self.width)]
        )

    def mean(self, values: npt.NDArray[np.generic]) -> Floats:
        """Return the mean over each cell of a value a pixel, shape (m,) -> (n,)."""
        sums = np.bincount(self.owners, weights=values, minlength=len(self))
        return np.asarray(sums / self.areas, np.float64)

    def values(self, image: npt.NDArray[np.generic]) -> Floats:
        """Return the pixels of an image (Y, X) that belong to cells, shape (m,)."""
        return image.ravel()[self.pixels].astype(np.float64)

    def spread(self, values: Floats) -> Floats:
        """Return the variance over each cell of a value a pixel; exactly 0 where all are equal."""
        _, first = np.unique(self.owners, return_index=True)
        rest = values - values[first][self.owners]
        variance = self.mean(rest**2) - self.mean(rest) ** 2
        return np.asarray(np.maximum(variance, 0), np.float64)


def cell_regions(labels: npt.ArrayLike, where: str = "the image") -> CellRegions:
    """Return the cells of a labels image.

    Parameters
    ----------
    labels : array of shape (Y, X)
        Whole numbers of any type, with gaps or not; 0 and below is the background.
    where : str
        Name of the image.

    Raises
    ------
    InputError
        If the array has other axes, or holds no whole numbers.
    """
    image = checked_labels(labels, where)
    flat = image.ravel()
    pixels = np.flatnonzero(flat > 0)
    numbers, owners = _compact(flat[pixels])
    return CellRegions(numbers.astype(np.int64), pixels, owners.astype(np.intp), image.shape[1])


def checked_labels(labels: npt.ArrayLike, where: str) -> npt.NDArray[np.integer]:
    """Return a labels image as whole numbers.

    Raises
    ------
    InputError
        If it has other axes, or holds no whole numbers.
    """
    image = np.asarray(labels)
    if image.ndim != 2:
        raise InputError(
            f"The labels of {where} should have the axes (Y, X); an array of shape {image.shape} "
            "was given."
        )
    if image.dtype.kind == "f" and np.isfinite(image).all() and (image == np.rint(image)).all():
        image = image.astype(np.int64)  # some programs save labels as floats
    if image.dtype.kind not in "iu":
        told = "truth values, a mask" if image.dtype.kind == "b" else f"type {image.dtype}"
        raise InputError(
            f"The labels of {where} should be whole numbers, one a cell; {told} was found: number "
            "the cells first, for instance with skimage.measure.label."
        )
    return image


def check_shapes(image: Sequence[int], labels: Sequence[int], where: str) -> None:
    """Complain of an image (C, Y, X) whose labels (Y, X) have another shape.

    Raises
    ------
    InputError
        If they differ.
    """
    image, labels = tuple(image), tuple(labels)
    if image[1:] == labels:
        return
    if len(image) == 3 and image[:2] == labels:
        hint = "its channels are its last axis: move them to the front, to (C, Y, X)"
    elif image[1:] == labels[::-1]:
        hint = "y and x look swapped: turn the labels"
    else:
        hint = "open the labels that were made on this image, at its own sampling"
    raise InputError(
        f"{where} has the shape {image} (C, Y, X), and its labels {labels} (Y, X): {hint}."
    )


def _compact(
    values: npt.NDArray[np.integer],
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """Return the different values, and the row of each: quicker than sorting where few can be."""
    if not len(values) or int(values.max()) > _LARGEST_TABLE:
        return np.unique(values, return_inverse=True)
    there = np.bincount(values) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[values]

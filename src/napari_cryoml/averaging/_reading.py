"""Crops of several images, of which some may have gone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops

Rows = npt.NDArray[np.intp]


def read_what_can(
    crops: Crops, rows: Rows
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], tuple[str, ...]]:
    """Return crops of some rows, even if others cannot be read.

    Parameters
    ----------
    crops : Crops
    rows : array of shape (k,)

    Returns
    -------
    crops : array of shape (m, C, *shape)
        Those that could be read, in the order of `rows`.
    could : array of shape (k,), bool
        Which they are.
    notes : tuple of str
        One sentence an image that could not be read.
    """
    try:
        return crops.read(rows), np.ones(len(rows), bool), ()
    except InputError as error:
        if crops.images is None:
            return (
                np.empty((0, crops.n_channels, *crops.shape), np.float32),
                np.zeros(len(rows), bool),
                (str(error),),
            )
    return _read_by_image(crops, rows, crops.images[rows])


def _read_by_image(
    crops: Crops, rows: Rows, images: npt.NDArray[np.str_]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], tuple[str, ...]]:
    found = np.empty((len(rows), crops.n_channels, *crops.shape), np.float32)
    could = np.zeros(len(rows), bool)
    notes: dict[str, None] = {}
    for name in np.unique(images):
        here = images == name
        try:
            found[here] = crops.read(rows[here])
            could |= here
        except InputError as error:
            notes[str(error)] = None
    return found[could], could, tuple(notes)

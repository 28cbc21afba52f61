"""Encoders that look at whole images, at the places that crops were cut from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeGuard

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops, ImageSource

Floats = npt.NDArray[np.float32]


class SourcedCrops(Crops, Protocol):
    """Crops that know the images they are cut from; see `preprocess.PickCrops`."""

    @property
    def sources(self) -> Sequence[ImageSource]:
        """The images, each name once."""
        ...

    @property
    def box(self) -> int:
        """Edge of what is cut out, pixels of the image."""
        ...


def check_sources(crops: Crops, encoder: str) -> None:
    """Refuse crops that do not know their images.

    Raises
    ------
    InputError
        Naming an encoder that does without.
    """
    if not _know_images(crops):
        raise InputError(
            f'The encoder "{encoder}" looks at the image around each crop, and these crops know '
            'of no image: use the encoder "rings", which looks at the crops alone.'
        )


def over_images(
    crops: Crops,
    rows: npt.ArrayLike,
    encode: Callable[[ImageSource, npt.NDArray[np.intp]], Floats],
) -> Floats:
    """Return vectors of crops that are encoded image by image.

    Parameters
    ----------
    crops : Crops
        With sources, see `check_sources`.
    rows : array of shape (k,)
    encode : callable
        From an image and the rows in it to an array of shape (rows, d).

    Returns
    -------
    array of shape (k, d), float32
    """
    wanted = np.asarray(rows, np.intp)
    groups = _by_image(crops, wanted)
    if not groups:
        return np.empty((0, 0), np.float32)
    vectors = np.concatenate([encode(image, wanted[at]) for image, at in groups])
    order = np.argsort(np.concatenate([at for _, at in groups]))
    return np.ascontiguousarray(vectors[order])


def _know_images(crops: Crops) -> TypeGuard[SourcedCrops]:
    return (
        getattr(crops, "sources", None) is not None
        and crops.images is not None
        and crops.positions is not None
    )


def _by_image(
    crops: Crops, rows: npt.NDArray[np.intp]
) -> list[tuple[ImageSource, npt.NDArray[np.intp]]]:
    """Return each image of some rows, and where in `rows` those are that lie in it."""
    if not _know_images(crops):
        raise TypeError("crops without images were let through")
    named = {source.name: source for source in crops.sources}
    images = np.asarray(crops.images)[rows]
    return [(named[name], np.flatnonzero(images == name)) for name in np.unique(images)]

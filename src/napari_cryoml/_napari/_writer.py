"""Save layers as coordinate files and MRC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._napari._points_layers import layer_pixel_size, picks_of_layer
from napari_cryoml.io import write_mrc, write_picks


def write_points(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Write a Points layer in the coordinate format that the suffix of `path` names.

    Parameters
    ----------
    path : str
        Formats that hold one image make one file an image if the layer has several.
    data : array of shape (n, ndim)
        Pixel (z)yx.
    attributes : mapping
        Of the layer, as napari gives them.

    Returns
    -------
    list of str
        The files that were written.

    Raises
    ------
    InputError
        If there are no points, or the format cannot hold them.
    """
    table = picks_of_layer(data, attributes)
    if not table.n_picks:
        raise InputError(
            f"The layer {attributes.get('name', '')!r} holds no points to write: add some first."
        )
    return [str(written) for written in write_picks(table, path)]


def write_image(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """Write an Image layer as 32-bit MRC with its pixel size.

    Parameters
    ----------
    path : str
        Ends in .mrc, .mrcs, .rec, .st, .map or .ccp4.
    data : array-like of shape (y, x) or (z, y, x)
        Of a multiscale image, the finest level is written.
    attributes : mapping
        Of the layer, as napari gives them.

    Returns
    -------
    list of str
        The file that was written.

    Raises
    ------
    InputError
        If the layer is no grey image or volume, or the file cannot be written.
    """
    if attributes.get("rgb"):
        raise InputError("An MRC file holds grey values: split the colours of the layer first.")
    finest = data[0] if attributes.get("multiscale") else data
    written = write_mrc(path, np.asarray(finest), layer_pixel_size(attributes))
    return [str(written)]

"""The channels of images and the labels that are open in a viewer."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels

from napari_cryoml._napari._image_layers import KEY
from napari_cryoml._napari._map_layers import image_name
from napari_cryoml._napari._picker_layer_book import TAG
from napari_cryoml._napari._points_layers import layer_pixel_size

MOST_CHANNELS = 16
"""Layers of three axes with no more planes along the first are images of several channels."""

_PROTEIN = re.compile(r"gfp|protein|green|488|venus|neon|citrine", re.IGNORECASE)
_MARKER = re.compile(
    r"rfp|cherry|marker|dapi|hoechst|nucle|membrane|cyto|red|405|561|594", re.IGNORECASE
)
_DIGEST_STEP = 16


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One channel of an image layer.

    Parameters
    ----------
    key : str
        By which it is known for as long as the layer is open, however it is called.
    name : str
    layer : napari.layers.Image
    index : int or None
        Along the first axis of the layer; None for a layer of two axes.
    """

    key: str
    name: str
    layer: Any
    index: int | None

    def pixels(self) -> npt.NDArray[Any]:
        """Return its pixels, shape (Y, X); from any thread."""
        data = self.layer.data[0] if self.layer.multiscale else self.layer.data
        return np.asarray(data if self.index is None else data[self.index])

    @property
    def shape(self) -> tuple[int, ...]:
        """(Y, X)."""
        data = self.layer.data[0] if self.layer.multiscale else self.layer.data
        return tuple(data.shape[-2:])

    @property
    def image(self) -> str:
        """Name of the image: that of its file where we have opened it."""
        return image_name(self.layer)

    @property
    def pixel_size(self) -> float | None:
        """Angstrom per pixel, if the layer tells it."""
        units = [str(unit) for unit in self.layer.units]
        return layer_pixel_size({"units": units, "scale": self.layer.scale})

    @property
    def path(self) -> Path | None:
        """The file of the image, if it came from one."""
        known = self.layer.metadata.get(KEY)
        path = known.get("path") if isinstance(known, dict) else None
        found = Path(str(path or self.layer.source.path or ""))
        return found.absolute() if found.name and found.exists() else None

    def digest(self) -> str:
        """Return a short name of the pixels, for images without a file."""
        step = max(min(self.shape) // _DIGEST_STEP, 1)
        sample = np.ascontiguousarray(self.pixels()[::step, ::step])
        told = f"{self.shape}{sample.dtype}".encode() + sample.tobytes()
        return hashlib.blake2b(told, digest_size=6).hexdigest()


def channels_of(viewer: Any) -> list[Channel]:
    """Return the channels of all images of a viewer, as the layers are stacked."""
    found: list[Channel] = []
    for layer in viewer.layers:
        if not isinstance(layer, Image) or layer.rgb or _ours(layer):
            continue
        data = layer.data[0] if layer.multiscale else layer.data
        key = str(layer.unique_id)
        if layer.ndim == 2:
            found.append(Channel(key, str(layer.name), layer, None))
        elif layer.ndim == 3 and data.shape[0] <= MOST_CHANNELS:
            found += [
                Channel(f"{key}:{index}", f"{layer.name} [{index}]", layer, index)
                for index in range(data.shape[0])
            ]
    return found


def labels_of(viewer: Any) -> list[Any]:
    """Return the Labels layers of two axes that can hold cells, the topmost first."""
    return [
        layer
        for layer in reversed(list(viewer.layers))
        if isinstance(layer, Labels) and layer.ndim == 2 and layer.metadata.get(TAG) != CLASSES_ROLE
    ]


CLASSES_ROLE = "cells:classes"
"""Tag of the layer that shows the classes of cells."""


def likely_roles(channels: list[Channel]) -> tuple[str, str]:
    """Return the keys of the channels that are likely the protein and the marker; "" for none.

    Names tell, as GFP and RFP; without such names the first is the protein, the second the marker.
    """
    if not channels:
        return "", ""
    protein = next((one for one in channels if _PROTEIN.search(one.name)), None)
    marker = next(
        (one for one in channels if one is not protein and _MARKER.search(one.name)), None
    )
    if protein is None:
        protein = next(one for one in channels if one is not marker or len(channels) == 1)
    fitting = [one for one in channels if one is not protein and one.shape == protein.shape]
    if marker is None or marker.shape != protein.shape:
        marker = next(iter(fitting), None)
    return protein.key, marker.key if marker is not None else ""


def _ours(layer: Any) -> bool:
    """Tell whether a layer shows what we have made, and is no image of the user's."""
    return isinstance(layer.metadata.get(TAG), str)

"""What a classifier looks at, as a layer where its crop was cut."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._napari._picker_layer_book import TAG

ROLE = "classify:attention"
_NAME = "What the classifier looks at"
_OPACITY = 0.5


class AttentionLayer:
    """One translucent layer that is made once and updated in place.

    It is known by an id of ours in its metadata; the user may rename or delete it.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._opacity = _OPACITY

    @property
    def layer(self) -> Any | None:
        """The layer, if it is there."""
        found = (one for one in self._viewer.layers if one.metadata.get(TAG) == ROLE)
        return next(found, None)

    def show(
        self, attention: npt.NDArray[np.float32], corner: npt.ArrayLike, scale: npt.ArrayLike
    ) -> None:
        """Show what is looked at.

        Parameters
        ----------
        attention : array of shape (z, y, x) or (y, x)
            0 to 1.
        corner : array of shape (ndim,)
            Place of its first pixel in the viewer's world.
        scale : array of shape (ndim,)
            Of its pixels in the world.
        """
        layer = self.layer
        if layer is not None and layer.ndim != attention.ndim:
            self._viewer.layers.remove(layer)
            layer = None
        place = {"scale": np.asarray(scale, float), "translate": np.asarray(corner, float)}
        if layer is None:
            self._make(attention, place)
            return
        layer.data = attention
        for name, value in place.items():
            setattr(layer, name, value)
        layer.visible = True

    def hide(self) -> None:
        """Hide the layer."""
        layer = self.layer
        if layer is not None:
            layer.visible = False

    def set_opacity(self, opacity: float) -> None:
        """Set the opacity, 0 to 1."""
        self._opacity = opacity
        layer = self.layer
        if layer is not None:
            layer.opacity = opacity

    def close(self) -> None:
        """Take the layer away."""
        layer = self.layer
        if layer is not None:
            with suppress(ValueError):
                self._viewer.layers.remove(layer)

    def _units(self, ndim: int) -> Any:
        """Return the units of the images: layers of different units are drawn without any."""
        layers = self._viewer.layers
        return next((one.units for one in layers if one.ndim == ndim), None)

    def _make(self, attention: npt.NDArray[np.float32], place: dict[str, Any]) -> None:
        selected = set(self._viewer.layers.selection)
        active = self._viewer.layers.selection.active
        # At its place from the start: a layer elsewhere would move the sliders of the slices.
        self._viewer.add_image(
            attention,
            name=_NAME,
            colormap="inferno",
            blending="additive",
            contrast_limits=(0, 1),
            opacity=self._opacity,
            metadata={TAG: ROLE},
            units=self._units(attention.ndim),
            **place,
        )
        # A new layer becomes the active one: clicks would no longer go where they went.
        self._viewer.layers.selection.clear()
        self._viewer.layers.selection.update(selected)
        self._viewer.layers.selection.active = active

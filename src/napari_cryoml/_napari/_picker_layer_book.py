"""Finds, makes and places the layers of the Picker."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import LayerLock

from napari_cryoml._napari._picker_display import HEAT_COLOURS, DisplayImage

TAG = "napari_cryoml"
DIAMETER_COLOUR = "#F0E442"

TITLES = {
    "image": "Micrograph",
    "scores": "Heat map",
    "picks": "Picks",
    "labels": "Labels",
    "diameter": "Diameter",
    "box": "Marked box",
}
_TOMOGRAM = "Tomogram"
_RING_WIDTH = 0.08
_DEFAULT_DIAMETER_PX = 100.0


class LayerBook:
    """The layers of ours in a viewer, by their role.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._image: DisplayImage | None = None
        self._diameter_px = _DEFAULT_DIAMETER_PX

    @property
    def _ndim(self) -> int:
        return 2 if self._image is None else len(self._image.shape)

    def layer(self, role: str) -> Any | None:
        """Return the layer of a role (a key of `TITLES`), or None if there is none now."""
        wanted = self._tag(role)
        return next((layer for layer in self._ours() if layer.metadata[TAG] == wanted), None)

    def _settle(self, layer: Any) -> None:
        """Move a new layer to its place in the order of roles and protect it."""
        roles = list(TITLES)
        mine = roles.index(layer.metadata[TAG].split(":")[1])
        above = [
            self._viewer.layers.index(other)
            for role in roles[mine + 1 :]
            if (other := self.layer(role)) is not None
        ]
        if above:
            self._viewer.layers.move(self._viewer.layers.index(layer), min(above))
        # Deleting a Points layer right after a change can crash the canvas: napari asks first.
        layer.locked = LayerLock.DELETION

    def _common(self, role: str) -> dict[str, Any]:
        known = self._image is not None and bool(self._image.pixel_size)
        return {
            "name": _TOMOGRAM if (role, self._ndim) == ("image", 3) else TITLES[role],
            "metadata": {TAG: self._tag(role)},
            "units": ("angstrom" if known else "pixel",) * self._ndim,
            "axis_labels": ("z", "y", "x")[-self._ndim :],
        }

    def _point_place(self) -> dict[str, Any]:
        return {"scale": (self._pixel(),) * self._ndim, "translate": (0.0,) * self._ndim}

    def _place(self, layer: Any, place: dict[str, Any]) -> None:
        for name, value in place.items():
            if not np.allclose(getattr(layer, name), value):
                setattr(layer, name, value)
        units = self._common("image")["units"]
        if tuple(str(unit) for unit in layer.units) != units:
            layer.units = units

    def _pixel(self) -> float:
        """Return the viewer's world units per image pixel: angstrom, or 1 where unknown."""
        return (self._image.pixel_size if self._image else None) or 1.0

    def _thicken_slices(self) -> None:
        """Have slices of a volume reach as far as the radius of a particle.

        Only points further than that are left out; images keep to the middle of a slice.
        """
        dims = self._viewer.dims
        reach = self._diameter_px / 2 * self._pixel() if self._ndim == 3 else 0.0
        margins = (0.0,) * (dims.ndim - self._ndim) + (reach,) * self._ndim
        if dims.ndim >= self._ndim and tuple(dims.margin_left) != margins:
            dims.margin_left = dims.margin_right = margins

    def _tag(self, role: str) -> str:
        return f"picker:{role}:{self._ndim}"

    def _ours(self) -> list[Any]:
        return [
            layer
            for layer in self._viewer.layers
            if str(layer.metadata.get(TAG, "")).startswith("picker:")
        ]

    def _add_scores(self) -> Any:
        layer = self._viewer.add_image(
            np.zeros((2,) * self._ndim, np.float32),
            colormap=HEAT_COLOURS,
            blending="additive",
            opacity=0.5,
            interpolation2d="linear",
            contrast_limits=(0.0, 1.0),
            projection_mode="none",
            **self._common("scores"),
            **self._point_place(),
        )
        self._settle(layer)
        return layer

    def _add_points(self, role: str, colour: str, features: dict[str, Any]) -> Any:
        layer = self._viewer.add_points(
            np.empty((0, self._ndim)),
            ndim=self._ndim,
            features=features,
            face_color="transparent",
            border_color=colour,
            border_width=_RING_WIDTH,
            symbol="disc",
            size=self._diameter_px,
            # In slices of a volume a ball is seen wherever it is cut, as large as it is there.
            projection_mode="all" if self._ndim == 2 else "rescale_spherical",
            **self._common(role),
            **self._point_place(),
        )
        self._settle(layer)
        return layer

    def _add_outline(self, role: str, kind: str, corners: npt.NDArray[np.float64]) -> Any:
        active = self._viewer.layers.selection.active
        layer = self._viewer.add_shapes(
            [corners],
            shape_type=kind,
            face_color="transparent",
            edge_color=DIAMETER_COLOUR,
            edge_width=max(1.0, self._diameter_px * 0.05),
            **self._common(role),
            **self._point_place(),
        )
        layer.editable = False
        self._settle(layer)
        if active is not None:
            self._viewer.layers.selection.active = active
        return layer

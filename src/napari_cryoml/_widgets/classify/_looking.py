"""One crop from all sides: what the classifier looks at, and how a decoder draws it."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._napari._attention_layer import AttentionLayer
from napari_cryoml._napari._map_link_rows import RowPlaces
from napari_cryoml._widgets.classes import Answering, ClassState, row_text
from napari_cryoml._widgets.classify._desk import Desk
from napari_cryoml._widgets.classify._linking import Linking
from napari_cryoml._widgets.classify._look_tab import NO_ATTENTION, NO_DRAWING
from napari_cryoml._widgets.frame import Connections
from napari_cryoml.classification import (
    Attention,
    AttentionRequest,
    FeatureSystem,
    Reconstructions,
    ReconstructRequest,
)

_DRAWING = ("autoencoding", "m2")
"""Objectives whose networks have a decoder."""

_ASKING = "Asking the network…"
_NO_CLASSIFIER = "Train a network to see what it looks at."


class Looking:
    """Shows the crop that was clicked last.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    desk : Desk
    answering : Answering
    linking : Linking
    """

    def __init__(self, viewer: Any, desk: Desk, answering: Answering, linking: Linking) -> None:
        self._desk = desk
        self._answering = answering
        self._linking = linking
        self._layer = AttentionLayer(viewer)
        self._row = -1
        self._of_class = ""
        self._found: Attention | None = None
        self._in_viewer = False
        self._connections = Connections(
            (desk.replaced, self._clear),
            (desk.looked, self.look),
            (desk.predicted, self._on_predictions),
            (desk.links.changed, self._on_image),
        )

    def close(self) -> None:
        """Take the layer away, and let go of the desk."""
        self._connections.close()
        self._layer.close()

    def look(self, row: int) -> None:
        """Show a crop."""
        state = self._desk.state
        if state is None or not 0 <= row < len(state):
            return
        self._row, self._found = row, None
        self._desk.background.run(
            state.crops.read,
            [row],
            on_done=lambda images: self._show(state, row, images[0, 0]),
            on_error=self._desk.warn,
        )

    def _show(self, state: ClassState, row: int, image: Any) -> None:
        if row == self._row and state is self._desk.state:
            self._desk.view.look.show_crop(image, row_text(state, row))
            self._ask()

    def choose_class(self, name: str) -> None:
        """Show what speaks for a class; "" for the predicted one."""
        self._of_class = name
        self._ask()

    def _ask(self) -> None:
        look, state = self._desk.view.look, self._desk.state
        if state is None or self._row < 0:
            return
        fitted = state.fitted
        if fitted is None or isinstance(fitted.system, FeatureSystem):
            look.show_attention(None, _NO_CLASSIFIER if fitted is None else NO_ATTENTION)
            look.show_reconstruction(None, NO_DRAWING)
            self._layer.hide()
            return
        label = None
        if self._of_class in fitted.classes:
            label = fitted.classes.index(self._of_class)
        look.show_attention(None, _ASKING)
        row = self._row
        try:
            self._answering.ask(
                lambda token: AttentionRequest(token, row, label),
                "attention",
                self._take,
                lambda said: look.show_attention(None, said),
            )
            if getattr(fitted.system, "objective", "") not in _DRAWING:
                look.show_reconstruction(None, NO_DRAWING)
                return
            self._answering.ask(
                lambda token: ReconstructRequest(token, np.array([row])),
                "reconstruction",
                self._take_drawing,
                lambda said: look.show_reconstruction(None, said),
            )
        except InputError as error:
            self._desk.warn(str(error))

    def _take(self, found: Attention) -> None:
        if found.row != self._row:
            return
        self._found = found
        self._desk.view.look.show_attention(
            found.attention, f"What speaks for {found.name} (Grad-CAM)."
        )
        self._show_layer()

    def _take_drawing(self, found: Reconstructions) -> None:
        if int(found.rows[0]) == self._row:
            text = f"As the decoder draws it; mean squared error {float(found.errors[0]):.2f}."
            self._desk.view.look.show_reconstruction(found.drawn[0], text)

    def _clear(self) -> None:
        self._row, self._found = -1, None
        self._desk.view.look.clear()
        self._desk.view.look.show_classes(())
        self._layer.hide()

    def _on_predictions(self) -> None:
        state = self._desk.state
        classes = () if state is None or state.fitted is None else state.fitted.classes
        if self._of_class not in classes:
            self._of_class = ""
        self._desk.view.look.show_classes(classes, self._of_class)
        self._ask()

    # In the viewer

    def toggle_in_viewer(self) -> None:
        """Show the layer in the viewer, or hide it."""
        self.set_in_viewer(not self._in_viewer)

    def set_in_viewer(self, on: bool) -> None:
        """Show what the classifier looks at in the viewer, or not."""
        self._in_viewer = on
        self._desk.view.look.show_in_viewer(on)
        if not on:
            self._layer.hide()
        elif self._found is None:
            self._desk.note("Click a crop first; the layer comes with what the network looks at.")
        else:
            self._linking.look_at(self._row)
            self._show_layer()

    def set_opacity(self, opacity: float) -> None:
        """Set the opacity of the layer, 0 to 1."""
        self._layer.set_opacity(opacity)

    def _on_image(self) -> None:
        if self._in_viewer and self._found is not None:
            self._show_layer()

    def _show_layer(self) -> None:
        found, state, link = self._found, self._desk.state, self._desk.link
        if not self._in_viewer or found is None or state is None:
            return
        places = state.places
        if link is None or places is None or str(places.images[found.row]) != link.shown:
            self._layer.hide()
            return
        seen, first, step = placed(state, places, found)
        origin = link.to_world(np.zeros(seen.ndim))
        self._layer.show(seen, link.to_world(first), np.abs(link.to_world(step) - origin))


def placed(state: ClassState, places: RowPlaces, found: Attention) -> tuple[Any, Any, Any]:
    """Return what is looked at within the image, and where that lies.

    Returns
    -------
    attention : array of shape (z)yx
        Without what lies beyond the border of the image, where nothing can be shown.
    first : array of shape (ndim,)
        Pixel (z)yx of the image at which it begins.
    step : array of shape (ndim,)
        Pixels of the image from one of its pixels to the next.
    """
    attention = found.attention
    shape = np.array(attention.shape)
    step = np.full(len(shape), float(getattr(state.crops, "box", shape[-1])) / shape[-1])
    first = places.positions[found.row] - (shape // 2) * step
    whole = _shape_of(state, str(places.images[found.row]))
    if whole is None:
        return attention, first, step
    low = np.clip(np.ceil(-first / step), 0, shape - 1).astype(np.intp)
    high = np.clip(np.floor((np.array(whole) - 1 - first) / step) + 1, low + 1, shape)
    inside = tuple(slice(a, int(b)) for a, b in zip(low.tolist(), high.tolist(), strict=True))
    return attention[inside], first + low * step, step


def _shape_of(state: ClassState, image: str) -> tuple[int, ...] | None:
    """Return the shape of an image, if the crops know it."""
    sources = getattr(state.crops, "sources", ())
    return next((tuple(one.shape) for one in sources if one.name == image), None)

"""The picks in the images show the classes, and clicks on them give some."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml._napari._map_link_rows import RowPaint
from napari_cryoml._widgets.classes import UNSURE, ClassState, Labelling, rgb
from napari_cryoml._widgets.classify._desk import Desk
from napari_cryoml._widgets.frame import Connections

_STEPS = 64
_USUAL = (np.nan,) * 4


class Linking:
    """Keeps the picks of the images up with the crops.

    Parameters
    ----------
    desk : Desk
    labelling : Labelling
    """

    def __init__(self, desk: Desk, labelling: Labelling) -> None:
        self._desk = desk
        self._labelling = labelling
        self._connections = Connections(
            (desk.replaced, self.attach),
            (desk.links.linked, self.attach),
            (desk.predicted, self.paint),
            (desk.labelled, self.paint),
            (desk.rated, self.paint),
            (desk.links.clicked, self._on_click),
            (desk.in_image, self._pause_labels),
        )

    def close(self) -> None:
        """Give back the usual colours."""
        self._connections.close()

    def attach(self) -> None:
        """Tell the images where the crops lie."""
        link, state = self._desk.link, self._desk.state
        if link is not None:
            link.set_rows(None if state is None else state.places)
            self.paint()

    def paint(self) -> None:
        """Colour the picks by class or confidence."""
        link, state = self._desk.link, self._desk.state
        if link is None or state is None or state.places is None:
            return
        with self._desk.telling():
            link.paint(paint_of(state, self._desk))

    def look_at(self, row: int) -> None:
        """Bring a crop to the middle of the image."""
        link, state = self._desk.link, self._desk.state
        if link is None or state is None or state.places is None or row < 0:
            return
        image = str(state.places.images[row])
        if image in link.images:
            with self._desk.telling():
                link.look_at(image, state.places.positions[row])

    def _pause_labels(self, on: bool) -> None:
        picker = self._desk.links.picker
        if picker is not None:
            picker.pause_labels(on)

    def _on_click(self, row: int, mode: str) -> None:
        if mode != "replace":
            return
        if self._labelling.in_image:
            self._labelling.give_current(row)
        else:
            self._desk.looked.emit(row)


def paint_of(state: ClassState, desk: Desk) -> RowPaint | None:
    """Return the colours of the picks; None for the usual ones."""
    if desk.colour_by == "nothing" or not (state.labelled.any() or state.fitted is not None):
        return None
    if desk.colour_by == "confidence":
        return _by_confidence(state)
    return _by_class(state, desk)


def _by_class(state: ClassState, desk: Desk) -> RowPaint:
    colours = desk.colours()
    names = list(colours)
    codes = _codes(state.verdicts(desk.threshold), names)
    unsure = (codes < 0) & (state.predicted != "")
    codes[unsure] = len(names)
    codes[codes < 0] = len(names) + 1
    palette = [_rgba(colour) for colour in colours.values()]
    return RowPaint(codes, np.array([*palette, _rgba(UNSURE), _USUAL], np.float32))


def _by_confidence(state: ClassState) -> RowPaint:
    from napari.utils.colormaps import ensure_colormap

    ramp = np.asarray(ensure_colormap("viridis").map(np.linspace(0, 1, _STEPS)), np.float32)
    values = state.confidence
    known = np.isfinite(values)
    codes = np.where(known, np.nan_to_num(values) * (_STEPS - 1), _STEPS).astype(np.intp)
    return RowPaint(codes, np.concatenate([ramp, np.array([_USUAL], np.float32)]))


def _codes(texts: npt.NDArray[np.str_], names: list[str]) -> npt.NDArray[np.intp]:
    place = {name: number for number, name in enumerate(names)}
    found, inverse = np.unique(texts, return_inverse=True)
    return np.array([place.get(name, -1) for name in found.tolist()], np.intp)[inverse]


def _rgba(colour: str) -> tuple[float, float, float, float]:
    red, green, blue = rgb(colour)
    return red / 255, green / 255, blue / 255, 1.0

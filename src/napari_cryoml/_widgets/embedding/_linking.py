"""Map and images follow each other, for as long as there are images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_cryoml._errors import InputError
from napari_cryoml._napari._map_layers import LayerLink, layer_pairs
from napari_cryoml._napari._map_link import MapLink
from napari_cryoml._napari._map_link_rows import RowPaint, RowPlaces, plotter_columns
from napari_cryoml._widgets.embedding._columns import title_of
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._state import CLUSTER, MapState
from napari_cryoml._widgets.jobs import stop_timer
from napari_cryoml._widgets.link import PickerLink
from napari_cryoml._widgets.picker import PickerController, open_picker, pickers
from napari_cryoml.data import Embedding
from napari_cryoml.embedding.drawing import SELECTED
from napari_cryoml.project import Project

FOLLOW_MS = 80
"""How long the mouse must stay on a point until the image goes there."""

SETTLE_MS = 100
"""Changes in the Picker that come closer together than this are looked at once."""

NO_IMAGES = (
    "There are no picks to map: open the Picker with micrographs and label some particles, or "
    "open an image and a Points layer over it."
)
_FADED = (0.34, 0.71, 0.91, 0.45)
"""The blue of picks, so faint that the selected ones stand out."""


class Linking:
    """The link between the map and whoever shows its images.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    desk : Desk
    """

    project_changed = Signal(object)
    """The project of the Picker is another one, or None: it is passed along."""

    rows_changed = Signal()
    """Labels, or which images there are, may have changed."""

    def __init__(self, viewer: Any, desk: Desk) -> None:
        self._viewer = viewer
        self._desk = desk
        self._project: Project | None = None
        self._matched: tuple[tuple[Any, ...], int] = ((), 0)
        self.follows = False
        self.show_as = "recolour"
        self._goal = -1
        self._follow_timer = _timer(FOLLOW_MS, self._go)
        self._settle_timer = _timer(SETTLE_MS, self._settle)
        pickers.opened.connect(self._on_picker)
        desk.replaced.connect(self.attach)
        desk.selected.connect(self.paint)

    def close(self) -> None:
        """Let go of the images."""
        for timer in (self._follow_timer, self._settle_timer):
            stop_timer(timer)
        pickers.opened.disconnect(self._on_picker)
        self._desk.replaced.disconnect(self.attach)
        self._desk.selected.disconnect(self.paint)
        self._leave()

    # Whom to link to

    def begin(self) -> None:
        """Link to the Picker of the viewer, if there is one."""
        controller = open_picker(self._viewer)
        if controller is not None:
            self.use(PickerLink(self._viewer, controller))
        else:
            self._tell()

    def use(self, link: MapLink | None) -> None:
        """Link to these images, or to none."""
        self._leave()
        self._desk.link = link
        self._desk.picker = link if isinstance(link, PickerLink) else None
        if link is not None:
            for signal, slot in self._connections(link):
                signal.connect(slot)
        self._follow_project()
        self.attach()
        self._settle()

    def need(self) -> MapLink:
        """Return a link that has picks: the Picker, or else points over an image.

        Raises
        ------
        InputError
            If there is neither.
        """
        link = self._desk.link
        if link is not None and link.images:
            return link
        pairs = layer_pairs(self._viewer)
        if not pairs:
            raise InputError(NO_IMAGES)
        link = LayerLink(self._viewer, *pairs[-1])
        self.use(link)
        return link

    @property
    def project(self) -> Project | None:
        """The project of the Picker that is linked to."""
        picker = self._desk.picker
        return None if picker is None else picker.project

    def matching(self, embedding: Embedding) -> int:
        """Return how many rows lie in images that can be shown."""
        link = self._desk.link
        if link is None or embedding.images is None:
            return 0
        key = (id(embedding), tuple(link.images))
        if self._matched[0] != key:
            self._matched = key, int(np.isin(embedding.images, link.images).sum())
        return self._matched[1]

    def attach(self) -> None:
        """Tell the images where the rows of the map lie."""
        link, state = self._desk.link, self._desk.state
        if link is not None:
            with_places = state is not None and state.embedding.images is not None
            link.set_rows(RowPlaces.of(state.embedding) if state and with_places else None)
        self._tell()

    def _leave(self) -> None:
        link, self._desk.link = self._desk.link, None
        self._desk.picker = None
        if link is not None:
            for signal, slot in self._connections(link):
                signal.disconnect(slot)
            link.close()

    def _connections(self, link: MapLink) -> list[tuple[Any, Callable[..., object]]]:
        return [
            (link.hovered, self._on_hover),
            (link.clicked, self._on_click),
            (link.changed, self._on_change),
            (link.edited, self._on_edit),
            (link.lost, self._desk.warn),
            (link.closed, self._on_closed),
        ]

    # What the images show

    def paint(self) -> None:
        """Show the selection among the picks of the image."""
        link, state = self._desk.link, self._desk.state
        if link is None or state is None or state.embedding.images is None:
            return
        link.paint(self._paint(state))

    def _paint(self, state: MapState) -> RowPaint | None:
        mask = state.selection
        if not mask.any() or self.show_as == "leave":
            return None
        chosen = (*(channel / 255 for channel in SELECTED), 1.0)
        palette = np.array([_FADED, chosen], np.float32)
        return RowPaint(mask.astype(np.uint8), palette, mask if self.show_as == "filter" else None)

    def choose_paint(self, show_as: str) -> None:
        """Have a selection "recolour" the picks, "filter" them, or "leave" them as they are."""
        self.show_as = show_as
        self.paint()

    def set_follow(self, on: bool) -> None:
        """Have the image follow the point under the mouse, or not."""
        self.follows = on

    def point_at(self, row: int) -> None:
        """Take note of the row under the mouse on the map; -1 for none."""
        if self.follows and row >= 0:
            self._goal = row
            self._follow_timer.start()

    def look_at(self, row: int) -> None:
        """Bring a row to the middle of the image."""
        link, state = self._desk.link, self._desk.state
        if link is None or state is None or row < 0:
            return
        images, positions = state.embedding.images, state.embedding.positions
        if images is None or positions is None or str(images[row]) not in link.images:
            return
        with self._desk.telling():
            link.look_at(str(images[row]), positions[row])

    def write_columns(self) -> None:
        """Write the map and the groups to the features of the picks layer."""
        with self._desk.telling():
            link, state = self._desk.link, self._desk.need_state()
            if link is None:
                raise InputError("There is no picks layer: the map is linked to no images.")
            groups = None
            if CLUSTER in state.names and state.column(CLUSTER).dtype.kind in "iu":
                groups = state.column(CLUSTER)
            columns = plotter_columns(state.layout, groups, title_of(state.method))
            link.write_columns(columns)
            self._desk.note(f"{', '.join(columns)} are features of the picks layer now.")

    def _go(self) -> None:
        self.look_at(self._goal)

    # What comes from the images

    def _on_picker(self, viewer: Any, controller: PickerController) -> None:
        if viewer is self._viewer:
            self.use(PickerLink(self._viewer, controller))

    def _on_hover(self, row: int) -> None:
        self._desk.view.ring([row] if row >= 0 else [])

    def _on_click(self, row: int, mode: str) -> None:
        self._desk.pointed.emit(row, mode)

    def _on_change(self) -> None:
        self._follow_project()
        self._settle_timer.start()

    def _on_edit(self, edit: Any) -> None:
        self._desk.edited.emit(edit)

    def _on_closed(self) -> None:
        self._desk.note("The Picker was closed: the map goes on without its images.")
        self.use(None)

    def _follow_project(self) -> None:
        """Pass on at once that there is another project: the one before is closed after this."""
        project = self.project
        if project is not self._project:
            self._project = project
            self.project_changed.emit(project)

    def _settle(self) -> None:
        self.rows_changed.emit()
        self._tell()

    def _tell(self) -> None:
        link, state = self._desk.link, self._desk.state
        self._desk.view.show_link("" if link is None else _link_text(link, state, self))


def _link_text(link: MapLink, state: MapState | None, linking: Linking) -> str:
    n_images = len(link.images)
    text = f"Linked to {link.title}: {n_images:,} image{'s' * (n_images != 1)}."
    if state is None:
        return text
    if state.embedding.images is None:
        return f"{text} The rows of this map lie in no images."
    n_here = linking.matching(state.embedding)
    return f"{text} {n_here:,} of {len(state):,} rows lie in them."


def _timer(interval_ms: int, then: Callable[[], object]) -> QTimer:
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    timer.timeout.connect(then)
    return timer

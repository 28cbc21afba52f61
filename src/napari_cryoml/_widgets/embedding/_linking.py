"""Map and images follow each other, for as long as there are images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_cryoml._errors import InputError
from napari_cryoml._napari._map_link import MapLink
from napari_cryoml._napari._map_link_rows import RowPaint, RowPlaces, plotter_columns
from napari_cryoml._widgets.embedding._columns import title_of
from napari_cryoml._widgets.embedding._desk import Desk
from napari_cryoml._widgets.embedding._state import CLUSTER, MapState
from napari_cryoml._widgets.jobs import stop_timer
from napari_cryoml._widgets.link import Links
from napari_cryoml.data import Embedding
from napari_cryoml.embedding.drawing import SELECTED
from napari_cryoml.project import Project

FOLLOW_MS = 80
"""How long the mouse must stay on a point until the image goes there."""

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
        self._desk = desk
        self._links = Links(viewer, NO_IMAGES)
        self._matched: tuple[tuple[Any, ...], int] = ((), 0)
        self.follows = False
        self.show_as = "recolour"
        self._goal = -1
        self._follow_timer = _timer(FOLLOW_MS, self._go)
        for signal, slot in self._connections():
            signal.connect(slot)

    def _connections(self) -> list[tuple[Any, Callable[..., object]]]:
        links = self._links
        return [
            (self._desk.replaced, self.attach),
            (self._desk.selected, self.paint),
            (links.linked, self._on_linked),
            (links.project_changed, self._on_project),
            (links.changed, self._settle),
            (links.hovered, self._on_hover),
            (links.clicked, self._on_click),
            (links.edited, self._on_edit),
            (links.lost, self._on_lost),
            (links.closed, self._on_closed),
        ]

    def close(self) -> None:
        """Let go of the images."""
        stop_timer(self._follow_timer)
        for signal, slot in self._connections():
            signal.disconnect(slot)
        self._links.close()
        self._desk.link = self._desk.picker = None

    # Whom to link to

    def begin(self) -> None:
        """Link to the Picker of the viewer, if there is one."""
        self._links.begin()

    def use(self, link: MapLink | None) -> None:
        """Link to these images, or to none."""
        self._links.use(link)

    def need(self) -> MapLink:
        """Return a link that has picks: the Picker, or else points over an image.

        Raises
        ------
        InputError
            If there is neither.
        """
        return self._links.need()

    @property
    def project(self) -> Project | None:
        """The project of the Picker that is linked to."""
        return self._links.project

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
        if state is not None and state.look_at is not None and row >= 0:
            state.look_at(row)
            return
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

    def _on_linked(self) -> None:
        self._desk.link, self._desk.picker = self._links.link, self._links.picker
        self.attach()

    def _on_project(self, project: Project | None) -> None:
        self.project_changed.emit(project)

    def _on_hover(self, row: int) -> None:
        self._desk.view.ring([row] if row >= 0 else [])

    def _on_click(self, row: int, mode: str) -> None:
        self._desk.pointed.emit(row, mode)

    def _on_edit(self, edit: Any) -> None:
        self._desk.edited.emit(edit)

    def _on_lost(self, sentence: str) -> None:
        self._desk.warn(sentence)

    def _on_closed(self) -> None:
        self._desk.note("The Picker was closed: the map goes on without its images.")

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

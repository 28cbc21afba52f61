"""Who shows the images of a viewer at the moment: the Picker, or points over an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_cryoml._errors import InputError
from napari_cryoml._napari._map_layers import LayerLink, layer_pairs
from napari_cryoml._napari._map_link import MapLink
from napari_cryoml._widgets.jobs import stop_timer
from napari_cryoml._widgets.link._picker_link import PickerLink
from napari_cryoml._widgets.picker import PickerController, open_picker, pickers
from napari_cryoml.project import Edit, Project

SETTLE_MS = 100
"""Changes in the Picker that come closer together than this are looked at once."""

NO_IMAGES = (
    "There are no picks: open the Picker with micrographs or tomograms and pick or label some "
    "particles, or open an image and a Points layer over it."
)


class Links:
    """Links a dock to whoever shows the images, and passes on what comes from there.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    no_images : str
        What to say where nobody shows any images.
    """

    changed = Signal()
    """Another link, image, labels or picks; many changes at once are told once."""

    linked = Signal()
    """There is another link, or none any more."""

    project_changed = Signal(object)
    """The project of the Picker is another one, or None; the one before is closed after this."""

    hovered = Signal(int)
    clicked = Signal(int, str)
    """Row and mode, as `MapLink` has them."""

    edited = Signal(object)
    """An `Edit` of the Picker's project, by whomever."""

    lost = Signal(str)
    closed = Signal()

    def __init__(self, viewer: Any, no_images: str = NO_IMAGES) -> None:
        self._viewer = viewer
        self._no_images = no_images
        self._project: Project | None = None
        self.link: MapLink | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self._settle)
        pickers.opened.connect(self._on_picker)

    def begin(self) -> None:
        """Link to the Picker of the viewer, if there is one."""
        controller = open_picker(self._viewer)
        if controller is not None:
            self.use(PickerLink(self._viewer, controller))
        else:
            self.changed.emit()

    def close(self) -> None:
        """Let go of the images."""
        stop_timer(self._timer)
        pickers.opened.disconnect(self._on_picker)
        self._leave()

    def use(self, link: MapLink | None) -> None:
        """Link to these images, or to none."""
        self._leave()
        self.link = link
        if link is not None:
            for signal, slot in self._connections(link):
                signal.connect(slot)
        self.linked.emit()
        self._follow_project()
        self.changed.emit()

    def need(self) -> MapLink:
        """Return a link that has images: the Picker, or else points over an image.

        Raises
        ------
        InputError
            If there is neither.
        """
        if self.link is not None and self.link.images:
            return self.link
        pairs = layer_pairs(self._viewer)
        if not pairs:
            raise InputError(self._no_images)
        link = LayerLink(self._viewer, *pairs[-1])
        self.use(link)
        return link

    @property
    def picker(self) -> PickerLink | None:
        """The link, if it leads to the Picker."""
        return self.link if isinstance(self.link, PickerLink) else None

    @property
    def project(self) -> Project | None:
        """The project that is open in the Picker."""
        return None if self.picker is None else self.picker.project

    def _leave(self) -> None:
        link, self.link = self.link, None
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
            (link.lost, self._on_lost),
            (link.closed, self._on_closed),
        ]

    def _on_picker(self, viewer: Any, controller: PickerController) -> None:
        if viewer is self._viewer:
            self.use(PickerLink(self._viewer, controller))

    def _on_hover(self, row: int) -> None:
        self.hovered.emit(row)

    def _on_click(self, row: int, mode: str) -> None:
        self.clicked.emit(row, mode)

    def _on_change(self) -> None:
        self._follow_project()
        self._timer.start()

    def _on_edit(self, edit: Edit) -> None:
        self.edited.emit(edit)

    def _on_lost(self, sentence: str) -> None:
        self.lost.emit(sentence)

    def _on_closed(self) -> None:
        self.closed.emit()
        self.use(None)

    def _follow_project(self) -> None:
        project = self.project
        if project is not self._project:
            self._project = project
            self.project_changed.emit(project)

    def _settle(self) -> None:
        self.changed.emit()

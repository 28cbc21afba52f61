"""What napari opens from its Plugins menu."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QSize
from qtpy.QtWidgets import QApplication, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_cryoml._registry import Registry
from napari_cryoml._widgets.embedding._controller import ExplorerController
from napari_cryoml._widgets.embedding._view import ExplorerView, Offers
from napari_cryoml.embedding import (
    NoveltyConfig,
    SpreadConfig,
    clusterings,
    encoders,
    projections,
)

if TYPE_CHECKING:
    import napari

FIRST_METHOD, FIRST_GROUPING = "umap", "kmeans"

_open: weakref.WeakValueDictionary[int, ExplorerController] = weakref.WeakValueDictionary()


class ExplorerWidget(QWidget):
    """The Explorer's dock. A second one in the same window says that the first is open.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._had_parent = False
        self._teardown: Callable[..., None] | None = None
        self.controller: ExplorerController | None = None
        # Without a widget that expands, napari gives half of the dock to empty space.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        # napari hands out a proxy whose layers are proxies too, never the same object twice.
        viewer = getattr(viewer, "__wrapped__", viewer)
        if id(viewer) in _open:
            note = QLabel("The Explorer is open in this window already: look for its tab.")
            note.setWordWrap(True)
            layout.addWidget(note)
            return
        view = ExplorerView(offers())
        layout.addWidget(view)
        controller = ExplorerController(viewer, view)
        self.controller = _open[id(viewer)] = controller
        self._forget_with(controller, id(viewer))

    def _forget_with(self, controller: ExplorerController, key: int) -> None:
        application = QApplication.instance()

        def teardown(*_: object) -> None:
            _open.pop(key, None)
            controller.teardown()
            if application is not None:
                with suppress(TypeError, RuntimeError):
                    application.aboutToQuit.disconnect(teardown)

        self._teardown = teardown
        self.destroyed.connect(teardown)
        if application is not None:
            application.aboutToQuit.connect(teardown)

    def sizeHint(self) -> QSize:
        """Return a size that leaves room for the image on a small screen."""
        return QSize(360, 640)

    def event(self, event: QEvent) -> bool:
        """Notice that the dock was closed: napari then takes the widget out of it."""
        if event.type() == QEvent.Type.ParentChange:
            if self._had_parent and self.parent() is None and self._teardown is not None:
                self._teardown()
            self._had_parent = self.parent() is not None
        return bool(super().event(event))


def offers() -> Offers:
    """Return what there is to choose from, the defaults first."""
    return Offers(
        encoders=_all(encoders),
        projections=_first(FIRST_METHOD, _all(projections)),
        clusterings=_first(FIRST_GROUPING, _all(clusterings)),
        novelty=NoveltyConfig,
        spreading=SpreadConfig,
    )


def _all(registry: Registry[Any]) -> dict[str, Any]:
    return {name: registry[name] for name in registry}


def _first(name: str, known: dict[str, Any]) -> dict[str, Any]:
    return {name: known[name], **known}

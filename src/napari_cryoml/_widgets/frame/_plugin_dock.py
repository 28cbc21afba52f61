"""What napari opens from its Plugins menu: one a window, in tabs with the others of ours."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from psygnal import Signal
from qtpy.QtCore import QEvent, QSize, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QApplication,
    QDockWidget,
    QLabel,
    QMainWindow,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

_HEIGHT_PX = 640


class Controller(Protocol):
    """What works behind a dock."""

    def teardown(self) -> None:
        """End all work and let go of the viewer; once."""


ControllerT = TypeVar("ControllerT", bound=Controller)


class OpenDocks(Generic[ControllerT]):
    """The docks of one kind that are open, one a viewer."""

    opened = Signal(object, object)
    """(viewer, controller) A dock was opened."""

    closed = Signal(object)
    """(controller,) A dock is about to close; `of` says so already."""

    def __init__(self) -> None:
        self._found: weakref.WeakValueDictionary[int, ControllerT] = weakref.WeakValueDictionary()

    def of(self, viewer: object) -> ControllerT | None:
        """Return what works behind the dock of a viewer, or None."""
        return self._found.get(id(bare(viewer)))

    def add(self, viewer: object, controller: ControllerT) -> None:
        """Take note of a dock that was opened."""
        self._found[id(bare(viewer))] = controller
        self.opened.emit(viewer, controller)

    def remove(self, controller: ControllerT) -> None:
        """Forget a dock that is about to close."""
        known = [key for key, one in self._found.items() if one is controller]
        for key in known:
            del self._found[key]
        if known:
            self.closed.emit(controller)


def bare(viewer: Any) -> Any:
    """Return the viewer itself: napari hands out proxies, never the same object twice."""
    return getattr(viewer, "__wrapped__", viewer)


class PluginDock(QWidget, Generic[ControllerT]):
    """The widget in a dock. A second one in the same window says that the first is open.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    name : str
        What it is called in the menu.
    docks : OpenDocks
        Where it is entered while it is open.
    make : callable
        Takes the viewer; returns what is shown in the dock and what works behind it.
    width_px : int
        Width to begin with.
    """

    def __init__(
        self,
        viewer: Any,
        name: str,
        docks: OpenDocks[ControllerT],
        make: Callable[[Any], tuple[QWidget, ControllerT]],
        width_px: int,
    ) -> None:
        super().__init__()
        self._width_px = width_px
        self._had_parent = self._was_shown = False
        self._teardown: Callable[..., None] | None = None
        self.controller: ControllerT | None = None
        # Without a widget that expands, napari gives half of the dock to empty space.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        viewer = bare(viewer)
        if docks.of(viewer) is not None:
            note = QLabel(f"The {name} is open in this window already: look for its tab.")
            note.setWordWrap(True)
            layout.addWidget(note)
            return
        view, self.controller = make(viewer)
        layout.addWidget(view)
        self._forget_with(docks, self.controller)
        docks.add(viewer, self.controller)

    def _forget_with(self, docks: OpenDocks[ControllerT], controller: ControllerT) -> None:
        def end() -> None:
            docks.remove(controller)
            controller.teardown()

        self._teardown = _Ending(self, end)

    def sizeHint(self) -> QSize:
        """Return a size that leaves room for the image on a small screen."""
        return QSize(self._width_px, _HEIGHT_PX)

    def event(self, event: QEvent) -> bool:
        """Notice that the dock was closed: napari then takes the widget out of it."""
        if event.type() == QEvent.Type.ParentChange:
            if self._had_parent and self.parent() is None and self._teardown is not None:
                self._teardown()
            self._had_parent = self.parent() is not None
        return bool(super().event(event))

    def showEvent(self, event: QShowEvent) -> None:
        """Join the other docks of ours once this one has its place."""
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            QTimer.singleShot(0, self._share_tabs)

    def _share_tabs(self) -> None:
        """Lie in tabs with a dock of ours: below it, each would have half of the height."""
        own, window = _dock_around(self), self.window()
        if own is None or own.isFloating() or not isinstance(window, QMainWindow):
            return
        area = window.dockWidgetArea(own)
        for other in window.findChildren(QDockWidget):
            is_ours = other is not own and other.findChild(PluginDock) is not None
            if is_ours and not other.isFloating() and window.dockWidgetArea(other) == area:
                window.tabifyDockWidget(other, own)
                own.raise_()
                return


class _Ending:
    """Ends a dock once: as it is closed, deleted or the application quits.

    Until then it is kept alive here. Else it could go in one sweep of the garbage collector with
    its dock, which would call what is half taken apart, and the process dies.
    """

    _waiting: ClassVar[set[_Ending]] = set()

    def __init__(self, dock: QWidget, end: Callable[[], None]) -> None:
        self._end = end
        self._signals = [dock.destroyed]
        application = QApplication.instance()
        if application is not None:
            self._signals.append(application.aboutToQuit)
        for signal in self._signals:
            signal.connect(self)
        self._waiting.add(self)

    def __call__(self, *_: object) -> None:
        if self not in self._waiting:
            return
        self._waiting.discard(self)
        self._end()
        for signal in self._signals:
            with suppress(TypeError, RuntimeError):
                signal.disconnect(self)


def _dock_around(widget: QWidget) -> QDockWidget | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent

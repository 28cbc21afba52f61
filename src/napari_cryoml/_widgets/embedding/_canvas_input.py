"""Events of Qt to what the user wants of the map."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QWidget

from napari_cryoml._widgets.embedding._canvas_tools import MapTools, PatientClear

_NOTCH = 1.0016
_KEY_ZOOM = 1.3
_STEP = 0.12

_ARROWS = {
    Qt.Key.Key_Left: (1, 0),
    Qt.Key.Key_Right: (-1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
_ZOOMS = {
    Qt.Key.Key_Plus: _KEY_ZOOM,
    Qt.Key.Key_Equal: _KEY_ZOOM,
    Qt.Key.Key_Minus: 1 / _KEY_ZOOM,
}


# Other events still come when Python has taken the object apart already: they must not touch it.
_METHODS = {
    QEvent.Type.MouseButtonPress: "_press",
    QEvent.Type.MouseButtonDblClick: "_double",
    QEvent.Type.MouseMove: "_move",
    QEvent.Type.MouseButtonRelease: "_release",
    QEvent.Type.Wheel: "_wheel",
    QEvent.Type.Leave: "_leave",
    QEvent.Type.ShortcutOverride: "_claim",
    QEvent.Type.KeyPress: "_key",
    QEvent.Type.KeyRelease: "_key_up",
    QEvent.Type.FocusOut: "_lose_focus",
}


class MapInput(QObject):
    """Listens to mouse and keys of a widget.

    Parameters
    ----------
    widget : QWidget
    tools : MapTools
        Told of presses, drags and releases.
    clear : PatientClear
        Told of double clicks.
    """

    zoomed = Signal(float, float, float)
    """Factor, and the pixel x and y that stays in place."""

    stepped = Signal(float, float)
    """Pixels to the right and down that the content is to go, by a key."""

    fit_requested = Signal()
    pointed = Signal(float, float)
    """The mouse is at this pixel, with no button held."""

    left = Signal()
    """The mouse is not on the map."""

    def __init__(self, widget: QWidget, tools: MapTools, clear: PatientClear) -> None:
        super().__init__(widget)
        self._widget, self._tools, self._clear = widget, tools, clear
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the events that mean something; leave the others to the widget and to napari."""
        method = _METHODS.get(event.type())
        taken = method is not None and bool(getattr(self, method)(event))
        if taken:
            event.accept()
        return taken

    def _press(self, event: QMouseEvent) -> bool:
        self.left.emit()
        self._tools.press(event)
        return True

    def _double(self, event: QMouseEvent) -> bool:
        if event.button() != Qt.MouseButton.LeftButton:
            return self._press(event)
        self._clear.cancel()
        self._tools.double()
        self.fit_requested.emit()
        return True

    def _move(self, event: QMouseEvent) -> bool:
        if event.buttons() == Qt.MouseButton.NoButton:
            self.pointed.emit(event.position().x(), event.position().y())
        self._tools.move(event)
        return True

    def _release(self, event: QMouseEvent) -> bool:
        self._tools.release(event)
        return True

    def _wheel(self, event: QWheelEvent) -> bool:
        at, delta = event.position(), event.angleDelta().y()
        if delta:
            self.zoomed.emit(_NOTCH**delta, at.x(), at.y())
        return True

    def _leave(self, event: QEvent) -> bool:
        self.left.emit()
        return False

    def _claim(self, event: QKeyEvent) -> bool:
        """Keep the keys of the map from the shortcuts of the window."""
        return self._meaning(event) is not None

    def _key(self, event: QKeyEvent) -> bool:
        action = self._meaning(event)
        if action is not None and not (event.isAutoRepeat() and event.key() == Qt.Key.Key_Space):
            action()
        return action is not None

    def _key_up(self, event: QKeyEvent) -> bool:
        released = event.key() == Qt.Key.Key_Space
        if released and not event.isAutoRepeat():
            self._tools.hold_space(False)
        return released

    def _lose_focus(self, event: QEvent) -> bool:
        self._tools.hold_space(False)
        return False

    def _meaning(self, event: QKeyEvent) -> Callable[[], object] | None:
        """Return what a key is for; None for those that are not the map's."""
        key, modifiers = event.key(), event.modifiers()
        shift, pad = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.KeypadModifier
        if modifiers & ~(shift | pad):
            return None
        if key in _ARROWS:
            right, down = _ARROWS[key]
            step = _STEP * min(self._widget.width(), self._widget.height())
            return lambda: self.stepped.emit(right * step, down * step)
        if key in _ZOOMS:
            middle = self._widget.rect().center()
            return lambda: self.zoomed.emit(_ZOOMS[key], middle.x(), middle.y())
        if key == Qt.Key.Key_F and not modifiers:
            return self.fit_requested.emit
        if key == Qt.Key.Key_Space:
            return lambda: self._tools.hold_space(True)
        if key == Qt.Key.Key_Escape and self._tools.busy:
            return self._tools.cancel
        return None

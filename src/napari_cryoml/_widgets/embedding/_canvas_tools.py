"""What the mouse does on the map."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QPointF, Qt, QTimer, Signal
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

TOOLS = ("pan", "lasso", "rectangle")
"""What a drag with the left button can be."""

_CLICK_PX = 4.0
_STEP_PX = 2.0
_PAN_BUTTONS = Qt.MouseButton.MiddleButton | Qt.MouseButton.RightButton


class MapTools(QObject):
    """Turns presses, drags and clicks into pans, outlines and clicks.

    Parameters
    ----------
    parent : QObject, optional
    """

    panned = Signal(float, float)
    """Pixels to the right and down, since the last."""

    outlined = Signal(object, str)
    """Corners, float array of shape (m, 2), pixels xy; "replace", "add" or "subtract"."""

    clicked = Signal(float, float, str)
    """Pixel x and y, and the same."""

    changed = Signal()
    """The outline on the screen, or the cursor."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tool = "lasso"
        self.mode = "replace"
        self._points: list[QPointF] = []
        self._panning: QPointF | None = None
        self._space = False
        self._doubled = False

    def choose(self, tool: str) -> None:
        """Take up a tool, one of `TOOLS`; what was being drawn is dropped."""
        if tool not in TOOLS:
            raise ValueError(f"no tool is called {tool!r}")
        self.tool = tool
        self.cancel()

    def hold_space(self, held: bool) -> None:
        """Pan, whatever the tool, while the space bar is held."""
        self._space = held
        self.changed.emit()

    @property
    def outline(self) -> npt.NDArray[np.float64]:
        """Corners of what is being drawn, shape (m, 2), pixels xy; empty for nothing."""
        if self.tool == "rectangle" and self._points:
            (left, top), (right, bottom) = (_xy(self._points[i]) for i in (0, -1))
            return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        return np.array([_xy(point) for point in self._points]).reshape(-1, 2)

    @property
    def busy(self) -> bool:
        """Whether a button is held that does something."""
        return bool(self._points) or self._panning is not None

    @property
    def drawing(self) -> bool:
        """Whether an outline is being drawn."""
        return bool(self._points) and self._far()

    @property
    def cursor(self) -> Qt.CursorShape:
        """The shape that says what a drag would do."""
        if self._panning is not None:
            return Qt.CursorShape.ClosedHandCursor
        if self._space or self.tool == "pan":
            return Qt.CursorShape.OpenHandCursor
        return Qt.CursorShape.CrossCursor

    def cancel(self) -> None:
        """Drop what is being drawn or dragged."""
        self._points, self._panning = [], None
        self.changed.emit()

    def press(self, event: QMouseEvent) -> None:
        """Begin a drag."""
        self.mode = _mode(event.modifiers())
        left = event.button() == Qt.MouseButton.LeftButton
        if bool(event.button() & _PAN_BUTTONS) or (left and self._space):
            self._points, self._panning = [], event.position()
        elif left:
            self._points = [event.position()]
        self.changed.emit()

    def double(self) -> None:
        """Make the release that follows no click."""
        self._points, self._doubled = [], True

    def move(self, event: QMouseEvent) -> None:
        """Go on with a drag."""
        position = event.position()
        if self._points and self.tool == "pan" and self._panning is None:
            self._points.append(position)
            if not self._far():
                return
            self._panning, self._points = self._points[0], []
        if self._panning is not None:
            offset = position - self._panning
            self._panning = position
            self.panned.emit(offset.x(), offset.y())
        elif self._points and _distance(position, self._points[-1]) >= _STEP_PX:
            self._points.append(position)
            self.changed.emit()

    def release(self, event: QMouseEvent) -> None:
        """End a drag: a pan, an outline, or, where the mouse did not move, a click."""
        outline, drawn, pressed = self.outline, self.drawing, bool(self._points)
        doubled, self._doubled = self._doubled, False
        self.cancel()
        if drawn:
            self.outlined.emit(outline, self.mode)
        elif pressed and not doubled:
            self.clicked.emit(*_xy(event.position()), self.mode)

    def _far(self) -> bool:
        """Whether the drag has left the place where it began."""
        return any(_distance(point, self._points[0]) > _CLICK_PX for point in self._points)


class PatientClear(QObject):
    """Tells of a click on nothing, unless it was the first half of a double click.

    Parameters
    ----------
    parent : QObject, optional
    """

    due = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(QApplication.doubleClickInterval())
        self._timer.timeout.connect(self.due)

    def start(self) -> None:
        """Wait for the second half."""
        self._timer.start()

    def cancel(self) -> None:
        """Say nothing: it was a double click."""
        self._timer.stop()


def _mode(modifiers: Qt.KeyboardModifier) -> str:
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        return "add"
    # Window managers may keep Alt for themselves, so Control does the same.
    less = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier
    return "subtract" if modifiers & less else "replace"


def _xy(point: QPointF) -> tuple[float, float]:
    return point.x(), point.y()


def _distance(one: QPointF, other: QPointF) -> float:
    return float(np.hypot(one.x() - other.x(), one.y() - other.y()))

"""Thumbnails in rows and columns, of which only those in view exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from qtpy.QtGui import (
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from qtpy.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from napari_cryoml._widgets.crops._gallery_flow import GAP, Flow, PictureShelf, as_qimage
from napari_cryoml._widgets.crops._gallery_marks import Mark, paint_mark, paint_placeholder
from napari_cryoml._widgets.frame import ThemeColours

SIZES = (48, 64, 96)
_ASK_MS = 60

Rows = npt.NDArray[np.intp]

_MODIFIERS = {
    Qt.KeyboardModifier.ShiftModifier: "shift",
    Qt.KeyboardModifier.ControlModifier: "ctrl",
    Qt.KeyboardModifier.AltModifier: "alt",
}
_BUTTONS = {
    Qt.MouseButton.LeftButton: "left",
    Qt.MouseButton.RightButton: "right",
    Qt.MouseButton.MiddleButton: "middle",
}
_LABEL_KEYS = {
    Qt.Key.Key_Return: "positive",
    Qt.Key.Key_Enter: "positive",
    Qt.Key.Key_G: "positive",
    Qt.Key.Key_W: "negative",
}
_ERASE_KEYS = (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)
_DIGITS = range(Qt.Key.Key_0, Qt.Key.Key_9 + 1)


class GalleryGrid(QAbstractScrollArea):
    """Pictures of rows that scroll; it paints what is in view and asks for what it lacks.

    Parameters
    ----------
    parent : QWidget, optional
    """

    needed = Signal(list)
    """All rows in view, and on the next page, whose pictures are not there.

    What was asked for before and has not begun yet may be dropped.
    """

    clicked = Signal(int, str)
    """A row and how: "left", "right", "shift+left", "alt+left" and so on."""

    double_clicked = Signal(int)
    """A row that was clicked twice; `clicked` has told the first click already."""

    hovered = Signal(int)
    """The row below the mouse or that the arrow keys have come to; -1 for none."""

    label_requested = Signal(int, str)
    """A row and "positive" (Enter or G) or "negative" (W)."""

    erase_requested = Signal(int)
    """A row on which Backspace or Delete was pressed."""

    key_pressed = Signal(int, int)
    """A row and the digit that was pressed on it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: Rows = np.empty(0, np.intp)
        self._size = SIZES[1]
        self._current = -1
        self._below_mouse = -1
        self._empty_text = ""
        self._colours = ThemeColours.of("dark")
        self._pictures = PictureShelf()
        self._marks: Mapping[int, Mark] = {}
        self._text_of: Callable[[int], str] = str
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(_ASK_MS)
        self._asking.timeout.connect(self._ask)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Crops of the selection")
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.setMinimumHeight(SIZES[1] + 2 * GAP)

    def sizeHint(self) -> QSize:
        """Return a size that fits a narrow dock."""
        return QSize(260, 2 * (SIZES[1] + GAP) + GAP)

    # Setters

    @property
    def rows(self) -> Rows:
        """The rows on show, in their order."""
        return self._rows

    @property
    def side(self) -> int:
        """Side of a picture in pixels."""
        return self._size

    @property
    def current(self) -> int:
        """The row that keys act on; -1 for none."""
        return int(self._rows[self._current]) if self._current >= 0 else -1

    def set_rows(self, rows: npt.ArrayLike) -> None:
        """Show these rows, from the first one on; the same ones in the same order stay put."""
        rows = np.asarray(rows, np.intp)
        if np.array_equal(rows, self._rows):
            return
        self._rows = rows
        self._current = -1
        self._point_at(-1)
        self._rescale()
        self.verticalScrollBar().setValue(0)
        self._asking.start()
        self.viewport().update()

    def set_side(self, side: int) -> None:
        """Show pictures of another size; those that are there are stretched until others come."""
        if side == self._size:
            return
        first = self._in_view()[:1]
        self._size = side
        self._rescale()
        self.verticalScrollBar().setValue(self._flow.place(first[0])[1] - GAP if first else 0)
        self._asking.start()
        self.viewport().update()

    def set_thumbnails(self, rows: Sequence[int] | Rows, images: npt.NDArray[np.uint8]) -> None:
        """Take pictures (k, side, side) or (k, side, side, 3) of rows (k,)."""
        for row, image in zip(rows, images, strict=True):
            self._pictures.put(int(row), as_qimage(image))
        self.viewport().update()

    def forget_thumbnails(self) -> None:
        """Forget all pictures, and ask for those in view again."""
        self._pictures.clear()
        self._asking.start()
        self.viewport().update()

    def set_marks(self, marks: Mapping[int, Mark]) -> None:
        """Mark rows by their labels; rows without a mark have none."""
        self._marks = marks
        self.viewport().update()

    def set_texts(self, text_of: Callable[[int], str]) -> None:
        """Take the function that returns the tooltip of a row."""
        self._text_of = text_of

    def set_empty_text(self, text: str) -> None:
        """Show this sentence while there are no rows."""
        self._empty_text = text
        self.viewport().update()

    def set_colours(self, colours: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self._colours = colours
        self.viewport().update()

    # Where things are

    @property
    def _flow(self) -> Flow:
        return Flow(len(self._rows), self._size, self.viewport().width())

    def _place(self, index: int) -> QRect:
        """Return where a picture lies in the viewport."""
        left, top = self._flow.place(index)
        return QRect(left, top - self.verticalScrollBar().value(), self._size, self._size)

    def _index_at(self, point: QPoint) -> int:
        return self._flow.index_at(point.x(), point.y() + self.verticalScrollBar().value())

    def _in_view(self, pages: float = 1.0) -> range:
        """Return the indices of the pictures in view, and on some pages from there on."""
        top = self.verticalScrollBar().value()
        return self._flow.between(top, top + int(pages * self.viewport().height()))

    def _rescale(self) -> None:
        height = self.viewport().height()
        bar = self.verticalScrollBar()
        bar.setPageStep(height)
        bar.setSingleStep(self._flow.step // 2)
        bar.setRange(0, max(self._flow.height - height, 0))

    def _scrolled(self) -> None:
        self._asking.start()
        self.viewport().update()

    def _ask(self) -> None:
        rows = [int(self._rows[index]) for index in self._in_view(pages=2.0)]
        # All of them, though some may be on their way: this may take the place of what was asked.
        missing = self._pictures.lacking(rows, self._size)
        if missing:
            self.needed.emit(missing)

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Flow anew."""
        self._rescale()
        self._asking.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what is in view."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.viewport().rect(), self._colours.background)
        if not len(self._rows):
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.setPen(self._colours.text)
            painter.drawText(self.viewport().rect().adjusted(8, 4, -8, -4), flags, self._empty_text)
        for index in self._in_view():
            self._paint_one(painter, int(self._rows[index]), QRectF(self._place(index)))
        if self._current >= 0:
            # Outside the picture, where no mark is.
            painter.setPen(QPen(self._colours.text, 2))
            painter.drawRect(self._place(self._current).adjusted(-2, -2, 2, 2))
        painter.end()

    def _paint_one(self, painter: QPainter, row: int, box: QRectF) -> None:
        picture = self._pictures.get(row)
        if picture is None:
            paint_placeholder(painter, box, self._colours.text)
        else:
            painter.drawImage(box, picture)
        if row in self._marks:
            paint_mark(painter, box, self._marks[row])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Say which picture was clicked, and let keys act on it."""
        index = self._index_at(event.position().toPoint())
        self._current = index
        self.viewport().update()
        if index >= 0 and event.button() in _BUTTONS:
            held = [name for key, name in _MODIFIERS.items() if event.modifiers() & key]
            how = "+".join([*held, _BUTTONS[event.button()]])
            self.clicked.emit(int(self._rows[index]), how)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Say which picture was clicked twice."""
        index = self._index_at(event.position().toPoint())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.double_clicked.emit(int(self._rows[index]))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say which picture is below the mouse."""
        self._point_at(self._index_at(event.position().toPoint()))

    def viewportEvent(self, event: QEvent) -> bool:
        """Show the tooltip of a row; notice when the mouse leaves."""
        if event.type() == QEvent.Type.Leave:
            self._point_at(-1)
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._index_at(event.pos())
            if index >= 0:
                QToolTip.showText(event.globalPos(), self._text_of(int(self._rows[index])), self)
            else:
                QToolTip.hideText()
            return True
        return bool(super().viewportEvent(event))

    def _point_at(self, index: int) -> None:
        row = int(self._rows[index]) if index >= 0 else -1
        if row != self._below_mouse:
            self._below_mouse = row
            self.hovered.emit(row)

    def event(self, event: QEvent) -> bool:
        """Keep keys that act on one picture from the shortcuts of the dock."""
        if event.type() == QEvent.Type.ShortcutOverride and self._is_ours(event):
            event.accept()
            return True
        return bool(super().event(event))

    def _is_ours(self, event: QKeyEvent) -> bool:
        acts = event.key() in (*_LABEL_KEYS, *_ERASE_KEYS, *_DIGITS)
        return self._current >= 0 and acts and _is_plain(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk by arrow keys, label by Enter, G, W and digits; leave other keys to the dock."""
        if self._is_ours(event):
            self._act(Qt.Key(event.key()))
        elif event.key() == Qt.Key.Key_Escape and self._current >= 0:
            self._current = -1
            self.viewport().update()
        elif not (_is_plain(event) and self._walk(Qt.Key(event.key()))):
            event.ignore()

    def _act(self, key: Qt.Key) -> None:
        if key in _LABEL_KEYS:
            self.label_requested.emit(self.current, _LABEL_KEYS[key])
        elif key in _ERASE_KEYS:
            self.erase_requested.emit(self.current)
        else:
            self.key_pressed.emit(self.current, key - Qt.Key.Key_0)

    def advance(self) -> None:
        """Let keys act on the next picture, if there is one."""
        if 0 <= self._current < len(self._rows) - 1:
            self._walk(Qt.Key.Key_Right)

    def point_to(self, row: int) -> bool:
        """Let keys act on the picture of a row, and bring it into view; whether it is on show."""
        found = np.flatnonzero(self._rows == row)
        if len(found):
            self._current = int(found[0])
            self._show_current()
        return bool(len(found))

    def _walk(self, key: Qt.Key) -> bool:
        """Move to another picture; return whether the key is one that does so."""
        columns = self._flow.columns
        page = max(self.viewport().height() // self._flow.step, 1) * columns
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -len(self._rows),
            Qt.Key.Key_End: len(self._rows),
        }
        if key not in steps:
            return False
        if len(self._rows):
            start = self._current + steps[key] if self._current >= 0 else 0
            self._current = int(np.clip(start, 0, len(self._rows) - 1))
            self._show_current()
        return True

    def _show_current(self) -> None:
        top, bar = self._place(self._current).top(), self.verticalScrollBar()
        too_low = top + self._size + GAP - self.viewport().height()
        if top < GAP:
            bar.setValue(bar.value() + top - GAP)
        elif too_low > 0:
            bar.setValue(bar.value() + too_low)
        self._point_at(self._current)
        self.viewport().update()


def _is_plain(event: QKeyEvent) -> bool:
    # The arrows and digits of a keypad say so as a modifier.
    return not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier

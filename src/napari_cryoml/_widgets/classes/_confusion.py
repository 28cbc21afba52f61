"""The confusion matrix, painted: a click on a cell shows its crops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_cryoml._widgets.frame import NEGATIVE, POSITIVE, PaintedWidget
from napari_cryoml.evaluation import ClassificationReport

NOTHING = "No crops were held out yet: the matrix comes once there are enough labels."
_LABEL_PX, _CELL_PX, _LEAST_CELL_PX, _LINE_PX = 96, 60, 4, 22
_LEVEL_PX, _UPRIGHT_PX, _CORNER_PX = 34, 84, 17
_LEAST_TEXT_PX, _LEAST_NAME_PX = 18, 11
_DARK = 0.5


class ConfusionMatrix(PaintedWidget):
    """How many crops of each class (rows) were given which class (columns).

    Parameters
    ----------
    parent : QWidget, optional
    """

    cell_clicked = Signal(str, str)
    """The class that crops have by their labels, and the class that they were given."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._report: ClassificationReport | None = None
        self._below_mouse = -1, -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName("Confusion matrix")

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes on show."""
        return () if self._report is None else self._report.classes

    def sizeHint(self) -> QSize:
        """Return a size that is as low as it can be read."""
        n = len(self.classes)
        return QSize(260, self._head + n * _LINE_PX + 2 if n else 40)

    def set_report(self, report: ClassificationReport | None) -> None:
        """Show a report, or that there is none."""
        self._report = report if report is not None and report.n else None
        self._below_mouse = -1, -1
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    @property
    def _upright(self) -> bool:
        """Whether the names above the columns stand upright, for they are too long to lie."""
        metrics = self.fontMetrics()
        longest = max((metrics.horizontalAdvance(name) for name in self.classes), default=0)
        return longest > self._cell - 4

    @property
    def _head(self) -> int:
        """Height in pixels of the names above the columns."""
        return _UPRIGHT_PX if self._upright else _LEVEL_PX

    @property
    def _cell(self) -> float:
        """Width of a cell in pixels."""
        n = max(len(self.classes), 1)
        return min(max((self.width() - _LABEL_PX - 4) / n, _LEAST_CELL_PX), _CELL_PX)

    def cell_at(self, point: QPointF) -> tuple[int, int]:
        """Return row and column of the cell at a place; (-1, -1) for none."""
        n = len(self.classes)
        column = int((point.x() - _LABEL_PX) // self._cell)
        row = int((point.y() - self._head) // _LINE_PX)
        return (row, column) if 0 <= row < n and 0 <= column < n else (-1, -1)

    def place_of(self, row: int, column: int) -> QRectF:
        """Return where a cell is painted."""
        left, top = _LABEL_PX + column * self._cell, self._head + row * _LINE_PX
        return QRectF(left, top, self._cell, _LINE_PX)

    def words_of(self, row: int, column: int) -> str:
        """Return a cell in words."""
        report = self._report
        if report is None or row < 0:
            return NOTHING if report is None else ""
        count, of = int(report.confusion[row, column]), int(report.confusion[row].sum())
        true, given = report.classes[row], report.classes[column]
        what = f"were given {given}" if row != column else "were right"
        return f"{count:,} of {of:,} crops of {true} {what}. Click to see them."

    # Events

    def resizeEvent(self, event: QEvent) -> None:
        """Keep as high as the names need."""
        self.setFixedHeight(self.sizeHint().height())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Frame the cell below the mouse."""
        self._point_at(self.cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Frame no cell."""
        self._point_at((-1, -1))

    def _point_at(self, cell: tuple[int, int]) -> None:
        if cell != self._below_mouse:
            self._below_mouse = cell
            pointing = Qt.CursorShape.PointingHandCursor if cell[0] >= 0 else None
            self.unsetCursor() if pointing is None else self.setCursor(pointing)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the cell below the mouse."""
        row, column = self.cell_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and row >= 0:
            self.cell_clicked.emit(self.classes[row], self.classes[column])

    def event(self, event: QEvent) -> bool:
        """Say what the cell below the mouse counts."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words_of(*self.cell_at(event.pos())), self)
            return True
        return bool(super().event(event))

    # Painting

    def _paint(self, painter: QPainter) -> None:
        """Paint names, cells and counts."""
        painter.setPen(self._colours.text)
        if self._report is None:
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(6, 0, -6, 0), flags, NOTHING)
        else:
            self._paint_names(painter)
            self._paint_cells(painter, self._report.confusion)

    def _paint_names(self, painter: QPainter) -> None:
        side, right = self._cell, _flags(Qt.AlignmentFlag.AlignRight)
        corner = QRectF(4, self._head - 2 * _CORNER_PX, _LABEL_PX - 10, _CORNER_PX)
        painter.drawText(corner, right, "given →")
        painter.drawText(corner.translated(0, _CORNER_PX), right, "true ↓")
        for index, name in enumerate(self.classes):
            box = QRectF(4, self._head + index * _LINE_PX, _LABEL_PX - 10, _LINE_PX)
            _write(painter, box, right, name)
            if side >= _LEAST_NAME_PX:
                self._paint_above(painter, index, name)

    def _paint_above(self, painter: QPainter, column: int, name: str) -> None:
        """Write the name of a column above it, upright where it is too long to lie."""
        side, head = self._cell, self._head
        left = _LABEL_PX + column * side
        if not self._upright:
            box = QRectF(left, head - _CORNER_PX - 2, side, _CORNER_PX)
            _write(painter, box, _flags(Qt.AlignmentFlag.AlignHCenter), name)
            return
        painter.save()
        painter.translate(left, head - 3)
        painter.rotate(-90)
        _write(painter, QRectF(0, 0, head - 6, side), _flags(Qt.AlignmentFlag.AlignLeft), name)
        painter.restore()

    def _paint_cells(self, painter: QPainter, confusion: npt.NDArray[np.int64]) -> None:
        shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
        for row, column in np.ndindex(confusion.shape):
            box = self.place_of(row, column).adjusted(0.5, 0.5, -0.5, -0.5)
            colour = self._mixed(POSITIVE if row == column else NEGATIVE, shares[row, column])
            painter.fillRect(box, colour)
            if (row, column) == self._below_mouse:
                painter.setPen(QPen(self._colours.text, 2))
                painter.drawRect(box)
            if self._cell >= _LEAST_TEXT_PX and confusion[row, column]:
                painter.setPen(QColor("white" if colour.lightnessF() < _DARK else "black"))
                text = f"{confusion[row, column]:,}"
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _mixed(self, colour: QColor, share: float) -> QColor:
        """Return the background with a share of a colour; roots show single mistakes."""
        weight, under = float(np.sqrt(share)), self._colours.muted
        parts = zip(under.getRgbF()[:3], colour.getRgbF()[:3], strict=True)
        return QColor.fromRgbF(*((1 - weight) * a + weight * b for a, b in parts))


def _flags(horizontal: Qt.AlignmentFlag) -> Qt.AlignmentFlag:
    return horizontal | Qt.AlignmentFlag.AlignVCenter


def _write(painter: QPainter, box: QRectF, flags: Qt.AlignmentFlag, text: str) -> None:
    elide = Qt.TextElideMode.ElideRight
    painter.drawText(box, flags, painter.fontMetrics().elidedText(text, elide, int(box.width())))

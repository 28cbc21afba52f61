"""The correlation of two halves over detail, painted."""

from __future__ import annotations

from itertools import pairwise

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_cryoml._widgets.frame import PICK, VALIDATION, PaintedWidget
from napari_cryoml.averaging import GOLD_STANDARD, HALF, ShellCorrelation

THRESHOLDS = (GOLD_STANDARD, HALF)
_LEFT, _RIGHT, _TOP, _BOTTOM = 26, 8, 6, 16
_FLOOR, _CEILING = -0.15, 1.05
_TICKS = (0.125, 0.25, 0.375, 0.5)
_WHOLE = 10.0  # from here on, tenths would run into each other
_HEIGHT = 104


class CorrelationCurve(PaintedWidget):
    """A Fourier ring or shell correlation from 0 to 1, over periods from long to short.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curve: ShellCorrelation | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumSize(96, _HEIGHT)
        self.setToolTip(
            "<p>How well the averages of two halves agree at each detail: 1 is fully, 0 not at "
            "all. Dashed: 0.143 and 0.5, where resolutions are read off.</p>"
        )

    def sizeHint(self) -> QSize:
        """Return a size that fits a narrow dock."""
        return QSize(170, _HEIGHT)

    def set_curve(self, curve: ShellCorrelation | None) -> None:
        """Show a curve, or an empty frame."""
        self._curve = curve
        self.update()

    def _paint(self, painter: QPainter) -> None:
        """Paint frame, thresholds and curve."""
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        self._paint_frame(painter)
        if self._curve is not None:
            self._paint_curve(painter, self._curve)

    def _place(self, frequency: float, value: float) -> QPointF:
        width = self.width() - _LEFT - _RIGHT
        height = self.height() - _TOP - _BOTTOM
        share = (min(max(value, _FLOOR), _CEILING) - _FLOOR) / (_CEILING - _FLOOR)
        return QPointF(_LEFT + 2 * frequency * width, _TOP + (1 - share) * height)

    def _paint_frame(self, painter: QPainter) -> None:
        painter.setPen(QPen(self._colours.text, 1))
        painter.drawLine(self._place(0, 0), self._place(0.5, 0))
        painter.drawLine(self._place(0, 0), self._place(0, 1))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value in (0.0, *THRESHOLDS, 1.0):
            y = self._place(0, value).y()
            text = f"{value:.3g}".removeprefix("0") if 0 < value < 1 else f"{value:.0f}"
            painter.drawText(QRectF(0, y - 7, _LEFT - 3, 14), right, text)
        painter.setPen(QPen(VALIDATION, 1, Qt.PenStyle.DashLine))
        for value in THRESHOLDS:
            painter.drawLine(self._place(0, value), self._place(0.5, value))
        if self._curve is not None:
            self._paint_ticks(painter, self._curve)

    def _paint_ticks(self, painter: QPainter, curve: ShellCorrelation) -> None:
        painter.setPen(QPen(self._colours.text, 1))
        floor = self.height() - _BOTTOM
        for frequency in _TICKS:
            x = self._place(frequency, 0).x()
            painter.drawLine(QPointF(x, floor), QPointF(x, floor + 3))
            period = curve.period(frequency)
            text = f"{period:.0f}" if period >= _WHOLE else f"{period:.1f}"
            if frequency == _TICKS[-1]:
                text += f" {curve.unit}"
            centre = min(x, self.width() - 20)
            box = QRectF(centre - 20, floor + 2, 40, _BOTTOM - 2)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_curve(self, painter: QPainter, curve: ShellCorrelation) -> None:
        painter.setPen(QPen(PICK, 2))
        points = zip(curve.frequency.tolist(), curve.values.tolist(), strict=True)
        placed = [self._place(frequency, value) for frequency, value in points]
        for start, end in pairwise(placed):
            painter.drawLine(start, end)

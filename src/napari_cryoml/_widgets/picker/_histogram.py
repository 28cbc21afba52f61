"""How many picks have which score, with the threshold as a handle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_cryoml._widgets.frame import PICK, PaintedWidget, heat_colours

N_BINS = 48
_MARGIN = 8
_AXIS_HEIGHT = 16
_BAR_HEIGHT = 5
_KEY_STEPS = 100
_HEIGHT = 76


class ThresholdHistogram(PaintedWidget):
    """A score histogram whose vertical line is dragged to set the threshold.

    Parameters
    ----------
    parent : QWidget, optional
    """

    moved = Signal(float)
    """The threshold while it is being dragged."""

    released = Signal(float)
    """The threshold once it has been let go."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scores = np.empty(0, np.float32)
        self._counts = np.zeros(N_BINS, int)
        self._range = (-6.0, 6.0)
        self._threshold = 0.0
        self._heat_limits: tuple[float, float] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(_HEIGHT)

    def sizeHint(self) -> QSize:
        """Return a size that fits a narrow dock."""
        return QSize(260, _HEIGHT)

    @property
    def threshold(self) -> float:
        """The score at the line."""
        return self._threshold

    @property
    def score_range(self) -> tuple[float, float]:
        """Lowest and highest score on the axis."""
        return self._range

    def set_scores(self, scores: npt.NDArray[np.float32], threshold: float | None = None) -> None:
        """Show these scores, and move the line; the axis spans both."""
        self._scores = scores[np.isfinite(scores)]
        self._threshold = self._threshold if threshold is None else float(threshold)
        self._rescale()

    def set_threshold(self, threshold: float) -> None:
        """Move the line, without a signal."""
        self._threshold = float(threshold)
        self._rescale()

    def set_colour_bar(self, limits: tuple[float, float] | None) -> None:
        """Paint the heat map's colours along the axis; `limits` are its darkest and lightest."""
        self._heat_limits = limits
        self.update()

    def step(self, direction: int) -> None:
        """Move the line by a hundredth of the axis, up or down."""
        low, high = self._range
        self._choose(self._threshold + direction * (high - low) / _KEY_STEPS)
        self.released.emit(self._threshold)

    def _rescale(self) -> None:
        if len(self._scores):
            low, high = float(self._scores.min()), float(self._scores.max())
            low, high = min(low, self._threshold), max(high, self._threshold)
            self._range = (low, high if high - low > 1e-6 else low + 1.0)
        else:
            self._range = (min(-6.0, self._threshold), max(6.0, self._threshold))
        self._counts = np.histogram(self._scores, N_BINS, self._range)[0]
        self.update()

    def _choose(self, threshold: float) -> None:
        self._threshold = float(np.clip(threshold, *self._range))
        self.update()
        self.moved.emit(self._threshold)

    def _x_of(self, score: float) -> float:
        low, high = self._range
        return _MARGIN + (score - low) / (high - low) * (self.width() - 2 * _MARGIN)

    def _score_at(self, x: float) -> float:
        low, high = self._range
        return low + (x - _MARGIN) / max(self.width() - 2 * _MARGIN, 1) * (high - low)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the line to where the mouse was pressed."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(self._score_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the line."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(self._score_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the line go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.released.emit(self._threshold)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the line by the arrow keys; leave all other keys to napari."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps:
            self.step(steps[event.key()])
        else:
            event.ignore()

    def _paint(self, painter: QPainter) -> None:
        """Paint bars, axis and line."""
        self._paint_bars(painter)
        self._paint_colour_bar(painter)
        self._paint_axis(painter)

    def _paint_bars(self, painter: QPainter) -> None:
        floor = self.height() - _AXIS_HEIGHT - _BAR_HEIGHT
        # Roots: the few sure picks must be seen beside the many poor ones.
        heights = np.sqrt(self._counts / max(int(self._counts.max()), 1)) * (floor - 4)
        width = (self.width() - 2 * _MARGIN) / N_BINS
        low, high = self._range
        for index, height in enumerate(heights):
            centre = low + (index + 0.5) / N_BINS * (high - low)
            colour = PICK if centre >= self._threshold else self._colours.muted
            bar = QRectF(_MARGIN + index * width, floor - height, max(width - 1, 1), height)
            painter.fillRect(bar, colour)

    def _paint_colour_bar(self, painter: QPainter) -> None:
        if self._heat_limits is None or not len(self._scores):
            return
        dark, light = self._heat_limits
        width = max(self.width() - 2 * _MARGIN, 1)
        scores = np.linspace(*self._range, width)
        colours = heat_colours((scores - dark) / max(light - dark, 1e-6))
        top = self.height() - _AXIS_HEIGHT - _BAR_HEIGHT
        for column, colour in enumerate(colours):
            painter.fillRect(_MARGIN + column, top, 1, _BAR_HEIGHT, colour)

    def _paint_axis(self, painter: QPainter) -> None:
        floor = self.height() - _AXIS_HEIGHT
        painter.setPen(QPen(self._colours.text, 1))
        painter.drawLine(QPointF(_MARGIN, floor), QPointF(self.width() - _MARGIN, floor))
        if not len(self._scores):
            flag = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), flag, "No picks yet: label particles.")
            return
        x = self._x_of(self._threshold)
        painter.setPen(QPen(self._colours.text, 2))
        painter.drawLine(QPointF(x, 2), QPointF(x, floor + 3))
        painter.setBrush(self._colours.text)
        painter.drawEllipse(QPointF(x, 6), 4, 4)
        self._paint_numbers(painter, x)

    def _paint_numbers(self, painter: QPainter, x: float) -> None:
        font = painter.font()
        font.setPointSizeF(max(font.pointSizeF() * 0.85, 7))
        painter.setFont(font)
        box = QRectF(_MARGIN, self.height() - _AXIS_HEIGHT, self.width() - 2 * _MARGIN, 16)
        low, high = self._range
        if x - _MARGIN > 60:
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft, f"{low:.1f}")
        if self.width() - _MARGIN - x > 60:
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, f"{high:.1f}")
        left = min(max(x - 30, 0), self.width() - 60)
        here = QRectF(left, box.top(), 60, 16)
        painter.drawText(here, Qt.AlignmentFlag.AlignHCenter, f"{self._threshold:.2f}")

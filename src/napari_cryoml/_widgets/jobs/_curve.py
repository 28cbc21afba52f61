"""Loss and validation score of the running training."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_cryoml._widgets.frame import PICK, VALIDATION, PaintedWidget

MAX_POINTS = 600
FURTHER = QColor("#CC79A7")
REDRAW_MS = 250
"""Least time between two paintings: each has the whole window composed anew, canvas included."""
_MARGIN = 6
_LEGEND_HEIGHT = 16


class TrainingCurve(PaintedWidget):
    """Two curves over the steps of a run: the loss on its own scale, a score from 0 to 1.

    Parameters
    ----------
    validation : str
        What the score is called.
    further : str
        What a second score is called, which has a curve once there is one.
    parent : QWidget, optional
    """

    def __init__(
        self,
        validation: str = "validation AP",
        further: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name, self._further_name = validation, further
        self._further: list[tuple[float, float]] = []
        self._loss: list[tuple[float, float]] = []
        self._validation: list[tuple[float, float]] = []
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self.update)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(64)

    def sizeHint(self) -> QSize:
        """Return a size that fits a narrow dock."""
        return QSize(260, 64)

    @property
    def losses(self) -> list[tuple[float, float]]:
        """Steps and losses, thinned out to `MAX_POINTS` at most."""
        return self._loss

    @property
    def validations(self) -> list[tuple[float, float]]:
        """Steps and validation scores."""
        return self._validation

    def clear(self) -> None:
        """Begin anew."""
        self._loss, self._validation, self._further = [], [], []
        self.update()

    @property
    def furthers(self) -> list[tuple[float, float]]:
        """Steps and second scores."""
        return self._further

    def add(
        self, step: int, loss: float, validation: float | None, further: float | None = None
    ) -> None:
        """Add one step of training; a loss or score that is no number is left out."""
        if np.isfinite(loss):
            self._loss.append((float(step), float(loss)))
        if len(self._loss) > MAX_POINTS:
            self._loss = [
                ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
                for a, b in zip(self._loss[::2], self._loss[1::2], strict=False)
            ]
        if validation is not None and np.isfinite(validation):
            self._validation.append((float(step), float(validation)))
        if further is not None and np.isfinite(further):
            self._further.append((float(step), float(further)))
        if not self._redraw.isActive():
            self._redraw.start()

    def _paint(self, painter: QPainter) -> None:
        """Paint both curves and their latest values."""
        if self._loss:
            values = np.array([value for _, value in self._loss])
            self._paint_line(painter, self._loss, _span(values), PICK)
            self._paint_line(painter, self._validation, (0.0, 1.0), VALIDATION, dots=True)
            self._paint_line(painter, self._further, (0.0, 1.0), FURTHER, dots=True)
        self._paint_legend(painter)

    def _paint_line(
        self,
        painter: QPainter,
        points: list[tuple[float, float]],
        span: tuple[float, float],
        colour: QColor,
        *,
        dots: bool = False,
    ) -> None:
        steps = [step for step, _ in self._loss + self._validation]
        first, last = min(steps), max(max(steps), min(steps) + 1)
        width, height = self.width() - 2 * _MARGIN, self.height() - _LEGEND_HEIGHT - _MARGIN

        def place(point: tuple[float, float]) -> QPointF:
            x = _MARGIN + (point[0] - first) / (last - first) * width
            share = (point[1] - span[0]) / (span[1] - span[0])
            return QPointF(x, _LEGEND_HEIGHT + (1 - min(max(share, 0), 1)) * height)

        painter.setPen(QPen(colour, 1.5))
        placed = [place(point) for point in points]
        for start, end in pairwise(placed):
            painter.drawLine(start, end)
        if dots:
            painter.setBrush(colour)
            for point in placed:
                painter.drawEllipse(point, 2.5, 2.5)

    def _paint_legend(self, painter: QPainter) -> None:
        box = QRectF(_MARGIN, 1, self.width() - 2 * _MARGIN, _LEGEND_HEIGHT)
        loss = f"loss {self._loss[-1][1]:.3g}" if self._loss else "loss"
        validation = self._name + (f" {self._validation[-1][1]:.2f}" if self._validation else "")
        painter.setPen(self._colours.text)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, f"    {loss}")
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, f"{validation}    ")
        if self._further:
            painter.setPen(FURTHER)
            text = f"{self._further_name} {self._further[-1][1]:.2f}"
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, text)
        middle = 1 + _LEGEND_HEIGHT / 2
        painter.fillRect(QRectF(_MARGIN, middle - 1, 10, 3), PICK)
        painter.setBrush(VALIDATION)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QPointF(self.width() - _MARGIN - 4, middle), 3.5, 3.5)


def _span(values: np.ndarray) -> tuple[float, float]:
    """Return the scale of a curve; single spikes are cut off."""
    low, high = float(values.min()), float(np.percentile(values, 99))
    return (low, high) if high > low else (low, low + 1.0)

"""The colour bar of the map: which value has which colour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from napari_cryoml._widgets.frame import ThemeColours

_PADDING = 6
_BAR = 12
_HEIGHT = 150
_WIDEST_PX = 150
_STOPS = 16


class ColourBar(QWidget):
    """A strip of colours with its title and the values at its ends and in its middle.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self._limits = (0.0, 1.0)
        self._palette: npt.NDArray[np.uint8] = np.zeros((2, 3), np.uint8)
        self._theme = ThemeColours.of("dark")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_scale(
        self, title: str, limits: tuple[float, float], palette: npt.NDArray[np.uint8]
    ) -> None:
        """Show the colours, shape (k, 3), of values from the first to the second limit."""
        self._title, self._limits, self._palette = title, limits, palette
        self.show()
        self.update()

    def set_theme(self, theme: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size that shows everything."""
        metrics = QFontMetricsF(self.font())
        numbers = [metrics.horizontalAdvance(number) for number in self._numbers()]
        width = max(max(numbers) + _BAR + 3 * _PADDING, metrics.horizontalAdvance(self._title) + 12)
        return QSize(round(min(width + 2, _WIDEST_PX)), _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title, strip and numbers."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(self._theme.background)
        ground.setAlpha(210)
        painter.setBrush(ground)
        painter.setPen(QPen(self._theme.muted, 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        metrics = QFontMetricsF(self.font())
        room = self.width() - 2 * _PADDING
        title = metrics.elidedText(self._title, Qt.TextElideMode.ElideMiddle, room)
        painter.setPen(self._theme.text)
        painter.drawText(QPointF(_PADDING, _PADDING + metrics.ascent()), title)
        self._paint_strip(painter, _PADDING + metrics.height() + 4, metrics)
        painter.end()

    def _paint_strip(self, painter: QPainter, top: float, metrics: QFontMetricsF) -> None:
        strip = QRectF(_PADDING, top, _BAR, self.height() - top - _PADDING)
        gradient = QLinearGradient(strip.bottomLeft(), strip.topLeft())
        for share in np.linspace(0, 1, _STOPS):
            colour = self._palette[round(share * (len(self._palette) - 1))]
            gradient.setColorAt(float(share), QColor(*colour.tolist()))
        painter.fillRect(strip, gradient)
        left = strip.right() + _PADDING
        for share, number in zip((0, 0.5, 1), self._numbers(), strict=True):
            middle = strip.bottom() - share * strip.height()
            # The outer numbers stay beside the strip, the middle one is centred on its place.
            baseline = middle + metrics.ascent() * share - metrics.descent() * (1 - share)
            painter.drawText(QPointF(left, baseline), number)

    def _numbers(self) -> list[str]:
        low, high = self._limits
        return [f"{value:.3g}" for value in (low, (low + high) / 2, high)]

"""A widget that is painted."""

from __future__ import annotations

from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from napari_cryoml._widgets.frame._colours import ThemeColours


class PaintedWidget(QWidget):
    """A widget that is painted in the colours of a theme; what is painted is `_paint`'s.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = ThemeColours.of("dark")

    def set_colours(self, colours: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self._colours = colours
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the background, and what is on it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._colours.background)
        self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        """Paint what is on the background."""

"""The legend of the map: names, colours and counts of the categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from qtpy.QtWidgets import QWidget

from napari_cryoml._widgets.frame import ThemeColours

_PADDING = 6
_SWATCH = 10
_WIDEST_PX = 170
_LINE_GAP = 3
_NARROWEST_PX = 70


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A category.

    Parameters
    ----------
    name : str
    colour : QColor
    count : int
        Its rows.
    """

    name: str
    colour: QColor
    count: int


class Legend(QWidget):
    """A list over a corner of the map; the wheel scrolls it, a click on its title folds it.

    Parameters
    ----------
    parent : QWidget, optional
    """

    chosen = Signal(str)
    """Name of the category that was clicked."""

    folded = Signal()
    """Its size is another one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries: list[LegendEntry] = []
        self._title = ""
        self._theme = ThemeColours.of("dark")
        self._folded: bool | None = None
        self._roomy = True
        self._first = 0
        self._under = -1
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def is_folded(self) -> bool:
        """Whether only the title is shown: as the user had it last, or else if room is scarce."""
        return not self._roomy if self._folded is None else self._folded

    def set_roomy(self, roomy: bool) -> None:
        """Say whether there is room for the whole of it."""
        self._roomy = roomy
        self.update()

    def show_entries(self, title: str, entries: Sequence[LegendEntry]) -> None:
        """Show these categories; nothing is shown of none."""
        if [entry.name for entry in entries] != [entry.name for entry in self.entries]:
            self._first = 0
        self._title, self.entries = title, list(entries)
        self.setVisible(bool(entries))
        self.update()

    def set_theme(self, theme: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size that shows everything."""
        metrics = QFontMetricsF(self.font())
        texts = [] if self.is_folded else [_words(entry) for entry in self.entries]
        width = max([metrics.horizontalAdvance(text) for text in texts], default=0)
        width = max(width + _SWATCH + 3 * _PADDING, metrics.horizontalAdvance(self._header()) + 12)
        lines = 1 if self.is_folded else 1 + len(self.entries)
        height = lines * self._line() + 2 * _PADDING
        return QSize(round(min(max(width, _NARROWEST_PX), _WIDEST_PX)), round(height))

    def fold(self) -> None:
        """Show the title alone, or everything again."""
        self._folded = not self.is_folded
        self.folded.emit()
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by three lines a notch."""
        self._scroll(-round(event.angleDelta().y() / 40))
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light up the line under the mouse, and say what a click would do."""
        self._under = self._line_at(event.position())
        self.setToolTip(self._tip())
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Light up nothing."""
        self._under = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Keep the click from the map below."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Fold, or tell which category was clicked."""
        line = self._line_at(event.position())
        if line == 0:
            self.fold()
        elif line > 0:
            self.chosen.emit(self.entries[self._first + line - 1].name)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title and lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(self._theme.background)
        ground.setAlpha(210)
        painter.setBrush(ground)
        painter.setPen(QPen(self._theme.muted, 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        self._paint_text(painter, 0, _PADDING, self._header(), self.width() - 2 * _PADDING)
        for line in range(1, self._n_lines() + 1):
            self._paint_entry(painter, line, self.entries[self._first + line - 1])
        self._paint_scroll_bar(painter)
        painter.end()

    def _paint_entry(self, painter: QPainter, line: int, entry: LegendEntry) -> None:
        top = _PADDING + line * self._line()
        if line == self._under:
            light = QColor(self._theme.text)
            light.setAlpha(30)
            painter.fillRect(QRectF(2, top - 1, self.width() - 4, self._line()), light)
        middle = QPointF(_PADDING + _SWATCH / 2, top + self._line() / 2 - 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(entry.colour)
        painter.drawEllipse(middle, _SWATCH / 2, _SWATCH / 2)
        left, count = 2 * _PADDING + _SWATCH, f"{entry.count:,}"
        count_width = QFontMetricsF(self.font()).horizontalAdvance(count)
        right = self.width() - _PADDING - count_width
        self._paint_text(painter, line, left, entry.name, right - _PADDING - left)
        painter.setOpacity(0.75)
        self._paint_text(painter, line, right, count, count_width + 1)
        painter.setOpacity(1)

    def _paint_text(
        self, painter: QPainter, line: int, left: float, text: str, room: float
    ) -> None:
        metrics = QFontMetricsF(self.font())
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)
        top = _PADDING + line * self._line()
        painter.setPen(self._theme.text)
        painter.drawText(QPointF(left, top + metrics.ascent()), shown)

    def _paint_scroll_bar(self, painter: QPainter) -> None:
        shown, total = self._n_lines(), len(self.entries)
        if not shown or shown >= total:
            return
        height = shown * self._line()
        top = _PADDING + self._line() + height * self._first / total
        bar = QRectF(self.width() - 4, top, 3, max(height * shown / total, 8))
        painter.fillRect(bar, self._theme.muted)

    def _scroll(self, lines: int) -> None:
        last = max(len(self.entries) - self._n_lines(), 0)
        self._first = min(max(self._first + lines, 0), last)
        self.update()

    def _n_lines(self) -> int:
        """Return how many categories there is room for."""
        if self.is_folded:
            return 0
        room = int((self.height() - 2 * _PADDING + _LINE_GAP) / self._line()) - 1
        return max(min(room, len(self.entries) - self._first), 0)

    def _line(self) -> float:
        return QFontMetricsF(self.font()).height() + _LINE_GAP

    def _line_at(self, position: QPointF) -> int:
        """Return 0 for the title, 1 and more for categories, -1 for neither."""
        line = int((position.y() - _PADDING) // self._line())
        return line if 0 <= line <= self._n_lines() else -1

    def _header(self) -> str:
        arrow = "▸" if self.is_folded else "▾"
        return f"{arrow} {self._title or 'Legend'} ({len(self.entries)})"

    def _tip(self) -> str:
        if self._under <= 0:
            return "Fold or unfold the legend. The wheel scrolls it." if self._under == 0 else ""
        entry = self.entries[self._first + self._under - 1]
        return f"{entry.name}: {entry.count:,} rows. Click to select them."


def _words(entry: LegendEntry) -> str:
    return f"{entry.name}   {entry.count:,}"

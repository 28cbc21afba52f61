"""How large each group is, as bars that are clicked to select a group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_cryoml._widgets.frame import ThemeColours

_HEIGHT = 72
_MARGIN = 4
_EMPTY = "No groups yet: press “Group”."


class GroupBars(QWidget):
    """One bar a group, in the colour it has on the map.

    Parameters
    ----------
    parent : QWidget, optional
    """

    chosen = Signal(int)
    """Number of the group whose bar was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sizes = np.empty(0, np.intp)
        self._colours: list[QColor] = []
        self._theme = ThemeColours.of("dark")
        self._marked = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(_HEIGHT)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Return a size that fits a narrow dock."""
        return QSize(260, _HEIGHT)

    def show_groups(self, sizes: npt.NDArray[np.intp], colours: Sequence[QColor]) -> None:
        """Show groups of these sizes; group k is the k-th."""
        self._sizes, self._colours = np.asarray(sizes), list(colours)
        self._marked = -1
        self.update()

    @property
    def colours(self) -> list[QColor]:
        """Colour of each group."""
        return list(self._colours)

    def recolour(self, colours: Sequence[QColor]) -> None:
        """Show the same groups in other colours."""
        self._colours = list(colours)
        self.update()

    def mark(self, group: int) -> None:
        """Show which group is selected; -1 for none."""
        self._marked = group
        self.update()

    def set_colours(self, theme: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self._theme = theme
        self.update()

    def group_at(self, x: float) -> int:
        """Return the group whose bar is at a horizontal place, in pixels; -1 for none."""
        if not len(self._sizes):
            return -1
        group = int((x - _MARGIN) // self._step)
        return group if 0 <= group < len(self._sizes) else -1

    @property
    def _step(self) -> float:
        return (self.width() - 2 * _MARGIN) / max(len(self._sizes), 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the group under the mouse."""
        group = self.group_at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and group >= 0:
            self.mark(group)
            self.chosen.emit(group)

    def event(self, event: QEvent) -> bool:
        """Say which group is under the mouse, and how large it is."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            group = self.group_at(event.pos().x())
            if group >= 0:
                text = f"Group {group}: {self._sizes[group]:,} rows. Click to select them."
                QToolTip.showText(event.globalPos(), text, self)
                return True
        return bool(super().event(event))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bars."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.background)
        painter.setPen(QPen(self._theme.text, 1))
        if not len(self._sizes):
            flag = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), flag, _EMPTY)
            painter.end()
            return
        floor = self.height() - _MARGIN
        # Roots: small groups are often those that one looks for.
        heights = np.sqrt(self._sizes / max(int(self._sizes.max()), 1)) * (floor - _MARGIN)
        for group, height in enumerate(heights):
            left = _MARGIN + group * self._step
            bar = QRectF(left, floor - height, max(self._step - 1, 1), height)
            painter.fillRect(bar, self._colours[group])
            if group == self._marked:
                painter.drawRect(bar)
        painter.drawLine(QPointF(_MARGIN, floor), QPointF(self.width() - _MARGIN, floor))
        painter.end()

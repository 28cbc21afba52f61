"""A column of groups that scrolls, and onto which files may be dropped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

_LEAST_WIDTH = 280


class Dock(QWidget):
    """The frame of a dock.

    Parameters
    ----------
    parent : QWidget, optional
    """

    paths_opened = Signal(list)
    """Files or folders that were dropped or chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.setMinimumWidth(_LEAST_WIDTH)

    def stack(self, widgets: Sequence[QWidget], filler: QWidget | None = None) -> None:
        """Put widgets below each other into the scroll area.

        Parameters
        ----------
        widgets : sequence of QWidget
        filler : QWidget, optional
            One of them that takes the height that is left; empty space below the last by default.
        """
        inner = _Column()
        inner.setObjectName("inner")
        column = QVBoxLayout(inner)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        for widget in widgets:
            column.addWidget(widget, 1 if widget is filler else 0)
        if filler is None:
            column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.paths_opened.emit(paths)


class _Column(QWidget):
    """A column that may be as low as its widgets can be.

    With a wrapped line in it, Qt would give it the height that its widgets would like to have.
    """

    def heightForWidth(self, width: int) -> int:
        """Return the least height."""
        layout = self.layout()
        return -1 if layout is None else int(layout.minimumHeightForWidth(width))

"""What a running job looks like: a bar, a line of text and the time that is left."""

from __future__ import annotations

import time

from qtpy.QtCore import QRectF, QSize
from qtpy.QtGui import QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

REDRAW_S = 0.25
"""Least time between two changes: each has the whole window composed anew, canvas included."""


class QuietBar(QWidget):
    """A progress bar that neither moves by itself nor paints at once, as Qt's own does.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a size that fits a narrow dock."""
        return QSize(260, 6)

    def show_share(self, share: float) -> None:
        """Show how much is done, 0 to 1."""
        self._share = min(max(share, 0.0), 1.0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a trough and what is done."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        done = QRectF(0, 0, self._share * self.width(), self.height())
        painter.fillRect(done, self.palette().color(QPalette.ColorRole.Highlight))
        painter.end()


class JobPanel(QWidget):
    """Progress of one job, without buttons of its own; hidden when there is nothing to say.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._started = self._drawn = 0.0
        self._bar = QuietBar()
        self._bar.setToolTip("How much of the running job is done.")
        self._text = QLabel()
        self._text.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._bar)
        layout.addWidget(self._text)
        self.hide()

    def begin(self, text: str) -> None:
        """Show a job that has just been started."""
        self._started, self._drawn = time.monotonic(), 0.0
        self._bar.show_share(0.0)
        self._bar.show()
        self._text.setText(text)
        self.show()

    def progress(self, done: int, total: int, text: str) -> None:
        """Show how far the job is, if that was not done just now; `total` is 0 if unknown."""
        now = time.monotonic()
        if now - self._drawn < REDRAW_S:
            return
        self._drawn = now
        self._bar.show_share(done / total if total > 0 else 0.0)
        left = remaining(done, total, now - self._started)
        self._text.setText(f"{text} {left}".strip())

    def end(self, text: str) -> None:
        """Take the bar away and leave `text`."""
        self._bar.hide()
        self._text.setText(text)
        self.setVisible(bool(text))

    @property
    def text(self) -> str:
        """The line on show."""
        return str(self._text.text())


def remaining(done: int, total: int, elapsed_s: float) -> str:
    """Return how long a job will still take, in words; empty while that cannot be told."""
    if done <= 0 or total <= done or elapsed_s < 2:
        return ""
    left_s = elapsed_s / done * (total - done)
    if left_s < 90:
        return f"About {max(1, round(left_s))} s left."
    return f"About {round(left_s / 60)} min left."

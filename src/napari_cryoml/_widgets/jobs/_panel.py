"""What a running job looks like: a bar, a line of text and the time that is left."""

from __future__ import annotations

import time

from qtpy.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget


class JobPanel(QWidget):
    """Progress of one job, without buttons of its own; hidden when there is nothing to say.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._started = 0.0
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
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
        self._started = time.monotonic()
        self._bar.setRange(0, 0)
        self._bar.show()
        self._text.setText(text)
        self.show()

    def progress(self, done: int, total: int, text: str) -> None:
        """Show how far the job is; `total` is 0 while that is unknown."""
        self._bar.setRange(0, max(total, 0))
        self._bar.setValue(done)
        left = remaining(done, total, time.monotonic() - self._started)
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

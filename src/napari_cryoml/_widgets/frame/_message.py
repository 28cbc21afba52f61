"""One sentence for the user, at the top of a dock."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

_STYLE = "border-left: 3px solid {}; padding: 2px 6px;"
_ERROR, _NOTE = "#D55E00", "#56B4E9"


class MessageLine(QLabel):
    """A line that is hidden while there is nothing to say.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.is_error = False
        self.say("")

    def say(self, text: str, *, error: bool = False) -> None:
        """Show one sentence, or none."""
        self.setText(f"⚠ {text}" if error and text else text)
        self.setStyleSheet(_STYLE.format(_ERROR if error else _NOTE))
        self.setVisible(bool(text))
        self.is_error = error and bool(text)

"""A question about one place in an image, with its answers as buttons."""

from __future__ import annotations

from typing import Literal, TypeAlias

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from napari_cryoml._widgets.frame import button

Answer: TypeAlias = Literal["yes", "no", "skip", "stop"]

_FRAME = "#question { border: 1px solid #F0E442; border-radius: 3px; }"


class QuestionPanel(QFrame):
    """Asks whether the place in the yellow circle is a particle; hidden without a question.

    Parameters
    ----------
    parent : QWidget, optional
    """

    answered = Signal(str)
    """One of "yes", "no", "skip" and "stop"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("question")
        self.setStyleSheet(_FRAME)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(4)
        column.addWidget(self._text)
        column.addLayout(self._answers())
        self.hide()

    def _answers(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(4)
        self.yes = button("Yes [G]", "The place in the yellow circle is a particle.")
        self.no = button("No [W]", "The place in the yellow circle is not a particle.")
        self.skip = button("Skip [N]", "Leave this place without an answer; none is assumed.")
        self.stop = button("Stop", "Ask no more. Answers given so far are kept.")
        for column, name in enumerate(("yes", "no", "skip", "stop")):
            made = getattr(self, name)
            made.clicked.connect(lambda _=False, answer=name: self.answered.emit(answer))
            grid.addWidget(made, 0, column)
        return grid

    def ask(self, text: str, stop_key: str) -> None:
        """Show a question; `stop_key` is the key that ends the questions."""
        self._text.setText(text)
        self.stop.setText(f"Stop [{stop_key}]")
        self.show()

    def withdraw(self) -> None:
        """Show no question."""
        self.hide()

    @property
    def text(self) -> str:
        """The question on show."""
        return str(self._text.text())

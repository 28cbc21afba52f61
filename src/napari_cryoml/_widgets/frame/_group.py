"""A titled group of controls, and its buttons."""

from __future__ import annotations

from qtpy.QtWidgets import QGroupBox, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget


class Group(QGroupBox):
    """A titled column of rows."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(6, 4, 6, 4)
        self.column.setSpacing(4)

    def row(self, *widgets: QWidget) -> None:
        """Add a row of widgets side by side."""
        line = QHBoxLayout()
        line.setSpacing(4)
        for widget in widgets:
            line.addWidget(widget)
        self.column.addLayout(line)


def button(text: str, tip: str) -> QPushButton:
    """Return a push button that may be narrower than its text asks for."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    made.setMinimumWidth(36)
    return made

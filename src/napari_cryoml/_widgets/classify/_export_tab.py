"""The way out: particle lists by class, and the confusion matrix."""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cryoml._widgets.frame import WheelGuard, button, choice, line_of, words

ExportWhat: TypeAlias = Literal["predicted", "labelled"]
ExportFiles: TypeAlias = Literal["one", "each"]

WHAT = {"predicted": "predicted ones", "labelled": "labelled ones"}
FILES = {"one": "in one file", "each": "a file a class"}
NOTHING = "There is nothing to export yet: give crops classes, or train."


class ExportTab(QWidget):
    """What is written, and how.

    Parameters
    ----------
    guard : WheelGuard
    """

    lists_requested = Signal()
    matrix_requested = Signal()

    def __init__(self, guard: WheelGuard) -> None:
        super().__init__()
        self.what = choice(
            [],
            "Which particles are written: by the classifier and at least as sure as the threshold, "
            "with labels before predictions, or only those with a label. Default: predicted.",
            guard,
        )
        self.files = choice(
            [],
            "One list with a column for the class, or a list for each class. Default: one.",
            guard,
        )
        for box, names in ((self.what, WHAT), (self.files, FILES)):
            for key, shown in names.items():
                box.addItem(shown, key)
        self.lists = button(
            "Export particle lists…",
            "Write particles with their class: RELION, Dynamo, STOPGAP, EM motive lists or a "
            "table; orientations are kept where they are known. Default: RELION.",
        )
        self.matrix = button(
            "Export confusion matrix…",
            "Write the confusion matrix of the crops held out as a table (.csv).",
        )
        self.text = words("What would be written.")
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(line_of(self.what, self.files))
        for widget in (self.text, self.lists, self.matrix):
            column.addWidget(widget)
        column.addStretch(1)
        self.lists.clicked.connect(self.lists_requested)
        self.matrix.clicked.connect(self.matrix_requested)
        self.show_ready("", matrix=False)

    @property
    def chosen(self) -> tuple[ExportWhat, ExportFiles]:
        """Which particles, and in how many files."""
        return (
            cast("ExportWhat", self.what.currentData()),
            cast("ExportFiles", self.files.currentData()),
        )

    def show_ready(self, text: str, *, matrix: bool) -> None:
        """Show what would be written ("" for nothing), and whether there is a matrix."""
        self.text.setText(text or NOTHING)
        self.lists.setEnabled(bool(text))
        self.matrix.setEnabled(matrix)

"""The way out: a table of cells, and the confusion matrix."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cryoml._widgets.frame import button, words

NOTHING = "There is nothing to export yet: give cells classes, or train."


class ExportTab(QWidget):
    """What is written."""

    table_requested = Signal()
    matrix_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.table = button(
            "Export table of cells…",
            "Write a line a cell (.csv, .tsv or .parquet): id, what is known of it, its label, and "
            "the probability of each class. Default: .csv.",
        )
        self.matrix = button(
            "Export confusion matrix…",
            "Write the confusion matrix of the cells held out as a table (.csv).",
        )
        self.text = words("What would be written.")
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        for widget in (self.text, self.table, self.matrix):
            column.addWidget(widget)
        column.addStretch(1)
        self.table.clicked.connect(lambda: self.table_requested.emit())
        self.matrix.clicked.connect(lambda: self.matrix_requested.emit())
        self.show_ready("", matrix=False)

    def show_ready(self, text: str, *, matrix: bool) -> None:
        """Show what would be written ("" for nothing), and whether there is a matrix."""
        self.text.setText(text or NOTHING)
        self.table.setEnabled(bool(text))
        self.matrix.setEnabled(matrix)

"""How often the classifier is right, and what is shown of it in the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QSlider, QVBoxLayout, QWidget

from napari_cryoml._widgets.classes._class_table import ClassResult, ClassTable
from napari_cryoml._widgets.classes._confusion import ConfusionMatrix
from napari_cryoml._widgets.frame import ThemeColours, WheelGuard, choice, line_of, words

if TYPE_CHECKING:
    from napari_cryoml.evaluation import ClassificationReport

COLOUR_BY = {
    "class": "by class",
    "confidence": "by confidence",
    "nothing": "no colours",
}
"""What the image shows by colours, and how it is called on the screen."""

NO_RESULT = "No classifier yet: give a few crops of two classes or more their class."


class ResultTab(QWidget):
    """Accuracy, threshold, confusion matrix and a line a class.

    Parameters
    ----------
    guard : WheelGuard
    items : str
        What is coloured in the image, as "picks".
    """

    colour_by_chosen = Signal(str)
    """One of `COLOUR_BY`: what the image shows by colours."""

    threshold_changed = Signal(float)
    """Confidence (0 to 1) below which a crop is unsure; while the slider moves."""

    cell_clicked = Signal(str, str)
    """The class that crops have by their labels, and the class that they were given."""

    class_clicked = Signal(str)
    """A line of the table: show the crops that are predicted of it."""

    def __init__(self, guard: WheelGuard, items: str = "picks") -> None:
        super().__init__()
        self.text = words("Share of crops that were given their class, of those held out.")
        self.colour_by = choice(
            [],
            f"What the {items} in the image are coloured by. Default: class.",
            guard,
        )
        for key, shown in COLOUR_BY.items():
            self.colour_by.addItem(shown, key)
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(0, 100)
        self.threshold.setMinimumWidth(50)
        self.threshold.setToolTip(
            "Confidence in percent below which a crop is unsure: it is grey in the image and in no "
            "list or average. Default: 0, no crop is."
        )
        self.threshold.installEventFilter(guard)
        self.percent = QLabel()
        self.percent.setMinimumWidth(self.percent.fontMetrics().horizontalAdvance("100 % "))
        self.counts = words("How many crops are sure and unsure at the threshold.")
        self.matrix = ConfusionMatrix()
        self.table = ClassTable()
        self._build()
        self.show_report(None, "")
        self.show_counts("")
        self._tell()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.text)
        row = line_of(self.colour_by, QLabel("sure from"), self.threshold, self.percent)
        for index, share in ((0, 2), (2, 1)):
            row.setStretch(index, share)
        column.addLayout(row)
        for widget in (self.counts, self.matrix, self.table):
            column.addWidget(widget)
        column.addStretch(1)
        self.colour_by.currentIndexChanged.connect(
            lambda _: self.colour_by_chosen.emit(self.colour_by.currentData())
        )
        self.threshold.valueChanged.connect(lambda _: self._on_threshold())
        self.matrix.cell_clicked.connect(self.cell_clicked)
        self.table.chosen.connect(self.class_clicked)

    def show_report(
        self, report: ClassificationReport | None, text: str, rows: Sequence[ClassResult] = ()
    ) -> None:
        """Show how often the classifier is right on crops held out.

        Parameters
        ----------
        report : ClassificationReport, optional
            None if there were too few labels to hold any out.
        text : str
            One sentence; "" if there is no classifier.
        rows : sequence of ClassResult
        """
        self.text.setText(text or NO_RESULT)
        self.matrix.set_report(report)
        self.matrix.setVisible(bool(text))
        self.table.set_rows(rows)
        self.table.setVisible(bool(rows))
        self.threshold.setEnabled(bool(text))

    def show_counts(self, text: str) -> None:
        """Show how many crops are sure, as "Sure from 60 %: 180 sure, 33 unsure."."""
        self.counts.setText(text)
        self.counts.setVisible(bool(text))

    def show_choices(self, colour_by: str, threshold: float) -> None:
        """Show what the image shows by colours, and the threshold (0 to 1), without a signal."""
        for widget in (self.colour_by, self.threshold):
            widget.blockSignals(True)
        self.colour_by.setCurrentIndex(max(self.colour_by.findData(colour_by), 0))
        self.threshold.setValue(round(100 * threshold))
        self._tell()
        for widget in (self.colour_by, self.threshold):
            widget.blockSignals(False)

    def set_colours(self, colours: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self.matrix.set_colours(colours)

    def _tell(self) -> None:
        self.percent.setText(f"{self.threshold.value()}\N{NO-BREAK SPACE}%")

    def _on_threshold(self) -> None:
        self._tell()
        self.threshold_changed.emit(self.threshold.value() / 100)

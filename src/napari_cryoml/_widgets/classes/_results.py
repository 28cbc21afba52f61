"""How good the classifier is, and what the dock shows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cryoml._widgets.classes._class_desk import ClassDesk
from napari_cryoml._widgets.classes._class_gallery import Show
from napari_cryoml._widgets.classes._class_state import ClassState
from napari_cryoml._widgets.classes._class_table import ClassResult
from napari_cryoml._widgets.classes._keeping import Keeping
from napari_cryoml._widgets.classes._labelling import class_rows
from napari_cryoml._widgets.frame import Connections

if TYPE_CHECKING:
    from napari_cryoml.classification import FittedReply

TOO_FEW = "Too few labels to hold any out: the accuracy is not known."
_NAN = float("nan")


class Results:
    """Shows the report, and what follows from the threshold.

    Parameters
    ----------
    desk : ClassDesk
    keeping : Keeping
    """

    def __init__(self, desk: ClassDesk, keeping: Keeping) -> None:
        self._desk = desk
        self._keeping = keeping
        self._connections = Connections(
            (desk.replaced, self.show),
            (desk.predicted, self.show),
            (desk.labelled, self.show),
            (desk.rated, self.show_rows),
        )

    def close(self) -> None:
        """Let go of the desk."""
        self._connections.close()

    def choose_colour(self, name: str) -> None:
        """Colour the image by "class", "confidence" or "nothing"."""
        self._desk.colour_by = name
        self._keeping.choose(colour_by=name)
        self._desk.rated.emit()

    def set_threshold(self, threshold: float) -> None:
        """Call crops of less confidence unsure."""
        self._desk.threshold = threshold
        self._keeping.choose(threshold=threshold)
        self._desk.rated.emit()

    def show(self) -> None:
        """Show the report of the classifier in use."""
        state = self._desk.state
        fitted = None if state is None else state.fitted
        if fitted is None:
            self._desk.view.result.show_report(None, "")
            self._desk.view.result.show_counts("")
            return
        self._desk.view.result.show_report(fitted.report, report_text(fitted), self._rows(fitted))
        self._show_counts()

    def show_rows(self) -> None:
        """Show the counts again, at another threshold."""
        state = self._desk.state
        if state is not None and state.fitted is not None:
            self._desk.view.result.table.set_rows(self._rows(state.fitted))
            self._show_counts()

    def _show_counts(self) -> None:
        state = self._desk.state
        if state is not None:
            self._desk.view.result.show_counts(counts_text(state, self._desk.threshold))

    def _rows(self, fitted: FittedReply) -> list[ClassResult]:
        report = fitted.report
        known = {} if report is None else {name: at for at, name in enumerate(report.classes)}
        rows = []
        for row in class_rows(self._desk):
            at = known.get(row.name)
            measured = (
                (_NAN, _NAN)
                if report is None or at is None
                else (float(report.recall[at]), float(report.precision[at]))
            )
            rows.append(
                ClassResult(row.name, row.colour, row.labelled, row.predicted or 0, *measured)
            )
        return rows

    def show_cell(self, true: str, given: str) -> None:
        """Show the crops of a cell of the confusion matrix in the gallery."""
        self._show(Show("cell", given, true))

    def show_class(self, name: str) -> None:
        """Show the crops that are predicted of a class in the gallery."""
        self._show(Show("predicted", given=name))

    def _show(self, show: Show) -> None:
        if self._desk.state is not None:
            self._desk.view.gallery.show_chosen.emit(show)


def report_text(fitted: FittedReply) -> str:
    """Return how often a classifier is right, in one sentence."""
    report = fitted.report
    if report is None or not report.n:
        return TOO_FEW
    return (
        f"Held-out accuracy {100 * report.accuracy:.0f} %: "
        f"{round(report.accuracy * report.n):,} of {report.n:,} labels were found by a classifier "
        "that had not seen them."
    )


def counts_text(state: ClassState, threshold: float) -> str:
    """Return how many crops are sure."""
    sure = int(state.sure(threshold).sum())
    return f"Sure from {100 * threshold:.0f} %: {sure:,} sure, {len(state) - sure:,} unsure."

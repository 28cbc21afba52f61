"""The average of a class, round by round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.crops import AveragePanel
from napari_cryoml._widgets.frame import (
    ConfigForm,
    ThemeColours,
    WheelGuard,
    button,
    choice,
    folded,
    line_of,
)
from napari_cryoml._widgets.jobs import JobPanel

if TYPE_CHECKING:
    from napari_cryoml.averaging import AverageConfig, RefineConfig

AverageOf: TypeAlias = Literal["predicted", "labelled", "gallery", "explorer"]

OF = {
    "predicted": "predicted as",
    "labelled": "labelled as",
    "gallery": "the gallery's crops",
    "explorer": "the Explorer's selection",
}
"""What can be averaged, and how it is called on the screen."""

EMPTY = "Choose a class and press “Average”: its crops are turned onto each other and averaged."
_AVERAGE = "Average [K]"


class AverageTab(QWidget):
    """What is averaged, how, and what came out.

    Parameters
    ----------
    images : type of Config
        Options of the average of crops of micrographs.
    volumes : type of Config
        Options of the average of subtomograms.
    guard : WheelGuard
    """

    average_requested = Signal()
    """Average, or stop and keep the last round."""

    save_requested = Signal()
    """Write the average and its halves."""

    def __init__(self, images: type[Config], volumes: type[Config], guard: WheelGuard) -> None:
        super().__init__()
        self.of = choice(
            [],
            "Which crops are averaged: those of a class, predicted at the threshold or labelled, "
            "those in the gallery, or those selected in the Explorer. Default: predicted.",
            guard,
        )
        self.of_class = choice([], "The class that is averaged. Default: the chosen one.", guard)
        self.average = button(
            _AVERAGE,
            "Turn the crops onto each other, in two halves that know nothing of each other, and "
            "average them; while that runs, stop and keep the last round. Default: none.",
        )
        self.job = JobPanel()
        self.panel = AveragePanel(sections=True)
        self._forms = {2: ConfigForm(images), 3: ConfigForm(volumes)}
        self._stack = QStackedWidget()
        self._build()
        for key, shown in OF.items():
            self.of.addItem(shown, key)
        self.show_ndim(3)
        self.clear()

    def _build(self) -> None:
        for form in self._forms.values():
            self._stack.addWidget(form)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(line_of(self.of, self.of_class))
        column.addWidget(self.average)
        column.addWidget(self.job)
        column.addWidget(self.panel)
        tip = "Show or hide how crops are turned onto each other."
        column.addWidget(folded("Advanced", tip, self._stack))
        column.addStretch(1)
        self.of.currentIndexChanged.connect(lambda _: self._show_class_box())
        self.average.clicked.connect(self.average_requested)
        self.panel.save_requested.connect(self.save_requested)

    @property
    def chosen(self) -> tuple[AverageOf, str]:
        """What is averaged: a key of `OF`, and the class ("" where it needs none)."""
        of = cast("AverageOf", self.of.currentData())
        needs_class = of in ("predicted", "labelled")
        return of, str(self.of_class.currentData() or "") if needs_class else ""

    def config(self, ndim: int) -> AverageConfig | RefineConfig:
        """Return how crops of 2 or volumes of 3 dimensions are averaged.

        Raises
        ------
        InputError
            If an option is not accepted.
        """
        return cast("AverageConfig | RefineConfig", self._forms[ndim].config())

    def show_ndim(self, ndim: int) -> None:
        """Show the options for crops of so many dimensions."""
        self._stack.setCurrentWidget(self._forms[ndim])

    def show_classes(self, counts: Mapping[str, int], current: str) -> None:
        """Offer classes with how many crops are of each, one as the choice; without a signal."""
        self.of_class.clear()
        for name, count in counts.items():
            self.of_class.addItem(f"{name} ({count:,})", name)
        self.of_class.setCurrentIndex(max(self.of_class.findData(current), 0))

    def begin_job(self, text: str) -> None:
        """Show that crops are being averaged."""
        self.average.setText("Stop averaging [K]")
        self.job.begin(text)

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Show how far it is, as "Round 3 of 10."; `total` is 0 while that is unknown."""
        self.job.progress(done, total, text)

    def end_job(self, text: str = "") -> None:
        """Show that nothing is being averaged any more, and what became of it."""
        self.average.setText(_AVERAGE)
        self.job.end(text)

    def clear(self, text: str = EMPTY) -> None:
        """Show no average, and this sentence."""
        self.panel.clear(text)
        self.end_job()

    def set_colours(self, colours: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self.panel.set_colours(colours)

    def _show_class_box(self) -> None:
        self.of_class.setVisible(self.of.currentData() in ("predicted", "labelled"))

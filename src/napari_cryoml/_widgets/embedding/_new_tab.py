"""What is new among the rows, and what is like those that are selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.frame import ConfigForm, button, folded, line_of, words

if TYPE_CHECKING:
    from napari_cryoml.embedding import NoveltyConfig, SpreadConfig

WHAT_TO_DO = (
    "Select three or more rows and press “More like these”; or give some rows classes, and see "
    "what is unlike all of them, or spread the classes to the rest."
)


class NewTab(QWidget):
    """Few-shot search, novelty and spreading.

    Parameters
    ----------
    novelty, spreading : type of Config
        What the forms are made from.
    """

    more_requested = Signal()
    """Find rows like the selected ones."""

    novelty_requested = Signal()
    spread_requested = Signal()
    take_requested = Signal()
    """Give the spread classes to all rows that were sure."""

    def __init__(self, novelty: type[Config], spreading: type[Config]) -> None:
        super().__init__()
        self.more = button(
            "More like these [8]",
            "Colour all rows by how like the selected ones they are, and select those that are "
            "more likely than not. Default: none.",
        )
        self.novelty = button(
            "Score novelty",
            "Colour all rows by how unlike everything they are that has a class or label. "
            "Default: none.",
        )
        self.spread = button(
            "Spread classes",
            "Give each row without a class that of its neighbours, with a confidence that is "
            "measured on held-out rows. Nothing is written before you take it. Default: none.",
        )
        self.take = button("Take spread classes", "Write the classes that were spread. One edit.")
        self.text = words("What came out last.")
        self.novelty_form, self.spread_form = ConfigForm(novelty), ConfigForm(spreading)
        self._build()
        self.show_result(WHAT_TO_DO)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.more)
        column.addLayout(line_of(self.novelty, self.spread))
        column.addWidget(self.take)
        column.addWidget(self.text)
        column.addWidget(folded("Novelty options", "Show or hide options.", self.novelty_form))
        column.addWidget(folded("Spreading options", "Show or hide options.", self.spread_form))
        column.addStretch(1)
        self.more.clicked.connect(self.more_requested)
        self.novelty.clicked.connect(self.novelty_requested)
        self.spread.clicked.connect(self.spread_requested)
        self.take.clicked.connect(self.take_requested)
        self.show_spread(0)

    def novelty_config(self) -> NoveltyConfig:
        """Return the options of the novelty score."""
        return cast("NoveltyConfig", self.novelty_form.config())

    def spread_config(self) -> SpreadConfig:
        """Return the options of spreading."""
        return cast("SpreadConfig", self.spread_form.config())

    def show_result(self, text: str) -> None:
        """Show what came out."""
        self.text.setText(text)

    def show_spread(self, n_rows: int) -> None:
        """Offer to take spread classes of so many rows; 0 for none."""
        self.take.setVisible(n_rows > 0)
        self.take.setText(f"Take classes of {n_rows:,} rows")

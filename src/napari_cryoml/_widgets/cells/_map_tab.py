"""The way to the Explorer: a vector for each cell, or for each protein."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.frame import (
    ShortForm,
    WheelGuard,
    button,
    choice,
    folded,
    line_of,
    tighten,
    words,
)

if TYPE_CHECKING:
    from napari_cryoml.embedding import CropEncoderConfig

MapBy: TypeAlias = Literal["cell", "protein"]

NO_CELLS = "Cut cells or open crops first: then they can be laid out as a map."
NO_PROTEINS = (
    "These cells have no proteins, so the map is one of cells. A table beside the crops with the "
    "columns file and protein names them."
)
CLASSIFIER = "classifier"


class MapTab(QWidget):
    """What becomes a point of the map, and what makes its vector.

    Parameters
    ----------
    encoders : mapping of str to type of Config
        What turns a crop into a vector; the first is the default.
    guard : WheelGuard
    """

    map_requested = Signal()
    """Have the Explorer make vectors and map them."""

    def __init__(self, encoders: Mapping[str, type[Config]], guard: WheelGuard) -> None:
        super().__init__()
        self._encoders = dict(encoders)
        self._forms: dict[str, ShortForm] = {}
        first = next(iter(encoders))
        self.by = choice(
            [],
            "What a point of the map is: a cell, or a protein, by the mean of the vectors of its "
            "cells. Default: proteins where they are known.",
            guard,
        )
        self.encoder = choice(
            [],
            f"What turns a cell into a vector: the network that is in use, or one of the others. "
            f"Default: {first}.",
            guard,
        )
        self.map = button(
            "Map in the Explorer",
            "Make the vectors, and lay them out as a map in the Explorer, which is opened beside "
            "this dock and can be stopped there. Default: none.",
        )
        self.text = words("What the map will show.")
        self._options = QWidget()
        tighten(QVBoxLayout(self._options))
        self._build()
        self.show_classifier("")
        self.show_source("", 0)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(line_of(QLabel("A point is"), self.by))
        column.addLayout(line_of(QLabel("Vectors of"), self.encoder))
        column.addWidget(self.map)
        column.addWidget(self.text)
        tip = "Show or hide the options of what makes the vectors."
        self.advanced = folded("Advanced", tip, self._options)
        column.addWidget(self.advanced)
        column.addStretch(1)
        self.map.clicked.connect(lambda: self.map_requested.emit())
        self.encoder.currentIndexChanged.connect(lambda _: self._show_form())

    @property
    def chosen(self) -> tuple[MapBy, str]:
        """What a point is, and the name of the encoder (`CLASSIFIER` for the one in use)."""
        return cast("MapBy", self.by.currentData() or "cell"), str(self.encoder.currentData())

    def config(self) -> CropEncoderConfig:
        """Return the encoder with its options.

        Raises
        ------
        InputError
            If one is not accepted.
        """
        return cast("CropEncoderConfig", self._form(self.chosen[1]).config())

    def show_source(self, text: str, n_proteins: int) -> None:
        """Show what can be mapped; "" for nothing.

        Parameters
        ----------
        text : str
        n_proteins : int
            0 where nobody says which protein a cell shows.
        """
        kept = self.by.currentData() if self.by.count() > 1 else "protein"
        self.by.clear()
        if n_proteins:
            self.by.addItem("a protein", "protein")
        self.by.addItem("a cell", "cell")
        self.by.setCurrentIndex(max(self.by.findData(kept), 0))
        self.map.setEnabled(bool(text))
        said = text or NO_CELLS
        self.text.setText(said if n_proteins or not text else f"{said} {NO_PROTEINS}")

    def show_classifier(self, name: str) -> None:
        """Offer the network that is in use; "" for none."""
        kept = self.encoder.currentData()
        self.encoder.blockSignals(True)
        self.encoder.clear()
        for one in self._encoders:
            self.encoder.addItem(one.replace("_", " "), one)
        if name:
            self.encoder.addItem(f"{name} (in use)", CLASSIFIER)
        self.encoder.setCurrentIndex(max(self.encoder.findData(kept), 0))
        self.encoder.blockSignals(False)
        self._show_form()

    def _show_form(self) -> None:
        name = str(self.encoder.currentData())
        self.advanced.setVisible(name in self._encoders)
        if name not in self._encoders:
            return
        shown = self._form(name)
        for form in self._forms.values():
            form.setVisible(form is shown)
        if self.advanced.isExpanded():
            # It does not notice by itself that another form is higher.
            self.advanced.expand(animate=False)

    def _form(self, name: str) -> ShortForm:
        """Return the form of an encoder, made once it is looked at."""
        if name not in self._forms:
            form = ShortForm(self._encoders[name])
            self._options.layout().addWidget(form)
            self._forms[name] = form
        return self._forms[name]


def names_of(encoders: Sequence[str], first: Sequence[str]) -> list[str]:
    """Return names with those that come first in front, if they are there."""
    return [*(one for one in first if one in encoders), *(e for e in encoders if e not in first)]

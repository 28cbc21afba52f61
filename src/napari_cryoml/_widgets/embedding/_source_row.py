"""Where the map comes from: picks or a file, through which encoder, by which method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from napari_cryoml._widgets.frame import WheelGuard, button, choice, line_of, menu_button, tighten
from napari_cryoml._widgets.jobs import JobPanel

_MAP_PICKS = "Map picks [Q]"


class SourceRow(QWidget):
    """The main button, what is opened, the encoder and the method.

    Parameters
    ----------
    encoders, methods : sequence of str
        Names to choose from; the first one is the default.
    guard : WheelGuard
    """

    map_requested = Signal()
    """Map the picks, or stop what runs."""

    file_requested = Signal()
    """Open a file of vectors."""

    kept_chosen = Signal(int)
    """An embedding that the project keeps: its number."""

    method_chosen = Signal(str)
    """Show the map of a method."""

    def __init__(self, encoders: Sequence[str], methods: Sequence[str], guard: WheelGuard) -> None:
        super().__init__()
        self.map: QPushButton = button(
            _MAP_PICKS,
            "Embed the picks of all images of the open Picker and lay them out as a map; while "
            "that runs, stop and keep what is there. Default: nothing is mapped.",
        )
        self._menu = QMenu(self)
        self.open = menu_button(
            "Open…",
            "Open vectors from a file (.parquet, .h5ad, .csv), which may also be dropped here, or "
            "those that the project keeps. Default: none.",
            self._menu,
        )
        self.encoder = choice(
            encoders,
            f"What turns a crop into a vector. Default: {encoders[0]}.",
            guard,
        )
        self.method = choice(
            methods,
            "How vectors are laid out as a map. PCA takes a moment, the others move while they "
            f"are computed. Default: {methods[0]}.",
            guard,
        )
        self.panel = JobPanel()
        self._build()
        self.show_kept({})
        self.map.clicked.connect(self.map_requested)
        self.method.activated.connect(lambda _: self.method_chosen.emit(self.method.currentText()))

    def _build(self) -> None:
        column = QVBoxLayout(self)
        tighten(column)
        self._lines = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        tighten(self._lines)
        self._lines.addLayout(line_of(self.map, self.open))
        self._lines.addLayout(line_of(self.encoder, self.method))
        column.addLayout(self._lines)
        column.addWidget(self.panel)

    def lay_out(self, *, wide: bool) -> None:
        """Lay the controls out on one line, or on two."""
        directions = QBoxLayout.Direction
        self._lines.setDirection(directions.LeftToRight if wide else directions.TopToBottom)

    def show_kept(self, names: Mapping[int, str]) -> None:
        """Offer the embeddings that the project keeps, by number."""
        self._menu.clear()
        self._menu.addAction("File of vectors…").triggered.connect(self.file_requested)
        if names:
            self._menu.addSection("In the project")
        for number, name in names.items():
            action = self._menu.addAction(name)
            action.triggered.connect(lambda _=False, n=number: self.kept_chosen.emit(n))

    def show_methods(self, names: Sequence[str], current: str) -> None:
        """Offer these maps, and show one of them as chosen; without a signal."""
        self.method.blockSignals(True)
        self.method.clear()
        self.method.addItems(list(names))
        self.method.setCurrentText(current)
        self.method.blockSignals(False)

    def show_running(self, what: str) -> None:
        """Show what the main button stops: "embedding", "mapping", "stopping" or nothing ("")."""
        words = {"": _MAP_PICKS, "stopping": "Cancel [Q]"}
        self.map.setText(words.get(what, f"Stop {what} [Q]"))
        self.encoder.setEnabled(what != "embedding")

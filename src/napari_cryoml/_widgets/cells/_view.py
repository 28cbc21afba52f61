"""The Cells dock: signals and setters, no logic.

Signals are those of the parts, and `paths_opened` of the dock:

==================  ==============================================================================
``view.source``     `CellSource`: cut_requested, segment_requested, layers_changed, changed,
                    segment_changed
``view.classes``    `ClassGroup`: class_chosen, add_requested, renamed, remove_requested,
                    recoloured, label_mode_toggled, undo_requested, redo_requested
``view.suggest``    the button that asks which cells are worth a label next: clicked
``view.standard``   the button that asks for what is known of proteins: clicked
``view.gallery``    `ClassGallery`: show_chosen; of its ``crops``: clicked, double_clicked, hovered,
                    key_pressed, label_requested, erase_requested, needed, sort_changed
``view.train``      `TrainTab`: system_chosen, train_requested, save_requested, load_requested,
                    changed
``view.result``     `ResultTab`: colour_by_chosen, threshold_changed, cell_clicked, class_clicked
``view.check``      `CheckTab`: find_requested, chosen, take_requested, gallery_requested
``view.map``        `MapTab`: map_requested
``view.export``     `ExportTab`: table_requested, matrix_requested
==================  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QMenu, QSplitter, QTabWidget, QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.cells._check_tab import CheckTab
from napari_cryoml._widgets.cells._export_tab import ExportTab
from napari_cryoml._widgets.cells._keys import CELL_KEYS, CELLS_KEYS
from napari_cryoml._widgets.cells._map_tab import MapTab
from napari_cryoml._widgets.cells._source_group import CellSource
from napari_cryoml._widgets.classes import (
    ClassGallery,
    ClassGroup,
    ResultTab,
    TrainTab,
    lay_out_halves,
)
from napari_cryoml._widgets.frame import (
    Dock,
    FocusFollowsMouse,
    MessageLine,
    ThemeColours,
    WheelGuard,
    ask_file,
    ask_folder,
    ask_save,
    bind_dock_keys,
    button,
    legend_of,
    tighten,
    words,
)

WIDE_PX = 640
"""From this width on, the tabs lie beside the gallery."""

TabName: TypeAlias = Literal["Train", "Result", "Check", "Map", "Export", "Keys"]

STEPS = (
    "1. Choose the channels of the protein and of the marker, and find or choose the cells.\n\n"
    "2. Add classes, and give a few cells of each theirs: by its digit in the gallery, or by "
    "clicks in the image.\n\n"
    "3. A classifier follows every label; correct what it is least sure of, then train a network, "
    "map the proteins, or export."
)
"""What is done in this dock, in the order of work."""

_CROPS = "Crops of cells (*.npz *.h5 *.hdf5 *.zarr *.zip *.tif *.tiff *.csv);;All files (*)"
_STANDARDS = "Standards (*.gaf *.gaf.gz *.gmt *.tsv *.tab *.csv *.txt *.obo);;All files (*)"
_MODEL = "Classifier (*.safetensors)"
_TABLES = "Table (*.csv);;Table (*.tsv);;Parquet (*.parquet)"
_TABS_PX = 190
_TABS_WIDE_PX = 300


@dataclass(frozen=True, slots=True)
class CellsOffers:
    """What the dock makes its lists and forms from.

    Parameters
    ----------
    systems : mapping of str to type of SystemConfig
        What learns classes; the first is the default.
    encoders : mapping of str to type of CropEncoderConfig
        What makes vectors; the first is the default.
    cells, segment : type of Config
        How cells are cut, and how they are found.
    """

    systems: Mapping[str, type[Config]]
    encoders: Mapping[str, type[Config]]
    cells: type[Config]
    segment: type[Config]


class CellsView(Dock):
    """All controls of the Cells dock; see the top of this module for its signals.

    Parameters
    ----------
    offers : CellsOffers
    """

    def __init__(self, offers: CellsOffers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        guard = WheelGuard(self)
        self.message = MessageLine()
        self.source = CellSource(offers.cells, offers.segment, guard)
        self.suggest = button(
            "Next 20 [H]",
            "Show the 20 cells that are worth a label next: typical ones of each group at first, "
            "then those that the classifier is least sure of. Default: none.",
        )
        self.standard = button(
            "F-score…",
            "Choose a standard (GAF, GMT, ComplexTAB, .csv): while a network is trained, how much "
            "the vectors of proteins tell of it is drawn after every epoch. Default: none.",
        )
        self.classes = ClassGroup("cells", (self.suggest,))
        self.gallery = ClassGallery(guard)
        self.train = TrainTab(offers.systems, guard, (self.standard,))
        self.result = ResultTab(guard, "cells")
        self.check = CheckTab()
        self.map = MapTab(offers.encoders, guard)
        self.export = ExportTab()
        self.steps = words("What comes next.", STEPS)
        self.steps.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.steps.setContentsMargins(8, 8, 8, 8)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.tabs = QTabWidget()
        self._focus = FocusFollowsMouse(self)
        self._build()
        self._connect()
        self.show_empty(True)

    def _build(self) -> None:
        keys = words("The keys of the Cells dock.", legend_of((*CELLS_KEYS, *CELL_KEYS)))
        keys.setTextFormat(Qt.TextFormat.RichText)
        pages = {
            "Train": self.train,
            "Result": self.result,
            "Check": self.check,
            "Map": self.map,
            "Export": self.export,
            "Keys": keys,
        }
        lay_out_halves(
            self.splitter, self.classes, self.gallery, self.tabs, pages, tabs_px=_TABS_PX
        )
        body = QWidget()
        column = QVBoxLayout(body)
        tighten(column)
        column.addWidget(self.steps, 1)
        column.addWidget(self.splitter, 1)
        self.stack((self.message, self.source, body), filler=body)

    def _connect(self) -> None:
        menu = QMenu(self)
        menu.addAction("File of crops, or a table…").triggered.connect(lambda: self._ask_file())
        menu.addAction("Folder of crops…").triggered.connect(lambda: self._ask_folder())
        self.source.open.setMenu(menu)
        self._focus.watch(self.gallery.crops.grid)

    # What is shown; the parts have setters of their own for all that is theirs alone

    def show_message(self, text: str, *, error: bool = False) -> None:
        """Show one sentence at the top, or none."""
        self.message.say(text, error=error)

    def show_tab(self, name: TabName) -> None:
        """Bring a tab to the front."""
        titles = [self.tabs.tabText(index) for index in range(self.tabs.count())]
        self.tabs.setCurrentIndex(titles.index(name))

    def show_empty(self, empty: bool) -> None:
        """Show that there are no cells yet, and what comes next; or that there are some."""
        self.steps.setVisible(empty)
        self.splitter.setVisible(not empty)
        for widget in (self.gallery.show_box, self.gallery.crops.order, self.suggest):
            widget.setEnabled(not empty)
        self.train.show_can_train(not empty)

    def set_theme(self, theme: str) -> None:
        """Paint in the colours of a theme of napari."""
        colours = ThemeColours.of(theme)
        for part in (self.gallery, self.train, self.result):
            part.set_colours(colours)

    def bind_keys(self, actions: Mapping[str, Callable[[], object]]) -> None:
        """Have `CELLS_KEYS` do something while the mouse or the keyboard is in the dock.

        Parameters
        ----------
        actions : mapping of str to callable
            By `DockKey.action`: "cut", "segment", "add", "label", "suggest", "train", "undo",
            "redo".
        """
        bind_dock_keys(self, CELLS_KEYS, actions)

    # Dialogs; all return None if nothing was chosen

    def ask_table_path(self, folder: Path) -> Path | None:
        """Ask where to write the table of cells."""
        return ask_save(self, "Export table of cells", folder / "cells.csv", _TABLES)

    def ask_matrix_path(self, folder: Path) -> Path | None:
        """Ask where to write the confusion matrix."""
        return ask_save(self, "Export confusion matrix", folder / "confusion.csv", "Table (*.csv)")

    def ask_save_model_path(self, folder: Path) -> Path | None:
        """Ask where to write the classifier."""
        return ask_save(self, "Save model", folder / "cells.safetensors", _MODEL)

    def ask_load_model_path(self) -> Path | None:
        """Ask for the file of a classifier."""
        return next(iter(ask_file(self, "Load model", _MODEL)), None)

    def ask_standard_path(self) -> Path | None:
        """Ask for a file of what is known of proteins."""
        return next(iter(ask_file(self, "Open a standard", _STANDARDS)), None)

    def show_standard(self, name: str, *, can_ask: bool) -> None:
        """Show which standard is watched ("" for none), and whether cells have proteins."""
        self.standard.setText(f"F-score: {name}" if name else "F-score…")
        self.standard.setEnabled(can_ask)

    def _ask_file(self) -> None:
        paths = ask_file(self, "Open crops of cells", _CROPS)
        if paths:
            self.paths_opened.emit(paths)

    def _ask_folder(self) -> None:
        paths = ask_folder(self, "Open a folder of crops")
        if paths:
            self.paths_opened.emit(paths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the tabs beside the gallery where there is room, else below it."""
        super().resizeEvent(event)
        wide = event.size().width() >= WIDE_PX
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self.splitter.orientation() != wanted:
            self.tabs.setMinimumWidth(_TABS_WIDE_PX if wide else 0)
            self.splitter.setOrientation(wanted)
            self.splitter.setSizes([3, 2])  # shares: what was split before was the height

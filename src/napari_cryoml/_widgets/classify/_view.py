"""The Classify dock: signals and setters, no logic.

Signals are those of the parts, and `paths_opened` of the dock:

==================  ==============================================================================
``view.source``     `SourceGroup`: cut_requested, changed
``view.classes``    `ClassGroup`: class_chosen, add_requested, renamed, remove_requested,
                    recoloured, label_mode_toggled, undo_requested, redo_requested
``view.gallery``    `ClassGallery`: show_chosen; of its ``crops``: clicked, hovered, key_pressed,
                    label_requested, erase_requested, needed, sort_changed, side_changed
``view.train``      `TrainTab`: system_chosen, train_requested, save_requested, load_requested,
                    changed
``view.result``     `ResultTab`: colour_by_chosen, threshold_changed, cell_clicked, class_clicked
``view.look``       `LookTab`: class_chosen, viewer_toggled, opacity_changed
``view.average``    `AverageTab`: average_requested, save_requested
``view.export``     `ExportTab`: lists_requested, matrix_requested
==================  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QSplitter, QTabWidget, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.classes import (
    ClassGallery,
    ClassGroup,
    ResultTab,
    TrainTab,
    lay_out_halves,
)
from napari_cryoml._widgets.classify._average_tab import AverageTab
from napari_cryoml._widgets.classify._export_tab import ExportTab
from napari_cryoml._widgets.classify._keys import CLASSIFY_KEYS, CROP_KEYS
from napari_cryoml._widgets.classify._look_tab import LookTab
from napari_cryoml._widgets.classify._source_group import SourceGroup
from napari_cryoml._widgets.frame import (
    Dock,
    FocusFollowsMouse,
    MessageLine,
    ThemeColours,
    WheelGuard,
    ask_export_path,
    ask_file,
    ask_save,
    bind_dock_keys,
    legend_of,
    words,
)

WIDE_PX = 640
"""From this width on, the tabs lie beside the gallery."""

TabName: TypeAlias = Literal["Train", "Result", "Look", "Average", "Export", "Keys"]

_BOXES = "Boxes (*.mrc *.mrcs *.zarr *.zip *.npz *.star *.em);;All files (*)"
_MODEL = "Classifier (*.safetensors)"
_TABS_PX = 196
_TABS_WIDE_PX = 300


@dataclass(frozen=True, slots=True)
class ClassifyOffers:
    """What the dock makes its lists and forms from.

    Parameters
    ----------
    systems : mapping of str to type of SystemConfig
        The first is the default.
    crops, image_average, volume_average : type of Config
    """

    systems: Mapping[str, type[Config]]
    crops: type[Config]
    image_average: type[Config]
    volume_average: type[Config]


class ClassifyView(Dock):
    """All controls of the Classify dock; see the top of this module for its signals.

    Parameters
    ----------
    offers : ClassifyOffers
    """

    def __init__(self, offers: ClassifyOffers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        guard = WheelGuard(self)
        self.message = MessageLine()
        self.source = SourceGroup(offers.crops, guard)
        self.classes = ClassGroup()
        self.gallery = ClassGallery(guard)
        self.train = TrainTab(offers.systems, guard)
        self.result = ResultTab(guard)
        self.look = LookTab(guard)
        self.average = AverageTab(offers.image_average, offers.volume_average, guard)
        self.export = ExportTab(guard)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.tabs = QTabWidget()
        self._focus = FocusFollowsMouse(self)
        self._build()
        self._connect()
        self.show_empty(True)

    def _build(self) -> None:
        keys = words("The keys of the Classify dock.", legend_of((*CLASSIFY_KEYS, *CROP_KEYS)))
        keys.setTextFormat(Qt.TextFormat.RichText)
        pages = {
            "Train": self.train,
            "Result": self.result,
            "Look": self.look,
            "Average": self.average,
            "Export": self.export,
            "Keys": keys,
        }
        lay_out_halves(
            self.splitter, self.classes, self.gallery, self.tabs, pages, tabs_px=_TABS_PX
        )
        self.stack((self.message, self.source, self.splitter), filler=self.splitter)

    def _connect(self) -> None:
        self.source.file_requested.connect(self._ask_boxes)
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
        """Show that there are no crops yet, or that there are some; options can be set before."""
        gallery, average = self.gallery, self.average
        for widget in (gallery.show_box, gallery.crops.order, average.of, average.of_class):
            widget.setEnabled(not empty)
        average.average.setEnabled(not empty)
        self.train.show_can_train(not empty)

    def set_theme(self, theme: str) -> None:
        """Paint in the colours of a theme of napari."""
        colours = ThemeColours.of(theme)
        for part in (self.gallery, self.train, self.result, self.look, self.average):
            part.set_colours(colours)

    def bind_keys(self, actions: Mapping[str, Callable[[], object]]) -> None:
        """Have `CLASSIFY_KEYS` do something while the mouse or the keyboard is in the dock.

        Parameters
        ----------
        actions : mapping of str to callable
            By `DockKey.action`: "cut", "add", "label", "train", "look", "average", "undo", "redo".
        """
        bind_dock_keys(self, CLASSIFY_KEYS, actions)

    # Dialogs; all return None if nothing was chosen

    def ask_lists_path(self, folder: Path) -> Path | None:
        """Ask where to write a particle list, or the lists of all classes beside each other."""
        return ask_export_path(self, folder)

    def ask_matrix_path(self, folder: Path) -> Path | None:
        """Ask where to write the confusion matrix."""
        return ask_save(self, "Export confusion matrix", folder / "confusion.csv", "Table (*.csv)")

    def ask_average_path(self, folder: Path) -> Path | None:
        """Ask where to write an average."""
        return ask_save(self, "Save the average", folder / "average.mrc", "MRC (*.mrc)")

    def ask_save_model_path(self, folder: Path) -> Path | None:
        """Ask where to write the classifier."""
        return ask_save(self, "Save model", folder / "classifier.safetensors", _MODEL)

    def ask_load_model_path(self) -> Path | None:
        """Ask for the file of a classifier."""
        return next(iter(ask_file(self, "Load model", _MODEL)), None)

    def _ask_boxes(self) -> None:
        paths = ask_file(self, "Open boxes", _BOXES)
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

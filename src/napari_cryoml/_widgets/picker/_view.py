"""The dock of the Picker: signals and setters, no logic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.frame import (
    ConfigForm,
    MessageLine,
    ThemeColours,
    WheelGuard,
    ask_export_path,
    ask_file,
    ask_files,
    ask_folder,
    ask_save,
)
from napari_cryoml._widgets.picker._advanced import AdvancedGroup, legend
from napari_cryoml._widgets.picker._groups import (
    ExportGroup,
    ImagesGroup,
    LabelGroup,
    PicksGroup,
    TrainGroup,
)
from napari_cryoml._widgets.picker._image_table import ImageRow
from napari_cryoml._widgets.picker._live_group import LiveGroup
from napari_cryoml._widgets.picker._options_dock import OptionsDock
from napari_cryoml._widgets.picker._question import QuestionPanel


class PickerView(OptionsDock):
    """All controls of the Picker, in a scroll area of their own.

    Parameters
    ----------
    config_class : type of Config
        What the form under Advanced is made from.
    choices : mapping of str to sequence of str
        Names to choose from for its fields of text.
    leave_out : sequence of str
        Its fields that are set elsewhere.
    """

    layers_requested = Signal()
    image_chosen = Signal(str)
    step_requested = Signal(str)
    diameter_entered = Signal(float)
    draw_toggled = Signal(bool)
    undo_requested = Signal()
    redo_requested = Signal()
    train_requested = Signal()
    cancel_requested = Signal()
    threshold_moved = Signal(float)
    threshold_set = Signal(float)
    pick_all_requested = Signal()
    use_model_requested = Signal()
    certify_requested = Signal()
    export_requested = Signal()
    picking_recipe_requested = Signal()
    training_recipe_requested = Signal()
    recipe_opened = Signal(Path)
    labels_import_requested = Signal(str)
    missing_folder_chosen = Signal(Path)
    opacity_changed = Signal(float)

    def __init__(
        self,
        config_class: type[Config],
        choices: dict[str, Sequence[str]] | None = None,
        leave_out: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        guard = WheelGuard()
        form = ConfigForm(config_class, choices=choices, leave_out=leave_out)
        super().__init__(AdvancedGroup(form, guard), parent)
        guard.setParent(self)
        self.images, self.label, self.train = ImagesGroup(), LabelGroup(guard), TrainGroup()
        self.live, self.question = LiveGroup(guard), QuestionPanel()
        self.picks, self.export = PicksGroup(), ExportGroup()
        self.notice, self.message = MessageLine(), MessageLine()
        self.saved = QLabel()
        self.saved.setWordWrap(True)
        self._build()
        self._connect()
        self.show_images([], None)

    def _build(self) -> None:
        groups = (self.images, self.label, self.live, self.train, self.picks, self.export)
        self.stack(
            (self.notice, self.message, self.question, *groups, self.advanced, legend(), self.saved)
        )

    def _connect(self) -> None:
        images = self.images
        images.open_files.triggered.connect(lambda: self._open(ask_files(self, "Open images")))
        images.open_folder.triggered.connect(
            lambda: self._open(ask_folder(self, "Open a folder of images"))
        )
        images.open_project.triggered.connect(
            lambda: self._open(ask_file(self, "Open project", "Project (*.cryoml)"))
        )
        images.open_recipe.triggered.connect(self._open_recipe)
        images.find_missing.triggered.connect(self._find_missing)
        images.moved.clicked.connect(self._find_missing)
        images.open_layers.triggered.connect(self.layers_requested)
        images.table.chosen.connect(self.image_chosen)
        images.previous.clicked.connect(lambda: self.step_requested.emit("previous"))
        images.next.clicked.connect(lambda: self.step_requested.emit("next"))
        images.unlabelled.clicked.connect(lambda: self.step_requested.emit("unlabelled"))
        self.label.diameter.valueChanged.connect(self.diameter_entered)
        self.label.draw.toggled.connect(self.draw_toggled)
        self.label.undo.clicked.connect(self.undo_requested)
        self.label.redo.clicked.connect(self.redo_requested)
        self.train.train.clicked.connect(self.train_requested)
        self.train.cancel.clicked.connect(self.cancel_requested)
        self.picks.histogram.moved.connect(self.threshold_moved)
        self.picks.histogram.released.connect(self.threshold_set)
        self.picks.pick_all.clicked.connect(self.pick_all_requested)
        self.picks.certify.clicked.connect(self.certify_requested)
        self.train.use.clicked.connect(self.use_model_requested)
        self.export.export.clicked.connect(self.export_requested)
        self.export.save_picking.triggered.connect(self.picking_recipe_requested)
        self.export.save_training.triggered.connect(self.training_recipe_requested)
        self.advanced.import_labels.clicked.connect(self._import_labels)
        self.advanced.opacity.valueChanged.connect(
            lambda value: self.opacity_changed.emit(value / 100)
        )

    # Setters

    def show_message(self, text: str, *, error: bool = False) -> None:
        """Show one sentence at the top, or none."""
        self.message.say(text, error=error)

    def show_notice(self, text: str) -> None:
        """Show what holds as long as this project is open, or nothing."""
        self.notice.say(text)

    def show_missing(self, number: int) -> None:
        """Offer to look for images whose files are gone, if there are any."""
        self.images.moved.setVisible(bool(number))
        self.images.moved.setText(f"Find {number} missing image{'s' if number != 1 else ''}…")

    def show_saved(self, text: str, tip: str) -> None:
        """Say where everything is kept."""
        self.saved.setText(text)
        self.saved.setToolTip(tip)

    def show_images(self, rows: Sequence[ImageRow], current: str | None) -> None:
        """Show the list of images."""
        self.images.set_empty(not rows)
        self.images.table.set_rows(rows, current)
        for group in (self.label, self.live, self.train, self.picks, self.export):
            group.setEnabled(bool(rows))

    def show_labels(self, positives: int, negatives: int, *, undo: bool, redo: bool) -> None:
        """Show how many labels there are in all images, and what can be undone."""
        self.label.show_counts(positives, negatives)
        self.label.undo.setEnabled(undo)
        self.label.redo.setEnabled(redo)

    def show_diameter(self, value: float, unit: str) -> None:
        """Show the diameter in `unit`, without a signal; 0 if it is not set."""
        spin = self.label.diameter
        spin.blockSignals(True)
        spin.setSuffix(f" {unit}")
        spin.setValue(value)
        spin.blockSignals(False)

    def show_drawing(self, drawing: bool) -> None:
        """Show whether the next drag draws the diameter."""
        self.label.draw.blockSignals(True)
        self.label.draw.setChecked(drawing)
        self.label.draw.blockSignals(False)

    def show_job(self, kind: str) -> None:
        """Show that nothing ("") runs, a "training" or "picking" job, or one that is "stopping"."""
        names = {"": "Train picker [Q]", "stopping": "Stopping…"}
        self.train.train.setText(names.get(kind, "Stop and keep [Q]"))
        self.train.train.setEnabled(kind != "stopping")
        self.train.cancel.setVisible(bool(kind))
        self.picks.pick_all.setEnabled(not kind)

    def begin_job(self, kind: str) -> None:
        """Show a job of "training" or "picking" that has just been started."""
        if kind == "training":
            self.train.curve.clear()
            self.train.curve.show()
        self.show_job(kind)
        self.train.job.begin(f"Starting {kind}…")

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Show how far the job is; `total` is 0 while that is unknown."""
        self.train.job.progress(done, total, text)

    def add_step(self, step: int, loss: float, validation: float | None) -> None:
        """Add a step of training to the curves."""
        self.train.curve.add(step, loss, validation)

    def end_job(self, text: str) -> None:
        """Show that no job runs any more, and what became of it."""
        self.show_job("")
        self.train.job.end(text)

    def step_threshold(self, direction: int) -> None:
        """Move the line of the histogram a little, up (1) or down (-1), with its signals."""
        self.picks.histogram.step(direction)

    def show_colour_bar(self, limits: tuple[float, float] | None) -> None:
        """Show which colours of the heat map stand for which scores."""
        self.picks.histogram.set_colour_bar(limits)

    def show_histogram(self, scores: npt.NDArray[np.float32], threshold: float) -> None:
        """Show the scores of the picks and the threshold."""
        self.picks.histogram.set_scores(scores, threshold)

    def show_pick_counts(self, text: str) -> None:
        """Show how many picks the threshold keeps."""
        self.picks.counts.setText(text)

    def show_certificate(self, text: str) -> None:
        """Show what a review proved, or nothing."""
        self.picks.certificate.setText(text)
        self.picks.certificate.setVisible(bool(text))

    def show_offer(self, offered: bool) -> None:
        """Show whether the trained model can take the place of live picking."""
        self.train.use.setVisible(offered)

    def set_theme(self, theme: str) -> None:
        """Paint in the colours of a theme of napari."""
        colours = ThemeColours.of(theme)
        self.picks.histogram.set_colours(colours)
        self.train.curve.set_colours(colours)

    # Dialogs

    def ask_export_path(self, folder: Path) -> Path | None:
        """Ask where to write picks; the suffix is that of the chosen format."""
        return ask_export_path(self, folder)

    def ask_recipe_path(self, folder: Path, name: str) -> Path | None:
        """Ask where to write a recipe; `name` is proposed."""
        return ask_save(self, "Save recipe", folder / name, "Recipe (*.yaml)")

    def _open_recipe(self) -> None:
        for path in ask_file(self, "Open recipe", "Recipe (*.yaml *.yml)"):
            self.recipe_opened.emit(path)

    def _open(self, paths: Sequence[Path]) -> None:
        if paths:
            self.paths_opened.emit(list(paths))

    def _find_missing(self) -> None:
        for folder in ask_folder(self, "Choose the folder the missing images are in"):
            self.missing_folder_chosen.emit(folder)

    def _import_labels(self) -> None:
        for path in ask_file(self, "Import labels"):
            self.labels_import_requested.emit(str(path))

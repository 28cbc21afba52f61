"""The groups of the Picker's dock, in the order of work."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QDoubleSpinBox,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
)

from napari_cryoml._widgets.frame import Group, WheelGuard, button, menu_button
from napari_cryoml._widgets.jobs import JobPanel, TrainingCurve
from napari_cryoml._widgets.picker._histogram import ThresholdHistogram
from napari_cryoml._widgets.picker._image_table import ImageTable


class ImagesGroup(Group):
    """Open images, list them, step through them."""

    def __init__(self) -> None:
        super().__init__("1  Images")
        self.open = QToolButton()
        self.open.setText("Open images…")
        self.open.setToolTip(
            "Open micrographs or tomograms: files, a folder, a project, or what is open in "
            "napari. They may also be dropped here. Default: none."
        )
        self.open.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.open.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.open.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        menu = QMenu(self.open)
        self.open_files = menu.addAction("Image files…")
        self.open_folder = menu.addAction("Folder of images…")
        self.open_layers = menu.addAction("Images open in napari")
        menu.addSeparator()
        self.open_project = menu.addAction("Project…")
        self.open_recipe = menu.addAction("Recipe…")
        self.find_missing = menu.addAction("Find missing images…")
        self.open.setMenu(menu)
        self.moved = button(
            "Find missing images…",
            "Choose the folder that the images are in now: they are known by their content, "
            "also under other names. Labels and picks are kept. Default: none.",
        )
        self.moved.hide()
        self.empty = QLabel(
            "Open a folder of micrographs or tomograms, or drop one here.\nLabels and picks are "
            "kept in one file beside them."
        )
        self.empty.setWordWrap(True)
        self.table = ImageTable()
        self.table.setToolTip("Images with their labels (particles + negatives) and picks.")
        self.previous = button("◀ [K]", "Show the previous image.")
        self.next = button("▶ [N]", "Show the next image.")
        self.unlabelled = button("Unlabelled ▶ [U]", "Show the next image without labels.")
        self.row(self.open)
        self.column.addWidget(self.moved)
        self.column.addWidget(self.empty)
        self.column.addWidget(self.table)
        self.row(self.previous, self.next, self.unlabelled)

    def set_empty(self, empty: bool) -> None:
        """Show what to do first, or the list."""
        self.empty.setVisible(empty)
        for widget in (self.table, self.previous, self.next, self.unlabelled):
            widget.setVisible(not empty)


class LabelGroup(Group):
    """The diameter, the counts, undo and redo."""

    def __init__(self, guard: WheelGuard) -> None:
        super().__init__("2  Label")
        self.diameter = QDoubleSpinBox()
        self.diameter.setRange(0, 1e6)
        self.diameter.setDecimals(1)
        self.diameter.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.diameter.setMinimumWidth(80)
        self.diameter.setKeyboardTracking(False)
        self.diameter.setSpecialValueText("not set")
        self.diameter.setToolTip(
            "Longest axis of a particle, in angstrom (pixels where the pixel size is unknown). "
            "Everything else follows from it. Default: not set."
        )
        self.diameter.installEventFilter(guard)
        self.draw = button("Draw [0]", "Drag a circle around one particle. Default: off.")
        self.draw.setCheckable(True)
        self.counts = QLabel()
        self.counts.setTextFormat(Qt.TextFormat.RichText)
        self.undo = _small("↶", "Undo the last edit of labels or diameter [Ctrl+Z].")
        self.redo = _small("↷", "Redo what was undone [Ctrl+Shift+Z].")
        self.row(QLabel("Diameter"), self.diameter, self.draw)
        self.row(self.counts, self.undo, self.redo)

    def show_counts(self, positives: int, negatives: int) -> None:
        """Show the labels of all images."""
        self.counts.setText(
            f"<span style='color:#009E73'>○</span> {_counted(positives, 'particle')}&nbsp; "
            f"<span style='color:#D55E00'>✕</span> {_counted(negatives, 'negative')}"
        )


class TrainGroup(Group):
    """The button that trains, and what the run says."""

    def __init__(self) -> None:
        super().__init__("4  Train")
        self.train = button("Train picker [Q]", "Train on the labels of all images. Default: off.")
        self.cancel = button("Cancel", "End the job at once and keep the model from before.")
        self.curve = TrainingCurve()
        self.curve.setToolTip("Loss (blue, own scale) and validation AP (orange, 0 to 1) by step.")
        self.job = JobPanel()
        self.use = button(
            "Use the trained model",
            "Turn live picking off and pick with the model that was trained. Default: live "
            "picking goes on.",
        )
        self.row(self.train, self.cancel)
        self.column.addWidget(self.curve)
        self.column.addWidget(self.job)
        self.column.addWidget(self.use)
        self.cancel.hide()
        self.use.hide()
        self.curve.hide()


class PicksGroup(Group):
    """The threshold and what it keeps."""

    def __init__(self) -> None:
        super().__init__("5  Picks")
        self.histogram = ThresholdHistogram()
        self.histogram.setToolTip(
            "Scores of the picks (log-odds; heights are square roots). Drag the line, or press 8 "
            "and 9, to keep better or more picks. The stripe is the colour bar of the heat map. "
            "Default: what the picker proposes."
        )
        self.counts = QLabel()
        self.counts.setWordWrap(True)
        self.pick_all = button(
            "Pick all images",
            "Pick every image of the list, live or with the trained model. Before anything is "
            "labelled: blobs of the diameter, by a difference of Gaussians.",
        )
        self.certify = button(
            "Certify [Shift+G]",
            "Look at about 30 picks above the threshold, yes or no to each: a statement on the "
            "precision of all picks, with 95 % confidence, goes into the export. Default: none.",
        )
        self.certificate = QLabel()
        self.certificate.setWordWrap(True)
        self.certificate.setToolTip("What the last review proved.")
        self.certificate.hide()
        self.column.addWidget(self.histogram)
        self.column.addWidget(self.counts)
        self.row(self.pick_all, self.certify)
        self.column.addWidget(self.certificate)


class ExportGroup(Group):
    """The way out."""

    def __init__(self) -> None:
        super().__init__("6  Export")
        self.export = button(
            "Export picks…",
            "Write the picks above the threshold, without rejected ones and with all labelled "
            "particles: RELION, cryoSPARC, crYOLO, EMAN or a table. Default: RELION.",
        )
        menu = QMenu(self)
        self.save_picking = menu.addAction("Of the picks on show…")
        self.save_training = menu.addAction("Of training…")
        self.recipe = menu_button(
            "Save recipe…",
            "Write what the dock does as a YAML file, with what it needs beside it: napari-cryoml "
            "run does the same in the shell. Default: none.",
            menu,
        )
        self.row(self.export, self.recipe)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _small(text: str, tip: str) -> QAbstractButton:
    made = QToolButton()
    made.setText(text)
    made.setToolTip(tip)
    made.setEnabled(False)
    return made

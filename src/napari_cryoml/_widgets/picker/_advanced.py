"""What is folded away at the end of the dock: options and keys."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_cryoml._widgets.frame import ConfigForm, WheelGuard, button, line_of, words
from napari_cryoml._widgets.picker._keys import KEYS
from napari_cryoml.picking.live import LiveConfig

DEVICES = ("auto", "cpu", "cuda", "mps")
OPACITY_PERCENT = 50
LIVE_ELSEWHERE = ("diameter", "pixel_size", "ndim", "particles_per_image", "marked")


class AdvancedGroup(QCollapsible):
    """Everything that has a sound default.

    Parameters
    ----------
    form : ConfigForm
    guard : WheelGuard
    """

    def __init__(self, form: ConfigForm, guard: WheelGuard) -> None:
        super().__init__("Advanced")
        self.form = form
        self.live_form = ConfigForm(
            LiveConfig, choices={"device": DEVICES}, leave_out=LIVE_ELSEWHERE
        )
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(OPACITY_PERCENT)
        self.opacity.setToolTip(f"Opacity of the heat map, percent. Default: {OPACITY_PERCENT}.")
        self.opacity.installEventFilter(guard)
        self.go_on = QCheckBox("Go on from the last model")
        self.go_on.setToolTip(
            "Start training from the last model instead of afresh: quicker, but the validation "
            "AP may then be too good. Default: off."
        )
        self.import_labels = button(
            "Import labels from a file…",
            "Read particle positions (star, box, cbox, cs, csv) as labels. Default: none.",
        )
        self.workers = QLineEdit()
        self.workers.setPlaceholderText("this computer")
        self.workers.setToolTip(
            "<p>Who picks all images: the address of a Dask scheduler (tcp://node7:8786) or the "
            "file it wrote, or a number of processes on this computer. Default: empty, this "
            "computer in one process.</p>"
        )
        self.look = button(
            "Test", "Look whether the workers answer, and how many there are. Default: not looked."
        )
        self.workers_found = words("How many workers there are, or why there are none.")
        self.workers_found.hide()
        self.derived = QLabel()
        self.derived.setWordWrap(True)
        self.derived.setToolTip("What follows from the diameter and the options below.")
        _fold(self, "Show or hide all other options.", self._option_rows())

    def _option_rows(self) -> QWidget:
        rows = QFormLayout()
        rows.addRow("Heat map", self.opacity)
        rows.addRow(self.go_on)
        rows.addRow(self.import_labels)
        rows.addRow("Workers", line_of(self.workers, self.look))
        rows.addRow(self.workers_found)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(6, 2, 6, 2)
        column.addLayout(rows)
        column.addWidget(QLabel("<b>Live picking</b>"))
        column.addWidget(self.live_form)
        column.addWidget(QLabel("<b>Training</b>"))
        column.addWidget(self.derived)
        column.addWidget(self.form)
        return content


def legend() -> QCollapsible:
    """Return the list of keys, folded."""
    lines = "".join(
        f"<tr><td><b>{key.key.replace('Control', 'Ctrl').replace('-', '+')}</b>&nbsp;&nbsp;</td>"
        f"<td>{key.title}</td></tr>"
        for key in KEYS
    )
    text = QLabel(f"<table>{lines}</table>")
    text.setWordWrap(True)
    section = QCollapsible("Keys")
    _fold(section, "Show or hide the keys of the Picker.", text)
    return section


def _fold(section: Any, tip: str, content: QWidget) -> None:
    section.setDuration(0)
    section.layout().setContentsMargins(0, 0, 0, 0)
    section.addWidget(content)
    section.collapse(animate=False)
    section.toggleButton().setToolTip(f"{tip} Default: hidden.")

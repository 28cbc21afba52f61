"""The controls of live picking."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QSpinBox

from napari_cryoml._widgets.frame import Group, WheelGuard, button

ESTIMATED = "estimated"
_MOST_PARTICLES = 100_000


class LiveGroup(Group):
    """The toggle, what the last refit said, and how many particles an image holds.

    Parameters
    ----------
    guard : WheelGuard
    """

    toggled = Signal(bool)
    """Whether picks shall follow every click."""

    pinned = Signal(int)
    """Particles an image that the user says there are; 0 to have them estimated."""

    box_toggled = Signal(bool)
    """Whether there shall be a box in which every particle is labelled."""

    ask_requested = Signal()
    """The user wants to be asked about the place that teaches most."""

    def __init__(self, guard: WheelGuard) -> None:
        super().__init__("3  Live")
        self.live = button(
            "Pick live [Shift+Q]",
            "Learn from all labels and pick the image on show again after every click, from the "
            "third particle on. Default: on, until a trained model is used.",
        )
        self.live.setCheckable(True)
        self.ask = button(
            "Ask me [Shift+N]",
            "Go to the place, in any image, whose label teaches most, and ask about it. "
            "Default: off.",
        )
        self.box = button(
            "Mark box",
            "Drag a box in which you have labelled every particle: their number is then estimated "
            "from it. Press again to take it away. Default: none.",
        )
        self.box.setCheckable(True)
        self.status = _line("How long the last refit took, and what it found.")
        self.particles = self._particle_box(guard)
        self.notes = _line("What live picking noticed about the labels and the images.")
        self.row(self.live, self.ask)
        self.column.addWidget(self.status)
        self.row(QLabel("Particles/image"), self.particles, self.box)
        self.column.addWidget(self.notes)
        self.live.toggled.connect(self.toggled)
        self.box.toggled.connect(self.box_toggled)
        self.ask.clicked.connect(self.ask_requested)
        self.particles.valueChanged.connect(self.pinned)
        self.show_notes(())

    @staticmethod
    def _particle_box(guard: WheelGuard) -> QSpinBox:
        box = QSpinBox()
        box.setRange(0, _MOST_PARTICLES)
        box.setSpecialValueText(ESTIMATED)
        box.setKeyboardTracking(False)
        box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        box.setMinimumWidth(76)
        box.setToolTip(
            "Particles in an image, on average. Type a number to pin it, 0 to have it estimated. "
            "Default: estimated."
        )
        box.installEventFilter(guard)
        return box

    def show_state(self, on: bool) -> None:
        """Show whether live picking is on, without a signal."""
        self.live.blockSignals(True)
        self.live.setChecked(on)
        self.live.blockSignals(False)
        for widget in (self.ask, self.particles, self.box):
            widget.setEnabled(on)

    def show_box(self, there: bool) -> None:
        """Show whether a box is marked, or being drawn, without a signal."""
        self.box.blockSignals(True)
        self.box.setChecked(there)
        self.box.blockSignals(False)

    def show_status(self, text: str) -> None:
        """Show what the last refit took and found."""
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def show_notes(self, notes: Sequence[str]) -> None:
        """Show what was noticed, a sentence a line."""
        self.notes.setText("\n".join(f"⚠ {note}" for note in notes))
        self.notes.setVisible(bool(notes))

    def show_particles(self, pinned: int) -> None:
        """Show the number the user has pinned, 0 for none, without a signal."""
        self.particles.blockSignals(True)
        self.particles.setValue(pinned)
        self.particles.blockSignals(False)


def _line(tip: str) -> QLabel:
    line = QLabel()
    line.setWordWrap(True)
    line.setTextFormat(Qt.TextFormat.PlainText)
    line.setToolTip(tip)
    return line

"""One crop in three sections, what the classifier looks at, and how a decoder draws it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QSlider, QVBoxLayout, QWidget

from napari_cryoml._widgets.crops import SectionRow
from napari_cryoml._widgets.frame import ThemeColours, WheelGuard, choice, line_of, words

NO_CROP = (
    "Click a crop in the gallery to see it from three sides, and what the classifier looks at."
)
NO_ATTENTION = "Few-shot has no feature map: train a network to see what it looks at."
NO_DRAWING = "Only systems with a decoder (autoencoding) draw crops."
PREDICTED = "its predicted class"
_HALF = 50

Image = npt.NDArray[np.floating]


class LookTab(QWidget):
    """Sections of a crop, with what a network looks at over them.

    Parameters
    ----------
    guard : WheelGuard
    """

    class_chosen = Signal(str)
    """The class for which it is asked; "" for the predicted one."""

    viewer_toggled = Signal(bool)
    """Show the attention as a layer in the viewer, or not."""

    opacity_changed = Signal(float)
    """Opacity of the attention, 0 to 1; in the dock it is applied already."""

    def __init__(self, guard: WheelGuard) -> None:
        super().__init__()
        self.text = words("Which crop is on show.")
        self.crop = SectionRow()
        self.crop.setToolTip("Sections through the middle, across z, y and x.")
        self.note = words("What the colours over the crop mean.")
        self.of_class = choice(
            [], "The class whose evidence is shown. Default: the predicted one.", guard
        )
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(_HALF)
        self.opacity.setToolTip(f"Opacity of the colours in percent. Default: {_HALF}.")
        self.opacity.installEventFilter(guard)
        self.viewer = QCheckBox("Show in viewer [H]")
        self.viewer.setToolTip(
            "Show what the classifier looks at as a translucent layer where the pick is. "
            "Default: off."
        )
        self.drawing = SectionRow()
        self.drawing.setToolTip("The same crop as the system's decoder draws it.")
        self.drawn = words("How well the decoder draws the crop.")
        self._build()
        self.show_classes(())
        self.clear()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        for widget in (self.text, self.crop, self.note):
            column.addWidget(widget)
        column.addLayout(line_of(QLabel("Evidence for"), self.of_class))
        row = line_of(QLabel("Opacity"), self.opacity, self.viewer)
        row.setStretch(1, 1)
        column.addLayout(row)
        for widget in (self.drawing, self.drawn):
            column.addWidget(widget)
        column.addStretch(1)
        self.of_class.activated.connect(
            lambda _: self.class_chosen.emit(str(self.of_class.currentData()))
        )
        self.opacity.valueChanged.connect(lambda _: self._on_opacity())
        self.viewer.toggled.connect(self.viewer_toggled)
        self._on_opacity()

    def clear(self, text: str = NO_CROP) -> None:
        """Show no crop, and this sentence."""
        self.text.setText(text)
        self.crop.set_volume(None)
        self.crop.setVisible(False)
        self.show_attention(None, "")
        self.show_reconstruction(None, "")

    def show_crop(self, crop: Image, text: str) -> None:
        """Show a crop without what the classifier looks at, until that comes.

        Parameters
        ----------
        crop : array of shape (z, y, x) or (y, x)
        text : str
            As "Pick 17 of TS_012: ribosome, 93 %."
        """
        self.text.setText(text)
        self.crop.set_volume(crop)
        self.crop.setVisible(True)
        self.show_attention(None, "")
        self.show_reconstruction(None, "")

    def show_attention(self, attention: Image | None, text: str = "") -> None:
        """Show what the classifier looks at, or a sentence in its place.

        Parameters
        ----------
        attention : array of the shape of the crop, optional
            0 to 1.
        text : str
            As "Grad-CAM for ribosome.", "Asking the network…" or `NO_ATTENTION`.
        """
        self.crop.set_overlay(attention)
        self.note.setText(text)
        self.note.setVisible(bool(text))
        for widget in (self.opacity, self.viewer):
            widget.setEnabled(self.crop.has_overlay)

    def show_reconstruction(self, drawn: Image | None, text: str = "") -> None:
        """Show the crop as a decoder draws it, or a sentence in its place (`NO_DRAWING`).

        Parameters
        ----------
        drawn : array of the shape of the crop, optional
        text : str
        """
        self.drawing.set_volume(drawn)
        self.drawing.setVisible(drawn is not None)
        self.drawn.setText(text)
        self.drawn.setVisible(bool(text))

    def show_classes(self, names: Sequence[str], current: str = "") -> None:
        """Offer the classes of the classifier, "" being the predicted one; without a signal."""
        self.of_class.blockSignals(True)
        self.of_class.clear()
        self.of_class.addItem(PREDICTED, "")
        for name in names:
            self.of_class.addItem(name, name)
        self.of_class.setCurrentIndex(max(self.of_class.findData(current), 0))
        self.of_class.blockSignals(False)

    def show_in_viewer(self, on: bool) -> None:
        """Show whether there is a layer in the viewer, without a signal."""
        self.viewer.blockSignals(True)
        self.viewer.setChecked(on)
        self.viewer.blockSignals(False)

    def set_colours(self, colours: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self.crop.set_colours(colours)
        self.drawing.set_colours(colours)

    def _on_opacity(self) -> None:
        share = self.opacity.value() / 100
        self.crop.set_opacity(share)
        self.opacity_changed.emit(share)

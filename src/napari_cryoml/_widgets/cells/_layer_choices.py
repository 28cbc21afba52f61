"""Which layers of the viewer the cells come from, and in which role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QWidget

from napari_cryoml._widgets.frame import WheelGuard, choice

NONE = "none"


class Choice(NamedTuple):
    """One thing to choose from.

    Parameters
    ----------
    key : str
        By which it is known; stays when a layer is renamed.
    name : str
        How it is called on the screen.
    """

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Roles:
    """What was chosen, by key; "" for none.

    Parameters
    ----------
    protein, marker : str
        Channels of images.
    labels : str
        A Labels layer.
    """

    protein: str = ""
    marker: str = ""
    labels: str = ""


class LayerChoices(QWidget):
    """Three lists: the channel of the protein, that of the marker, and the labels.

    Parameters
    ----------
    guard : WheelGuard
    """

    changed = Signal()
    """Something else was chosen by hand."""

    def __init__(self, guard: WheelGuard) -> None:
        super().__init__()
        self.protein = choice(
            [],
            "Channel that shows the protein: what classes are learnt from. Default: the first.",
            guard,
        )
        self.marker = choice(
            [],
            "Channel that shows where cells are (cytosol, membrane or nucleus); “Find cells” "
            "works on it, and crops have it as their second channel. Default: the second.",
            guard,
        )
        self.labels = choice(
            [],
            "Labels layer with a number for each cell: from Cellpose, StarDist, drawn by hand, or "
            "from “Find cells”. Default: the topmost.",
            guard,
        )
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(3)
        for title, box in (
            ("Protein", self.protein),
            ("Marker", self.marker),
            ("Cells", self.labels),
        ):
            label = QLabel(title)
            label.setToolTip(box.toolTip())
            form.addRow(label, box)
            box.activated.connect(lambda _: self.changed.emit())

    @property
    def roles(self) -> Roles:
        """What is chosen."""
        return Roles(*(str(box.currentData() or "") for box in self._boxes))

    @property
    def _boxes(self) -> tuple[QComboBox, QComboBox, QComboBox]:
        return self.protein, self.marker, self.labels

    def offer(self, channels: Sequence[Choice], labels: Sequence[Choice], chosen: Roles) -> None:
        """Offer channels of images and Labels layers, and show what is chosen; without a signal."""
        offered = (channels, (Choice("", NONE), *channels), (Choice("", NONE), *labels))
        keys = chosen.protein, chosen.marker, chosen.labels
        for box, choices, key in zip(self._boxes, offered, keys, strict=True):
            box.blockSignals(True)
            box.clear()
            for one in choices:
                box.addItem(one.name, one.key)
            box.setCurrentIndex(max(box.findData(key), 0))
            box.setEnabled(box.count() > 0)
            box.blockSignals(False)

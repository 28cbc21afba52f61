"""The crops of the selection: how many, in which order, how large."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_cryoml._widgets.crops._gallery_grid import SIZES, GalleryGrid
from napari_cryoml._widgets.crops._gallery_marks import Mark
from napari_cryoml._widgets.frame import ThemeColours, WheelGuard, choice, line_of, tighten

ORDERS = {
    "centrality": "typical",
    "score": "by score",
    "novelty": "novel",
    "random": "random",
    "map": "by map",
}
"""Names of orders, and how they are called on the screen."""

TIP = "Order of the crops. Default: most typical of the selection first."
_LEAST_BOX_PX, _SIZE_BOX_PX = 64, 62
EMPTY = "Draw around points on the map to see their crops here."


class CropGallery(QWidget):
    """A grid of thumbnails below a line of controls; signals and setters, no logic.

    Parameters
    ----------
    orders : mapping of str to str, optional
        Names of orders, and how they are called on the screen; `ORDERS` by default.
    tip : str, optional
        What the orders are, and which is the default.
    head : sequence of QWidget, optional
        Further controls, between the count and the order.
    parent : QWidget, optional
    """

    needed = Signal(list)
    """All rows whose thumbnails are wanted, of the side `side`, in place of any before."""

    clicked = Signal(int, str)
    """A row and how: "left", "right", "shift+left", "alt+left" and so on."""

    double_clicked = Signal(int)
    """A row that was clicked twice; `clicked` has told the first click already."""

    hovered = Signal(int)
    """The row below the mouse or that the arrow keys have come to; -1 for none."""

    label_requested = Signal(int, str)
    """A row and "positive" (Enter or G) or "negative" (W)."""

    erase_requested = Signal(int)
    """A row on which Backspace or Delete was pressed."""

    key_pressed = Signal(int, int)
    """A row and the digit that was pressed on it."""

    sort_changed = Signal(str)
    """Name of an order."""

    side_changed = Signal(int)
    """Pixels; `needed` follows by itself."""

    def __init__(
        self,
        orders: Mapping[str, str] | None = None,
        tip: str = TIP,
        head: Sequence[QWidget] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._orders = ORDERS if orders is None else orders
        self.grid = GalleryGrid()
        self.count = QLabel()
        self.count.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        guard = WheelGuard(self)
        self.order = _order_box(self._orders, tip, guard)
        self.size_box = _size_box(guard)
        column = QVBoxLayout(self)
        tighten(column)
        column.addLayout(self._head(head))
        column.addWidget(self.grid, 1)
        self._connect()
        self.grid.set_empty_text(EMPTY)
        self.set_rows([], next(iter(self._orders)), 0)

    def _head(self, further: Sequence[QWidget]) -> QHBoxLayout:
        for box in (*further, self.order):
            box.setMinimumWidth(_LEAST_BOX_PX)
        head = line_of(self.count, *further, self.order, self.size_box)
        for index in range(1, len(further) + 2):
            head.setStretch(index, 1)
        return head

    def _connect(self) -> None:
        grid = self.grid
        grid.needed.connect(self.needed)
        grid.clicked.connect(self.clicked)
        grid.double_clicked.connect(self.double_clicked)
        grid.hovered.connect(self.hovered)
        grid.label_requested.connect(self.label_requested)
        grid.erase_requested.connect(self.erase_requested)
        grid.key_pressed.connect(self.key_pressed)
        self.order.currentIndexChanged.connect(
            lambda _: self.sort_changed.emit(self.order.currentData())
        )
        self.size_box.currentIndexChanged.connect(lambda _: self._resize())

    def _resize(self) -> None:
        self.grid.set_side(self.side)
        self.side_changed.emit(self.side)

    @property
    def side(self) -> int:
        """Side of a thumbnail in pixels."""
        return int(self.size_box.currentData())

    @property
    def rows(self) -> npt.NDArray[np.intp]:
        """The rows on show, in their order."""
        return self.grid.rows

    def set_rows(self, rows: npt.ArrayLike, order_name: str, total: int) -> None:
        """Show rows in this order.

        Parameters
        ----------
        rows : array of shape (k,)
        order_name : str
            Name of an order; becomes the choice on show, without a signal.
        total : int
            How many are selected, of which `rows` may be a part.
        """
        rows = np.asarray(rows, np.intp)
        self.order.blockSignals(True)
        self.order.setCurrentIndex(self.order.findData(order_name))
        self.order.blockSignals(False)
        part = len(rows) < total
        self.count.setText(
            f"{len(rows):,} / {total:,}" if part else f"{total:,} crop{'s' * (total != 1)}"
        )
        self.count.setToolTip(f"{len(rows):,} of {total:,} selected crops are shown.")
        self.grid.set_rows(rows)

    def set_orders(self, names: Sequence[str]) -> None:
        """Offer only these orders; the one on show stays, or the first takes its place."""
        kept = self.order.currentData()
        if [self.order.itemData(index) for index in range(self.order.count())] == list(names):
            return
        self.order.blockSignals(True)
        self.order.clear()
        for name in names:
            self.order.addItem(self._orders[name], name)
        self.order.setCurrentIndex(max(self.order.findData(kept), 0))
        self.order.blockSignals(False)

    def set_thumbnails(
        self, rows: Sequence[int] | npt.NDArray[np.intp], images: npt.NDArray[np.uint8]
    ) -> None:
        """Take pictures (k, side, side) or (k, side, side, 3) of rows (k,)."""
        self.grid.set_thumbnails(rows, images)

    def forget_thumbnails(self) -> None:
        """Forget all pictures: there are other crops now; those in view are asked for again."""
        self.grid.forget_thumbnails()

    def set_marks(self, marks: Mapping[int, Mark]) -> None:
        """Mark rows by their labels; rows without a mark have none."""
        self.grid.set_marks(marks)

    def set_texts(self, text_of: Callable[[int], str]) -> None:
        """Take the function that returns the tooltip of a row."""
        self.grid.set_texts(text_of)

    def set_empty_text(self, text: str) -> None:
        """Show another sentence while there are no rows."""
        self.grid.set_empty_text(text)

    def set_colours(self, colours: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self.grid.set_colours(colours)


def _order_box(orders: Mapping[str, str], tip: str, guard: WheelGuard) -> QComboBox:
    box = choice([], tip, guard)
    for name, shown in orders.items():
        box.addItem(shown, name)
    return box


def _size_box(guard: WheelGuard) -> QComboBox:
    box = choice([], f"Size of the crops in pixels of the screen. Default: {SIZES[1]}.", guard)
    for side in SIZES:
        box.addItem(str(side), side)
    box.setCurrentIndex(1)
    box.setMinimumContentsLength(2)
    box.setFixedWidth(_SIZE_BOX_PX)
    return box

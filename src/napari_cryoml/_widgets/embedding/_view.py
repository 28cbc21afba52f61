"""The dock of the Explorer: signals and setters, no logic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QResizeEvent
from qtpy.QtWidgets import QSplitter, QTabWidget, QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.crops import AveragePanel, CropGallery
from napari_cryoml._widgets.embedding._canvas import EmbeddingCanvas
from napari_cryoml._widgets.embedding._colouring import Colouring
from napari_cryoml._widgets.embedding._columns import title_of
from napari_cryoml._widgets.embedding._groups_tab import GroupsTab
from napari_cryoml._widgets.embedding._history import Mask
from napari_cryoml._widgets.embedding._keys import MAP_KEYS
from napari_cryoml._widgets.embedding._link_tab import LinkTab
from napari_cryoml._widgets.embedding._map_tab import MapTab
from napari_cryoml._widgets.embedding._new_tab import NewTab
from napari_cryoml._widgets.embedding._protein_tab import ProteinTab
from napari_cryoml._widgets.embedding._selection_row import SelectionRow
from napari_cryoml._widgets.embedding._source_row import SourceRow
from napari_cryoml._widgets.embedding._tool_row import ToolRow
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
    scrolled,
    tighten,
    words,
)
from napari_cryoml.embedding.drawing import categorical

if TYPE_CHECKING:
    from napari_cryoml.embedding import CropEncoderConfig, ProjectionConfig

WIDE_PX = 620
"""From this width on, the gallery lies beside the map."""

EMPTY = (
    "Map the picks of the open Picker, or open a file of vectors.\n"
    "Rows that are alike lie near each other: draw around an odd island to see what it is."
)
_HALF_LIGHT = 128
_OPENED = "Vectors (*.parquet *.h5ad *.csv *.tsv)"
_STANDARDS = "Standards (*.gaf *.gaf.gz *.gmt *.tsv *.tab *.csv *.txt *.obo);;All files (*)"
_FIGURES = "Picture (*.png);;Drawing (*.svg)"
_EMBEDDINGS = "Parquet (*.parquet);;AnnData (*.h5ad);;Table (*.csv)"


@dataclass(frozen=True, slots=True)
class Offers:
    """What the dock makes its lists and forms from.

    Parameters
    ----------
    encoders, projections, clusterings : mapping of str to type of Config
        The first of each is the default.
    novelty, spreading : type of Config
    """

    encoders: Mapping[str, type[Config]]
    projections: Mapping[str, type[Config]]
    clusterings: Mapping[str, type[Config]]
    novelty: type[Config]
    spreading: type[Config]


class ExplorerView(Dock):
    """All controls of the Explorer.

    Parameters
    ----------
    offers : Offers
    """

    def __init__(self, offers: Offers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        guard = WheelGuard(self)
        self.message = MessageLine()
        self.source = SourceRow(list(offers.encoders), list(offers.projections), guard)
        self.tools = ToolRow(guard)
        self.canvas = EmbeddingCanvas()
        self.canvas.set_hint(EMPTY)
        self.selection = SelectionRow()
        self.gallery, self.average = CropGallery(), AveragePanel()
        self.groups = GroupsTab(offers.clusterings, guard)
        self.new = NewTab(offers.novelty, offers.spreading)
        self.options = MapTab(offers.projections, offers.encoders)
        self.link = LinkTab(guard)
        self.proteins = ProteinTab()
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.tabs = QTabWidget()
        self._dark = True
        self._colouring = Colouring(), ""
        self._focus = FocusFollowsMouse(self)
        self._build()
        self._connect()
        self.show_empty(True)

    def _build(self) -> None:
        self.tabs.addTab(self._selection_tab(), "Selection")
        for title, tab in (
            ("Groups", self.groups),
            ("New", self.new),
            ("Proteins", self.proteins),
            ("Map", self.options),
            ("Link", self.link),
            ("Keys", words("The keys of the Explorer.", legend_of(MAP_KEYS))),
        ):
            self.tabs.addTab(scrolled(tab), title)
        map_side = QWidget()
        column = QVBoxLayout(map_side)
        tighten(column)
        for widget in (self.tools, self.canvas, self.selection):
            column.addWidget(widget, 1 if widget is self.canvas else 0)
        self.splitter.addWidget(map_side)
        self.splitter.addWidget(self.tabs)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.stack((self.message, self.source, self.splitter), filler=self.splitter)

    def _selection_tab(self) -> QWidget:
        tab = QWidget()
        column = QVBoxLayout(tab)
        tighten(column)
        column.addWidget(self.gallery, 1)
        column.addWidget(self.average)
        return tab

    def _connect(self) -> None:
        self.tools.fit_requested.connect(self.canvas.fit)
        self.tools.clouds_toggled.connect(self.canvas.set_clouds)
        self.tools.tool_chosen.connect(self.canvas.set_tool)
        self.source.file_requested.connect(self._ask_file)
        self.source.encoder.currentTextChanged.connect(self.options.show_encoder)
        self.tools.choose("lasso")
        self._focus.watch(self.canvas)
        self._focus.watch(self.gallery.grid)

    # What is shown

    def show_message(self, text: str, *, error: bool = False) -> None:
        """Show one sentence at the top, or none."""
        self.message.say(text, error=error)

    def show_empty(self, empty: bool) -> None:
        """Show that there is no map yet, and what to do; or that there is one."""
        if empty:
            self.canvas.set_layout(None)
        for widget in (self.tools, self.selection, self.groups, self.new):
            widget.setEnabled(not empty)
        self.options.show_empty(empty)

    def show_layout(self, layout: npt.NDArray[np.float32], *, refit: bool) -> None:
        """Show where the rows lie, shape (n, 2); with `refit` all of the map."""
        self.canvas.set_layout(layout, keep_view=not refit)
        if refit:
            self.canvas.fit()

    def show_method(self, names: Sequence[str], current: str) -> None:
        """Show which map is on show, of those that can be chosen."""
        self.source.show_methods(names, current)
        self.options.show_method(current)
        self.canvas.set_axes(f"{title_of(current)} 1", f"{title_of(current)} 2")

    def show_colours(self, names: Sequence[str], current: str) -> None:
        """Show what the map can be coloured by, and what it is."""
        self.tools.show_colours(names, current)

    def show_colouring(self, colouring: Colouring, title: str) -> None:
        """Colour the rows."""
        self._colouring = colouring, title
        if colouring.values is not None:
            self.canvas.set_values(colouring.values, title)
        elif colouring.codes is not None:
            self.canvas.set_codes(colouring.codes, colouring.names, self.palette, title)
        else:
            self.canvas.set_codes(None)

    @property
    def palette(self) -> npt.NDArray[np.uint8]:
        """Colour of each category on show, shape (k, 3)."""
        colouring = self._colouring[0]
        table = np.array(categorical(len(colouring.names), self._dark))
        for code, colour in colouring.fixed.items():
            table[code] = list(bytes.fromhex(colour[1:]))
        return table

    def show_selection(self, mask: Mask) -> None:
        """Mark the selected rows."""
        self.canvas.set_selection(mask if mask.any() else None)

    def ring(self, rows: Sequence[int]) -> None:
        """Put rings around rows on the map."""
        self.canvas.ring(rows)

    def show_arrows(
        self, start: npt.NDArray[np.floating] | None, end: npt.NDArray[np.floating] | None
    ) -> None:
        """Draw arrows between places of the map, each of shape (m, 2); None for none."""
        self.canvas.set_arrows(start, end)

    def show_tab(self, name: str) -> None:
        """Bring a tab to the front."""
        titles = [self.tabs.tabText(index) for index in range(self.tabs.count())]
        self.tabs.setCurrentIndex(titles.index(name))

    def show_hover_text(self, text: str) -> None:
        """Show words beside the point under the mouse."""
        self.canvas.set_hover_text(text)

    def show_thumbnail(self, row: int, image: npt.NDArray[np.uint8]) -> None:
        """Show a crop beside the point under the mouse, if it is still that of this row."""
        self.canvas.set_thumbnail(row, image)

    def show_link(self, text: str) -> None:
        """Show which images the map is linked to; "" for none."""
        self.link.show_link(text)

    def show_counts(self, text: str, n_rows: int) -> None:
        """Show how many rows are selected."""
        self.selection.show_selection(text, n_rows)

    def show_classes(self, counts: Mapping[str, int]) -> None:
        """Offer the classes that there are."""
        self.selection.show_classes(counts)

    def show_undo(self, undo: bool, redo: bool) -> None:
        """Show whether anything can be undone and redone."""
        self.selection.show_undo(undo, redo)

    def show_groups(self, sizes: npt.NDArray[np.integer], text: str, n_rest: int) -> None:
        """Show how large each group is, in the colours of the map."""
        self.groups.show_groups(sizes, self._group_colours(len(sizes)), text, n_rest)

    def _group_colours(self, n_groups: int) -> list[QColor]:
        return [QColor(*row) for row in categorical(n_groups, self._dark).tolist()]

    def show_running(self, what: str) -> None:
        """Show what the main button stops: "embedding", "mapping", "stopping" or nothing ("")."""
        self.source.show_running(what)
        self.options.setEnabled(not what)

    def begin_job(self, what: str, text: str) -> None:
        """Show a job that has just been started: "embedding" or "mapping"."""
        self.show_running(what)
        self.source.panel.begin(text)

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Show how far the job is; `total` is 0 while that is unknown."""
        self.source.panel.progress(done, total, text)

    def end_job(self, text: str = "") -> None:
        """Show that no job runs any more, and what became of it."""
        self.show_running("")
        self.source.panel.end(text)

    def show_notes(self, text: str) -> None:
        """Show how the map on show was made."""
        self.options.show_notes(text)

    def set_theme(self, theme: str) -> None:
        """Paint in the colours of a theme of napari."""
        colours = ThemeColours.of(theme)
        self._dark = colours.background.lightness() < _HALF_LIGHT
        self.canvas.set_theme(colours)
        for widget in (self.tools, self.gallery, self.average, self.groups.bars):
            widget.set_colours(colours)
        self.groups.bars.recolour(self._group_colours(len(self.groups.bars.colours)))
        self.show_colouring(*self._colouring)

    def show_kept(self, names: Mapping[int, str]) -> None:
        """Offer the embeddings that the project keeps, by number."""
        self.source.show_kept(names)

    def bind_keys(self, actions: dict[str, Callable[[], object]]) -> None:
        """Have keys do something while the mouse or the keyboard is in the dock."""
        bind_dock_keys(self, MAP_KEYS, actions)

    def choose_tool(self, name: str) -> None:
        """Take up a tool: "pan", "lasso" or "rectangle"."""
        self.tools.choose(name)

    def fit(self) -> None:
        """Show the whole map."""
        self.canvas.fit()

    def open_classes(self) -> None:
        """Open the list of classes, ready for a new name."""
        self.selection.open_classes()

    # What is chosen

    def chosen_method(self) -> str:
        """Return the method of maps that is chosen."""
        name = str(self.source.method.currentText())
        return name if name in self.options.forms else next(iter(self.options.forms))

    def map_config(self, method: str) -> ProjectionConfig:
        """Return the options of a method.

        Raises
        ------
        InputError
            If one is not accepted.
        """
        return self.options.config(method)

    def encoder_config(self) -> CropEncoderConfig:
        """Return the encoder that is chosen, with its options.

        Raises
        ------
        InputError
            If one is not accepted.
        """
        return self.options.encoder_config(self.source.encoder.currentText())

    def export_figure(self, path: Path) -> Path:
        """Write the map as it is on show to a PNG or SVG file."""
        return self.canvas.export(path)

    # Dialogs

    def ask_picks_path(self, folder: Path) -> Path | None:
        """Ask where to write picks."""
        return ask_export_path(self, folder)

    def ask_embedding_path(self, folder: Path) -> Path | None:
        """Ask where to write vectors."""
        return ask_save(self, "Export vectors", folder / "embedding.parquet", _EMBEDDINGS)

    def ask_average_path(self, folder: Path) -> Path | None:
        """Ask where to write an average."""
        return ask_save(self, "Save the average", folder / "average.mrc", "MRC (*.mrc)")

    def ask_figure_path(self, folder: Path) -> Path | None:
        """Ask where to write a picture of the map."""
        return ask_save(self, "Export the map", folder / "map.png", _FIGURES)

    def ask_page_path(self, folder: Path) -> Path | None:
        """Ask where to write the map as a web page."""
        return ask_save(self, "Export the map", folder / "map.html", "Web page (*.html)")

    def ask_standard_path(self) -> Path | None:
        """Ask for a file of what is known of proteins."""
        return next(iter(ask_file(self, "Open a standard", _STANDARDS)), None)

    def _ask_file(self) -> None:
        paths = ask_file(self, "Open vectors", _OPENED)
        if paths:
            self.paths_opened.emit(paths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the gallery beside the map where there is room, else below it."""
        super().resizeEvent(event)
        wide = event.size().width() >= WIDE_PX
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self.splitter.orientation() != wanted:
            self.splitter.setOrientation(wanted)
            self.source.lay_out(wide=wide)

"""Where the cells come from: layers of the viewer, or files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_cryoml._errors import InputError
from napari_cryoml._napari._cell_channels import Channel, channels_of, labels_of, likely_roles
from napari_cryoml._napari._cell_view import OwnLayers, known_columns
from napari_cryoml._widgets.cells._columns import is_ours
from napari_cryoml._widgets.cells._cutting import (
    CellsFound,
    CutTask,
    cut_cells_of,
    find_cells,
    read_cells_of,
)
from napari_cryoml._widgets.cells._desk import Desk
from napari_cryoml._widgets.cells._layer_choices import Choice, Roles
from napari_cryoml._widgets.cells._state import CellState
from napari_cryoml._widgets.classes import Keeping
from napari_cryoml._widgets.jobs import stop_timer

RECUT_MS = 300
"""Options that change closer together than this are cut with once."""

CHANGED = "The labels have changed since the cells were cut: cut again [U]; classes are kept."
STOPPED = "Nothing was cut."
_LAYER_EVENTS = ("inserted", "removed", "reordered", "changed")


class Sources:
    """Brings cells to the dock.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    desk : Desk
    keeping : Keeping
    own : OwnLayers
    """

    taken = Signal(object)
    """There are other cells: a `CellState`."""

    def __init__(self, viewer: Any, desk: Desk, keeping: Keeping, own: OwnLayers) -> None:
        self._viewer = viewer
        self._desk = desk
        self._keeping = keeping
        self._own = own
        self._file = ""
        self._channels: dict[str, Channel] = {}
        self._labels: dict[str, Any] = {}
        self._roles = Roles()
        self._is_chosen = False
        self._given_up = False
        self.running = False
        self.layer: Any | None = None
        self._recut = QTimer()
        self._recut.setSingleShot(True)
        self._recut.setInterval(RECUT_MS)
        self._recut.timeout.connect(self._cut_again)
        for name in _LAYER_EVENTS:
            getattr(viewer.layers.events, name).connect(self.list_layers)

    def close(self) -> None:
        """Let go of the viewer."""
        stop_timer(self._recut)
        for name in _LAYER_EVENTS:
            getattr(self._viewer.layers.events, name).disconnect(self.list_layers)
        self._watch(None)

    # What there is

    def list_layers(self, _event: Any = None) -> None:
        """Offer the channels and Labels layers of the viewer; what was chosen stays."""
        self._channels = {one.key: one for one in channels_of(self._viewer)}
        self._labels = {str(one.unique_id): one for one in labels_of(self._viewer)}
        self._roles = self._completed(self._roles)
        self._desk.view.source.offer(
            [Choice(one.key, one.name) for one in self._channels.values()],
            [Choice(key, str(layer.name)) for key, layer in self._labels.items()],
            self._roles,
        )
        self.tell()

    def _completed(self, roles: Roles) -> Roles:
        """Return roles with a likely choice for each layer that has gone, or was never chosen."""
        protein, marker = likely_roles(list(self._channels.values()))
        if roles.protein in self._channels and self._is_chosen:
            marker = roles.marker if roles.marker in ("", *self._channels) else marker
            protein = roles.protein
        labels = roles.labels if roles.labels in self._labels else next(iter(self._labels), "")
        return Roles(protein, marker, labels)

    def take_roles(self) -> None:
        """Take the layers that the user has chosen."""
        self._roles, self._is_chosen = self._desk.view.source.roles, True
        self.tell()

    def tell(self) -> None:
        """Show what there is to classify, and what was cut."""
        if self.running:
            return
        cells, words = self._desk.cells, []
        if cells is not None:
            words.append(cells_text(cells, self._file))
        elif self._channels and not self._labels:
            words.append("Choose the channels, and press “Find cells”, or open labels of your own.")
        elif self._channels:
            words.append("Choose the channels and the labels, and cut.")
        self._desk.view.source.show_source(
            " ".join(words),
            can_cut=bool(self._channels and self._labels),
            can_segment=bool(self._channels),
        )

    # Finding and cutting

    def segment(self) -> None:
        """Find cells in the marker, and cut them."""
        desk = self._desk
        with desk.telling():
            if self.running:
                return
            protein, marker = self._need_channels()
            channel = marker or protein
            config = desk.view.source.segment_config()
            self._begin(f"Finding cells in {channel.name}.")
            desk.background.run(
                find_cells,
                channel,
                config,
                on_done=lambda labels: self._take_labels(labels, channel),
                on_error=self._give_up,
            )

    def _take_labels(self, labels: Any, channel: Channel) -> None:
        self._end()
        if self._given_up or channel.layer not in self._viewer.layers:
            self._give_up(STOPPED)
            return
        self._watch(None)
        layer = self._own.show_found(labels, channel.layer)
        roles = self._roles
        self._roles = Roles(roles.protein, roles.marker, str(layer.unique_id))
        self.list_layers()
        self.cut()

    def cut_or_stop(self) -> None:
        """Cut the labelled cells; while that runs, give it up."""
        if self.running:
            self._given_up = True
            self._desk.view.source.begin_job("Stopping…")
        else:
            self.cut()

    def cut(self) -> None:
        """Cut the labelled cells."""
        desk = self._desk
        with desk.telling():
            if self.running:
                return
            protein, marker = self._need_channels()
            layer = self._need_labels()
            channels = (protein,) if marker is None else (protein, marker)
            roles = {"protein": "0", "marker": None if marker is None else "1"}
            config = desk.view.source.cells_config(**roles)
            self._begin("Cutting cells.")
            desk.background.run(
                cut_cells_of,
                CutTask(channels, layer.data, config, _columns_of(layer)),
                None if self._file else desk.project,
                on_done=lambda found: self._take_cut(found, layer),
                on_error=self._give_up,
            )

    def recut(self) -> None:
        """Cut anew with other options, if cells of layers are on show."""
        cells = self._desk.cells
        if cells is not None and cells.in_image:
            self._recut.start()

    def _cut_again(self) -> None:
        if self.running:
            self._recut.start()
        elif self.layer is not None:
            self.cut()

    def _need_channels(self) -> tuple[Channel, Channel | None]:
        protein = self._channels.get(self._roles.protein)
        if protein is None:
            raise InputError("There is no image of cells: open one, or drop it on the canvas.")
        return protein, self._channels.get(self._roles.marker)

    def _need_labels(self) -> Any:
        layer = self._labels.get(self._roles.labels)
        if layer is None:
            raise InputError(
                "No labels are chosen: press “Find cells” [K], or choose a Labels layer with a "
                "number for each cell."
            )
        return layer

    def _take_cut(self, found: CellsFound, layer: Any) -> None:
        self._end()
        if self._given_up or layer not in self._viewer.layers:
            if found.project is not None and found.project is not self._desk.project:
                found.project.close()
            self._give_up(STOPPED)
            return
        self._file = ""
        self._take(found, layer)

    # Files

    def open_paths(self, paths: list[Path]) -> None:
        """Open crops from files."""
        with self._desk.telling():
            if self.running:
                raise InputError("Cells are being cut or read: wait until they are there.")
            self._begin(f"Reading {Path(paths[0]).name}…")
            self._desk.background.run(
                read_cells_of,
                [Path(path) for path in paths],
                on_done=lambda found: self._take_file(found, Path(paths[0]).name),
                on_error=self._give_up,
            )

    def _take_file(self, found: CellsFound, name: str) -> None:
        self._end()
        self._file = name
        self._take(found, None)

    # Both

    def _take(self, found: CellsFound, layer: Any | None) -> None:
        desk = self._desk
        self._keeping.use(found.project, own=True)
        self._watch(layer)
        known = {} if found.project is None else found.project.classes()
        self.taken.emit(CellState(found.crops, known, found.image))
        self.tell()
        desk.note(" ".join(found.remarks))

    def _watch(self, layer: Any | None) -> None:
        """Listen for changes of the labels that the cells were cut by."""
        before, self.layer = self.layer, layer
        for one, change in ((before, "disconnect"), (layer, "connect")):
            if one is not None:
                for name in ("data", "paint"):
                    getattr(getattr(one.events, name), change)(self._on_labels)

    def _on_labels(self, _event: Any = None) -> None:
        if not self.running:
            self._desk.note(CHANGED)

    def _begin(self, text: str) -> None:
        self.running, self._given_up = True, False
        self._desk.note("")
        self._desk.view.source.begin_job(text)

    def _end(self) -> None:
        self.running = False
        self._desk.view.source.end_job()
        self.tell()

    def _give_up(self, sentence: str) -> None:
        self._end()
        self._desk.warn(sentence)


def _columns_of(layer: Any) -> Callable[[Any], dict[str, Any]]:
    """Return what tells the features of a layer by labels, without those that we have written."""
    return partial(known_columns, layer, leave_out=is_ours)


def cells_text(cells: CellState, file: str = "") -> str:
    """Return how many cells there are, of what and how large, in a sentence or two."""
    sides = "\N{MULTIPLICATION SIGN}".join(map(str, cells.crops.shape))
    n_channels = cells.crops.n_channels
    where = f" of {file or cells.image}" if file or cells.image else ""
    channels = f"{n_channels} channel{'s' * (n_channels != 1)}"
    text = f"{len(cells):,} cells{where}: {channels}, {sides} pixels."
    proteins = cells.proteins
    if proteins is not None:
        n = len(set(proteins.tolist()) - {""})
        text += f" {n:,} protein{'s' * (n != 1)}."
    return text

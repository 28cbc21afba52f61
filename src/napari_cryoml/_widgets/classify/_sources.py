"""Where the crops come from: picks of the open images, or boxes in a file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._widgets.classes import ClassState, Keeping
from napari_cryoml._widgets.classify._boxes import open_boxes
from napari_cryoml._widgets.classify._desk import Desk
from napari_cryoml._widgets.frame import own_project
from napari_cryoml._widgets.link import crops_of_picks
from napari_cryoml.data import Crops, MissingWedge
from napari_cryoml.project import Project

_LEAST_SIDE = 8


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """Boxes of a file and the project that belongs to them."""

    crops: Crops
    project: Project | None
    remarks: tuple[str, ...]


class Sources:
    """Brings crops to the dock.

    Parameters
    ----------
    desk : Desk
    keeping : Keeping
    """

    taken = Signal(object, object)
    """There are other crops: a `ClassState`, and sentences about what was odd."""

    def __init__(self, desk: Desk, keeping: Keeping) -> None:
        self._desk = desk
        self._keeping = keeping
        self._file = ""
        self._given_up = False
        self.running = False

    def tell(self) -> None:
        """Show what there is to classify, and what was cut."""
        desk, link = self._desk, self._desk.link
        ndim = 3 if link is None else link.ndim
        n_picks = 0 if link is None else link.n_picks
        text = _picks_text(n_picks, 0 if link is None else len(link.images), ndim)
        state = desk.state
        if state is not None:
            ndim = ndim if n_picks else state.ndim
            text = " ".join([text, _crops_text(state, self._file)]).strip()
        desk.view.source.show_source(text, ndim=ndim, can_cut=n_picks > 0)

    # Picks

    def cut_or_stop(self) -> None:
        """Cut crops around all picks; while that runs, give it up."""
        if self.running:
            self._given_up = True
            self._desk.view.source.begin_job("Stopping…")
        else:
            self.cut()

    def cut(self) -> None:
        """Cut crops around all picks."""
        desk = self._desk
        with desk.telling():
            if self.running:
                return
            link, config = desk.links.need(), desk.view.source.crops_config()
            wedge = self._wedge() if link.ndim == 3 else None
            self._begin("Collecting the picks.")
            known = {} if desk.project is None else desk.project.classes()
            desk.background.run(
                crops_of_picks,
                link,
                list(known),
                config,
                wedge,
                on_done=self._take_picks,
                on_error=self._give_up,
            )

    def _wedge(self) -> MissingWedge | None:
        wedge = MissingWedge(*self._desk.view.source.tilts)
        return None if wedge.is_complete else wedge

    def _take_picks(self, found: tuple[Crops, tuple[str, ...]]) -> None:
        crops, remarks = found
        if self._given_up:
            self._give_up("Nothing was cut.")
            return
        if self._keeping.is_own:
            self._keeping.use(self._desk.links.project)
        self._file = ""
        self._keeping.choose(cut=True)
        self._take(crops, remarks)

    # Files

    def open_paths(self, paths: list[Path]) -> None:
        """Open boxes from files."""
        with self._desk.telling():
            if self.running:
                raise InputError("Crops are being read: wait until they are there.")
            self._begin(f"Reading {paths[0].name}…")
            self._desk.background.run(
                _open,
                [Path(path) for path in paths],
                self._wedge(),
                on_done=lambda opened: self._take_file(opened, paths[0].name),
                on_error=self._give_up,
            )

    def _take_file(self, opened: _Opened, name: str) -> None:
        self._keeping.use(opened.project, own=True)
        self._file = name
        self._take(opened.crops, opened.remarks)

    # Both

    def _take(self, crops: Crops, remarks: tuple[str, ...]) -> None:
        self.running = False
        view = self._desk.view
        view.source.end_job("")
        self._desk.note(" ".join(remarks))
        known: Mapping[str, str] = (
            {} if self._desk.project is None else self._desk.project.classes()
        )
        self.taken.emit(ClassState(crops, known), remarks)

    def _begin(self, text: str) -> None:
        self.running, self._given_up = True, False
        self._desk.note("")
        self._desk.view.source.begin_job(text)

    def _give_up(self, sentence: str) -> None:
        self.running = False
        self._desk.view.source.end_job("")
        self._desk.warn(sentence)


def _open(paths: list[Path], wedge: MissingWedge | None) -> _Opened:
    """Read boxes, and find or make their project; beside the GUI's thread."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        crops = open_boxes(paths, wedge)
    remarks = [str(one.message) for one in caught if issubclass(one.category, InputWarning)]
    _check(crops, paths[0])
    try:
        project, remark = own_project(paths[0])
    except InputError as error:
        return _Opened(crops, None, (*remarks, f"Nothing is kept. {error}"))
    _keep_column(project, crops)
    return _Opened(crops, project, (*remarks, *([remark] if remark else [])))


def _check(crops: Crops, path: Path) -> None:
    if len(crops) < 2:
        held = "one box" if len(crops) else "no boxes"
        raise InputError(f"{path.name} holds {held}: two or more were expected.")
    if min(crops.shape) < _LEAST_SIDE:
        sides = " x ".join(map(str, crops.shape))
        raise InputError(
            f"The boxes of {path.name} have {sides} pixels: {_LEAST_SIDE} or more each way were "
            "expected."
        )


def _keep_column(project: Project, crops: Any) -> None:
    """Take over the classes that the file knows, unless some were given before."""
    names = crops.columns.get("class")
    if names is None or project.classes() or project.can_redo:
        return
    pairs = [(one, str(name)) for one, name in zip(crops.ids.tolist(), names.tolist(), strict=True)]
    given = [(one, name) for one, name in pairs if name and name != "nan"]
    if given:
        project.classify([one for one, _ in given], [name for _, name in given])


def _picks_text(n_picks: int, n_images: int, ndim: int) -> str:
    if not n_picks:
        return ""
    what = "tomogram" if ndim == 3 else "image"
    return f"{n_picks:,} pick{'s' * (n_picks != 1)} in {n_images:,} {what}{'s' * (n_images != 1)}."


def _crops_text(state: ClassState, file: str) -> str:
    sides = "\N{MULTIPLICATION SIGN}".join(map(str, state.crops.shape))
    where = f"boxes of {file}" if file else "crops"
    return f"{len(state):,} {where}, {sides} pixels."

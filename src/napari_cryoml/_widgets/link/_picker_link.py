"""The link between a map and the Picker of the same viewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml._napari._map_link import LinkState, PickSource
from napari_cryoml._napari._map_link_labels import labels_of, with_labels
from napari_cryoml._napari._map_link_mouse import LinkMouse
from napari_cryoml._napari._map_link_rows import SAME_PX
from napari_cryoml._napari._picker_camera import PickerCamera
from napari_cryoml._widgets.picker import PickerController
from napari_cryoml.data import UNLABELLED, Picks, PicksTable
from napari_cryoml.picking import with_poses
from napari_cryoml.project import Edit, Project

LOST = "The layer {} was deleted; the Picker brings it back, and the map goes on."


class PickerLink(LinkState):
    """Shows rows of a map among the picks of an open Picker; a `MapLink`.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    controller : PickerController
        From `open_picker`. Further Pickers are told by the signals of `pickers`.
    """

    title = "Picker"
    can_label = True

    def __init__(self, viewer: Any, controller: PickerController) -> None:
        super().__init__()
        self._controller = controller
        self._desk = controller.desk
        self._camera = PickerCamera(viewer, self._desk.layers)
        self._goal: tuple[str, npt.NDArray[np.float64]] | None = None
        self._open = True
        self._painter.reach_px = self._reach_px
        self._mouse = LinkMouse(viewer, self._row_at)
        for signal, slot in self._connections():
            signal.connect(slot)
        self._desk.layers.paint_picks(self._painter, self)

    def close(self) -> None:
        """Give back the usual colours, and let go of the Picker; once."""
        if not self._open:
            return
        self._open = False
        self._mouse.close()
        for signal, slot in self._connections():
            signal.disconnect(slot)
        self._desk.layers.paint_picks(None, self)

    def _connections(self) -> list[tuple[Any, Callable[..., object]]]:
        desk = self._desk
        return [
            (desk.image_shown, self._on_image),
            (desk.refreshed, self._on_change),
            (desk.session_changed, self._on_session),
            (desk.edited, self._on_edit),
            (desk.closing, self._on_closing),
            (desk.layers.lost, self._on_lost),
            (self._mouse.hovered, self._on_hover),
            (self._mouse.clicked, self._on_click),
        ]

    # What is on show

    @property
    def project(self) -> Project | None:
        """The project that is open in the Picker."""
        return None if self._desk.session is None else self._desk.session.project

    @property
    def images(self) -> list[str]:
        """Names of the images that can be read."""
        session = self._desk.session
        return [] if session is None else [n for n in session.names if n in session.sources]

    @property
    def shown(self) -> str | None:
        """Name of the image on show."""
        return self._desk.shown

    @property
    def ndim(self) -> int:
        """Number of axes of the images, 2 or 3."""
        session, images = self._desk.session, self.images
        name = self.shown or (images[0] if images else None)
        return 2 if session is None or name is None else session.entries[name].ndim

    @property
    def n_picks(self) -> int:
        """Number of picks above the threshold in all images."""
        session = self._desk.session
        if session is None:
            return 0
        counts = session.book.counts(session.threshold)
        return sum(counts.get(name, 0) for name in self.images)

    def to_world(self, position: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the place in the viewer's world of a pixel (z)yx of the image on show."""
        return self._desk.layers.to_world(position)

    def picks_source(self) -> PickSource:
        """Return the picks above the threshold of all images that can be read; from any thread.

        They have the orientations and classes of the imported particles that they are.

        Raises
        ------
        InputError
            If no project is open, or nothing has been picked yet.
        """
        session = self._desk.need_session()
        threshold, sources, tables = session.threshold, dict(session.sources), []
        for name in session.names:
            picks = session.picks(name) if name in sources else None
            if picks is not None and len(kept := picks.above(threshold)):
                project, diameter = session.project, session.diameter_in(name)
                posed = with_poses(_named(kept, name), project.imported(name), diameter / 2)
                tables.append(with_labels(posed, project.annotations(name), diameter))
        if not tables:
            raise InputError(
                "There are no picks yet: label some particles, or pick all images in the Picker."
            )
        table = PicksTable.of(tables)
        diameters = {name: session.diameter_in(name) for name in table.images}
        return PickSource(tuple(sources[name] for name in table.images), table, diameters)

    def look_at(self, image: str, position: npt.ArrayLike) -> None:
        """Show an image, and bring a pixel (z)yx of it to the middle."""
        place = np.asarray(position, np.float64)
        if image == self.shown:
            self._goal = None
            self._camera.look_at(place)
        else:
            self._goal = image, place
            self._controller.choose(image)

    # Labels

    def label(self, rows: npt.ArrayLike, label: int) -> Edit | None:
        """Label the places of rows as `POSITIVE` or `NEGATIVE`, in one edit of the project.

        Raises
        ------
        InputError
            If no project is open, an image of the rows is not in it, or it cannot be written.
        """
        places = self._need_places().by_image(rows)
        return self._controller.edits.label_places(places, label)

    def labels(self) -> npt.NDArray[np.int8]:
        """Return the label of each row: `POSITIVE`, `NEGATIVE` or `UNLABELLED`, shape (n,)."""
        places = self._need_places()
        found = np.full(len(places), UNLABELLED, np.int8)
        session = self._desk.session
        for name, labels in (session.all_labels() if session is not None else {}).items():
            rows = places.rows_in(name)
            if len(rows) and session is not None:
                diameter_px = session.diameter_in(name)
                found[rows] = labels_of(places.positions[rows], labels, diameter_px)
        return found

    def pause_labels(self, pause: bool) -> None:
        """Have clicks on the image add no labels of the Picker, or add them again."""
        layer = self._desk.layers.layer("labels")
        if layer is None:
            return
        if pause:
            layer.mode = "pan_zoom"
        else:
            self._desk.layers.start_labelling()

    def tell(self, edit: Edit) -> None:
        """Have all others who link to the Picker hear of an edit of its project."""
        self._desk.edited.emit(edit)

    def undo(self) -> Edit | None:
        """Take back the last edit of the project, and show that in the Picker."""
        return self._controller.undo()

    def redo(self) -> Edit | None:
        """Make again the edit that was undone last, and show that in the Picker."""
        return self._controller.redo()

    # What happens in the Picker

    def _reach_px(self, image: str) -> float:
        """Return how far picks may move, as live picks do with each label, and be the same."""
        session = self._desk.session
        known = session is not None and image in session.entries
        return max(session.diameter_in(image) / 4 if session and known else 0.0, SAME_PX)

    def _redraw(self) -> None:
        if self._open:
            self._desk.layers.paint_picks(self._painter, self)

    def _row_at(self, world: npt.NDArray[np.float64]) -> int:
        layers, places, image = self._desk.layers, self._painter.places, self.shown
        if places is None or image is None or places.ndim != len(layers.need_image().shape):
            return -1
        return int(places.at(image, layers.to_image(world), layers.diameter_px / 2)[0])

    def _on_image(self, name: str) -> None:
        goal, self._goal = self._goal, None
        if goal is not None and goal[0] == name:
            self._camera.look_at(goal[1])
        self.changed.emit()

    def _on_change(self) -> None:
        self.changed.emit()

    def _on_session(self) -> None:
        self._goal = None
        self.changed.emit()

    def _on_edit(self, edit: Edit) -> None:
        self.edited.emit(edit)

    def _on_hover(self, row: int) -> None:
        self.hovered.emit(row)

    def _on_click(self, row: int, mode: str) -> None:
        self.clicked.emit(row, mode)

    def _on_lost(self, role: str) -> None:
        if role in ("image", "picks"):
            self.lost.emit(LOST.format({"image": "of the image", "picks": "of the picks"}[role]))

    def _on_closing(self) -> None:
        self.close()
        self.closed.emit()


def _named(picks: Picks, name: str) -> Picks:
    # Live picks carry the name that the picker was given.
    return picks if picks.image == name else replace(picks, image=name)

"""Labels and the diameter: clicks, drags, undo, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_cryoml import io
from napari_cryoml._errors import InputError
from napari_cryoml._napari._picker_mouse import PickerMouse
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml.data import NEGATIVE, PicksTable
from napari_cryoml.picking import labels_from_table, poses_from_table
from napari_cryoml.picking.live import MarkedBox

Pixel: TypeAlias = npt.NDArray[np.float64]


class Labelling:
    """What the user says about the images.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    desk : Desk
    """

    def __init__(self, viewer: Any, desk: Desk) -> None:
        self._viewer = viewer
        self._desk = desk
        self.mouse = PickerMouse(viewer, desk.layers)
        self.mouse.diameter_drawn.connect(self.take_drawn)
        self.mouse.box_drawn.connect(self.take_box)

    def close(self) -> None:
        """Let go of the mouse."""
        self.mouse.close()

    def start(self) -> None:
        """Get ready for clicks."""
        self._desk.layers.start_labelling()

    def negative(self) -> None:
        """Mark the place under the mouse as no particle."""
        with self._desk.telling():
            self._desk.layers.click_at(self._viewer.cursor.position, NEGATIVE)

    def draw(self, on: bool | None = None) -> None:
        """Take the next drag as the diameter, or not; None to change over."""
        with self._desk.telling():
            self._desk.need_session()
            if not self.mouse.drawing if on is None else on:
                self.mouse.start_drawing()
                self._desk.note("Drag from the centre of one particle to its edge.")
            else:
                self.mouse.stop_drawing()
                self._desk.note("")
        self._desk.view.show_drawing(self.mouse.drawing)
        self._desk.show_box()

    def take_drawn(self, diameter_px: float) -> None:
        """Take the diameter of the circle that was drawn, in pixels of the image on show."""
        self._desk.view.show_drawing(False)
        self._desk.note("")
        self._set_diameter(diameter_px)

    def enter_diameter(self, value: float) -> None:
        """Take a diameter that was typed, in angstrom where the pixel size is known."""
        session = self._desk.session
        name = self._desk.shown or (session.current if session else None)
        if session is None or name is None:
            return
        self._set_diameter(value / (session.entries[name].pixel_size or 1))

    def mark_box(self, on: bool) -> None:
        """Take the next drag as a box in which every particle is labelled, or take it away."""
        with self._desk.telling():
            session = self._desk.need_session()
            if on:
                self._desk.layers.need_image()
                self.mouse.start_drawing(box=True)
                self._desk.note("Drag a box in which you have labelled every particle.")
                return
            self.mouse.stop_drawing()
            session.mark(None)
            self._desk.note("")
        self._desk.show_box()
        self._desk.refresh()

    def take_box(self, low: Pixel, high: Pixel) -> None:
        """Take a box that was drawn: two corners, pixels (z)yx of the image on show."""
        with self._desk.telling():
            session, image = self._desk.need_session(), self._desk.layers.need_image()
            radius = session.diameter_in(image.name) / 2
            last = np.array(image.shape) - 1.0
            low, high = np.clip(low, 0, last), np.clip(high, 0, last)
            flat = high - low == 0  # across the slice that it was drawn in
            if flat.sum() > len(flat) - 2 or (high - low)[~flat].min() < max(2 * radius, 1):
                self._desk.show_box()
                raise InputError("That box is smaller than a particle: drag a larger one.")
            # A box is drawn in one slice of a tomogram: it holds what is centred near it.
            low[flat], high[flat] = low[flat] - radius, high[flat] + radius
            session.mark(MarkedBox(image=image.name, low=tuple(low), high=tuple(high)))
            self._desk.note("")
        self._desk.show_box()
        self._desk.refresh()

    def _set_diameter(self, diameter_px: float) -> None:
        desk = self._desk
        with desk.telling():
            session = desk.need_session()
            name = desk.shown or session.current
            if name is None:
                return
            longest = max(session.entries[name].shape)
            if diameter_px > longest:
                raise InputError(
                    f"A particle of {diameter_px:.0f} px is larger than the image ({longest} px): "
                    "check the diameter and the pixel size."
                )
            session.set_diameter_in(name, diameter_px)
        desk.show_diameter()
        desk.show_picks()
        desk.refresh()

    def import_file(self, path: str) -> None:
        """Read the positions in a file as labelled particles, as one edit an image."""
        with self._desk.telling():
            session = self._desk.need_session()
            shapes = session.shapes()
            self._desk.background.run(
                lambda: io.read_picks(Path(path), shapes=shapes),
                on_done=self._import,
                on_error=lambda sentence: self._desk.note(sentence, error=True),
            )

    def _import(self, table: PicksTable) -> None:
        with self._desk.telling():
            session = self._desk.need_session()
            found = labels_from_table(table, session.names)
            poses = poses_from_table(table, session.names)
            with session.project.transaction():
                for name, labels in found.items():
                    session.project.annotate(name, add=labels)
                for name, known in poses.items():
                    session.project.set_imported(name, known)
            n_labels = sum(len(labels) for labels in found.values())
            self._desk.note(f"{n_labels} labels of {len(found)} images were read.")
        self._desk.show_labels()
        self._desk.show_picks()
        self._desk.refresh()

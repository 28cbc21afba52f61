"""What the parts of the Picker's controller share: view, layers, session."""

from __future__ import annotations

import numpy as np
from psygnal import Signal

from napari_cryoml._errors import InputError
from napari_cryoml._napari._picker_edits import LabelEdit, LabelSet
from napari_cryoml._napari._picker_layers import PickerLayers
from napari_cryoml._widgets.frame import Telling
from napari_cryoml._widgets.jobs import Background
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml._widgets.picker._view import PickerView
from napari_cryoml.data import ScoreMap


class Desk(Telling):
    """The state of one open Picker.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    view : PickerView
    background : Background
    """

    diameter_shown = Signal()
    """What follows from the diameter is to be shown again."""

    refreshed = Signal()
    """Something in the project may have changed."""

    image_shown = Signal(str)
    """Another image is on the canvas: its name."""

    session_changed = Signal()
    """A project was opened or closed."""

    edited = Signal(object)
    """An edit was taken back or made again: the `Edit`."""

    closing = Signal()
    """The Picker is about to close."""

    def __init__(self, viewer: object, view: PickerView, background: Background) -> None:
        self.view = view
        self.background = background
        self.layers = PickerLayers(viewer, self._commit)
        self._session: Session | None = None
        self._stale: set[str] = set()
        self.layers.noted.connect(self.note)

    @property
    def session(self) -> Session | None:
        """The open project."""
        return self._session

    @session.setter
    def session(self, session: Session | None) -> None:
        if session is not self._session:
            self._session = session
            self.session_changed.emit()

    @property
    def shown(self) -> str | None:
        """Name of the image on the canvas, if it is one of the session."""
        image = self.layers.image
        if self.session is None or image is None or image.name not in self.session.entries:
            return None
        return image.name

    def need_session(self) -> Session:
        """Return the session.

        Raises
        ------
        InputError
            If no image has been opened yet.
        """
        if self.session is None:
            raise InputError("There are no images yet: open some first.")
        return self.session

    def _commit(self, edit: LabelEdit) -> LabelSet:
        session, name = self.need_session(), self.shown
        if name is None:
            raise InputError("This image is not in the project: open it there first.")
        labels = session.commit(name, edit)
        self.show_picks()
        self.refresh()
        return labels

    # What is on show

    def refresh(self) -> None:
        """Show the counts of everything as they are in the project."""
        session = self.session
        if session is None:
            self.view.show_images([], None)
            return
        self._stale = session.stale_images()
        rows = session.rows(session.threshold, self._stale)
        self.view.show_images(rows, session.current)
        positives, negatives = sum(row.positives for row in rows), sum(r.negatives for r in rows)
        free = not session.project.read_only
        undo, redo = free and session.project.can_undo, free and session.project.can_redo
        self.view.show_labels(positives, negatives, undo=undo, redo=redo)
        self.view.show_histogram(session.book.all_scores(), session.threshold)
        self.show_pick_counts(session.threshold)
        place = session.project.path
        saved = f"All is saved in {place.name}." if free else f"{place.name} is only looked at."
        self.view.show_saved(saved, str(place))
        self.refreshed.emit()

    def show_diameter(self) -> None:
        """Show the diameter as it is in the project."""
        session = self.session
        name = self.shown or (session.current if session else None)
        if session is None or name is None:
            self.view.show_diameter(0.0, "px")
            return
        diameter_px, size = session.diameter_in(name), session.entries[name].pixel_size
        self.view.show_diameter(diameter_px * (size or 1), "Å" if size else "px")
        if diameter_px > 0:
            self.layers.set_diameter(diameter_px)
        self.diameter_shown.emit()

    def show_labels(self) -> None:
        """Show the labels of the image on the canvas as they are in the project."""
        if self.session is not None and self.shown is not None:
            self.layers.show_labels(self.session.labels(self.shown))

    def show_picks(self, threshold: float | None = None) -> None:
        """Show the picks of the image on the canvas, above a new threshold if one is given.

        Those that the user has rejected are crosses, or gone where live picking finds them anew.
        """
        session, name = self.session, self.shown
        if session is None or name is None:
            return
        session.count_again(name)
        picks = session.picks(name)
        rejected = session.rejected(name, picks)
        if session.is_live and picks is not None and rejected is not None:
            picks, rejected = picks.take(~rejected), None
        self.layers.show_picks(picks, rejected, threshold)

    def show_box(self) -> None:
        """Show the box in which every particle is labelled, if it is in this image."""
        box = None if self.session is None else self.session.marked
        self.view.live.show_box(box is not None)
        if box is not None and box.image == self.shown:
            self.layers.show_box(np.array(box.low), np.array(box.high))
        else:
            self.layers.show_box(None, None)

    def show_scores(self) -> None:
        """Show the heat map of the image on the canvas."""
        if self.session is not None and self.shown is not None:
            self.draw_scores(self.session.score_map(self.shown))

    def draw_scores(self, score_map: ScoreMap | None) -> None:
        """Draw a heat map over the image on the canvas, and its colour bar in the dock."""
        self.view.show_colour_bar(self.layers.show_scores(score_map))

    def show_pick_counts(self, threshold: float) -> None:
        """Show how many picks a threshold keeps, here and in all images."""
        session = self.session
        counts = session.book.counts(threshold) if session is not None else {}
        if session is None or not counts:
            self.view.show_pick_counts("No picks yet.")
            return
        here = counts.get(self.shown or "", 0)
        images = f"{len(counts)} of {len(session.entries)} images"
        n_all = sum(counts.values())
        text = f"{here} picks here, {n_all} in {images}."
        if session.is_live and n_all and session.first_labelled is not None:
            percent = 100 * session.book.expected_precision(threshold)
            text += f" About {percent:.0f} % are particles."
        if self.shown in self._stale:
            text += " Old: labels or model have changed since."
        self.view.show_pick_counts(text)

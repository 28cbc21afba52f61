"""The layers of the Picker: made once, updated in place, found again by an id of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import LayerLock
from psygnal import Signal

from napari_cryoml._errors import InputError
from napari_cryoml._napari._map_link_labels import reach_px
from napari_cryoml._napari._picker_display import DisplayImage, heat_limits
from napari_cryoml._napari._picker_drawing import LayerDrawing, Painter
from napari_cryoml._napari._picker_edits import LabelEdit, LabelSet, click, merge
from napari_cryoml._napari._picker_layer_book import TAG, TITLES
from napari_cryoml.data import NEGATIVE, POSITIVE, Annotations, Picks, ScoreMap

NOT_IN_SLICES = "Labels are made in slices: go back from 3-D to slices [Ctrl+Y] first."

Commit = Callable[[LabelEdit], LabelSet]


class PickerLayers(LayerDrawing):
    """What the Picker shows in a viewer.

    Layers carry an id of ours in their metadata, so that the user may rename, reorder or delete
    any of them; one that was deleted comes back by `restore`.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    commit : callable
        Takes a `LabelEdit` the user made on the screen and returns the labels as they are then.
        It may raise `InputError`: the edit is then taken back on the screen.
    """

    lost = Signal(str)
    """A layer of ours was deleted: its role. Wait 200 ms, then call `restore`."""

    noted = Signal(str)
    """A sentence for the user about a click."""

    def __init__(self, viewer: Any, commit: Commit) -> None:
        super().__init__(viewer)
        self._commit = commit
        self.next_click_is_negative = False
        viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """Let go of the viewer; the layers stay, unlocked, as the user's own."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        for change in self._slice_events():
            change.disconnect(self._draw_outlines)
        dims = self._viewer.dims
        dims.margin_left = dims.margin_right = (0.0,) * dims.ndim
        for layer in self._ours():
            layer.locked = LayerLock.NONE
            if layer.metadata[TAG].startswith("picker:labels"):
                layer.events.data.disconnect(self._on_labels_changed)
                layer.selected_data.events.items_changed.disconnect(self._on_selection)
            layer.metadata.pop(TAG)

    # What is shown

    @property
    def image(self) -> DisplayImage | None:
        """The image on show."""
        return self._image

    @property
    def labels(self) -> LabelSet:
        """The labels on show."""
        return self._known

    @property
    def diameter_px(self) -> float:
        """Particle diameter in pixels of the image."""
        return self._diameter_px

    @property
    def diameter_world(self) -> float:
        """Particle diameter in units of the viewer's world."""
        return self._diameter_px * self._pixel()

    def show_image(self, image: DisplayImage) -> None:
        """Show another image; labels, picks and heat map of the one before go."""
        before = self._image
        self._image = image
        for layer in self._ours() if before and before.array.ndim != len(image.shape) else ():
            layer.visible = layer.metadata[TAG] in {self._tag(role) for role in TITLES}
        ndim = len(image.shape)
        self._known, self._picks = LabelSet.empty(ndim), None
        self._score_map = self._score_limits = None
        self._rejected = np.empty(0, bool)
        self._draw()
        self._thicken_slices()
        if before is None or before.shape != image.shape or before.pixel_size != image.pixel_size:
            self._viewer.reset_view()

    def show_labels(self, labels: LabelSet) -> None:
        """Show the labels of the image on show."""
        layer = self.layer("labels")
        if layer is not None and labels.same_as(self._known) and self._rows(layer).same_as(labels):
            return
        self._known = labels
        self._draw_labels()

    def show_picks(
        self,
        picks: Picks | None,
        rejected: npt.NDArray[np.bool_] | None = None,
        threshold: float | None = None,
    ) -> None:
        """Show the picks of the image on show, those of `rejected` as crosses.

        A new `threshold` is taken over in the same stroke.
        """
        self._threshold = self._threshold if threshold is None else threshold
        self._picks = picks
        none = np.zeros(0 if picks is None else len(picks), bool)
        self._rejected = none if rejected is None else rejected
        self._draw_picks()

    def paint_picks(self, painter: Painter | None, owner: object = None) -> None:
        """Have picks look as `painter` says, now and when others are shown; None: as usual.

        Parameters
        ----------
        painter : callable, optional
        owner : object, optional
            Whose painter it is: each owner has one, and later ones paint over earlier ones.
        """
        if painter is None:
            self._painters.pop(owner, None)
        else:
            self._painters[owner] = painter
        if self.layer("picks") is not None:
            self._draw_picks()

    def show_scores(self, score_map: ScoreMap | None) -> tuple[float, float] | None:
        """Show a heat map over the image on show, or none; return its darkest and lightest."""
        self._score_map = score_map
        self._score_limits = None if score_map is None else heat_limits(score_map.values)
        self._draw_scores()
        return self._score_limits

    def set_threshold(self, threshold: float) -> None:
        """Hide the picks whose score is less than `threshold`."""
        self._threshold = threshold
        if self.layer("picks") is not None:
            self._draw_picks()

    def set_diameter(self, diameter_px: float) -> None:
        """Draw rings of this diameter, in pixels of the image."""
        self._diameter_px = diameter_px
        self._thicken_slices()
        for role, draw in (("labels", self._draw_labels), ("picks", self._draw_picks)):
            layer = self.layer(role)
            if layer is not None:
                draw()
                if layer.current_size != diameter_px:
                    with self._own_change():
                        layer.current_size = diameter_px

    def toggle(self, role: str) -> None:
        """Show a hidden layer, hide a shown one."""
        layer = self.layer(role)
        if layer is not None:
            layer.visible = not layer.visible

    def set_opacity(self, opacity: float) -> None:
        """Set the opacity of the heat map, 0 to 1."""
        layer = self.layer("scores")
        if layer is not None:
            layer.opacity = opacity

    def start_labelling(self) -> None:
        """Make the labels layer active, so that a click adds a particle."""
        layer = self.layer("labels")
        if layer is not None:
            self._viewer.layers.selection.active = layer
            layer.mode = "add"

    def restore(self) -> None:
        """Make the layers again that the user has deleted."""
        if self._image is None:
            return
        labels_lost = self.layer("labels") is None
        self._draw()
        if labels_lost:
            self.start_labelling()

    # What the user does

    def need_image(self) -> DisplayImage:
        """Return the image on show.

        Raises
        ------
        InputError
            If there is none.
        """
        if self._image is None:
            raise InputError("There is no image on show: open one first.")
        return self._image

    def to_image(self, world: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the image pixel (z)yx of a place in the viewer's world."""
        ndim = len(self.need_image().shape)
        return np.asarray(world, np.float64)[-ndim:] / self._pixel()

    def to_world(self, position: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the place in the viewer's world of an image pixel (z)yx."""
        return np.asarray(position, np.float64) * self._pixel()

    def click_at(self, world: npt.ArrayLike, label: int) -> None:
        """Label the place at `world` as a click with the mouse does."""
        if not self.in_slices:
            self.noted.emit(NOT_IN_SLICES)
        elif self._image is not None:
            self.label_at(self.to_image(world), label)

    def label_at(self, position: npt.ArrayLike, label: int) -> None:
        """Label an image pixel (z)yx as a click with the mouse does."""
        if self._image is None:
            return
        edit = click(
            self._known,
            position,
            label,
            shape=self._image.shape,
            reach_px=self._reach_px(label),
        )
        self._apply(edit)

    @property
    def is_adding(self) -> bool:
        """Whether a click on the canvas adds to the labels layer by itself."""
        layer = self.layer("labels")
        active = self._viewer.layers.selection.active
        return layer is not None and active is layer and str(layer.mode) == "add"

    def _on_labels_changed(self, event: Any) -> None:
        if self._updating or str(event.action.value) not in ("added", "removed", "changed"):
            return
        self._take_edit(event.source, clicked=str(event.action.value) == "added")

    def _on_selection(self, *_: Any) -> None:
        # A paste selects the new points and says nothing else.
        layer = self.layer("labels")
        if not self._updating and layer is not None and len(layer.data) > len(self._known.ids):
            self._take_edit(layer, clicked=False)

    def _take_edit(self, layer: Any, *, clicked: bool) -> None:
        rows = self._rows(layer)
        if self._image is None or len(rows.ids) != len(layer.data):
            return
        n_new = len(rows.ids) - len(self._known.ids)
        if clicked and n_new > 0 and not self.in_slices:
            # Nobody can tell how deep a click on a whole volume goes.
            self.next_click_is_negative = False
            self.noted.emit(NOT_IN_SLICES)
            self.show_labels(self._known)
            return
        if clicked and n_new > 0:
            # napari gives a new point the features of the one selected last: they mean nothing.
            marks = rows.annotations.labels.copy()
            marks[-n_new:] = NEGATIVE if self.next_click_is_negative else POSITIVE
            rows = LabelSet(Annotations(rows.annotations.positions, marks), rows.ids)
        self.next_click_is_negative = False
        last = POSITIVE if not len(rows.ids) else int(rows.annotations.labels[-1])
        reach = self._reach_px(last)
        self._apply(merge(self._known, rows, shape=self._image.shape, reach_px=reach))

    def _apply(self, edit: LabelEdit) -> None:
        self.noted.emit(edit.note)
        labels = self._known
        if edit:
            try:
                labels = self._commit(edit)
            except InputError as error:
                self.noted.emit(str(error))
        self.show_labels(labels)

    def _reach_px(self, label: int) -> float:
        return reach_px(label, self._diameter_px)

    def _connect_labels(self, layer: Any) -> None:
        layer.events.data.connect(self._on_labels_changed)
        layer.selected_data.events.items_changed.connect(self._on_selection)

    def _on_removed(self, event: Any) -> None:
        tag = str(event.value.metadata.get(TAG, ""))
        role = tag.split(":")[1] if tag.startswith("picker:") else ""
        if role not in ("", "diameter", "box"):
            self.lost.emit(role)

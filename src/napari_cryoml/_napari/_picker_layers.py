"""The layers of the Picker: made once, updated in place, found again by an id of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import LayerLock
from psygnal import Signal

from napari_cryoml._errors import InputError
from napari_cryoml._napari._picker_display import DisplayImage
from napari_cryoml._napari._picker_edits import (
    LABEL_NAMES,
    NEW,
    LabelEdit,
    LabelSet,
    click,
    merge,
)
from napari_cryoml._napari._picker_layer_book import (
    NEGATIVE_COLOUR,
    PICK_COLOUR,
    POSITIVE_COLOUR,
    TAG,
    TITLES,
    LayerBook,
    filled,
    heat_limits,
    row_colours,
    widen,
)
from napari_cryoml.data import NEGATIVE, POSITIVE, Annotations, Picks, ScoreMap

Commit = Callable[[LabelEdit], LabelSet]


class PickerLayers(LayerBook):
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
        self._known = LabelSet.empty(2)
        self._picks: Picks | None = None
        self._rejected = np.empty(0, bool)
        self._threshold = 0.0
        self._score_map: ScoreMap | None = None
        self._updating = False
        self.next_click_is_negative = False
        viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """Let go of the viewer; the layers stay, unlocked, as the user's own."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
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

    def show_image(self, image: DisplayImage) -> None:
        """Show another image; labels, picks and heat map of the one before go."""
        before = self._image
        self._image = image
        for layer in self._ours() if before and before.array.ndim != len(image.shape) else ():
            layer.visible = layer.metadata[TAG] in {self._tag(role) for role in TITLES}
        ndim = len(image.shape)
        self._known, self._picks, self._score_map = LabelSet.empty(ndim), None, None
        self._draw_image()
        self._draw_scores()
        self._draw_picks()
        self._draw_labels()
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
        self, picks: Picks | None, rejected: npt.NDArray[np.bool_] | None = None
    ) -> None:
        """Show the picks of the image on show, those of `rejected` as crosses."""
        self._picks = picks
        none = np.zeros(0 if picks is None else len(picks), bool)
        self._rejected = none if rejected is None else rejected
        self._draw_picks()

    def show_scores(self, score_map: ScoreMap | None) -> None:
        """Show a heat map over the image on show, or none."""
        self._score_map = score_map
        self._draw_scores()

    def set_threshold(self, threshold: float) -> None:
        """Hide the picks whose score is less than `threshold`."""
        self._threshold = threshold
        layer = self.layer("picks")
        if layer is not None and self._picks is not None and len(layer.data) == len(self._picks):
            self._hide_poor_picks(layer)

    def set_diameter(self, diameter_px: float) -> None:
        """Draw rings of this diameter, in pixels of the image."""
        self._diameter_px = diameter_px
        with self._own_change():
            for role in ("labels", "picks"):
                layer = self.layer(role)
                if layer is not None and len(layer.data):
                    layer.size = self._sizes(role, len(layer.data))
                if layer is not None:
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
        self._draw_image()
        self._draw_scores()
        self._draw_picks()
        self._draw_labels()
        if labels_lost:
            self.start_labelling()

    def show_circle(self, centre: npt.NDArray[np.float64] | None, radius_px: float) -> None:
        """Show the circle that is being drawn as the diameter; None hides it."""
        layer = self.layer("diameter")
        if centre is None:
            if layer is not None:
                layer.visible = False
            return
        corners = np.repeat(np.asarray(centre, np.float64)[None], 4, axis=0)
        corners[:, -2:] += max(radius_px, 0.5) * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
        if layer is None:
            layer = self._add_circle(corners)
        layer.data = [corners]
        layer.visible = True

    # What the user does

    def to_image(self, world: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the image pixel (z)yx of a place in the viewer's world."""
        if self._image is None:
            raise InputError("There is no image on show: open one first.")
        ndim = len(self._image.shape)
        return np.asarray(world, np.float64)[-ndim:] / self._pixel()

    def click_at(self, world: npt.ArrayLike, label: int) -> None:
        """Label the place at `world` as a click with the mouse does."""
        if self._image is None:
            return
        edit = click(
            self._known,
            self.to_image(world),
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
        # A negative click means whatever lies under the ring; a positive one may be a neighbour.
        return self._diameter_px * (0.5 if label == NEGATIVE else 0.25)

    def _rows(self, layer: Any) -> LabelSet:
        features = layer.features
        marks = np.where(features["label"] == LABEL_NAMES[NEGATIVE], NEGATIVE, POSITIVE)
        positions = np.asarray(layer.data, np.float64)
        if len(marks) != len(positions):
            return LabelSet.empty(positions.shape[1])
        return LabelSet(
            Annotations(positions.copy(), marks.astype(np.int8)),
            np.asarray(features["id"], np.int64).copy(),
        )

    # Drawing

    def _draw_image(self) -> None:
        image = self._image
        if image is None:
            return
        layer = self.layer("image")
        pixel = self._pixel()
        place: dict[str, Any] = {
            "scale": (image.binning * pixel,) * len(image.shape),
            "translate": ((image.binning - 1) / 2 * pixel,) * len(image.shape),
        }
        if layer is None:
            layer = self._viewer.add_image(
                image.array,
                contrast_limits=image.contrast_limits,
                **self._common("image"),
                **place,
            )
            self._viewer.layers.move(len(self._viewer.layers) - 1, 0)
        else:
            layer.data = image.array
            self._place(layer, place)
        layer.contrast_limits_range = widen(image.contrast_limits)
        layer.contrast_limits = image.contrast_limits
        layer.metadata["image"] = image.name

    def _draw_scores(self) -> None:
        layer = self.layer("scores") or self._add_scores()
        score_map = self._score_map
        layer.colorbar.visible = score_map is not None
        if score_map is None:
            layer.data = np.zeros((2,) * layer.ndim, np.float32)
            self._place(layer, self._point_place())
            return
        pixel = self._pixel()
        limits = heat_limits(score_map.values)
        layer.data = np.asarray(score_map.values, np.float32)
        self._place(
            layer,
            {
                "scale": tuple(score_map.scale * pixel),
                "translate": tuple(score_map.offset * pixel),
            },
        )
        layer.contrast_limits_range = widen(limits)
        layer.contrast_limits = limits

    def _draw_picks(self) -> None:
        layer = self.layer("picks")
        if layer is None:
            layer = self._add_points("picks", PICK_COLOUR, {"score": np.empty(0, np.float32)})
        picks = self._picks
        n = 0 if picks is None else len(picks)
        with self._own_change():
            layer.selected_data = set()
            layer.data = np.empty((0, layer.ndim)) if picks is None else picks.positions
            layer.features = {"score": np.zeros(0, np.float32) if picks is None else self._scores()}
            if n:
                layer.symbol = np.where(self._rejected, "x", "disc")
                layer.size = self._sizes("picks", n)
                self._hide_poor_picks(layer)
            self._place(layer, self._point_place())
            layer.editable = False

    def _hide_poor_picks(self, layer: Any) -> None:
        shown = self._shown()
        colours = row_colours(self._rejected, NEGATIVE_COLOUR, PICK_COLOUR)
        # napari 0.9 draws all points of a 2-D layer, whether shown or not: make them clear too.
        colours[~shown, 3] = 0
        with self._own_change():
            layer.border_color = colours
            layer.face_color = filled(colours, self._rejected)
            layer.shown = shown

    def _draw_labels(self) -> None:
        layer = self.layer("labels")
        if layer is None:
            layer = self._add_points(
                "labels", POSITIVE_COLOUR, {"label": np.empty(0, object), "id": np.empty(0, int)}
            )
            layer.feature_defaults = {"label": LABEL_NAMES[POSITIVE], "id": NEW}
            layer.events.data.connect(self._on_labels_changed)
            layer.selected_data.events.items_changed.connect(self._on_selection)
        table = self._known.annotations
        with self._own_change():
            layer.selected_data = set()
            layer.data = table.positions.copy()
            layer.features = {
                "label": np.array([LABEL_NAMES[int(mark)] for mark in table.labels], object),
                "id": self._known.ids,
            }
            layer.feature_defaults = {"label": LABEL_NAMES[POSITIVE], "id": NEW}
            if len(table):
                negative = table.labels == NEGATIVE
                colours = row_colours(negative, NEGATIVE_COLOUR, POSITIVE_COLOUR)
                layer.border_color = colours
                layer.face_color = filled(colours, negative)
                layer.symbol = np.where(negative, "x", "disc")
                layer.size = self._sizes("labels", len(table))
            self._place(layer, self._point_place())

    def _sizes(self, role: str, n: int) -> npt.NDArray[np.float64]:
        sizes = np.full(n, float(self._diameter_px))
        marks = self._rejected if role == "picks" else self._known.annotations.labels == NEGATIVE
        if len(marks) == n:
            sizes[marks] *= 0.4
        return sizes

    def _scores(self) -> npt.NDArray[np.float32]:
        if self._picks is None or self._picks.scores is None:
            return np.zeros(0 if self._picks is None else len(self._picks), np.float32)
        return self._picks.scores

    def _shown(self) -> npt.NDArray[np.bool_]:
        if self._picks is None or self._picks.scores is None:
            return np.ones(0 if self._picks is None else len(self._picks), bool)
        return np.asarray(self._picks.scores >= self._threshold)

    # Keeping track

    def _on_removed(self, event: Any) -> None:
        tag = str(event.value.metadata.get(TAG, ""))
        if tag.startswith("picker:") and not tag.startswith("picker:diameter"):
            self.lost.emit(tag.split(":")[1])

    @contextmanager
    def _own_change(self) -> Iterator[None]:
        before, self._updating = self._updating, True
        try:
            yield
        finally:
            self._updating = before

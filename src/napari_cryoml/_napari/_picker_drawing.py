"""Draws what the Picker knows of an image into its layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._napari._map_link_rows import Painted, laid_over
from napari_cryoml._napari._picker_display import widen
from napari_cryoml._napari._picker_dots import PICK_COLOUR, POSITIVE_COLOUR, Dots, show_dots
from napari_cryoml._napari._picker_edits import LABEL_NAMES, NEW, LabelSet
from napari_cryoml._napari._picker_outlines import OutlineDrawing
from napari_cryoml.data import NEGATIVE, POSITIVE, Annotations, Picks, ScoreMap

Painter = Callable[[str, npt.NDArray[np.float64]], Painted]
"""Takes the name of an image and positions of picks in it, and says how they look."""


class LayerDrawing(OutlineDrawing):
    """The state of the layers and the way it is drawn; every layer is made when it is missing.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__(viewer)
        self._known = LabelSet.empty(2)
        self._picks: Picks | None = None
        self._rejected = np.empty(0, bool)
        self._threshold = 0.0
        self._painters: dict[object, Painter] = {}
        self._score_map: ScoreMap | None = None
        self._score_limits: tuple[float, float] | None = None
        self._updating = False
        self._cold = False

    def _draw(self) -> None:
        self._draw_image()
        self._draw_scores()
        self._draw_picks()
        self._draw_labels()

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
                projection_mode="none",
                **self._common("image"),
                **place,
            )
            self._viewer.layers.move(len(self._viewer.layers) - 1, 0)
        else:
            layer.data = image.array
            self._place(layer, place)
        self._set_limits(layer, image.contrast_limits)
        layer.metadata["image"] = image.name

    def _draw_scores(self) -> None:
        layer = self.layer("scores") or self._add_scores()
        score_map, limits = self._score_map, self._score_limits
        if score_map is None or limits is None:
            if layer.data.shape != (2,) * layer.ndim:
                layer.data = np.zeros((2,) * layer.ndim, np.float32)
            self._place(layer, self._point_place())
            return
        pixel = self._pixel()
        layer.data = np.asarray(score_map.values, np.float32)
        place = {
            "scale": tuple(score_map.scale * pixel),
            "translate": tuple(score_map.offset * pixel),
        }
        self._place(layer, place)
        self._set_limits(layer, limits)

    def _set_limits(self, layer: Any, limits: tuple[float, float]) -> None:
        if tuple(layer.contrast_limits) != limits:
            layer.contrast_limits_range = widen(limits)
            layer.contrast_limits = limits

    def _draw_picks(self) -> None:
        layer = self.layer("picks")
        if layer is None:
            layer = self._add_points("picks", PICK_COLOUR, {"score": np.empty(0, np.float32)})
            self._warm_up(layer)
        if self._cold and self._picks is None:
            return
        self._cold = False
        with self._own_change():
            show_dots(layer, self._pick_dots())
            self._place(layer, self._point_place())
            if layer.editable:
                layer.editable = False

    def _warm_up(self, layer: Any) -> None:
        """Have one invisible dot drawn: the first dot of a layer takes 0.1 s and more."""
        # In the slice that is shown first; small, or the view would be widened for it.
        layer.data = np.array([self._image.shape if self._image else (0,) * layer.ndim]) // 2
        layer.size = 1
        layer.border_color = np.zeros((1, 4))
        self._cold = True

    def settle(self) -> None:
        """Take away what was there to be drawn once; call it when new layers have been drawn."""
        if self._cold:
            self._cold = False
            self._draw_picks()

    def _pick_dots(self) -> Dots:
        """Return the picks above the threshold; those below would cost as much to draw."""
        picks = self._picks
        if picks is None:
            positions, scores = np.empty((0, self._ndim)), np.empty(0, np.float32)
        else:
            positions = picks.positions
            scores = np.zeros(len(picks), np.float32) if picks.scores is None else picks.scores
        shown = np.ones(len(scores), bool)
        if picks is not None and picks.scores is not None:
            shown = scores >= self._threshold
        painted = self._painted(positions[shown])
        return Dots(
            positions[shown],
            {"score": scores[shown], **(painted.columns or {})},
            self._rejected[shown],
            PICK_COLOUR,
            self._diameter_px,
            painted.colours,
            painted.shown,
        )

    def _painted(self, positions: npt.NDArray[np.float64]) -> Painted:
        if self._image is None:
            return Painted()
        name = self._image.name
        return laid_over([painter(name, positions) for painter in self._painters.values()])

    def _draw_labels(self) -> None:
        layer = self.layer("labels")
        if layer is None:
            columns = {"label": np.empty(0, object), "id": np.empty(0, int)}
            layer = self._add_points("labels", POSITIVE_COLOUR, columns)
            layer.feature_defaults = {"label": LABEL_NAMES[POSITIVE], "id": NEW}
            self._connect_labels(layer)
        with self._own_change():
            show_dots(layer, self._label_dots())
            self._place(layer, self._point_place())

    def _label_dots(self) -> Dots:
        table = self._known.annotations
        names = np.array([LABEL_NAMES[int(mark)] for mark in table.labels], object)
        columns: dict[str, npt.NDArray[Any]] = {"label": names, "id": self._known.ids}
        crosses = table.labels == NEGATIVE
        return Dots(table.positions, columns, crosses, POSITIVE_COLOUR, self._diameter_px)

    def _connect_labels(self, layer: Any) -> None:
        """Listen to what the user does to a new labels layer."""

    @staticmethod
    def _rows(layer: Any) -> LabelSet:
        features = layer.features
        marks = np.where(features["label"] == LABEL_NAMES[NEGATIVE], NEGATIVE, POSITIVE)
        positions = np.asarray(layer.data, np.float64)
        if len(marks) != len(positions):
            return LabelSet.empty(positions.shape[1])
        return LabelSet(
            Annotations(positions.copy(), marks.astype(np.int8)),
            np.asarray(features["id"], np.int64).copy(),
        )

    @contextmanager
    def _own_change(self) -> Iterator[None]:
        before, self._updating = self._updating, True
        try:
            yield
        finally:
            self._updating = before

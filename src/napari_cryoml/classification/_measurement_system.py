"""measurements: classes of cells from a handful of labels, by what can be measured of a cell."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml.classification._feature_classifier import Head
from napari_cryoml.classification._feature_system import FeatureSystem
from napari_cryoml.classification._normal_scores import NormalScoreHead
from napari_cryoml.classification._system import Images, systems
from napari_cryoml.features import MeasurementSetConfig, measurement_sets

if TYPE_CHECKING:
    from napari_cryoml.classification._pretrained_encoder import PretrainedEncoder

Rows = npt.NDArray[np.intp]


@systems.register("measurements")
class MeasurementSystem(FeatureSystem):
    """Cells of several channels: intensity, texture, rings and spots, learnt at once.

    The whole crop is measured, with what lies around the cell. Each class is a cloud of
    measurements brought to normal scores, all clouds of one shape, and cells without a label
    help to find that shape.
    """

    brightness: bool = Field(
        False,
        description="Use absolute intensities too; they tell proteins apart by how much of them "
        "there is, and change with exposure.",
    )
    measurement_set: str = Field("builtin", description="Which measurements, as builtin.")
    set_options: dict[str, Any] = Field(
        {}, description="Options of the set by name, as groups of builtin."
    )
    start_from: Path | None = Field(
        None,
        description="Model file of a trained network whose vectors take the place of measurements; "
        "a classifier that is saved needs it where it is.",
    )

    def features_of(self, images: Images) -> Images:
        """Return the measurements of crops (k, C, *shape), shape (k, d), float32.

        Raises
        ------
        InputError
            If there is no such set, its package is missing, or the network in `start_from` is
            gone or was trained on other crops.
        """
        if self.start_from is not None:
            return self._vectors(images)
        return self._set().measure(images).values

    def description(self) -> Hashable:
        """Return what the features depend on."""
        if self.start_from is not None:
            return self.name, str(self.start_from), _changed(self.start_from)
        return self.name, self._set().model_dump_json(), self.measurement_set

    def fit_head(self, features: Images, labels: Rows, n_classes: int) -> Head:
        """Return the head fitted to labelled and unlabelled measurements."""
        return NormalScoreHead.fitted(features, labels, n_classes, self.seed)

    def restore_head(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Head:
        """Return the head that gave these arrays."""
        return NormalScoreHead.of_arrays(arrays)

    def _set(self) -> MeasurementSetConfig:
        made = measurement_sets.create(self.measurement_set, **self.set_options)
        return made.with_brightness() if self.brightness else made

    def _vectors(self, images: Images) -> Images:
        path = self.start_from
        if path is None:
            raise TypeError("no network was given")
        encoder = _encoder(str(path), _changed(path))
        n_channels = getattr(encoder, "n_channels", 1)
        if images.shape[1:] != (n_channels, *encoder.shape):
            given, wanted = (
                " x ".join(map(str, shape))
                for shape in (images.shape[1:], (n_channels, *encoder.shape))
            )
            raise InputError(
                f"The network in {path.name} was trained on crops of {wanted} (channels and "
                f"pixels), and these are of {given}: choose a network for crops like these."
            )
        found = encoder.vectors(images)
        found[~np.isfinite(images).any(axis=tuple(range(1, images.ndim)))] = np.nan
        return found


@functools.lru_cache(maxsize=2)
def _encoder(path: str, changed: int) -> PretrainedEncoder:
    from napari_cryoml.classification._pretrained_encoder import PretrainedEncoder

    return PretrainedEncoder.load(path)


def _changed(path: Path) -> int:
    """Return when a file was changed; 0 if it is gone."""
    return path.stat().st_mtime_ns if path.exists() else 0

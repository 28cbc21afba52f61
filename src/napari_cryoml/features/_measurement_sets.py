"""Sets of measurements by name, and what each can be told."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._registry import Config, Registry
from napari_cryoml.data import Crops
from napari_cryoml.features._measure import RELATIVE, measure
from napari_cryoml.features._measurements import Measurements

MEASUREMENTS_VERSION = "1"
"""Changes whenever the same cells would get other numbers."""


class MeasurementSetConfig(Config):
    """The options of a set of measurements."""

    @property
    def name(self) -> str:
        """The name this set is registered under."""
        return next(name for name in measurement_sets if measurement_sets[name] is type(self))

    def state(self) -> str:
        """Return what measurements depend on beside the options: the version of the code."""
        return MEASUREMENTS_VERSION

    def with_brightness(self) -> Self:
        """Return the set with absolute intensities, where it can be had without them."""
        return self

    @abstractmethod
    def measure(
        self,
        images: npt.ArrayLike,
        masks: npt.ArrayLike | None = None,
        channels: Sequence[str] | None = None,
    ) -> Measurements:
        """Measure cells; see `features.measure`.

        Raises
        ------
        InputError
            If they cannot be measured this way.
        """

    def measure_crops(self, crops: Crops, rows: npt.ArrayLike) -> Measurements:
        """Measure some crops, within their masks where they have some.

        Parameters
        ----------
        crops : Crops
        rows : array of shape (k,)

        Raises
        ------
        InputError
            As `measure`; if an image cannot be read.
        """
        wanted = np.asarray(rows, np.intp)
        masks, channels = getattr(crops, "masks", None), getattr(crops, "channels", None)
        inside = None if masks is None else np.asarray(masks[wanted], np.bool_)
        return self.measure(crops.read(wanted), inside, channels)


measurement_sets: Registry[MeasurementSetConfig] = Registry(
    "set of measurements", order=("builtin", "cellprofiler")
)


@measurement_sets.register("builtin")
class BuiltinMeasurements(MeasurementSetConfig):
    """Our own: intensity, shape, rings, texture, grains, spots and pairs of channels."""

    groups: tuple[str, ...] = Field(
        RELATIVE,
        description="Groups of measurements; brightness, the absolute intensities, is one more.",
    )

    def with_brightness(self) -> Self:
        """Return the set with the group brightness."""
        groups = tuple(dict.fromkeys(("brightness", *self.groups)))
        return self.model_copy(update={"groups": groups})

    def measure(
        self,
        images: npt.ArrayLike,
        masks: npt.ArrayLike | None = None,
        channels: Sequence[str] | None = None,
    ) -> Measurements:
        """Measure cells; see `features.measure`."""
        return measure(images, masks, channels, self.groups)


@measurement_sets.register("cellprofiler")
class CellProfilerMeasurements(MeasurementSetConfig):
    """Those of CellProfiler, by the package cp-measure; twenty times slower than our own."""

    largest: float | None = Field(
        None,
        gt=0,
        description="Pixel value that counts as 1: 255 for images of 8 bits, 65535 for 16; none "
        "for what the type of the crops can hold, and 1 for floating point.",
    )
    costes: bool = Field(
        False,
        description="Colocalisation above the thresholds of Costes; often undefined, and slow.",
    )

    def state(self) -> str:
        """Return the version of cp-measure."""
        from napari_cryoml.features._cell_profiler import cp_measure_version

        return cp_measure_version()

    def measure(
        self,
        images: npt.ArrayLike,
        masks: npt.ArrayLike | None = None,
        channels: Sequence[str] | None = None,
    ) -> Measurements:
        """Measure cells of 2 axes.

        Raises
        ------
        InputError
            If cp-measure is not installed, the crops have 3 axes, or pixels do not span 0 to
            `largest`.
        """
        from napari_cryoml.features._cell_profiler import measure_by_cell_profiler

        return measure_by_cell_profiler(images, masks, channels, self.largest, costes=self.costes)

    def measure_crops(self, crops: Crops, rows: npt.ArrayLike) -> Measurements:
        """Measure some crops; where `largest` is not given, the type they are kept in tells it."""
        kept = getattr(getattr(crops, "array", None), "dtype", None)
        if self.largest is None and kept is not None and np.dtype(kept).kind in "iu":
            known = self.model_copy(update={"largest": float(np.iinfo(kept).max)})
            return known.measure_crops(crops, rows)
        return super().measure_crops(crops, rows)

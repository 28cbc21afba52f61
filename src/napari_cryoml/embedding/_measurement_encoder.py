"""measurements: what can be measured of a cell, as principal components of all cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops
from napari_cryoml.embedding._encoder import CropEncoderConfig, encoders
from napari_cryoml.features import Measurements, MeasurementSetConfig, measurement_sets

Floats = npt.NDArray[np.float32]


@encoders.register("measurements")
class MeasurementEncoderConfig(CropEncoderConfig):
    """For cells: intensity, shape, rings, texture and spots, as principal components of all cells.

    Crops are measured within their masks where they have some, else whole.
    """

    measurement_set: str = Field("builtin", description="Which measurements, as builtin.")
    set_options: dict[str, Any] = Field(
        {}, description="Options of the set by name, as groups of builtin."
    )
    brightness: bool = Field(
        False, description="Measure absolute intensities too, which change with exposure."
    )
    pca: float = Field(
        0.99,
        gt=0,
        le=1,
        description="Share of the variance of the standardised measurements that the principal "
        "components hold; 1 keeps all directions.",
    )

    def state(self) -> str:
        """Return the version of the measurements."""
        return self.measurements().state()

    def check(self, crops: Crops) -> None:
        """Refuse crops that cannot be measured this way."""
        self.measurements().measure_crops(crops, np.arange(min(len(crops), 1)))

    def build(self) -> MeasurementEncoder:
        """Return the encoder."""
        return MeasurementEncoder(self.measurements())

    def finished(
        self, vectors: npt.NDArray[np.floating[Any]], crops: Crops
    ) -> tuple[Floats, tuple[str, ...]]:
        """Return principal components of measurements, and which of these say nothing."""
        names = self.measurements().measure_crops(crops, np.empty(0, np.intp)).names
        table = Measurements(names, np.asarray(vectors, np.float32))
        notes = table.report().sentences()
        try:
            found, _ = table.reduced(self.pca)
        except InputError as error:
            return np.nan_to_num(table.values), (*notes, str(error))
        return found.values, notes

    def measurements(self) -> MeasurementSetConfig:
        """Return the set of measurements.

        Raises
        ------
        InputError
            If there is none of that name, or it has no such option.
        """
        made = measurement_sets.create(self.measurement_set, **self.set_options)
        return made.with_brightness() if self.brightness else made


@dataclass(frozen=True, slots=True)
class MeasurementEncoder:
    """Measurements of single cells, on a scale that half precision can hold.

    Parameters
    ----------
    measurements : MeasurementSetConfig
    """

    measurements: MeasurementSetConfig

    def encode(self, crops: Crops, rows: npt.ArrayLike) -> Floats:
        """Return the measurements of some crops under ``arcsinh``, which shortens long tails."""
        return np.arcsinh(self.measurements.measure_crops(crops, rows).values)

"""What a user decides about the live picker."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from napari_cryoml._registry import Config
from napari_cryoml.data import ImageSource
from napari_cryoml.features import HarmonicsConfig
from napari_cryoml.preprocess import PreprocessConfig, Preprocessor

WORKING_DIAMETER = 14.0
"""Particle diameter in working pixels, for which the features were made."""

_ORDERS = {2: (0, 1, 2, 3, 4, 6), 3: (0, 1, 2, 4)}
"""Angular orders; finer detail of a tomogram is noise, and takes the time of two more degrees."""

LEAST_CLICKS = 3
"""Labelled particles from which on the head is fitted; with fewer there is a preview."""


class MarkedBox(Config):
    """A part of an image in which the user has labelled every particle."""

    image: str = Field(description="Name of the image.")
    low: tuple[float, ...] = Field(description="First corner of the box, pixels (z)yx.")
    high: tuple[float, ...] = Field(description="Opposite corner, pixels (z)yx.")

    @model_validator(mode="after")
    def _check(self) -> MarkedBox:
        pairs = list(zip(self.low, self.high, strict=False))
        if len(self.low) != len(self.high) or not all(low < high for low, high in pairs):
            raise ValueError("a box needs two opposite corners, the first with the lower numbers")
        return self

    def holds(self, positions: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return which positions (n, ndim) lie in the box."""
        inside = (positions >= np.array(self.low)) & (positions <= np.array(self.high))
        return np.asarray(inside.all(axis=1))


class LiveConfig(Config):
    """All options of the live picker; the diameter is the only one without a default."""

    diameter: float = Field(
        gt=0, description="Particle diameter in pixels of the shipped image; the longest axis."
    )
    pixel_size: float | None = Field(
        None,
        gt=0,
        description="Angstrom per pixel that the diameter is given in; images sampled otherwise "
        "are brought to the same scale.",
    )
    ndim: Literal[2, 3] = Field(2, description="2 for micrographs, 3 for tomograms.")
    separation: float = Field(
        0.5,
        gt=0,
        le=2,
        description="Least distance between two picks, as a share of the diameter.",
    )
    head: Literal["auto", "linear", "quadratic"] = Field(
        "auto",
        description="Linear in the features, or with their squares; auto chooses by leaving out "
        "labelled images, or clicks while one image is labelled.",
    )
    encoder: bool = Field(
        True,
        description="Use the learned channels beside the analytic ones (micrographs only).",
    )
    working_diameter: float = Field(
        WORKING_DIAMETER,
        ge=6,
        le=28,
        description="Particle diameter in pixels of the reduced image. A large tomogram takes a "
        "third of the time and memory at 10; the learned channels of micrographs expect 14.",
    )
    mask_borders: bool = Field(
        True, description="Pick nothing in padding, repeated borders and cut-off particles."
    )
    particles_per_image: float | None = Field(
        None,
        gt=0,
        description="How many particles an image holds; none to estimate it from the scores.",
    )
    marked: MarkedBox | None = Field(
        None,
        description="A box in which every particle is labelled, from which their number is "
        "estimated; none to estimate it from the scores alone.",
    )
    device: str = Field("auto", description="Where features are computed: auto, cpu, cuda, mps.")
    seed: int = Field(0, ge=0, description="Seed of the draw of unlabelled places.")

    @property
    def degree(self) -> int | None:
        """Degree of the head; None to choose."""
        return {"auto": None, "linear": 1, "quadratic": 2}[self.head]

    def preprocessor(self) -> Preprocessor:
        """Return what brings an image to its working grid, each image by itself."""
        config = PreprocessConfig(
            working_diameter=self.working_diameter, normalisation="percentile"
        )
        # Percentiles need no draw of pixels: the seed is not that of the user.
        return Preprocessor(self.diameter, config, 0, pixel_size=self.pixel_size)

    def harmonics(self) -> HarmonicsConfig:
        """Return the Config of the analytic features."""
        return HarmonicsConfig(ndim=self.ndim, orders=_ORDERS[self.ndim])

    def diameter_in(self, image: ImageSource) -> float:
        """Return the particle diameter in pixels of `image`, by pixel sizes where known."""
        return self.preprocessor().diameter_in(image)

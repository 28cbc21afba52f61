"""What a user decides about a picker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from napari_cryoml._registry import Config
from napari_cryoml.models import DetectorConfig, NetworkOptions, detectors
from napari_cryoml.objectives import ObjectiveConfig, objectives, reconstruction_weight
from napari_cryoml.preprocess import PreprocessConfig
from napari_cryoml.training import TrainingConfig

_WORKING_SHARE = 0.45
"""Particle diameter on the working grid, as a share of the network's receptive field."""

_PACKING = 0.25
"""Share of a micrograph's area, in squares of one diameter, that particles are taken to fill."""

_FIELDS_IN_A_CUBE = 1.5
"""Largest edge of a crop of a tomogram, in receptive fields of the network."""

_LABELLED = 1.5
"""Particles in an image, for each labelled one, at least."""


class PickerConfig(Config):
    """All options of a picker; the diameter is the only one without a default."""

    diameter: float = Field(
        gt=0, description="Particle diameter in pixels of the shipped image; the longest axis."
    )
    ndim: Literal[2, 3] = Field(2, description="2 for micrographs, 3 for tomograms.")
    model: str = Field("conv31", description="Network that scores each place of an image.")
    objective: str = Field(
        "ge_binomial", description="What training minimises on labelled and unlabelled places."
    )
    autoencoder: float | Literal["auto"] = Field(
        0.0,
        description="Weight of the reconstruction term; 0 for none, auto for 10 / number of "
        "labels as published. Helps with few labels.",
    )
    particles_per_image: float | None = Field(
        None,
        gt=0,
        description="How many particles an image holds, roughly; none to take a quarter of what "
        "fits side by side.",
    )
    separation: float = Field(
        0.5,
        gt=0,
        le=2,
        description="Least distance between two picks, as a share of the diameter.",
    )
    working_diameter: float | None = Field(
        None,
        ge=4,
        le=200,
        description="Particle diameter in pixels of the reduced image the network sees; none to "
        "take 0.45 of the network's receptive field.",
    )
    normalisation: Literal["mixture", "percentile"] = Field(
        "mixture",
        description="Grey values: a two-component mixture shared by all images, as published, or "
        "robust percentiles of each image.",
    )
    background_images: int = Field(
        30,
        ge=0,
        description="How many images without labels take part in training as unlabelled.",
    )
    live_labels: bool = Field(
        False,
        description="Take confident picks of the live picker (probability 0.9 or more) for labels "
        "as well, four for each label of yours at most.",
    )
    device: str = Field("auto", description="Where to train: auto, cpu, cuda, mps.")
    network: NetworkOptions = NetworkOptions()
    training: TrainingConfig = TrainingConfig()

    def detector_config(self) -> DetectorConfig:
        """Return the Config of the network.

        Raises
        ------
        InputError
            If there is no network of that name.
        """
        return detectors.create(self.model, ndim=self.ndim, **self.network.model_dump())

    def training_for(self, n_labels: int) -> TrainingConfig:
        """Return how to train on a number of labels, with what is "auto" decided.

        Crops of a tomogram are cut no larger than one and a half receptive fields: a cube of the
        edge that suits micrographs holds a hundred times their pixels.
        """
        field = self.detector_config().receptive_field
        training = self.training.for_labels(n_labels, field**self.ndim)
        if self.ndim == 2:
            return training
        edge = min(training.crop_size, math.ceil(_FIELDS_IN_A_CUBE * field))
        return training.model_copy(update={"crop_size": edge})

    def objective_config(self) -> ObjectiveConfig:
        """Return the Config of the objective.

        Raises
        ------
        InputError
            If there is no objective of that name.
        """
        return objectives.create(self.objective)

    def preprocess_config(self) -> PreprocessConfig:
        """Return the Config of the preprocessing, at the network's working diameter."""
        diameter = self.working_diameter
        if diameter is None:
            diameter = max(4.0, _WORKING_SHARE * self.detector_config().receptive_field)
        return PreprocessConfig(working_diameter=diameter, normalisation=self.normalisation)

    def reconstruction_weight(self, n_labels: int) -> float:
        """Return the weight of the reconstruction term for a number of labels."""
        return reconstruction_weight(n_labels) if self.autoencoder == "auto" else self.autoencoder

    def expected_particles(self, shape: Sequence[int], n_labels: int = 0) -> float:
        """Return how many particles an image is taken to hold.

        Parameters
        ----------
        shape : sequence of int
            Of the image, its own pixels.
        n_labels : int
            Particles labelled in it. Where the number was not given, half as many more are taken
            to be there at least: a prior that leaves nothing to find teaches to find nothing.
        """
        if self.particles_per_image is not None:
            return max(self.particles_per_image, n_labels)
        fitting = math.prod(shape) / self.diameter**self.ndim
        # A tomogram is a stack of such fields, and its particles shun the next layer as well.
        return max(1.0, fitting * _PACKING ** (self.ndim - 1), _LABELLED * n_labels)

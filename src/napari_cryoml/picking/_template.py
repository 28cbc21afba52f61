"""Template matching with the average of the labelled particles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.picking._baseline import (
    Baseline,
    BaselineConfig,
    baselines,
    labelled_positions,
)
from napari_cryoml.picking._correlation import (
    average_crops,
    ball,
    best_correlation,
    cut_crops,
    rotate,
    rotational_average,
    rotations,
)
from napari_cryoml.preprocess import Preprocessor

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TemplateBaseline(Baseline):
    """Template matching with the average of the labelled particles and its rotations.

    Parameters
    ----------
    preprocessor : Preprocessor
    average : array, float64
        Mean of the labelled crops on the working grid, centred.
    angle_step : float
        Degrees between the rotated copies in 2-D.
    mask_radius : float
        Radius of the round mask, working pixels.
    """

    average: npt.NDArray[np.float64]
    angle_step: float
    mask_radius: float

    def score_working(self, working: Array, radius: float) -> npt.NDArray[np.floating]:
        """Return the best correlation with the rotational average and the rotated copies."""
        turns = rotations(working.ndim, self.angle_step)
        templates = [rotate(self.average, turn) for turn in turns]
        mask = ball(self.average.shape[0] // 2, working.ndim, self.mask_radius)
        return best_correlation(working, [rotational_average(self.average), *templates], mask)


@baselines.register("template")
class TemplateConfig(BaselineConfig):
    """Correlation with the average labelled particle in many orientations.

    The published comparison is with the by-reference picker of EMAN2, which does the like
    (Bepler et al. 2018, table 2).
    """

    angle_step: float = Field(
        15.0,
        gt=0,
        le=360,
        description="Degrees between the rotated copies of the average in 2-D; tomograms take "
        "the 24 rotations of a cube.",
    )
    margin: float = Field(
        1.5,
        ge=1,
        le=4,
        description="Radius of the compared disc over that of the particle; above 1 it takes in "
        "the surroundings.",
    )

    def build(
        self,
        preprocessor: Preprocessor,
        images: Sequence[ImageSource] = (),
        labels: Mapping[str, Annotations] | None = None,
    ) -> TemplateBaseline:
        """Return the picker whose template is the average of the labelled particles."""
        crops: list[npt.NDArray[np.float64]] = []
        mask_radius = 0.0
        for image, positions in labelled_positions(images, labels or {}):
            working, rescaling = preprocessor.apply(image)
            radius = preprocessor.diameter_in(image) / 2 / float(np.mean(rescaling.scale))
            mask_radius = mask_radius or self.margin * radius
            crops.extend(
                cut_crops(working, rescaling.forward(positions), math.ceil(mask_radius) + 1)
            )
        return TemplateBaseline(preprocessor, average_crops(crops), self.angle_step, mask_radius)

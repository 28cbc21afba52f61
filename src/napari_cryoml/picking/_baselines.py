"""Pickers without training, to compare with: blob filters and template matching."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import ndimage

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config, Registry
from napari_cryoml.data import Annotations, ImageSource, Picks, ScoreMap
from napari_cryoml.picking._correlation import (
    average_crops,
    ball,
    best_correlation,
    cut_crops,
    rotate,
    rotational_average,
    rotations,
)
from napari_cryoml.picking._scoring import picks_from_map
from napari_cryoml.preprocess import Preprocessor

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Baseline(ABC):
    """What all baselines share with a trained picker: a score map, and its peaks.

    Parameters
    ----------
    preprocessor : Preprocessor
        Brings an image to the working grid; knows the particle diameter.
    """

    preprocessor: Preprocessor

    def diameter_in(self, image: ImageSource) -> float:
        """Return the particle diameter in pixels of an image."""
        return self.preprocessor.diameter_in(image)

    def score(self, image: ImageSource) -> ScoreMap:
        """Return how much each place of an image looks like a particle.

        Parameters
        ----------
        image : ImageSource

        Returns
        -------
        ScoreMap
            One score a working pixel; its scale is that of the method, no log-odds.

        Raises
        ------
        InputError
            If the image cannot be used.
        """
        working, rescaling = self.preprocessor.apply(image)
        radius = self.diameter_in(image) / 2 / float(np.mean(rescaling.scale))
        scores = np.asarray(self.score_working(working, radius), dtype=np.float32)
        return ScoreMap(scores, rescaling.scale, np.zeros(working.ndim))

    def pick(
        self, image: ImageSource, threshold: float = -math.inf, *, separation: float = 0.5
    ) -> Picks:
        """Return the peaks of the score map.

        Parameters
        ----------
        image : ImageSource
        threshold : float
            Least score; all peaks by default, for the scale differs from method to method.
        separation : float, default 0.5
            Least distance between two picks, as a share of the diameter.
        """
        score_map = self.score(image)
        return picks_from_map(score_map, image, self.diameter_in(image), separation, threshold)

    @abstractmethod
    def score_working(self, working: Array, radius: float) -> npt.NDArray[np.floating]:
        """Return the scores of a normalised image; `radius` is the particle's, in its pixels."""


class BaselineConfig(Config):
    """The options of a baseline."""

    @abstractmethod
    def build(
        self,
        preprocessor: Preprocessor,
        images: Sequence[ImageSource] = (),
        labels: Mapping[str, Annotations] | None = None,
    ) -> Baseline:
        """Return the picker.

        Parameters
        ----------
        preprocessor : Preprocessor
            Fitted to the images, at the diameter of the particles.
        images : sequence of ImageSource
            The labelled ones are read if the baseline uses labels.
        labels : mapping of str to Annotations, optional
            By image name, positions in pixels of the image.

        Raises
        ------
        InputError
            If the baseline needs labelled particles and there are none.
        """


baselines: Registry[BaselineConfig] = Registry("baseline")


@dataclass(frozen=True, slots=True, eq=False)
class BlobBaseline(Baseline):
    """A band-pass filter whose response is largest at the centre of a ball of the right size.

    Parameters
    ----------
    preprocessor : Preprocessor
    ratio : float, optional
        Of the two Gaussians of a difference of Gaussians; None for the Laplacian of one.
    dark : bool
        Whether particles are darker than what is around them.
    """

    ratio: float | None = None
    dark: bool = True

    def score_working(self, working: Array, radius: float) -> npt.NDArray[np.floating]:
        """Return the filtered image, positive where there is a blob."""
        if self.ratio is None:
            sigma = log_sigma(radius, working.ndim)
            response = -(sigma**2) * ndimage.gaussian_laplace(working, sigma)
        else:
            narrow = dog_sigma(radius, working.ndim, self.ratio)
            response = ndimage.gaussian_filter(working, narrow)
            response -= ndimage.gaussian_filter(working, narrow * self.ratio)
        return -response if self.dark else response


def log_sigma(radius: float, ndim: int) -> float:
    """Return the scale at which a Laplacian of a Gaussian answers most to a ball.

    ``radius / sqrt(ndim)``: there the zero crossing lies on the surface of the ball
    (Lindeberg 1998, IJCV 30:79-116, section 5).
    """
    return radius / math.sqrt(ndim)


def dog_sigma(radius: float, ndim: int, ratio: float) -> float:
    """Return the narrower scale at which a difference of Gaussians answers most to a ball.

    Where the two Gaussians are equal lies the zero crossing; put on the surface of the ball,
    ``sigma^2 = radius^2 (1 - ratio^-2) / (2 ndim ln ratio)``. Towards a ratio of 1 this is
    `log_sigma`.
    """
    return radius * math.sqrt((1 - ratio**-2) / (2 * ndim * math.log(ratio)))


class BlobConfig(BaselineConfig):
    """What the blob filters share."""

    contrast: Literal["dark", "bright", "labels"] = Field(
        "dark",
        description="Whether particles are darker or brighter than the ice, or as the labelled "
        "ones are.",
    )

    def _with_contrast(
        self,
        blob: BlobBaseline,
        images: Sequence[ImageSource],
        labels: Mapping[str, Annotations] | None,
    ) -> BlobBaseline:
        if self.contrast != "labels":
            return replace(blob, dark=self.contrast == "dark")
        responses = []
        for image, positions in _labelled(images, labels or {}):
            score_map = replace(blob, dark=True).score(image)
            grid = np.rint(score_map.to_grid(positions)).astype(np.intp)
            grid = np.clip(grid, 0, np.array(score_map.values.shape) - 1)
            responses.append(score_map.values[tuple(grid.T)])
        return replace(blob, dark=float(np.mean(np.concatenate(responses))) >= 0)


@baselines.register("log")
class LogConfig(BlobConfig):
    """Laplacian of a Gaussian, matched to the particle diameter; needs no labels."""

    def build(
        self,
        preprocessor: Preprocessor,
        images: Sequence[ImageSource] = (),
        labels: Mapping[str, Annotations] | None = None,
    ) -> BlobBaseline:
        """Return the filter; labels matter only if the contrast is to be read off them."""
        return self._with_contrast(BlobBaseline(preprocessor), images, labels)


@baselines.register("dog")
class DogConfig(BlobConfig):
    """Difference of Gaussians, matched to the particle diameter; needs no labels.

    References
    ----------
    Voss et al. 2009, J. Struct. Biol. 166:205-213.
    """

    ratio: float = Field(
        1.6,
        gt=1,
        le=10,
        description="Width of the wider Gaussian over that of the narrower one; larger lets more "
        "particle sizes pass.",
    )

    def build(
        self,
        preprocessor: Preprocessor,
        images: Sequence[ImageSource] = (),
        labels: Mapping[str, Annotations] | None = None,
    ) -> BlobBaseline:
        """Return the filter; labels matter only if the contrast is to be read off them."""
        return self._with_contrast(BlobBaseline(preprocessor, self.ratio), images, labels)


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
        for image, positions in _labelled(images, labels or {}):
            working, rescaling = preprocessor.apply(image)
            radius = preprocessor.diameter_in(image) / 2 / float(np.mean(rescaling.scale))
            mask_radius = mask_radius or self.margin * radius
            crops.extend(
                cut_crops(working, rescaling.forward(positions), math.ceil(mask_radius) + 1)
            )
        return TemplateBaseline(preprocessor, average_crops(crops), self.angle_step, mask_radius)


def _labelled(
    images: Sequence[ImageSource], labels: Mapping[str, Annotations]
) -> list[tuple[ImageSource, npt.NDArray[np.float64]]]:
    """Return the images that have labelled particles, and where these lie."""
    found = [
        (image, labels[image.name].positives)
        for image in images
        if image.name in labels and len(labels[image.name].positives)
    ]
    if not found:
        raise InputError(
            "This baseline learns from labelled particles, and none of the images has any: "
            "label some, or choose log or dog with a contrast of dark or bright."
        )
    return found

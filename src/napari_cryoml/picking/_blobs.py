"""Blob filters: pickers that need neither training nor labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import ndimage

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource, Picks, ScoreMap
from napari_cryoml.picking._baseline import (
    Baseline,
    BaselineConfig,
    baselines,
    labelled_positions,
)
from napari_cryoml.picking._peaks import find_peaks
from napari_cryoml.preprocess import Preprocessor

Array = npt.NDArray[np.float32]

_LEVELS = 20
"""Steps between the weakest and the strongest extremum."""

_IMAGES_TO_ASK = 3
_LEAST_SIGMA_PX = 0.7
_HIGH = 99.9
_TINY = 1e-30


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
    sigma : float, optional
        Deviation of the narrower Gaussian in particle radii; by default what suits a ball.
    level : float, optional
        Scores are then counted in twentieths of the way from the weakest extremum of an image to
        the strongest, less this level: those above 0 are picks. None leaves them as they are.
    """

    ratio: float | None = None
    dark: bool = True
    sigma: float | None = None
    level: float | None = None

    def score_working(self, working: Array, radius: float) -> npt.NDArray[np.floating]:
        """Return the filtered image, positive where there is a blob."""
        if self.ratio is None:
            sigma = log_sigma(radius, working.ndim)
            response = -(sigma**2) * ndimage.gaussian_laplace(working, sigma)
        else:
            narrow = self._sigma_px(radius, working.ndim, self.ratio)
            response = ndimage.gaussian_filter(working, narrow)
            response -= ndimage.gaussian_filter(working, narrow * self.ratio)
        return -response if self.dark else response

    def _sigma_px(self, radius: float, ndim: int, ratio: float) -> float:
        if self.sigma is None:
            return dog_sigma(radius, ndim, ratio)
        sigma_px = self.sigma * radius
        if sigma_px < _LEAST_SIGMA_PX:
            raise InputError(
                f"A sigma of {self.sigma / 2:.2g} particle diameters is finer than the reduced "
                "image shows: give a wider one, or check the diameter and the pixel size."
            )
        return sigma_px

    def score(self, image: ImageSource) -> ScoreMap:
        """Return the filtered image, see `Baseline.score`."""
        # Not super(): a slotted dataclass is made anew, and its name is another class.
        score_map = Baseline.score(self, image)
        if self.level is None:
            return score_map
        return replace(score_map, values=in_levels(score_map.values, self.level))

    @property
    def least_score(self) -> float:
        """Score that a pick needs: 0 where there is a level."""
        return -math.inf if self.level is None else 0.0

    def peaks(
        self,
        score_map: ScoreMap,
        image: ImageSource,
        separation: float,
        threshold: float = -math.inf,
    ) -> Picks:
        """Return the extrema of the filtered image, see `Baseline.pick`.

        With a level, they are picked as in Pei et al. 2016: extrema among their neighbours (8 in
        2-D, 18 in 3-D), the strongest first, none nearer to another than the sigma, or half a
        diameter where none was given.
        """
        if self.level is None:
            return Baseline.peaks(self, score_map, image, separation, threshold)
        diameter = self.diameter_in(image)
        apart = diameter / 2 * (self.sigma or 1.0) / float(np.mean(score_map.scale))
        extrema = local_extrema(score_map.values)
        grid, scores = find_peaks(extrema, apart, threshold, subpixel=False, local_maxima=False)
        inside = np.clip(score_map.to_image(grid), 0, np.array(image.shape) - 1)
        return Picks(image.name, inside, scores, image.pixel_size, diameter)


def local_extrema(values: npt.NDArray[np.floating]) -> Array:
    """Return the values of points that no neighbour exceeds, and -inf elsewhere.

    Neighbours are 8 in 2-D and 18 in 3-D: those that share an edge.
    """
    around = ndimage.maximum_filter(
        values, footprint=ndimage.generate_binary_structure(values.ndim, 2), mode="nearest"
    )
    return np.where(values >= around, values, -np.inf).astype(np.float32)


def in_levels(values: npt.NDArray[np.floating], level: float) -> Array:
    """Return scores in twentieths between the weakest and the strongest extremum, less a level.

    With m and M the two, a score above 0 is one above ``m + level (M - m) / 20``.
    """
    extrema = local_extrema(values)
    extrema = extrema[np.isfinite(extrema)]
    low, high = float(extrema.min()), float(extrema.max())
    step = max(high - low, _TINY) / _LEVELS
    return np.asarray((values - low) / step - level, np.float32)


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

    contrast: Literal["dark", "bright", "labels", "auto"] = Field(
        "dark",
        description="Whether particles are darker or brighter than the ice, as the labelled ones "
        "are, or whichever stands out more.",
    )

    def _with_contrast(
        self,
        blob: BlobBaseline,
        images: Sequence[ImageSource],
        labels: Mapping[str, Annotations] | None,
    ) -> BlobBaseline:
        if self.contrast == "auto":
            return replace(blob, dark=_stands_out_dark(blob, images))
        if self.contrast != "labels":
            return replace(blob, dark=self.contrast == "dark")
        responses = []
        for image, positions in labelled_positions(images, labels or {}):
            score_map = replace(blob, dark=True).score(image)
            grid = np.rint(score_map.to_grid(positions)).astype(np.intp)
            grid = np.clip(grid, 0, np.array(score_map.values.shape) - 1)
            responses.append(score_map.values[tuple(grid.T)])
        return replace(blob, dark=float(np.mean(np.concatenate(responses))) >= 0)


def _stands_out_dark(blob: BlobBaseline, images: Sequence[ImageSource]) -> bool:
    """Tell whether the strongest dark blobs of the first images are stronger than the bright."""
    balance = 0.0
    for image in images[:_IMAGES_TO_ASK]:
        try:
            dark = replace(blob, dark=True).score(image).values
        except InputError:
            continue  # said when it is its turn
        low, high = np.percentile(dark, (100 - _HIGH, _HIGH))
        balance += float(high + low)
    return balance >= 0


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

    For tomograms as published: a sigma of 7 nm, ratio 1.1, level 3.

    References
    ----------
    Voss et al. 2009, J. Struct. Biol. 166:205-213. Tomograms: Pei et al. 2016, BMC
    Bioinformatics 17:405.
    """

    ratio: float = Field(
        1.6,
        gt=1,
        le=10,
        description="Width of the wider Gaussian over that of the narrower one; larger lets more "
        "particle sizes pass.",
    )
    sigma: float | None = Field(
        None,
        gt=0,
        description="Deviation of the narrower Gaussian in pixels of the image, 7 nm as published "
        "for tomograms; none to fit it to the diameter.",
    )
    level: float | None = Field(
        None,
        ge=0,
        le=_LEVELS,
        description="Leave out extrema weaker than this many twentieths of the way from the "
        "weakest to the strongest, 3 as published for tomograms; none to keep as many as an image "
        "is expected to hold.",
    )

    def build(
        self,
        preprocessor: Preprocessor,
        images: Sequence[ImageSource] = (),
        labels: Mapping[str, Annotations] | None = None,
    ) -> BlobBaseline:
        """Return the filter; labels matter only if the contrast is to be read off them."""
        sigma = None if self.sigma is None else self.sigma / (preprocessor.diameter / 2)
        blob = BlobBaseline(preprocessor, self.ratio, sigma=sigma, level=self.level)
        return self._with_contrast(blob, images, labels)

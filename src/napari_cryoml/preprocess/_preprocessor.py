"""From an image as it lies on disk to what a network sees, the same way each time."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._registry import Config, describe
from napari_cryoml.data import ImageSource
from napari_cryoml.preprocess._intensity import (
    clip_percentiles,
    mend,
    percentile_normalise,
    without_hot_pixels,
)
from napari_cryoml.preprocess._mixture import ScaledMixture, fit_scaled_mixture
from napari_cryoml.preprocess._rescale import Rescaling, fourier_rescale, working_shape

Image = npt.NDArray[np.float32]

_SAME_PIXEL_SIZE = 0.005
_MIN_MEAN_TO_SPREAD = 3.0
_MAX_MEAN_TO_SPREAD_FACTOR = 2.0
_SAMPLE = 20_000


class PreprocessConfig(Config):
    """How images are brought to one scale and one range of intensities."""

    working_diameter: float = Field(
        14.0,
        ge=4,
        le=200,
        description="Particle diameter in pixels of the image that the network sees; "
        "larger is slower and finer.",
    )
    normalisation: Literal["mixture", "percentile"] = Field(
        "mixture",
        description="Standardise to the background found by a two-component mixture shared by "
        "all images, or each image to its own percentiles.",
    )
    clip_low: float = Field(
        0.1,
        ge=0,
        lt=50,
        description="Percentage of the darkest pixels that are clipped; 0 keeps all.",
    )
    clip_high: float = Field(
        99.9,
        gt=50,
        le=100,
        description="Percentage above which the brightest pixels are clipped; 100 keeps all.",
    )
    mixture_images: int = Field(
        16, ge=1, description="Number of images, drawn at random, that the mixture is fitted to."
    )

    @model_validator(mode="after")
    def _check_percentiles(self) -> PreprocessConfig:
        if self.clip_low >= self.clip_high:
            raise ValueError("clip_low must be smaller than clip_high")
        return self


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """Fourier crop and normalisation with everything that was learnt from the data set.

    Make one by `Preprocessor.fit`, or read it back by `Preprocessor.from_json`.

    Parameters
    ----------
    diameter : float
        Particle diameter in pixels of the images of the fit.
    config : PreprocessConfig
    seed : int
        Seed of the draws of images and pixels.
    pixel_size : float, optional
        Angstrom per pixel of the images of the fit, if they agree; an image sampled differently
        is brought to the same scale.
    mixture : ScaledMixture, optional
        Shared mixture; None under "percentile".
    centred : bool
        Whether each image's mean is subtracted before the mixture is scaled.
    """

    diameter: float
    config: PreprocessConfig
    seed: int
    pixel_size: float | None = None
    mixture: ScaledMixture | None = None
    centred: bool = False

    @classmethod
    def fit(
        cls, images: Sequence[ImageSource], diameter: float, config: PreprocessConfig, seed: int
    ) -> Preprocessor:
        """Learn the shared mixture of a data set.

        The paper's mixture knows one scale an image and no offset, which suits counts: positive,
        and noisier where brighter. Where the mean of an image is not well above its spread, or
        the ratio of the two differs more than twofold between images, the intensities have an
        offset of their own; then each image's mean is subtracted first.

        Parameters
        ----------
        images : sequence of ImageSource
            One or more.
        diameter : float
            Particle diameter in pixels of these images.
        config : PreprocessConfig
        seed : int

        Raises
        ------
        InputError
            If there is no image, the diameter does not fit, or every image is constant or has no
            finite pixel; some such images are passed over.
        """
        if not images:
            raise InputError("Preprocessing needs one image at least; none was given.")
        plain = cls(diameter, config, seed, pixel_size=_common_pixel_size(images))
        if config.normalisation == "percentile":
            return plain
        rng = np.random.default_rng(seed)
        n_used = min(config.mixture_images, len(images))
        used = np.sort(rng.choice(len(images), n_used, replace=False))
        samples = plain._samples([images[i] for i in used], rng)
        centred = not _scale_alike(samples)
        if centred:
            samples = [sample - sample.mean() for sample in samples]
        return replace(plain, mixture=fit_scaled_mixture(samples, seed), centred=centred)

    def diameter_in(self, image: ImageSource) -> float:
        """Return the particle diameter in pixels of `image`, by pixel sizes where known."""
        return self.diameter * self._relative_sampling(image)

    def rescaling(self, image: ImageSource) -> Rescaling:
        """Return the step between `image` and its working grid, without reading it."""
        shape = tuple(image.shape)
        wanted = self.config.working_diameter
        return Rescaling(shape, working_shape(shape, self.diameter_in(image), wanted))

    def apply(self, image: ImageSource) -> tuple[Image, Rescaling]:
        """Return the normalised image on the working grid, and the step between the two.

        A new image gets the scale that makes it likeliest under the shared mixture.

        Returns
        -------
        array of float32, Rescaling

        Raises
        ------
        InputError
            If the image is constant, has no finite pixel, cannot be read, or is smaller than a
            particle.

        Warns
        -----
        InputWarning
            If pixels were not finite (they are set to the median), or the image is sampled
            differently from those of the fit.
        """
        step = self.rescaling(image)
        if self._relative_sampling(image) != 1:
            warnings.warn(
                f"{image.name} has {image.pixel_size:g} angstrom a pixel, the images of the fit "
                f"{self.pixel_size:g}; it was brought to the same scale.",
                InputWarning,
                stacklevel=2,
            )
        working = self._rescaled(image)
        if self.mixture is None:
            config = self.config
            return percentile_normalise(working, config.clip_low, config.clip_high), step
        return self._to_background(working, self.mixture), step

    def _rescaled(self, image: ImageSource) -> Image:
        pixels = without_hot_pixels(mend(image.read(), image.name))
        working = fourier_rescale(pixels, self.rescaling(image).shape_out)
        if self.config.normalisation == "percentile":
            return working
        clipped = clip_percentiles(working, self.config.clip_low, self.config.clip_high)
        return clipped if np.ptp(clipped) > 0 else working

    def _samples(
        self, images: Sequence[ImageSource], rng: np.random.Generator
    ) -> list[npt.NDArray[np.float64]]:
        """Return pixels of each image that can be used; raise the last refusal if none can."""
        samples: list[npt.NDArray[np.float64]] = []
        refusal = None
        for image in images:
            self.rescaling(image)  # a diameter that does not fit is no fault of the image
            try:
                samples.append(_sample(self._rescaled(image), rng))
            except InputError as error:
                refusal = error
        if refusal is not None and not samples:
            raise refusal
        return samples

    def _to_background(self, working: Image, mixture: ScaledMixture) -> Image:
        sample = _sample(working, np.random.default_rng(self.seed))
        offset = 0.0
        if self.centred or not _scale_alike([sample], mixture):
            offset = float(sample.mean())
            unit = 0.0 if self.centred else mixture.mean
            dark, light = mixture.means
            mixture = replace(mixture, means=(dark - unit, light - unit))
        centred = sample - offset
        start = float(np.sqrt(np.mean(centred**2) / (mixture.sigma**2 + mixture.mean**2)))
        return mixture.standardise(working, mixture.scale_of(centred, start), offset)

    def _relative_sampling(self, image: ImageSource) -> float:
        """Return pixels of `image` per pixel of the images of the fit, 1 where not known."""
        if not self.pixel_size or not image.pixel_size:
            return 1.0
        ratio = self.pixel_size / image.pixel_size
        return 1.0 if abs(ratio - 1) < _SAME_PIXEL_SIZE else ratio

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain numbers, lists and strings."""
        mixture = self.mixture
        return {
            "diameter": self.diameter,
            "config": self.config.model_dump(),
            "seed": self.seed,
            "pixel_size": self.pixel_size,
            "centred": self.centred,
            "mixture": mixture
            and {
                "weights": list(mixture.weights),
                "means": list(mixture.means),
                "sigmas": list(mixture.sigmas),
            },
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Preprocessor:
        """Return what `to_json` has written.

        Raises
        ------
        InputError
            If an entry is missing or is of the wrong kind.
        """
        try:
            mixture = values["mixture"]
            size = values["pixel_size"]
            return cls(
                diameter=float(values["diameter"]),
                config=PreprocessConfig(**values["config"]),
                seed=int(values["seed"]),
                pixel_size=None if size is None else float(size),
                mixture=None if mixture is None else _mixture_from(mixture),
                centred=bool(values["centred"]),
            )
        except ValidationError as error:
            raise InputError(f"The preprocessing of this model: {describe(error)}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The preprocessing of this model cannot be read ({error!r}): "
                "it was written by another version, or the file is damaged."
            ) from error


def _mixture_from(values: Mapping[str, Sequence[float]]) -> ScaledMixture:
    (w0, w1), (m0, m1), (s0, s1) = (values[key] for key in ("weights", "means", "sigmas"))
    return ScaledMixture((float(w0), float(w1)), (float(m0), float(m1)), (float(s0), float(s1)))


def _common_pixel_size(images: Sequence[ImageSource]) -> float | None:
    """Return the pixel size if all images say the same one, else None."""
    sizes = [image.pixel_size or 0.0 for image in images]
    alike = np.allclose(sizes, sizes[0], rtol=_SAME_PIXEL_SIZE, atol=0)
    return float(sizes[0]) if alike and sizes[0] > 0 else None


def _sample(image: Image, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    pixels = image.ravel()
    if pixels.size > _SAMPLE:
        drawn = pixels[rng.choice(pixels.size, _SAMPLE, replace=False)]
        pixels = drawn if np.ptp(drawn) > 0 else pixels
    return pixels.astype(np.float64)


def _scale_alike(
    samples: Sequence[npt.NDArray[np.float64]], mixture: ScaledMixture | None = None
) -> bool:
    """Say whether the images may differ by a scale alone, all being well above zero."""
    ratios = [float(sample.mean() / sample.std()) for sample in samples]
    if mixture is not None:
        ratios.append(mixture.mean / mixture.sigma)
    low, high = min(ratios), max(ratios)
    return low > _MIN_MEAN_TO_SPREAD and high < _MAX_MEAN_TO_SPREAD_FACTOR * low

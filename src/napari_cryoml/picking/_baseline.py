"""What pickers without training share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config, Registry
from napari_cryoml.data import Annotations, ImageSource, Picks, ScoreMap
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
        return self.peaks(self.score(image), image, separation, threshold)

    @property
    def least_score(self) -> float:
        """Score that the method itself asks of a pick; ``-inf`` where it has no opinion."""
        return -math.inf

    def peaks(
        self,
        score_map: ScoreMap,
        image: ImageSource,
        separation: float,
        threshold: float = -math.inf,
    ) -> Picks:
        """Return the peaks of a score map that `score` has made, see `pick`."""
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


baselines: Registry[BaselineConfig] = Registry("baseline", order=("log", "dog", "template"))


def labelled_positions(
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

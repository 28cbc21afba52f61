"""What the live picker has learnt from the labels of the moment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import ImageSource, Picks, ScoreMap
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking._peaks import find_peaks
from napari_cryoml.picking._scoring import LOWEST_SCORE
from napari_cryoml.picking.live._calibration import Calibration
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._head import Head
from napari_cryoml.picking.live._prior import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class LiveModel:
    """A head and its calibration, with all it takes to pick an image.

    Parameters
    ----------
    config : LiveConfig
    head : Head
    calibration : Calibration
        From raw scores to log-odds.
    threshold : float
        Log-odds at which the expected F1 over the labelled images is largest.
    n_positives, n_negatives : int
        Labels it was fitted to.
    preview : bool
        Whether there were too few labels for more than a look.
    notes : tuple of str
        Sentences for the user about the labels.
    """

    config: LiveConfig
    head: Head
    calibration: Calibration
    threshold: float
    n_positives: int
    n_negatives: int
    preview: bool = False
    notes: tuple[str, ...] = ()

    @property
    def prior(self) -> Estimate:
        """Particles per image, with its 95 % interval."""
        return self.calibration.particles_per_image

    def score(self, features: FeatureMap) -> ScoreMap:
        """Return the log-odds that a particle is centred at each grid point of an image.

        Where no particle may be centred they are the lowest of the image.
        """
        return self._calibrated(features, raw_scores(self.head, features))

    def pick(self, image: ImageSource, features: FeatureMap) -> tuple[ScoreMap, Picks]:
        """Return the heat map of an image and the peaks in it.

        Parameters
        ----------
        image : ImageSource
            Not read.
        features : FeatureMap
            Of this image.

        Returns
        -------
        ScoreMap
        Picks
            By falling score; a score is the log-odds that the pick is a particle.
        """
        return self.picked(image, features, raw_peaks(self.head, features, self.config, image))

    def picked(
        self, image: ImageSource, features: FeatureMap, found: RawPeaks
    ) -> tuple[ScoreMap, Picks]:
        """Return heat map and picks of an image whose raw peaks are known, see `pick`."""
        log_odds = self.calibration.log_odds(found.scores).astype(np.float32)
        kept = log_odds >= LOWEST_SCORE
        inside = np.clip(found.positions[kept], 0, np.array(image.shape) - 1)
        diameter = self.config.diameter_in(image)
        picks = Picks(image.name, inside, log_odds[kept], image.pixel_size, diameter)
        return self._calibrated(features, found.score_map), picks

    def _calibrated(self, features: FeatureMap, raw: ScoreMap) -> ScoreMap:
        values = self.calibration.log_odds(raw.values).astype(np.float32)
        if features.mask is not None and not features.mask.all():
            values = np.where(features.mask, values, values.min())
        return replace(raw, values=values)


def raw_scores(head: Head, features: FeatureMap) -> ScoreMap:
    """Return the scores of a head before calibration."""
    return ScoreMap(head.score(features.values), features.scale, features.offset)


@dataclass(frozen=True, slots=True, eq=False)
class RawPeaks:
    """What a head finds in an image, before calibration.

    Parameters
    ----------
    score_map : ScoreMap
    positions : array of shape (n, ndim)
        Peaks where a particle may be centred, pixels of the image.
    scores : array of shape (n,)
        Falling.
    """

    score_map: ScoreMap
    positions: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float32]


def raw_peaks(head: Head, features: FeatureMap, config: LiveConfig, image: ImageSource) -> RawPeaks:
    """Score an image and find its peaks.

    The grid has seven points a diameter, which keeps neighbours apart; a finer one was tried and
    found no more.
    """
    score_map = raw_scores(head, features)
    radius = config.separation * config.diameter_in(image) / float(np.mean(score_map.scale))
    peaks, scores = find_peaks(score_map.values, radius, -np.inf)
    positions = score_map.to_image(peaks)
    if features.mask is None or features.mask.all():
        return RawPeaks(score_map, positions, scores)
    last = np.asarray(features.grid) - 1
    nearest = np.clip(np.rint(peaks).astype(np.intp), 0, last)
    usable = features.mask[tuple(nearest.T)]
    return RawPeaks(score_map, positions[usable], scores[usable])

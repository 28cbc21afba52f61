"""From a working image to a score map, and from a score map to picks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_cryoml.data import ImageSource, Picks, ScoreMap
from napari_cryoml.picking._peaks import find_peaks
from napari_cryoml.preprocess import Rescaling

if TYPE_CHECKING:
    import torch

    from napari_cryoml.models import Detector

LOWEST_SCORE = -6.0
"""Picks are kept down to this score (log-odds), so that a higher threshold is a slice of them."""


def score_working_image(
    detector: Detector,
    working: npt.NDArray[np.float32],
    rescaling: Rescaling,
    *,
    device: torch.device | None = None,
    full_resolution: bool = False,
    on_tile: Callable[[int, int], None] | None = None,
) -> ScoreMap:
    """Return the scores of an image that lies on its working grid.

    Parameters
    ----------
    detector : Detector
    working : array of shape (y, x) or (z, y, x), float32
        Normalised.
    rescaling : Rescaling
        Between the image and its working grid.
    device : torch.device, optional
        The CPU by default.
    full_resolution : bool, default False
        A score for each working pixel instead of each step of the network's stride.
    on_tile : callable, optional
        Called with tiles done and tiles in all.
    """
    from napari_cryoml.picking._dense import score_image

    values = score_image(
        detector, working, full_resolution=full_resolution, device=device, on_tile=on_tile
    )
    step = 1 if full_resolution else detector.stride
    return ScoreMap(values, rescaling.scale * step, np.zeros(working.ndim))


def peaks_in_image(
    score_map: ScoreMap, diameter: float, separation: float, threshold: float = LOWEST_SCORE
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Return the peaks of a score map in pixels of its image, and their scores, falling.

    Parameters
    ----------
    score_map : ScoreMap
    diameter : float
        Particle diameter in pixels of the image.
    separation : float
        Least distance between two peaks, as a share of the diameter.
    threshold : float, default -6
        Least score.
    """
    radius = separation * diameter / float(np.mean(score_map.scale))
    peaks, scores = find_peaks(score_map.values, radius, threshold)
    return score_map.to_image(peaks), scores


def picks_from_map(
    score_map: ScoreMap,
    image: ImageSource,
    diameter: float,
    separation: float,
    threshold: float = LOWEST_SCORE,
) -> Picks:
    """Return the peaks of a score map as picks of its image.

    Parameters
    ----------
    score_map : ScoreMap
    image : ImageSource
        Names the picks.
    diameter, separation, threshold : float
        As in `peaks_in_image`.
    """
    positions, scores = peaks_in_image(score_map, diameter, separation, threshold)
    inside = np.clip(positions, 0, np.array(image.shape) - 1)
    return Picks(image.name, inside, scores, image.pixel_size, diameter)

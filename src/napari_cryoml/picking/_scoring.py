"""From a working image to a score map, and from a score map to picks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_cryoml.data import ImageSource, Picks, ScoreMap
from napari_cryoml.picking._peaks import find_peaks
from napari_cryoml.preprocess import Rescaling

if TYPE_CHECKING:
    import torch

    from napari_cryoml.models import Detector

_STEPS_PER_DIAMETER = 10

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
    fine = refine(score_map, diameter)
    radius = separation * diameter / float(np.mean(fine.scale))
    peaks, scores = find_peaks(fine.values, radius, threshold)
    return fine.to_image(peaks), scores


def refine(score_map: ScoreMap, diameter: float) -> ScoreMap:
    """Return a score map whose grid is fine enough to keep neighbouring particles apart.

    Cubic splines between the points of a coarser grid; its points stay as they are.

    Parameters
    ----------
    score_map : ScoreMap
    diameter : float
        Particle diameter in pixels of the image; it is to span ten steps at least.
    """
    step = float(np.max(score_map.scale))
    factor = math.ceil(_STEPS_PER_DIAMETER * step / diameter)
    shape = score_map.values.shape
    if factor < 2 or min(shape) < 2:
        return score_map
    fine = [(size - 1) * factor + 1 for size in shape]
    zoom = [new / old for new, old in zip(fine, shape, strict=True)]
    values = ndimage.zoom(score_map.values, zoom, order=3, mode="nearest", grid_mode=False)
    return ScoreMap(values, score_map.scale / factor, score_map.offset)


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

"""From labels to a live model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking.live._calibration import calibrate, expected_curve
from napari_cryoml.picking.live._channels import particle_channel
from napari_cryoml.picking.live._config import LEAST_CLICKS, LiveConfig
from napari_cryoml.picking.live._examples import collect_examples
from napari_cryoml.picking.live._head import HeadFit, fit_head
from napari_cryoml.picking.live._model import LiveModel, RawPeaks, raw_peaks

Floats = npt.NDArray[np.float64]

CALIBRATION_IMAGES = 3
"""Labelled images whose peaks calibrate the scores; those with the most labels."""

_AT_A_CLICK = 0.5
"""A peak within this share of a diameter of a click is the peak of that click."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveFit:
    """A live model, and what it found on the way.

    Parameters
    ----------
    model : LiveModel
    found : mapping of str to RawPeaks
        Of the images that calibrated it.
    """

    model: LiveModel
    found: Mapping[str, RawPeaks]


def fit_live(
    images: Mapping[str, ImageSource],
    maps: Mapping[str, FeatureMap],
    labels: Mapping[str, Annotations],
    config: LiveConfig,
) -> LiveFit:
    """Fit head and calibration to the labels, from scratch.

    Only labelled images take part, so the same labels give the same model whatever else is in
    the list.

    Parameters
    ----------
    images : mapping of str to ImageSource
        Every labelled image; their pixels are not read.
    maps : mapping of str to FeatureMap
        Their features.
    labels : mapping of str to Annotations
    config : LiveConfig

    Raises
    ------
    InputError
        If no particle is labelled.
    """
    kept = {name: _ordered(entry) for name, entry in sorted(labels.items()) if len(entry)}
    n_positives = sum(len(entry.positives) for entry in kept.values())
    if n_positives == 0:
        raise InputError("There is no labelled particle to learn from: click on three or more.")
    fitted = fit_head(
        collect_examples(maps, kept, config.seed),
        degree=config.degree if n_positives >= LEAST_CLICKS else 1,
        particle_channel=particle_channel(config),
    )
    shown = sorted(kept, key=lambda name: (-len(kept[name]), name))[:CALIBRATION_IMAGES]
    found = {name: raw_peaks(fitted.head, maps[name], config, images[name]) for name in shown}
    peaks = _held_out_peaks(found, images, kept, config, fitted)
    calibration = calibrate(
        fitted.clicks,
        peaks,
        fitted.negatives,
        particles_per_image=config.particles_per_image,
        n_known=sum(len(kept[name].positives) for name in shown),
    )
    model = LiveModel(
        config,
        fitted.head,
        calibration,
        _proposed_threshold(calibration.log_odds(np.concatenate(peaks))),
        n_positives,
        sum(len(entry.negatives) for entry in kept.values()),
        preview=n_positives < LEAST_CLICKS,
    )
    return LiveFit(model, found)


def _ordered(entry: Annotations) -> Annotations:
    """Return labels in the order of their places: who was clicked first does not matter."""
    order = np.lexsort((*entry.positions.T[::-1], entry.labels))
    return Annotations(entry.positions[order], entry.labels[order])


def _held_out_peaks(
    found: Mapping[str, RawPeaks],
    images: Mapping[str, ImageSource],
    labels: Mapping[str, Annotations],
    config: LiveConfig,
    fitted: HeadFit,
) -> list[Floats]:
    """Return the raw scores of the peaks of labelled images, held out where labelled."""
    held_out = _by_image(labels, fitted)
    peaks = []
    for name, entry in found.items():
        places, known = held_out[name]
        reach = _AT_A_CLICK * config.diameter_in(images[name])
        scores = entry.scores.astype(np.float64)
        peaks.append(_replaced(entry.positions, scores, places, known, reach))
    return peaks


def _by_image(
    labels: Mapping[str, Annotations], fitted: HeadFit
) -> dict[str, tuple[Floats, Floats]]:
    """Return labelled places and their held-out scores by image, in the order of the examples."""
    found, n_positive, n_negative = {}, 0, 0
    for name, entry in labels.items():
        positive, negative = entry.positives, entry.negatives
        scores = (
            fitted.clicks[n_positive : n_positive + len(positive)],
            fitted.negatives[n_negative : n_negative + len(negative)],
        )
        found[name] = (np.concatenate([positive, negative]), np.concatenate(scores))
        n_positive, n_negative = n_positive + len(positive), n_negative + len(negative)
    return found


def _replaced(
    positions: Floats, scores: Floats, places: Floats, known: Floats, reach: float
) -> Floats:
    """Return the scores of peaks, those of labelled places by their held-out scores."""
    if not len(positions) or not len(places):
        return scores
    gap, nearest = cKDTree(positions).query(places, distance_upper_bound=reach)
    near = np.isfinite(gap)
    scores = scores.copy()
    scores[nearest[near]] = known[near]
    return scores


def _proposed_threshold(log_odds: Floats) -> float:
    """Return the log-odds at which the expected F1 is largest."""
    thresholds, precision, count = expected_curve(log_odds)
    if not len(thresholds):
        return 0.0
    f1 = 2 * count / (count / precision + count[-1])
    return float(thresholds[int(np.argmax(f1))])

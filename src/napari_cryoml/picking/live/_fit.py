"""From labels to a live model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.special import logit

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking.live._calibration import calibrate, expected_curve
from napari_cryoml.picking.live._channels import particle_channel
from napari_cryoml.picking.live._config import LEAST_CLICKS, LiveConfig, MarkedBox
from napari_cryoml.picking.live._examples import ImageExamples, image_examples, join_examples
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
    *,
    parts: Callable[[str, Annotations], ImageExamples] | None = None,
) -> LiveFit:
    """Fit head and calibration to the labels, from scratch.

    Only labelled images take part, so the same labels give the same model whatever else is in
    the list.

    Parameters
    ----------
    images : mapping of str to ImageSource
        Every labelled image; their pixels are not read.
    maps : mapping of str to FeatureMap
        Their features; only those of a few images are asked for where `parts` is given.
    labels : mapping of str to Annotations
    config : LiveConfig
    parts : callable, optional
        Returns what an image and its labels teach, `image_examples` by default.

    Raises
    ------
    InputError
        If no particle is labelled, or nothing but labels is left of the labelled images.
    """
    kept = {name: in_order(entry) for name, entry in sorted(labels.items()) if len(entry)}
    n_positives = sum(len(entry.positives) for entry in kept.values())
    if n_positives == 0:
        raise InputError("There is no labelled particle to learn from: click on three or more.")
    taught = parts or (lambda name, entry: image_examples(maps[name], entry, config.seed))
    examples = join_examples([taught(name, entry) for name, entry in kept.items()])
    if not len(examples.unlabelled):
        raise InputError(
            "The labelled images hold no place to compare particles with, beyond the labels and "
            "the borders that are masked: label a larger image, or do not mask borders."
        )
    fitted = fit_head(
        examples,
        degree=config.degree if n_positives >= LEAST_CLICKS else 1,
        particle_channel=particle_channel(config),
    )
    shown = _calibrating(kept, config.marked)
    found = {name: raw_peaks(fitted.head, maps[name], config, images[name]) for name in shown}
    peaks, clicks, negatives = _held_out_peaks(found, images, kept, config, fitted)
    calibration = calibrate(
        clicks,
        peaks,
        negatives,
        particles_per_image=config.particles_per_image,
        n_known=sum(len(kept[name].positives) for name in shown),
        exhaustive=_in_box(config.marked, kept, found, peaks),
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


def in_order(entry: Annotations) -> Annotations:
    """Return labels in the order of their places: who was clicked first does not matter."""
    order = np.lexsort((*entry.positions.T[::-1], entry.labels))
    return Annotations(entry.positions[order], entry.labels[order])


def _calibrating(labels: Mapping[str, Annotations], marked: MarkedBox | None) -> list[str]:
    """Return the images whose peaks calibrate the scores."""
    most = sorted(labels, key=lambda name: (-len(labels[name]), name))
    if marked is not None and marked.image in labels:
        most = [marked.image, *(name for name in most if name != marked.image)]
    return sorted(most[:CALIBRATION_IMAGES])


def _in_box(
    marked: MarkedBox | None,
    labels: Mapping[str, Annotations],
    found: Mapping[str, RawPeaks],
    peaks: Sequence[Floats],
) -> tuple[int, Floats] | None:
    """Return the number of particles in the marked box, and the scores of all peaks in it.

    Raises
    ------
    InputError
        If the box lies in an image without labels, or of another number of axes.
    """
    if marked is None:
        return None
    if marked.image not in labels:
        raise InputError(
            f"Every particle of a box in {marked.image!r} is said to be labelled, but that image "
            "has no labels: label them, or take the box away."
        )
    positions = found[marked.image].positions
    if positions.shape[1] != len(marked.low):
        raise InputError(
            f"The marked box has {len(marked.low)} axes, but {marked.image!r} has "
            f"{positions.shape[1]}: give one corner coordinate an axis."
        )
    n_marked = int(marked.holds(labels[marked.image].positives).sum())
    scores = peaks[list(found).index(marked.image)]
    return n_marked, scores[marked.holds(positions)]


def _held_out_peaks(
    found: Mapping[str, RawPeaks],
    images: Mapping[str, ImageSource],
    labels: Mapping[str, Annotations],
    config: LiveConfig,
    fitted: HeadFit,
) -> tuple[list[Floats], Floats, Floats]:
    """Return raw scores of peaks by image, of clicks and of negatives, held out where labelled.

    A click lies near its peak, not on it: what it would lose by not being seen is taken from the
    score of the peak.
    """
    ends = np.cumsum([[len(e.positives), len(e.negatives)] for e in labels.values()], axis=0)
    peaks, clicks, negatives = [], fitted.clicks.copy(), fitted.negatives.copy()
    for (name, entry), end in zip(labels.items(), ends, strict=True):
        if name not in found:
            continue
        scores = found[name].scores.astype(np.float64)
        reach = _AT_A_CLICK * config.diameter_in(images[name])
        for places, held_out, change, last in (
            (entry.positives, clicks, fitted.click_changes, end[0]),
            (entry.negatives, negatives, fitted.negative_changes, end[1]),
        ):
            rows = np.arange(last - len(places), last)
            near, peak = _nearest(found[name].positions, places, reach)
            scores[peak] += change[rows[near]]
            held_out[rows[near]] = scores[peak]
        peaks.append(scores)
    return peaks, clicks, negatives


def _nearest(
    positions: Floats, places: Floats, reach: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """Return which places have a peak within reach, and the peaks of those."""
    if not len(positions) or not len(places):
        return np.zeros(len(places), bool), np.empty(0, np.intp)
    gap, nearest = cKDTree(positions).query(places, distance_upper_bound=reach)
    near = np.isfinite(gap)
    return near, nearest[near]


def _proposed_threshold(log_odds: Floats) -> float:
    """Return the log-odds at which the expected F1 is largest.

    Many thresholds keep the same peaks. A peak is worth keeping from a probability of half the
    best F1 on (Lipton et al. 2014, "Optimal thresholding of classifiers to maximize F1 measure",
    theorem 1), which holds for the peaks of other images too.
    """
    thresholds, precision, count = expected_curve(log_odds)
    if not len(thresholds):
        return 0.0
    f1 = 2 * count / (count / precision + count[-1])
    best = int(np.argmax(f1))
    return float(min(logit(f1[best] / 2), thresholds[best]))

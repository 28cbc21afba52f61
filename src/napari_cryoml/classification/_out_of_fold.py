"""Scores of labelled rows by heads that have not seen their labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from napari_cryoml.classification._feature_classifier import Head
from napari_cryoml.classification._labelled_crops import UNKNOWN
from napari_cryoml.jobs import Command, Event, Job

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


def out_of_fold(
    fit_head: Callable[[Floats, Rows, int], Head],
    features: Floats,
    labels: Rows,
    n_classes: int,
    folds: int,
    seed: int,
) -> Job[Floats]:
    """Fit a head to all folds of the labels but one, for each of them.

    Parameters
    ----------
    fit_head : callable
        Makes a head of features, labels and the number of classes.
    features : array of shape (n, d), finite
    labels : array of shape (n,), intp
        -1 for rows without a label.
    n_classes : int
    folds : int
        Parts of the labels; fewer where a class has fewer labels.
    seed : int
        Of how labels are dealt.

    Yields
    ------
    Event
        After each fold. `Command.STOP` leaves out the others.

    Returns
    -------
    array of shape (n, n_classes), float32
        NaN for rows without a label, and for all where a class has a single label.
    """
    known = np.flatnonzero(labels != UNKNOWN)
    counts = np.bincount(labels[known], minlength=n_classes)
    folds = min(folds, int(counts[counts > 0].min(initial=folds)))
    scores = np.full((len(labels), n_classes), np.nan, np.float32)
    if folds < 2:
        return scores
    part = _dealt(labels[known], folds, np.random.default_rng(seed))
    for fold in range(folds):
        held = known[part == fold]
        # Without its label a row goes on to help as all others do that will be asked about;
        # scores of rows that were not there at all would look less sure than theirs.
        seen = labels.copy()
        seen[held] = UNKNOWN
        scores[held] = fit_head(features, seen, n_classes).scores(features[held])
        event = Event(done=fold + 1, total=folds, message="judging labels by the others")
        if (yield event) is Command.STOP:
            break
    return scores


def _dealt(labels: Rows, folds: int, rng: np.random.Generator) -> Rows:
    """Return a fold for each label, so that each class lies in all of them as evenly as it can."""
    part = np.empty(len(labels), np.intp)
    for number in np.unique(labels):
        rows = np.flatnonzero(labels == number)
        part[rng.permutation(rows)] = np.arange(len(rows)) % folds
    return part

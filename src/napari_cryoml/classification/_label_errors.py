"""Labels that are likely wrong, found by heads that have not seen them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.classification._calibration import fit_temperature, softmax
from napari_cryoml.classification._feature_system import FeatureSystem
from napari_cryoml.classification._labelled_crops import UNKNOWN, LabelledCrops
from napari_cryoml.classification._out_of_fold import out_of_fold
from napari_cryoml.jobs import Job

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class LabelErrors:
    """Labels that are likely wrong, the most doubtful first.

    Parameters
    ----------
    rows : array of shape (k,), intp
        Rows that they belong to.
    given, better : array of shape (k,), intp
        The class that each was given, and the one that it looks like.
    chances : array of shape (k,), float32
        Probability of the given class.
    margins : array of shape (k,), float32
        That probability less the largest of another class; the more negative, the more doubtful.
    n_judged : int
        Labels that could be judged.
    """

    rows: Rows
    given: Rows
    better: Rows
    chances: Floats
    margins: Floats
    n_judged: int

    def __len__(self) -> int:
        return len(self.rows)


def label_errors(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> LabelErrors:
    """Find labels that contradict what is known of the other ones (confident learning).

    The threshold of a class is the mean probability of it among the rows that have its label. A
    row whose probability reaches the threshold of another class, and not that of its own or by
    less, is taken for one of that class. So a class that is hard to tell, and has low
    probabilities throughout, is not blamed for it.

    Parameters
    ----------
    labels : array of shape (n,), int
        Classes of rows; -1 for none, which are passed over.
    probabilities : array of shape (n, L)
        Of each class, from classifiers that have not seen the label of the row; NaN where there
        is none.

    Raises
    ------
    InputError
        If the two do not fit.

    References
    ----------
    Northcutt, Jiang and Chuang 2021 (J. Artificial Intelligence Research 70:1373), section 3.1:
    the confident joint, with its collisions settled by the larger probability; section 3.2 for
    the order, by normalised margin.
    """
    given, chances = np.asarray(labels, np.intp), np.asarray(probabilities, np.float32)
    _check(given, chances)
    rows = np.flatnonzero((given != UNKNOWN) & np.isfinite(chances).all(axis=1))
    own, known = given[rows], chances[rows]
    sure = known >= _thresholds(own, known)
    better = np.where(sure, known, -1.0).argmax(axis=1)
    wrong = sure.any(axis=1) & (better != own)
    margins = _margins(own, known)
    order = np.flatnonzero(wrong)
    order = order[np.argsort(margins[order], kind="stable")]
    return LabelErrors(
        rows=rows[order],
        given=own[order],
        better=better[order].astype(np.intp),
        chances=known[order, own[order]],
        margins=margins[order],
        n_judged=len(rows),
    )


def find_label_errors(
    features: Floats, data: LabelledCrops, system: FeatureSystem
) -> Job[LabelErrors]:
    """Return the job that judges each label by heads that were fitted without it.

    Parameters
    ----------
    features : array of shape (n, d)
        What `FeatureSystem.features_of` gave of each crop; NaN for those that count for nothing.
    data : LabelledCrops
        Its crops are not read.
    system : FeatureSystem
        Whose head is fitted, as many times as it has folds.

    Yields
    ------
    Event
        After each fold. `Command.STOP` leaves the labels of the other folds unjudged.

    Raises
    ------
    InputError
        If a class has no second label to judge the first by.
    """
    finite = np.isfinite(features).all(axis=1)
    labels = np.where(finite, data.labels, UNKNOWN)
    counts = np.bincount(labels[labels != UNKNOWN], minlength=len(data.classes))
    if counts.min() < 2:
        raise InputError(
            f"The class {data.classes[counts.argmin()]!r} has fewer than two labelled cells that "
            "could be measured, and a label is judged by the others: label another."
        )
    scores = np.full((len(labels), len(data.classes)), np.nan, np.float32)
    scores[finite] = yield from out_of_fold(
        system.fit_head,
        features[finite],
        labels[finite],
        len(data.classes),
        system.folds,
        system.seed,
    )
    judged = np.isfinite(scores).all(axis=1)
    temperature = fit_temperature(scores[judged], labels[judged])
    scores[judged] = softmax(scores[judged], temperature)
    return label_errors(labels, scores)


def _check(labels: Rows, chances: Floats) -> None:
    if chances.ndim != 2 or labels.shape != (len(chances),):
        raise InputError(
            f"Labels need one row of probabilities each: {labels.size} labels and an array of "
            f"shape {chances.shape} were given."
        )
    if len(labels) and labels.max() >= chances.shape[1]:
        raise InputError(
            f"There are probabilities of {chances.shape[1]} classes, and a label is of class "
            f"number {labels.max()}: give those of all classes."
        )


def _thresholds(labels: Rows, chances: Floats) -> Floats:
    """Return the mean probability of each class in its own rows; infinite without any."""
    found = np.full(chances.shape[1], np.inf, np.float32)
    for number in np.unique(labels):
        found[number] = chances[labels == number, number].mean(dtype=np.float64)
    return found


def _margins(labels: Rows, chances: Floats) -> Floats:
    others = chances.copy()
    index = np.arange(len(labels))
    others[index, labels] = -np.inf
    return np.asarray(chances[index, labels] - others.max(axis=1, initial=-np.inf), np.float32)

"""Labels of many places at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from napari_cryoml._napari._picker_edits import LABEL_NAMES, LabelEdit, LabelSet, inside
from napari_cryoml.data import NEGATIVE, POSITIVE, UNLABELLED, Annotations, Picks


def reach_px(label: int, diameter_px: float) -> float:
    """Return how near a label must be to be the one that a click means, in pixels."""
    # A negative click means whatever lies under the ring; a positive one may be a neighbour.
    return diameter_px * (0.5 if label == NEGATIVE else 0.25)


def label_all(
    known: LabelSet,
    positions: npt.ArrayLike,
    label: int,
    *,
    shape: tuple[int, ...],
    reach_px: float,
) -> LabelEdit:
    """Return the edit that gives all places of one image the same label.

    As for a click, the nearest label in reach is turned over where it stands if it is of the
    other kind. Unlike a click, it stays if it is of the same kind.

    Parameters
    ----------
    known : LabelSet
        Labels of the image before.
    positions : array of shape (n, ndim)
        Pixel (z)yx. Places outside the image are left out.
    label : int
        `POSITIVE` or `NEGATIVE`.
    shape : tuple of int
        Shape of the image in pixels.
    reach_px : float
        A label this near is that of the place.
    """
    places = np.asarray(positions, np.float64).reshape(-1, len(shape))
    places = np.unique(places[inside(places, shape)], axis=0)
    hits = _nearest(known, places, reach_px)
    free, hit = places[hits < 0], np.unique(hits[hits >= 0])
    turned = hit[known.annotations.labels[hit] != label]
    added = np.concatenate([free, known.annotations.positions[turned].reshape(-1, len(shape))])
    marks = np.full(len(added), label, np.int8)
    return LabelEdit(Annotations(added, marks), [int(known.ids[row]) for row in turned])


def _nearest(
    known: LabelSet, places: npt.NDArray[np.float64], reach_px: float
) -> npt.NDArray[np.intp]:
    """Return the row of the nearest label in reach of each place; -1 for none."""
    none = np.full(len(places), -1, np.intp)
    if not len(known.ids) or not len(places):
        return none
    gaps, rows = cKDTree(known.annotations.positions).query(places)
    return np.where(gaps <= reach_px, rows, none).astype(np.intp)


def labels_of(
    positions: npt.NDArray[np.float64], labels: Annotations, diameter_px: float
) -> npt.NDArray[np.int8]:
    """Return the label of each place of one image, that of the nearest within half a diameter.

    Parameters
    ----------
    positions : array of shape (n, ndim)
        Pixel (z)yx.
    labels : Annotations
        Of the same image.
    diameter_px : float

    Returns
    -------
    array of shape (n,), int8
        `POSITIVE`, `NEGATIVE` or `UNLABELLED`.
    """
    found = np.full(len(positions), UNLABELLED, np.int8)
    finite = np.isfinite(positions).all(axis=1)
    if len(labels) and finite.any():
        gaps, rows = cKDTree(labels.positions).query(positions[finite])
        found[finite] = np.where(gaps <= diameter_px / 2, labels.labels[rows], UNLABELLED)
    return found


def with_labels(picks: Picks, labels: Annotations, diameter_px: float) -> Picks:
    """Return picks with a column ``label`` that says in words what a person called each."""
    marks = labels_of(picks.positions, labels, diameter_px)
    words = np.array(["", LABEL_NAMES[NEGATIVE], LABEL_NAMES[POSITIVE]])[marks - UNLABELLED]
    return replace(picks, columns={**picks.columns, "label": words})

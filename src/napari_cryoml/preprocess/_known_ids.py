"""Picks that were known before, a little beside where they were."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

_ID = re.compile(r"(.+)@(-?\d+(?:\.\d+)?(?:,-?\d+(?:\.\d+)?){1,2})")


def known_ids(
    ids: npt.NDArray[np.str_],
    images: npt.NDArray[np.str_],
    positions: npt.NDArray[np.float64],
    known: Iterable[str],
    reach_px: float,
) -> npt.NDArray[np.str_]:
    """Return the ids of picks, those of known picks for the ones that lie where these were.

    A picker that has learnt more finds the same particle a pixel beside where it was. What is
    known of that particle goes by its id, so the pick takes it over: each known pick at most
    once, by the nearest pick, if both are nearest to each other.

    Parameters
    ----------
    ids, images : array of shape (n,), str
        Of the picks.
    positions : array of shape (n, ndim)
        Pixel (z)yx.
    known : iterable of str
        Ids as `pick_id` writes them; others are passed over.
    reach_px : float
        Largest distance in pixels between a pick and where it was.

    Returns
    -------
    array of shape (n,), str
        Unique if `ids` are.
    """
    names = set(known)
    texts = ids.astype(object)
    is_new = np.array([one not in names for one in texts], bool)
    for image, found in _places(names - set(texts), positions.shape[1]).items():
        rows = np.flatnonzero(is_new & (images == image))
        old = np.array([place for _, place in found])
        for row, number in _pairs(positions[rows], old, reach_px):
            texts[rows[row]] = found[number][0]
    return texts.astype(np.str_)


def _places(known: set[str], ndim: int) -> dict[str, list[tuple[str, list[float]]]]:
    """Return the ids of each image and where they were, in the order of their names."""
    places: dict[str, list[tuple[str, list[float]]]] = defaultdict(list)
    for name in sorted(known):
        parts = _ID.fullmatch(name)
        place = [float(one) for one in parts[2].split(",")] if parts else []
        if parts and len(place) == ndim:
            places[parts[1]].append((name, place))
    return places


def _pairs(
    new: npt.NDArray[np.float64], old: npt.NDArray[np.float64], reach_px: float
) -> list[tuple[int, int]]:
    """Return pairs of rows that are nearest to each other and within reach."""
    if not len(new):
        return []
    distance, nearest_old = cKDTree(old).query(new)
    _, nearest_new = cKDTree(new).query(old)
    mutual = nearest_new[nearest_old] == np.arange(len(new))
    rows = np.flatnonzero(mutual & (distance <= reach_px)).tolist()
    return [(row, int(nearest_old[row])) for row in rows]

"""Words on a map that do not cover each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_STEPS = (0.0, 1.0, -1.0, 2.0, -2.0)


def place_terms(anchors: npt.ArrayLike, sizes: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return where to centre words so that none covers another; the first come first.

    Parameters
    ----------
    anchors : array of shape (k, 2)
        Where each word would best be, pixels xy.
    sizes : array of shape (k, 2)
        Width and height of each word, pixels.

    Returns
    -------
    array of shape (k, 2)
        Its anchor, or up to two lines above or below it; NaN if there is no room.
    """
    anchors = np.asarray(anchors, np.float64).reshape(-1, 2)
    sizes = np.asarray(sizes, np.float64).reshape(-1, 2)
    places = np.full_like(anchors, np.nan)
    for index, (anchor, size) in enumerate(zip(anchors, sizes, strict=True)):
        for step in _STEPS:
            place = anchor + np.array([0, step * size[1]])
            apart = np.abs(places[:index] - place) >= (sizes[:index] + size) / 2
            # A word without a place is in nobody's way.
            apart |= np.isnan(places[:index])
            if apart.any(axis=1).all():
                places[index] = place
                break
    return places

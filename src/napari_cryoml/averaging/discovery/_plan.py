"""Which clusters are looked into, and in which order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging.discovery._config import DiscoveryConfig
from napari_cryoml.embedding import novelty

_FEWEST_CLASSES = 2


def novelty_of(
    vectors: npt.NDArray[np.float32], labels: npt.NDArray[np.str_], config: DiscoveryConfig
) -> tuple[npt.NDArray[np.float32] | None, tuple[str, ...]]:
    """Return the probability of each row to be of no labelled class, and what there is to say.

    Parameters
    ----------
    vectors : array of shape (n, d)
    labels : array of shape (n,), str
        "" where a row has none.
    config : DiscoveryConfig

    Returns
    -------
    probability : array of shape (n,), float32, or None
        None where fewer than two classes have labels.
    notes : tuple of str
        Sentences for the user.
    """
    names = np.unique(labels[labels != ""])
    if len(names) < _FEWEST_CLASSES:
        return None, ()
    found = novelty(vectors, labels, config.novelty)
    return found.probability, found.notes


def worth_a_look(
    clusters: npt.NDArray[np.int32],
    new: npt.NDArray[np.float32] | None,
    config: DiscoveryConfig,
) -> list[int]:
    """Return the clusters that are looked into, the most novel first, or else the largest.

    Parameters
    ----------
    clusters : array of shape (n,), int32
    new : array of shape (n,), or None
        Probability of each row to be of no labelled class.
    config : DiscoveryConfig
    """
    sizes = np.bincount(clusters[clusters >= 0])
    worth = sizes.astype(float)
    if new is not None:
        sums = np.bincount(clusters[clusters >= 0], np.nan_to_num(new[clusters >= 0]))
        worth = sums / np.maximum(sizes, 1)
    order = [int(one) for one in np.argsort(-worth, kind="stable")]
    return [one for one in order if sizes[one] >= config.least][: config.most_clusters]

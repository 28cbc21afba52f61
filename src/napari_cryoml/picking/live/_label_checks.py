"""Labels that cannot be meant: two opinions of one place, places where nothing is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from napari_cryoml.data import Annotations

_SAME_PLACE = 0.25  # of a diameter


def contradictions(labels: Annotations, diameter_px: float) -> tuple[str, ...]:
    """Return a sentence for each kind of contradiction among the labels of one image.

    Places within a quarter of a diameter of each other are taken as one: they cannot be particle
    and no particle, and they cannot be two particles. Negative labels may lie as close as one
    likes.

    Parameters
    ----------
    labels : Annotations
    diameter_px : float
        Particle diameter in pixels of the image.

    Returns
    -------
    tuple of str
        Empty where there is none.
    """
    reach_px = _SAME_PLACE * diameter_px
    both = _near(labels.positives, labels.negatives, reach_px)
    twice = _repeated(labels.positives, reach_px)
    sentences = []
    if len(both):
        sentences.append(
            f"{_counted(len(both), 'place is', 'places are')} labelled both as particle and as no "
            f"particle, within {reach_px:.3g} px ({_first(both)}): delete one of the two labels."
        )
    if len(twice):
        sentences.append(
            f"{_counted(len(twice), 'particle is', 'particles are')} labelled twice, within "
            f"{reach_px:.3g} px ({_first(twice)}): delete one of the two labels, or give a smaller "
            "diameter."
        )
    return tuple(sentences)


def ignored_labels(
    labels: Annotations, shape: Sequence[int], usable: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.bool_]:
    """Return which labels nothing can be learnt from.

    Parameters
    ----------
    labels : Annotations
    shape : sequence of int
        Shape (z)yx of the image, pixels.
    usable : array of bool, optional
        Where particles may be centred, on a grid over the same field of view, of any fineness;
        pixel 0 lies on grid point 0.

    Returns
    -------
    array of bool, shape (n,)
        True for labels outside the image, and for those that lie where particles may not be.
    """
    outside = _outside(labels.positions, shape)
    if usable is None:
        return outside
    scale = np.asarray(shape) / np.asarray(usable.shape)
    places = np.where(outside[:, None], 0, labels.positions)
    index = np.clip(np.rint(places / scale).astype(np.intp), 0, np.asarray(usable.shape) - 1)
    return np.asarray(outside | ~usable[tuple(index.T)])


def near_border(
    labels: Annotations, shape: Sequence[int], usable: npt.NDArray[np.bool_] | None = None
) -> tuple[str, ...]:
    """Return a sentence for labels outside the image, and one for particles near its border.

    Parameters are those of `ignored_labels`. Negative labels near the border are ignored without
    a word: there are no picks in any case.

    Returns
    -------
    tuple of str
        Empty where no label is ignored.
    """
    outside = _outside(labels.positions, shape)
    cut = ignored_labels(labels, shape, usable) & ~outside & (labels.labels == 1)
    sentences = []
    if outside.any():
        sentences.append(
            f"{_counted(int(outside.sum()), 'label lies', 'labels lie')} outside the image "
            f"({_first(labels.positions[outside])}) and cannot be used: delete or move them."
        )
    if cut.any():
        sentences.append(
            f"{_counted(int(cut.sum()), 'particle lies', 'particles lie')} in the padding or too "
            f"near the border to be seen whole ({_first(labels.positions[cut])}) and cannot be "
            "used: click particles further inside."
        )
    return tuple(sentences)


def _outside(positions: npt.NDArray[np.float64], shape: Sequence[int]) -> npt.NDArray[np.bool_]:
    if not len(positions):
        return np.zeros(0, bool)
    within = (positions >= -0.5) & (positions <= np.asarray(shape) - 0.5)  # False for NaN
    return np.asarray(~within.all(axis=1))


def _near(
    positions: npt.NDArray[np.float64], others: npt.NDArray[np.float64], reach_px: float
) -> npt.NDArray[np.float64]:
    """Return those of `positions` that have one of `others` within reach."""
    if not len(positions) or not len(others):
        return positions[:0]
    distances, _ = KDTree(others).query(positions, distance_upper_bound=np.nextafter(reach_px, 1e9))
    return positions[np.isfinite(distances)]


def _repeated(positions: npt.NDArray[np.float64], reach_px: float) -> npt.NDArray[np.float64]:
    """Return the later of each two positions within reach, each position once."""
    if len(positions) < 2:
        return positions[:0]
    pairs = KDTree(positions).query_pairs(reach_px, output_type="ndarray")
    return positions[np.unique(pairs.max(axis=1))] if len(pairs) else positions[:0]


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _first(positions: npt.NDArray[np.float64]) -> str:
    axes = "zyx"[-positions.shape[1] :]
    where = ", ".join(f"{axis} {value:.0f}" for axis, value in zip(axes, positions[0], strict=True))
    return f"at {where}" if len(positions) == 1 else f"the first at {where}"

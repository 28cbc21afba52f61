"""How much of a subtomogram is signal, from how well two of one structure agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from napari_cryoml._errors import InputError
from napari_cryoml.data import MissingWedge, grid_frequencies

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

_RESAMPLES = 1000
_FINER = 2
"""Times that a volume is sampled finer before it is turned: splines dull what is near Nyquist."""


@dataclass(frozen=True, slots=True, eq=False)
class SignalToNoise:
    """An estimate of the ratio of the variances of signal and noise.

    Parameters
    ----------
    value : float
        Mean over the pairs; infinite where two of them are alike.
    low, high : float
        Bootstrap confidence interval over the pairs.
    pairs : array of shape (n,)
        Ratio of each pair; below 0 where the two correlate negatively by chance.
    """

    value: float
    low: float
    high: float
    pairs: Floats


def signal_to_noise(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    measured: npt.ArrayLike | None = None,
    region: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> SignalToNoise:
    """Estimate the signal-to-noise ratio from pairs of aligned images of one structure.

    Where signal and noise are independent and both images have as much of each, their Pearson
    correlation rho is the share of the signal in the variance, and the ratio is
    ``rho / (1 - rho)``.

    Parameters
    ----------
    first, second : array of shape (n, y, x) or (n, z, y, x)
        The pairs, aligned with each other.
    measured : array of bool, of the shape of one image or of all, optional
        Coefficients of ``numpy.fft.fftn`` that both images of a pair have; the others are left
        out of both.
    region : array of bool, of the shape of one image, optional
        Pixels that are compared; all by default.
    confidence : float
        Of the interval, between 0 and 1.
    seed : int
        Of the bootstrap.

    Returns
    -------
    SignalToNoise

    Raises
    ------
    InputError
        If there are no pairs, or shapes differ.

    References
    ----------
    Frank and Al-Ali, Nature 256, 376 (1975).
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != other.shape or one.ndim not in (3, 4) or not len(one):
        raise InputError(
            "Pairs of images need two arrays of one shape, (n, y, x) or (n, z, y, x); shapes "
            f"{one.shape} and {other.shape} were given."
        )
    inside = np.ones(one.shape[1:], bool) if region is None else np.asarray(region, bool)
    if measured is not None:
        seen = np.broadcast_to(np.asarray(measured, bool), one.shape)
        one, other = (_filtered(images, seen) for images in (one, other))
    ratios = [_ratio(a[inside], b[inside]) for a, b in zip(one, other, strict=True)]
    return _summary(np.asarray(ratios), confidence, seed)


def posed_signal_to_noise(
    images: npt.ArrayLike,
    rotations: npt.ArrayLike,
    shifts: npt.ArrayLike,
    wedge: MissingWedge | None = None,
    *,
    labels: npt.ArrayLike | None = None,
    n_pairs: int = 100,
    confidence: float = 0.95,
    seed: int = 0,
) -> SignalToNoise:
    """Estimate the signal-to-noise ratio of subtomograms whose poses are known.

    One of each pair is turned onto the other. Compared are the frequencies that both have
    measured, where both boxes lie. The noise is taken to be even and the particle to lie within
    that part; the ratio is then told for the whole box, where it is smaller by the share of the
    part in the volume. What of the particle is cut off or blurred beyond it makes the estimate
    lower, the more the narrower the tilts are.

    Parameters
    ----------
    images : array of shape (n, z, y, x)
        Cubes.
    rotations : array of shape (n, 3, 3)
        Act on columns zyx and bring an offset in the reference to the offset in the box.
    shifts : array of shape (n, 3)
        Voxels zyx from voxel ``n // 2`` to the particle's centre.
    wedge : MissingWedge, optional
        Of all boxes; nothing is missing by default.
    labels : array of shape (n,), optional
        Only boxes of one label are paired.
    n_pairs : int
        As many are drawn, or as there are if no box is to be in two.
    confidence : float
        Of the interval, between 0 and 1.
    seed : int
        Of pairs and bootstrap.

    Returns
    -------
    SignalToNoise

    Raises
    ------
    InputError
        If no two boxes are of one class, or the numbers of boxes and poses differ.

    References
    ----------
    Frank and Al-Ali, Nature 256, 376 (1975).
    """
    boxes = np.asarray(images, np.float32)
    turns, moves = np.asarray(rotations, np.float64), np.asarray(shifts, np.float64)
    if boxes.ndim != 4 or turns.shape != (len(boxes), 3, 3) or moves.shape != (len(boxes), 3):
        raise InputError(
            "Subtomograms (n, z, y, x) need a rotation (n, 3, 3) and a shift (n, 3) each; arrays "
            f"of shapes {boxes.shape}, {turns.shape} and {moves.shape} were given."
        )
    classes = np.zeros(len(boxes), np.intp) if labels is None else np.asarray(labels)
    pairs = _draw_pairs(classes, n_pairs, np.random.default_rng(seed))
    seen = wedge or MissingWedge(-90, 90)
    ratios = [
        _ratio_of_pose(boxes[[i, j]], turns[j] @ turns[i].T, moves[[i, j]], seen) for i, j in pairs
    ]
    return _summary(np.asarray(ratios), confidence, seed)


def _draw_pairs(labels: npt.NDArray[Any], n: int, rng: np.random.Generator) -> Rows:
    """Return disjoint pairs (m, 2) of equal labels, at most `n`, spread over the labels."""
    pairs: list[Rows] = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        pairs += list(members[: len(members) // 2 * 2].reshape(-1, 2))
    if not pairs:
        raise InputError(
            "A signal-to-noise ratio needs two subtomograms of one class; there are none."
        )
    return np.asarray(pairs)[rng.permutation(len(pairs))[: max(n, 1)]]


def _ratio_of_pose(
    pair: npt.NDArray[np.float32], turn: Floats, shifts: Floats, wedge: MissingWedge
) -> float:
    """Return the ratio in the whole box; `turn` brings offsets in the first to the second."""
    size = pair.shape[-1]
    k = grid_frequencies(pair.shape[1:])
    centres = size // 2 + shifts
    offsets = np.moveaxis(np.indices(pair.shape[1:]), 0, -1) - centres[0]
    places = offsets @ turn.T + centres[1]
    inside = ((places >= 0) & (places <= size - 1)).all(axis=-1)
    first = _filtered(pair[:1], wedge.measured(k) & wedge.measured(k @ turn.T))[0]
    second = _filtered(pair[1:], wedge.measured(k) & wedge.measured(k @ turn))[0]
    turned = _sampled(second, places[inside])
    return _ratio(first[inside], turned) * float(inside.mean())


def _sampled(volume: Floats, positions: Floats) -> Floats:
    """Return the values of a volume at positions (n, 3) between its voxels."""
    size = volume.shape[0]
    half = (size - 1) // 2
    low = np.r_[0 : half + 1, -half:0]
    spectrum = np.zeros((_FINER * size,) * 3, np.complex128)
    spectrum[np.ix_(low, low, low)] = fft.fftn(volume)[np.ix_(low, low, low)]
    fine = fft.ifftn(spectrum).real * _FINER**3
    return np.asarray(ndimage.map_coordinates(fine, _FINER * positions.T, mode="grid-wrap"))


def _filtered(images: npt.NDArray[Any], kept: Mask) -> Floats:
    """Return real images without some coefficients; a coefficient goes with its mirror."""
    axes = tuple(range(1, images.ndim))
    return np.asarray(fft.ifftn(fft.fftn(images, axes=axes) * kept, axes=axes).real)


def _ratio(first: Floats, second: Floats) -> float:
    one, other = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    if scale == 0:
        return 0.0
    correlation = float(one @ other) / scale
    return correlation / (1 - correlation) if correlation < 1 else float("inf")


def _summary(ratios: Floats, confidence: float, seed: int) -> SignalToNoise:
    rng = np.random.default_rng(seed)
    means = ratios[rng.integers(len(ratios), size=(_RESAMPLES, len(ratios)))].mean(axis=1)
    tail = (1 - confidence) / 2
    # Inverted: no interpolation, which would make NaN of infinite ratios.
    low, high = np.quantile(means, [tail, 1 - tail], method="inverted_cdf")
    return SignalToNoise(float(ratios.mean()), float(low), float(high), ratios)

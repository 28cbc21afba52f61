"""Part the scores of all rows into those of a class and all others."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

_ROUNDS = 50
_EXAMPLE_WEIGHT = 3.0
"""Rows that an example counts for, where the place of the scores of a class is estimated."""

_BINS = 2000
_NARROWEST = 0.3
_START_SHARE = 0.05
_SHARES = (1e-6, 0.95)


def share_by_scores(scores: Floats, examples: Floats) -> tuple[Floats, float]:
    """Return how likely each score is that of the class, and the share of the class.

    The scores are taken for a mixture of two normal distributions and fitted by expectation
    maximisation (Dempster, Laird and Rubin 1977, J. R. Stat. Soc. B 39, 1). The upper one starts
    at the examples and is held there by them, so that a class of a few rows among many is not
    lost; it is never wider than the lower one. The probability never falls with the score.

    Parameters
    ----------
    scores : array of shape (n,)
        At least one.
    examples : array of shape (k,)
        Scores of rows that are known to be of the class.

    Returns
    -------
    probability : array of shape (n,)
    share : float
    """
    low = float(np.median(scores))
    width = 1.4826 * float(np.median(np.abs(scores - low))) or float(scores.std())
    if width == 0:
        return np.full(len(scores), 0.5), 0.5
    values, counts = _binned(scores)
    start = max(float(examples.mean()), low + width)
    high, narrow, share = start, width, _START_SHARE
    held = _EXAMPLE_WEIGHT * len(examples)
    for _ in range(_ROUNDS):
        upper = counts * _probability(values, (low, width), (high, narrow), share)
        lower = counts - upper
        total = upper.sum()
        share = float(np.clip(total / len(scores), *_SHARES))
        high = float((held * start + upper @ values) / (held + total))
        variance = (held * width**2 + upper @ (values - high) ** 2) / (held + total)
        low = float(lower @ values / lower.sum())
        width = max(float(np.sqrt(lower @ (values - low) ** 2 / lower.sum())), 1e-6)
        narrow = float(np.clip(np.sqrt(variance), _NARROWEST * width, width))
    return _probability(scores, (low, width), (high, narrow), share), share


def _binned(scores: Floats) -> tuple[Floats, Floats]:
    """Return few values that stand for many, and how many."""
    if len(scores) <= _BINS:
        return scores, np.ones(len(scores))
    counts, edges = np.histogram(scores, _BINS)
    return (edges[:-1] + edges[1:]) / 2, counts.astype(float)


def _probability(
    scores: Floats, lower: tuple[float, float], upper: tuple[float, float], share: float
) -> Floats:
    from scipy.special import expit

    # Where the upper one is narrower, the ratio of the densities falls again far above its mean:
    # there it is held.
    (low, width), (high, narrow) = lower, upper
    is_narrower = width**2 - narrow**2 > 1e-9 * width**2
    top = (high * width**2 - low * narrow**2) / (width**2 - narrow**2) if is_narrower else np.inf
    held = np.minimum(scores, top)
    apart = ((held - low) / width) ** 2 - ((held - high) / narrow) ** 2
    return expit(np.log(share / (1 - share)) - np.log(narrow / width) + apart / 2)

"""How sure a classifier may be: one temperature for all its scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

LEAST_ITEMS = 10
"""Items held out below which a temperature would be fitted to noise."""

_RANGE = (0.05, 20.0)


def softmax(scores: Floats, temperature: float = 1.0) -> Floats:
    """Return probabilities of classes, shape (n, L), of scores of that shape."""
    scaled = np.asarray(scores, np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    weights = np.exp(scaled)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def fit_temperature(scores: Floats, labels: npt.NDArray[np.intp]) -> float:
    """Return the temperature at which probabilities agree best with the truth.

    Scores are divided by it before the softmax, which leaves the order of the classes as it is
    (Guo et al. 2017, On calibration of modern neural networks, section 4.2).

    Parameters
    ----------
    scores : array of shape (n, L)
        Of items that were not trained on.
    labels : array of shape (n,), intp

    Returns
    -------
    float
        1 if there are fewer than ten items.
    """
    from scipy.optimize import minimize_scalar

    if len(labels) < LEAST_ITEMS:
        return 1.0
    rows = np.arange(len(labels))

    def cost(log_temperature: float) -> float:
        chances = softmax(scores, float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(chances[rows, labels], 1e-12)).mean())

    bounds = tuple(np.log(_RANGE))
    return float(np.exp(minimize_scalar(cost, bounds=bounds, method="bounded").x))

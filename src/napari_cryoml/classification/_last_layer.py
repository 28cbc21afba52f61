"""The last layer of a network, taught the labels at once or fitted when the others are done."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from napari_cryoml.classification._labelled_crops import UNKNOWN
from napari_cryoml.classification._scoring import Scorer
from napari_cryoml.classification._shared_covariance import chosen_rows, fit_shared_covariance
from napari_cryoml.objectives import CropObjective
from napari_cryoml.training import CropStore

_STRENGTH = 1.0
_MOST_FEATURES = 4096
"""Of vectors whose covariance is asked for."""


def teach_last_layer(scorer: Scorer, store: CropStore, labels: npt.NDArray[np.intp]) -> str:
    """Fit the last layer of a network to labelled crops by logistic regression.

    Parameters
    ----------
    scorer : Scorer
        Of the objective whose network is changed.
    store : CropStore
    labels : array of shape (n,), intp
        Of all crops; -1 for those without.

    Returns
    -------
    str
        What was done, for the user.
    """
    from sklearn.linear_model import LogisticRegression

    objective = scorer.objective
    if type(objective).logits is not CropObjective.logits:
        return "Pretraining was stopped before any label was seen: the classes mean nothing yet."
    network = objective.network
    rows = np.flatnonzero(labels != UNKNOWN)
    vectors = scorer.of_rows(store, rows, scorer.vectors)
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0)
    spread = np.where(spread > 1e-6 * spread.max(initial=1e-12), spread, np.inf)
    model = LogisticRegression(C=_STRENGTH, max_iter=500)
    model.fit((vectors - mean) / spread, labels[rows])
    with torch.no_grad():
        head = network.head
        weights = np.zeros((network.n_classes, vectors.shape[1]))
        offsets = np.full(network.n_classes, -1e4)
        coefficients, intercept = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # one row of coefficients tells the second from the first
            coefficients = np.stack([-coefficients[0], coefficients[0]]) / 2
            intercept = np.array([-intercept[0], intercept[0]]) / 2
        weights[model.classes_] = coefficients / spread
        offsets[model.classes_] = intercept - (coefficients / spread) @ mean
        head.weight.copy_(torch.from_numpy(weights))
        head.bias.copy_(torch.from_numpy(offsets))
    return "Pretraining was stopped; only the last layer has learnt the labels."


def fit_last_layer(
    scorer: Scorer,
    store: CropStore,
    labels: npt.NDArray[np.intp],
    seen: npt.NDArray[np.intp],
    seed: int,
) -> str:
    """Fit the last layer to labelled and other crops: a Gaussian a class, of one covariance.

    Parameters
    ----------
    scorer : Scorer
        Of the objective whose network is changed.
    store : CropStore
    labels : array of shape (n,), intp
        Of all crops; -1 for those without.
    seen : array of shape (m,), intp
        Rows that may be looked at, labelled or not.
    seed : int
        Of the choice among many unlabelled crops.

    Returns
    -------
    str
        Why the layer was left as it was, for the user; empty if it was not.

    References
    ----------
    See `fit_shared_covariance`.
    """
    objective = scorer.objective
    network, known = objective.network, labels[seen]
    if type(objective).logits is not CropObjective.logits or network.latent > _MOST_FEATURES:
        return "The last layer was left as it was trained: it is not one that can be fitted."
    if len(np.unique(known[known != UNKNOWN])) < network.n_classes:
        return "The last layer was left as it was trained: a class has no label to fit it to."
    rows = seen[chosen_rows(known, seed)]
    vectors = scorer.of_rows(store, rows, scorer.vectors)
    found = fit_shared_covariance(vectors, labels[rows], network.n_classes, seed)
    weights = found.weights / found.spread[:, None]
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(weights.T))
        network.head.bias.copy_(torch.from_numpy(found.offsets - found.mean @ weights))
    return ""

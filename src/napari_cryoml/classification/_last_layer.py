"""The last layer of a network, taught the labels at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from napari_cryoml.classification._labelled_crops import UNKNOWN
from napari_cryoml.classification._scoring import Scorer
from napari_cryoml.objectives import CropObjective
from napari_cryoml.training import CropStore

_STRENGTH = 1.0


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

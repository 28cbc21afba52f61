"""Cross entropy of labels and pseudo-labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from napari_cryoml.objectives._supervised import SupervisedObjective

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._self_training_config import SelfTraining


class SelfTrainingObjective(SupervisedObjective):
    """Cross entropy of the labelled crops and of those whose class the network is sure of.

    Before each epoch all crops are classified. A crop whose most probable class reaches the
    threshold takes it for its label, for that one epoch: who is no longer sure leaves again.

    Parameters
    ----------
    network : Classifier
    config : SelfTraining
        The options.

    References
    ----------
    Liu et al. 2019, BMVC, section 4.2; Lee 2013, ICML workshop on challenges in representation
    learning (labels made anew each time).
    """

    config: SelfTraining

    def __init__(self, network: Classifier, config: SelfTraining) -> None:
        super().__init__(network, config)

    def begin_epoch(self, epoch: int, predict: Callable[[], Tensor]) -> Tensor | None:
        """Return the pseudo-labels of the epoch, shape (n,); None while warming up."""
        if epoch < self.config.warm_up:
            return None
        return pseudo_labels(predict(), self.config.threshold, self.config.per_class)


def pseudo_labels(probabilities: Tensor, threshold: float, per_class: int | None = None) -> Tensor:
    """Return the class of crops that are surely of one.

    Parameters
    ----------
    probabilities : tensor of shape (n, n_classes)
    threshold : float
        Least probability of the most probable class.
    per_class : int, optional
        At most this many of each class, the most probable first.

    Returns
    -------
    tensor of shape (n,), int64
        -1 for crops that are not sure, or not among the surest of their class.
    """
    confidence, classes = probabilities.max(dim=1)
    labels = torch.where(confidence >= threshold, classes, -1)
    if per_class is not None:
        order = confidence.argsort(descending=True, stable=True)
        for number in range(probabilities.shape[1]):
            surest = order[labels[order] == number]
            labels[surest[per_class:]] = -1
    return labels

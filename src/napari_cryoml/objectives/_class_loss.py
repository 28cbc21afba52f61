"""The cross entropy of the crops that have a label."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from napari_cryoml.objectives._class_loss_config import ClassLossConfig
from napari_cryoml.objectives._precision import at_least_single
from napari_cryoml.objectives._risks import mean


class ClassLoss(nn.Module):
    """Mean cross entropy over labelled crops.

    ::

        1/m sum_i w[y_i] ( -(1 - ε) log p_i[y_i] - ε/L sum_c log p_i[c] )

    with m labelled crops, L classes, ε the label smoothing, and w 1 or, balanced,
    ``n / (k n_c)``: n labelled crops were seen in training so far, n_c of them of class c, and k
    is the number of classes among them. After one epoch these are the weights of the data set.

    Parameters
    ----------
    n_classes : int
    config : ClassLossConfig
        The options.

    References
    ----------
    Szegedy et al. 2016, arXiv:1512.00567, section 7 (label smoothing); King and Zeng 2001,
    Political Analysis 9:137 (weights).
    """

    seen: Tensor

    def __init__(self, n_classes: int, config: ClassLossConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("seen", torch.zeros(n_classes, dtype=torch.int64))

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Return the loss.

        Parameters
        ----------
        scores : tensor of shape (b, n_classes)
            Before the softmax.
        labels : tensor of shape (b,), int64
            -1 for crops that are left out.

        Returns
        -------
        tensor, a scalar
            In nats; 0 (with a gradient) if no crop has a label.
        """
        known = labels >= 0
        scores, labels = at_least_single(scores[known]), labels[known]
        if self.training:
            self.seen += torch.bincount(labels, minlength=len(self.seen))
        smoothing = self.config.label_smoothing
        errors = cross_entropy(scores, labels, reduction="none", label_smoothing=smoothing)
        return mean(errors * self._weights()[labels])

    def _weights(self) -> Tensor:
        if self.config.class_weights == "none":
            return torch.ones_like(self.seen, dtype=torch.float32)
        n_present = (self.seen > 0).sum().clamp(min=1)
        return self.seen.sum() / (n_present * self.seen.clamp(min=1))

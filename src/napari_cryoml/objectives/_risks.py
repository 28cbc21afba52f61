"""The cross entropy of groups of logits."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


def mean(values: Tensor) -> Tensor:
    """Return the mean, or 0 (with a gradient) if there are no values."""
    return values.sum() / max(values.numel(), 1)


def risk_of_positives(logits: Tensor) -> Tensor:
    """Return the mean cross entropy of logits whose class is positive."""
    return mean(softplus(-logits))


def risk_of_negatives(logits: Tensor) -> Tensor:
    """Return the mean cross entropy of logits whose class is negative."""
    return mean(softplus(logits))


def risk_of_labelled(positives: Tensor, negatives: Tensor) -> Tensor:
    """Return the mean cross entropy over all labelled logits."""
    return mean(torch.cat([softplus(-positives), softplus(negatives)]))


def effective_share(share: float, negatives: Tensor, unlabelled: Tensor) -> float:
    """Return `share`, or 0 or 1 where only one of the two groups is there."""
    if not negatives.numel():
        return 0.0
    return share if unlabelled.numel() else 1.0

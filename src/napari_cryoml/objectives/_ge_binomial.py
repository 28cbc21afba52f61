"""GE-binomial: the number of positives among the unlabelled items follows the prior's binomial."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import Field

from napari_cryoml.objectives._objective import Loss, Objective, ObjectiveConfig, objectives

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_LEAST_VARIANCE = 1 / 12
"""Of the count: what rounding to whole numbers has (Sheppard), so that gradients stay bounded."""


@objectives.register("ge_binomial")
class GEBinomial(ObjectiveConfig):
    """Hold the number of particles in each batch near what the class prior lets expect."""

    slack: float = Field(
        1.0, ge=0, description="Weight of the expectation against the labels; 1 in the paper."
    )
    group: int = Field(
        240,
        ge=1,
        le=1000,
        description="How many unlabelled items are counted together; a step with more of them is "
        "split at random. 240 is the paper's batch.",
    )

    def build(self, prior: float) -> GEBinomialObjective:
        """Return the objective for a class prior."""
        return GEBinomialObjective(prior, self)


class GEBinomialObjective(Objective):
    """Cross entropy of the labels, plus that of the count of positives from its prior.

    ::

        mean_{P and N} CE - λ sum_{k=0..n} q_k log Binomial(k; n, π)
        q = softmax_k(-(k - μ)² / 2v)
        μ = sum_U sigmoid(s),   v = max(sum_U sigmoid(s) (1 - sigmoid(s)), 1/12)

    where n is the number of unlabelled items. (The paper prints the sum with a plus; a cross
    entropy has the minus.)

    A step with more unlabelled items than `group` is split at random into groups of that size,
    and the mean over the groups is taken. The binomial holds for independent draws, and the
    positions of a dense crop are none: counted all together they are held to a number of
    particles far more strictly than crops can agree in it.

    Parameters
    ----------
    prior : float
        Fraction of the unlabelled items that are positive.
    config : GEBinomial
        The options; `slack` is λ.

    References
    ----------
    Bepler et al. 2018, arXiv:1803.08207, "GE-binomial".
    """

    def __init__(self, prior: float, config: GEBinomial) -> None:
        super().__init__(prior)
        self.config = config

    def _loss(self, positives: Tensor, negatives: Tensor, unlabelled: Tensor) -> Loss:
        from napari_cryoml.objectives._risks import risk_of_labelled

        labelled = risk_of_labelled(positives, negatives)
        groups = _split(unlabelled, self.config.group)
        expectation = self.config.slack * count_cross_entropy(groups, self.prior)
        terms = {"labelled": labelled.detach(), "expectation": expectation.detach()}
        return Loss(labelled + expectation, terms)


def count_cross_entropy(logits: Tensor, prior: float) -> Tensor:
    """Return the cross entropy of the count of positives from ``Binomial(n, prior)``.

    Parameters
    ----------
    logits : tensor of shape (..., n)
        Log-odds of "positive"; n may be 0.
    prior : float
        Fraction of the items that are positive, between 0 and 1.

    Returns
    -------
    tensor, a scalar
        In nats, the mean over all groups of n.
    """
    import torch

    n = logits.shape[-1]
    if not logits.numel():
        return logits.sum()
    probability = logits.sigmoid()
    mu = probability.sum(-1, keepdim=True)
    # sigmoid(-s) and not 1 - sigmoid(s), which is rounded to 0 too early
    variance = (probability * (-logits).sigmoid()).sum(-1, keepdim=True)
    counts = torch.arange(n + 1, device=mu.device, dtype=mu.dtype)
    q = (-((counts - mu) ** 2) / (2 * variance.clamp(min=_LEAST_VARIANCE))).softmax(-1)
    log_p = _log_binomial(n, prior, logits.device, logits.dtype)
    return -(q * log_p).sum(-1).mean()


def _split(logits: Tensor, group: int) -> Tensor:
    """Return logits of shape (n,) as random groups, shape (g, group); the rest is left out."""
    import torch

    n = logits.numel()
    if n <= group:
        return logits
    whole = n - n % group
    order = torch.randperm(n, device=logits.device)[:whole]
    return logits[order].reshape(-1, group)


@lru_cache(maxsize=64)
def _log_binomial(n: int, prior: float, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return log Binomial(k; n, prior) for k = 0..n, shape (n + 1,)."""
    import torch

    k = torch.arange(n + 1, dtype=torch.float64)
    choices = math.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
    log_pmf = choices + k * math.log(prior) + (n - k) * math.log1p(-prior)
    return log_pmf.to(device=device, dtype=dtype)

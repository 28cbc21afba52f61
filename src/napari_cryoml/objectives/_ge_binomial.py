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

_EXACT_UP_TO = 1000
"""Unlabelled items up to which all counts are summed over; beyond, those within 10 sigma."""

_LEAST_VARIANCE = 1 / 12
"""Of the count: what rounding to whole numbers has (Sheppard), so that gradients stay bounded."""


@objectives.register("ge_binomial")
class GEBinomial(ObjectiveConfig):
    """Hold the number of particles in each batch near what the class prior lets expect."""

    slack: float = Field(
        1.0, ge=0, description="Weight of the expectation against the labels; 1 in the paper."
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
    entropy has the minus.) With more than 1000 items, only counts within ten of the largest
    possible standard deviations of μ are summed over, which changes nothing a float can hold.

    The expectation grows with n as long as μ is off. Batches of the paper have 240 unlabelled
    items; with many more of them, as in dense crops, a smaller λ keeps the balance.

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
        expectation = self.config.slack * count_cross_entropy(unlabelled, self.prior)
        terms = {"labelled": labelled.detach(), "expectation": expectation.detach()}
        return Loss(labelled + expectation, terms)


def count_cross_entropy(logits: Tensor, prior: float) -> Tensor:
    """Return the cross entropy of the count of positives from ``Binomial(n, prior)``.

    Parameters
    ----------
    logits : tensor of shape (n,)
        Log-odds of "positive"; n may be 0.
    prior : float
        Fraction of the items that are positive, between 0 and 1.

    Returns
    -------
    tensor, a scalar
        In nats.
    """
    n = logits.numel()
    if not n:
        return logits.sum()
    probability = logits.sigmoid()
    mu = probability.sum()
    # sigmoid(-s) and not 1 - sigmoid(s), which is rounded to 0 too early
    variance = (probability * (-logits).sigmoid()).sum().clamp(min=_LEAST_VARIANCE)
    counts = _counts(mu.detach(), n)
    exponents = -((counts - mu) ** 2) / (2 * variance)
    outside = (counts < 0) | (counts > n)
    q = exponents.masked_fill(outside, -math.inf).softmax(0)
    log_p = _log_binomial(n, prior, logits.device, logits.dtype)
    return -(q * log_p[counts.long().clamp(0, n)]).sum()


def _counts(mu: Tensor, n: int) -> Tensor:
    """Return the whole numbers to sum over, some of which may lie outside 0..n."""
    import torch

    if n <= _EXACT_UP_TO:
        return torch.arange(n + 1, device=mu.device, dtype=mu.dtype)
    reach = math.ceil(10 * math.sqrt(n / 4))
    return mu.round() + torch.arange(-reach, reach + 1, device=mu.device, dtype=mu.dtype)


@lru_cache(maxsize=64)
def _log_binomial(n: int, prior: float, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return log Binomial(k; n, prior) for k = 0..n, shape (n + 1,)."""
    import torch

    k = torch.arange(n + 1, dtype=torch.float64)
    choices = math.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
    log_pmf = choices + k * math.log(prior) + (n - k) * math.log1p(-prior)
    return log_pmf.to(device=device, dtype=dtype)

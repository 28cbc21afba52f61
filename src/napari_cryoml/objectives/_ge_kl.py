"""GE-KL: the mean probability of unlabelled items is held at the prior."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydantic import Field

from napari_cryoml.objectives._objective import Loss, Objective, ObjectiveConfig, objectives

if TYPE_CHECKING:
    from torch import Tensor


@objectives.register("ge_kl")
class GEKL(ObjectiveConfig):
    """Hold the mean probability of unlabelled places at the class prior."""

    slack: float = Field(
        10.0,
        ge=0,
        description="Weight of the expectation against the labels; 100 in the paper, 10 in Topaz.",
    )

    def build(self, prior: float) -> GEKLObjective:
        """Return the objective for a class prior."""
        return GEKLObjective(prior, self)


class GEKLObjective(Objective):
    """Cross entropy of the labels, plus the divergence of the mean prediction from the prior.

    ::

        mean_{P and N} CE + λ KL(π || p),    p = mean_U sigmoid(s)
        KL(π || p) = π log(π / p) + (1 - π) log((1 - π) / (1 - p))

    Parameters
    ----------
    prior : float
        Fraction of the unlabelled items that are positive.
    config : GEKL
        The options; `slack` is λ.

    References
    ----------
    Mann and McCallum 2010, JMLR 11:955; Bepler et al. 2018, arXiv:1803.08207, "Existing
    positive-unlabeled classification methods".
    """

    def __init__(self, prior: float, config: GEKL) -> None:
        super().__init__(prior)
        self.config = config

    def _loss(self, positives: Tensor, negatives: Tensor, unlabelled: Tensor) -> Loss:
        from napari_cryoml.objectives._risks import risk_of_labelled

        labelled = risk_of_labelled(positives, negatives)
        divergence = self.config.slack * self._divergence(unlabelled)
        terms = {"labelled": labelled.detach(), "expectation": divergence.detach()}
        return Loss(labelled + divergence, terms)

    def _divergence(self, unlabelled: Tensor) -> Tensor:
        from torch.nn.functional import logsigmoid

        n = unlabelled.numel()
        if not n:
            return unlabelled.sum()
        # Means of probabilities, taken as logarithms: finite where every sigmoid is 0 or 1.
        log_p = logsigmoid(unlabelled).logsumexp(0) - math.log(n)
        log_not_p = logsigmoid(-unlabelled).logsumexp(0) - math.log(n)
        prior = self.prior
        constant = prior * math.log(prior) + (1 - prior) * math.log1p(-prior)
        return constant - prior * log_p - (1 - prior) * log_not_p

"""NNPU: the unbiased risk of positive-unlabelled data, kept from becoming negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from napari_cryoml.objectives._objective import Loss, Objective, RiskConfig, objectives

if TYPE_CHECKING:
    from torch import Tensor


@objectives.register("nnpu")
class NNPU(RiskConfig):
    """Estimate the risk of the unseen negatives from unlabelled places less the positives."""

    beta: float = Field(
        0.0,
        ge=0,
        description="How far the risk of negatives may fall below 0 before it is corrected.",
    )
    gamma: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Step size of the correction, as a share of the learning rate.",
    )

    def build(self, prior: float) -> NNPUObjective:
        """Return the objective for a class prior."""
        return NNPUObjective(prior, self)


class NNPUObjective(Objective):
    """The non-negative risk estimator of Kiryo et al.

    ::

        R_u   = mean_U softplus(s) - π mean_P softplus(s)
        total = π mean_P softplus(-s) + (1 - η) R_u + η (1 - π) mean_N softplus(s)

    or, in a step where R_u < -β, which means overfitting, ``total = -γ R_u``. η is the share of
    the labelled negatives: 0 if there are none, 1 if nothing is unlabelled.

    Parameters
    ----------
    prior : float
        Fraction of the unlabelled items that are positive.
    config : NNPU
        The options.

    References
    ----------
    Kiryo et al. 2017, arXiv:1703.00593, algorithm 1; labelled negatives enter as in the PNU risk
    of Sakai et al. 2017, arXiv:1605.06955, section 3.
    """

    def __init__(self, prior: float, config: NNPU) -> None:
        super().__init__(prior)
        self.config = config

    def _loss(self, positives: Tensor, negatives: Tensor, unlabelled: Tensor) -> Loss:
        import torch

        from napari_cryoml.objectives._risks import (
            effective_share,
            risk_of_negatives,
            risk_of_positives,
        )

        share = effective_share(self.config.negative_share, negatives, unlabelled)
        positive = self.prior * risk_of_positives(positives)
        labelled = share * (1 - self.prior) * risk_of_negatives(negatives)
        if not unlabelled.numel():  # then R_u would only push the positives down
            total = positive + labelled + unlabelled.sum()
            return Loss(total, {"positive": positive.detach(), "negative": labelled.detach()})
        unseen = risk_of_negatives(unlabelled) - self.prior * risk_of_negatives(positives)
        total = torch.where(
            unseen < -self.config.beta,
            -self.config.gamma * unseen,
            positive + (1 - share) * unseen + labelled,
        )
        negative = (1 - share) * unseen.clamp(min=-self.config.beta) + labelled
        return Loss(total, {"positive": positive.detach(), "negative": negative.detach()})

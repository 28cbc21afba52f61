"""PN: what is not labelled counts as negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cryoml.objectives._objective import Loss, Objective, RiskConfig, objectives

if TYPE_CHECKING:
    from torch import Tensor


@objectives.register("pn")
class PN(RiskConfig):
    """Treat unlabelled places as background: right where all particles are labelled."""

    def build(self, prior: float) -> PNObjective:
        """Return the objective; `prior` weights the positives against all else."""
        return PNObjective(prior, self)


class PNObjective(Objective):
    """Cross entropy between positives and the rest, the classes weighted by the prior.

    ::

        π mean_P softplus(-s) + (1 - π) [(1 - η) mean_U softplus(s) + η mean_N softplus(s)]

    with η the share of the labelled negatives: 0 if there are none, 1 if nothing is unlabelled.

    Parameters
    ----------
    prior : float
        Fraction of the items that are positive.
    config : PN
        The options.

    References
    ----------
    Bepler et al. 2018, arXiv:1803.08207, "Existing positive-unlabeled classification methods";
    labelled negatives as in the PN risk of Sakai et al. 2017, arXiv:1605.06955, section 3.
    """

    def __init__(self, prior: float, config: PN) -> None:
        super().__init__(prior)
        self.config = config

    def _loss(self, positives: Tensor, negatives: Tensor, unlabelled: Tensor) -> Loss:
        from napari_cryoml.objectives._risks import (
            effective_share,
            risk_of_negatives,
            risk_of_positives,
        )

        share = effective_share(self.config.negative_share, negatives, unlabelled)
        positive = self.prior * risk_of_positives(positives)
        background = (1 - share) * risk_of_negatives(unlabelled)
        negative = (1 - self.prior) * (background + share * risk_of_negatives(negatives))
        terms = {"positive": positive.detach(), "negative": negative.detach()}
        return Loss(positive + negative, terms)

"""What all objectives share: the call, the loss it returns, the options, the registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config, Registry
from napari_cryoml.data import NEGATIVE, POSITIVE, UNLABELLED

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """The value of an objective on one batch.

    Parameters
    ----------
    total : tensor, a scalar
        What is backpropagated.
    terms : dict of str to tensor
        The parts by name, detached, for the log.
    """

    total: Tensor
    terms: dict[str, Tensor]


class Objective(ABC):
    """A function of scores and labels whose minimum is a good detector.

    In the formulas, s are logits, P the labelled positives, N the labelled negatives, U the
    unlabelled items, π the class prior, and an empty group has the mean 0.

    Parameters
    ----------
    prior : float
        Fraction of the unlabelled items that are positive, between 0 and 1.

    Raises
    ------
    InputError
        If the prior is not between 0 and 1.
    """

    def __init__(self, prior: float) -> None:
        if not 0 < prior < 1:
            raise InputError(
                f"The class prior lies between 0 and 1, and {prior:g} came: change the expected "
                "number of particles."
            )
        self.prior = prior

    def __call__(self, logits: Tensor, labels: Tensor) -> Loss:
        """Return the loss of a batch.

        Parameters
        ----------
        logits : tensor of shape (n,)
            Log-odds of "positive".
        labels : tensor of shape (n,), int8
            1 positive, 0 labelled negative, -1 unlabelled; items of any other label are left out.

        Returns
        -------
        Loss
            Finite, with a gradient, whichever groups are empty.
        """
        import torch

        if logits.shape != labels.shape:
            raise ValueError(f"logits {tuple(logits.shape)} and labels {tuple(labels.shape)}")
        scores = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return self._loss(
            scores[labels == POSITIVE], scores[labels == NEGATIVE], scores[labels == UNLABELLED]
        )

    @abstractmethod
    def _loss(self, positives: Tensor, negatives: Tensor, unlabelled: Tensor) -> Loss:
        """Return the loss of the logits of each group."""


class ObjectiveConfig(Config):
    """The options of an objective."""

    @property
    def name(self) -> str:
        """The name this objective is registered under."""
        return next(name for name in objectives if objectives[name] is type(self))

    @abstractmethod
    def build(self, prior: float) -> Objective:
        """Return the objective for a class prior.

        Parameters
        ----------
        prior : float
            Fraction of the unlabelled items that are positive, between 0 and 1; see
            `class_prior`.

        Raises
        ------
        InputError
            If the prior is not between 0 and 1.
        """


class RiskConfig(ObjectiveConfig):
    """The options of the objectives that estimate the risk of misclassification."""

    negative_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="How much of the risk of negatives is taken from labelled negatives, if "
        "there are any, rather than from unlabelled items.",
    )


objectives: Registry[ObjectiveConfig] = Registry("objective")

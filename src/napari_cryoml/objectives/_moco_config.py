"""moco: a crop finds the slow network's view of it in a queue of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml.objectives._contrast_config import ContrastConfig
from napari_cryoml.objectives._crop_objective_config import crop_objectives

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._moco import MoCoObjective


@crop_objectives.register("moco")
class MoCo(ContrastConfig):
    """Tell a crop from a queue of earlier ones, seen by a slow copy of the network."""

    queue: int = Field(
        128,
        ge=1,
        description="Earlier crops that a crop is told from; Gupta et al. 2022 took 128 for "
        "simulated crops and 64 for real ones. The batch must divide it.",
    )
    momentum: float = Field(
        0.999,
        ge=0,
        le=1,
        description="How much of the slow copy stays as it is at each step; 0.999 in the paper.",
    )
    temperature: float = Field(
        0.2, gt=0, description="By which similarities, -1 to 1, are divided; 0.2 in the paper."
    )
    mlp_head: bool = Field(
        False,
        description="Compare vectors from two dense layers (Chen, Fan et al. 2020) instead of "
        "from one (He et al. 2020).",
    )

    def check(self, batch_size: int, n_crops: int) -> None:
        """Refuse batches that do not divide the queue."""
        if self.queue % batch_size:
            fitting = _nearest_divisor(self.queue, batch_size)
            raise InputError(
                f"MoCo's queue of {self.queue} crops is replaced batch by batch, so the batch must "
                f"divide it; a batch of {batch_size} came: take a batch of {fitting}, or a queue "
                f"of {-(-self.queue // batch_size) * batch_size}."
            )

    def build(self, network: Classifier) -> MoCoObjective:
        """Return the objective, with a slow copy, around a network."""
        from napari_cryoml.objectives._moco import MoCoObjective

        return MoCoObjective(network, self)


def _nearest_divisor(number: int, near: int) -> int:
    """Return the divisor of `number` that is nearest to `near`, the larger of two."""
    divisors = [d for d in range(1, number + 1) if number % d == 0]
    return min(divisors, key=lambda d: (abs(d - near), -d))

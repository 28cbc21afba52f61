"""What all objectives that train a classifier of crops share, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from napari_cryoml.models import Classifier
    from napari_cryoml.objectives._objective import Loss


@dataclass(frozen=True, slots=True, eq=False)
class CropBatch:
    """Crops of one training step.

    Parameters
    ----------
    views : tuple of tensors of shape (b, C, *shape), float32
        As many variations of each crop as the objective asks for, see `CropObjective.n_views`.
    labels : tensor of shape (b,), int64
        Class of each crop; -1 where it has none.
    rows : tensor of shape (b,), int64
        Which crop of the data set each is.
    epoch : int
        How often all crops were drawn before.
    """

    views: tuple[Tensor, ...]
    labels: Tensor
    rows: Tensor
    epoch: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, rows: slice) -> CropBatch:
        """Return some of the crops, in all their views."""
        return replace(
            self,
            views=tuple(view[rows] for view in self.views),
            labels=self.labels[rows],
            rows=self.rows[rows],
        )

    def to(self, device: torch.device) -> CropBatch:
        """Return the batch on `device`."""
        return replace(
            self,
            views=tuple(view.to(device, non_blocking=True) for view in self.views),
            labels=self.labels.to(device),
            rows=self.rows.to(device),
        )


class CropObjective(nn.Module, ABC):
    """A classifier, whatever else has weights while it is trained, and the loss of a batch.

    The module is what `training.fit` trains: all that learns is a parameter of it; a momentum
    copy or a queue is a buffer or a module without gradients, updated within `forward` while the
    module is in training mode.

    Parameters
    ----------
    network : Classifier
        What is trained; kept as ``self.network``.

    Attributes
    ----------
    n_views : int
        Variations of each crop that `forward` wants.
    is_shared : bool
        Whether `forward` asks for the `whole` batch where several processes compute a share each.
    """

    n_views: int = 1
    is_shared: bool = True

    def __init__(self, network: Classifier) -> None:
        super().__init__()
        self.network = network

    @abstractmethod
    def forward(self, batch: CropBatch) -> Loss:
        """Return the loss of a batch: finite, with a gradient, whichever crops have labels."""

    def begin_epoch(self, epoch: int, predict: Callable[[], Tensor]) -> Tensor | None:
        """Return the labels to go on with, where the objective gives some itself.

        Asked before each pass over the data set, in evaluation mode.

        Parameters
        ----------
        epoch : int
            Passes made before.
        predict : callable
            Returns the probability of each class of all crops of the data set, shape
            (n, n_classes); not called unless it is needed.

        Returns
        -------
        tensor of shape (n,), int64, or None
            A class for each crop, -1 where it has none; None to go on as before. The labels that
            the user gave hold whatever stands here: the caller lays them over.
        """
        return None

    def described(self, crops: Tensor) -> Tensor:
        """Return what `forward` takes in place of crops, as far as no weight has a part in it.

        It is computed once of each variation that is kept. The crops themselves, unless the
        objective asks nothing but its network about them.
        """
        return crops

    def logits(self, crops: Tensor) -> Tensor:
        """Return one score a class of crops (b, C, *shape), shape (b, n_classes).

        What a trained classifier answers with; an objective whose classes come from elsewhere
        than the network's own head says so here.
        """
        scores: Tensor = self.network(crops)
        return scores

    def reconstruct(self, crops: Tensor) -> Tensor | None:
        """Return crops (b, C, *shape) as the decoder sees them; None where there is no decoder."""
        return None

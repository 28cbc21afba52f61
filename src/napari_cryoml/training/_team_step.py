"""One step of a team: each process computes its share, and all take the same step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from napari_cryoml._errors import InputError
from napari_cryoml.objectives import Share, sharing
from napari_cryoml.training._shared_layers import shared_layers
from napari_cryoml.training._team import Team


class TeamStep:
    """What turns the step of one process into that of a team.

    Parameters
    ----------
    team : Team
    module : nn.Module
        What is trained.
    """

    def __init__(self, team: Team, module: nn.Module) -> None:
        self._team, self._module = team, module
        self._share = Share(team.rank, team.size, team.add_up)
        seed = torch.initial_seed() + 1 + team.rank
        self._generator = torch.Generator(team.device).manual_seed(seed % 2**63)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Compute the loss of the whole batch from the own share."""
        layers = shared_layers(self._module, self._team.add_up, self._generator)
        with sharing(self._share), layers:
            yield

    def is_finite(self, total: torch.Tensor) -> bool:
        """Return whether the loss is finite for all."""
        return self._team.all_say(bool(torch.isfinite(total)))

    def add_up_gradients(self) -> None:
        """Give each weight the sum of its gradients; one that nobody used keeps none."""
        weights = [weight for weight in self._module.parameters() if weight.requires_grad]
        parts = [
            torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights
        ]
        used = parts[0].new_tensor([float(weight.grad is not None) for weight in weights])
        flat = self._team.add_up(torch.cat([*(part.flatten() for part in parts), used]))
        *sums, used = flat.split([part.numel() for part in parts] + [len(weights)])
        for weight, found, users in zip(weights, sums, used.tolist(), strict=True):
            if weight.grad is None and users:
                weight.grad = torch.empty_like(weight)
            if weight.grad is not None:
                weight.grad.copy_(found.view_as(weight))


def share_of(batch: Any, team: Team) -> Any:
    """Return the part of a batch that this process computes.

    Parameters
    ----------
    batch : batch
        With a length, and `part` to take some of its crops.
    team : Team

    Raises
    ------
    InputError
        If a process would be without work.
    """
    n = len(batch)
    if n < team.size:
        raise InputError(
            f"A step of {n} crops cannot be divided among {team.size} devices: take larger "
            "batches, or fewer devices."
        )
    return batch.part(team.part(n))


def check_shared(loss: object) -> None:
    """Refuse an objective that cannot be divided.

    Raises
    ------
    InputError
        In a sentence that says what to do.
    """
    if not getattr(loss, "is_shared", False):
        raise InputError(
            f"What {type(loss).__name__.removesuffix('Objective')} minimises cannot be divided "
            "among devices: train on one (leave --devices out)."
        )

"""Processes that train one network together, seen from one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class TeamLostError(Exception):
    """Another process of the team has gone."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the leader says before each step.

    Parameters
    ----------
    goes_on : bool
        Whether a step follows.
    stopped : bool
        Whether the run was told to stop.
    progress : float
        Share of the run that is over, which sets the step size.
    """

    goes_on: bool
    stopped: bool
    progress: float


@dataclass(slots=True, eq=False)
class Team:
    """The processes that train one network together, of which this is one.

    The leader, rank 0, says when a run goes on, validates, and tells the world; the others
    follow. Whatever random numbers a step takes from torch's generators, all take the same ones.

    Parameters
    ----------
    rank : int
        Number of this process; 0 leads.
    size : int
        How many there are.
    device : torch.device
        Of this process.
    control : process group
        For short messages between CPUs; the default group is for tensors on the devices.
    reason : callable
        Returns a sentence on why the others have gone.

    Attributes
    ----------
    must_stop : bool
        Whether the job of this process is to be told to stop.
    """

    rank: int
    size: int
    device: torch.device
    control: Any
    reason: Callable[[], str] = lambda: "Another process of this run has ended."
    must_stop: bool = field(default=False, init=False)

    @property
    def leads(self) -> bool:
        """Whether this process speaks for all."""
        return self.rank == 0

    def part(self, n: int) -> slice:
        """Return which of `n` items of a batch this process computes."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def add_up(self, values: Tensor) -> Tensor:
        """Sum a tensor over all processes, in place, and return it.

        Raises
        ------
        TeamLostError
            If one of them has gone.
        """
        group = None if values.device.type == "cuda" else self.control
        with _losses():
            dist.all_reduce(values, group=group)
        return values

    def agree(self, turn: Turn | None) -> Turn:
        """Return the leader's turn; random numbers are drawn from the leader's place on."""
        states = [torch.get_rng_state()]
        if self.device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self.device))
        said = torch.zeros(3, dtype=torch.float64)
        if turn is not None:
            said[:] = torch.tensor([turn.goes_on, turn.stopped, turn.progress])
        self._hear([said, *states])
        torch.set_rng_state(states[0])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(states[1], self.device)
        goes_on, stopped, progress = said.tolist()
        return Turn(bool(goes_on), bool(stopped), progress)

    def all_say(self, word: bool) -> bool:
        """Return whether the word of all processes is yes."""
        ayes = self.add_up(torch.tensor([int(word)]))
        return int(ayes) == self.size

    def same_weights(self, module: nn.Module) -> None:
        """Give a module the weights and buffers it has in the leader's process."""
        for value in module.state_dict().values():
            copy = value.detach().cpu().contiguous()
            self._hear([copy])
            if not self.leads:
                value.copy_(copy)

    def same_figures(self, figures: Tensor) -> Tensor:
        """Return the leader's figures."""
        self._hear([figures])
        return figures

    def _hear(self, tensors: list[Tensor]) -> None:
        with _losses():
            for tensor in tensors:
                dist.broadcast(tensor, src=0, group=self.control)


@contextmanager
def _losses() -> Iterator[None]:
    """Tell the loss of a process from mistakes of our own as far as torch does."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise TeamLostError(str(error)) from error


_team: Team | None = None


def present_team() -> Team | None:
    """Return the team that this process belongs to, or None; like torch's groups, one at most."""
    return _team


def leads() -> bool:
    """Return whether this process writes files and speaks: alone, or the first of a team."""
    return _team is None or _team.leads


@contextmanager
def belonging(team: Team) -> Iterator[Team]:
    """Belong to a team until the block is left."""
    global _team
    before, _team = _team, team
    try:
        yield team
    finally:
        _team = before

"""What a process that computes its share of a batch has to ask the others for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """The part of a batch that this process computes.

    The processes hold shares of one batch, in the order of their ranks. Each computes the loss of
    the whole batch; what it has from the others carries no gradient. So the sum of the gradients
    over the processes is the gradient of the whole batch, whatever the loss makes of its items.
    A weight must therefore meet only items of the own share, never what `whole` has returned.

    Parameters
    ----------
    rank : int
    size : int
        Number of processes.
    add_up : callable
        Returns the sum of a tensor over the processes, without a gradient.
    """

    rank: int
    size: int
    add_up: Callable[[Tensor], Tensor]

    def lengths(self, n: int) -> list[int]:
        """Return how many items each process has, where this one has `n`."""
        counts = torch.zeros(self.size, dtype=torch.int64)
        counts[self.rank] = n
        return [int(count) for count in self.add_up(counts).tolist()]

    def whole(self, values: Tensor, dim: int) -> Tensor:
        """Return the items of all processes along one axis, those of rank 0 first."""
        lengths = self.lengths(values.shape[dim])
        start, n = sum(lengths[: self.rank]), values.shape[dim]
        shape = [*values.shape[:dim], sum(lengths), *values.shape[dim + 1 :]]
        everything = values.new_zeros(shape)
        everything.narrow(dim, start, n).copy_(values.detach())
        everything = self.add_up(everything)
        after = everything.narrow(dim, start + n, sum(lengths) - start - n)
        return torch.cat([everything.narrow(dim, 0, start), values, after], dim=dim)

    def mean(self, own: Tensor, count: int) -> Tensor:
        """Return the mean over the items of all processes, where the own ones have `own`."""
        weight = count / max(sum(self.lengths(count)), 1)
        part = own * weight
        return part + (self.add_up(part.detach().clone()) - part.detach())


_present: ContextVar[Share | None] = ContextVar("share", default=None)


@contextmanager
def sharing(share: Share) -> Iterator[None]:
    """Compute losses as one of several processes until the block is left."""
    token = _present.set(share)
    try:
        yield
    finally:
        _present.reset(token)


def whole(values: Tensor, dim: int = 0) -> Tensor:
    """Return the items of the whole batch; as given, where one process computes all of it.

    Parameters
    ----------
    values : tensor
        Items of the own share along the axis `dim`, of whatever number. Those of the others
        carry no gradient.
    dim : int, default 0
    """
    share = _present.get()
    return values if share is None else share.whole(values, dim)


def whole_mean(own: Tensor, count: int) -> Tensor:
    """Return the mean over the whole batch of what has the mean `own` over the own share.

    Parameters
    ----------
    own : tensor, a scalar
    count : int
        Items of the own share; with 0 of them, `own` counts for nothing.
    """
    share = _present.get()
    return own if share is None else share.mean(own, count)


def place_in_whole(n: int) -> tuple[int, int]:
    """Return the place of the first of `n` own items in the whole batch, and their number there."""
    share = _present.get()
    if share is None:
        return 0, n
    lengths = share.lengths(n)
    return sum(lengths[: share.rank]), sum(lengths)

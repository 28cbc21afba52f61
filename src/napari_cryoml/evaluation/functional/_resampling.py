"""Draws of the proteins with replacement, and exchanges of their terms."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from napari_cryoml.jobs import Command, Event

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_LEAST_DRAWS = 20
"""Fewer draws, after a stop, tell no interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One draw of the proteins, in the two ways that metrics need.

    Parameters
    ----------
    weights : array of shape (n,), float32
        How often each protein comes among n that are drawn with replacement: for metrics of
        pairs, of which those of a protein with itself do not count.
    half : array of shape (n,), bool
        Half of the proteins, without replacement: for clusters, where a protein that came twice
        would agree with itself. A value varies among halves as it does among wholes of new
        proteins (delete-d jackknife, d = n / 2).
    """

    weights: npt.NDArray[np.float32]
    half: npt.NDArray[np.bool_]


def draws_of(n: int, count: int, seed: int) -> Iterator[Draw]:
    """Yield draws of n proteins, the same ones for the same seed."""
    random = np.random.default_rng([seed, 1])
    for _ in range(count):
        weights = np.bincount(random.integers(0, n, n), minlength=n).astype(np.float32)
        yield Draw(weights, random.permutation(n) < n // 2)


def exchange_orders(n: int, count: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield random orders of n proteins, shape (n,)."""
    random = np.random.default_rng([seed, 2])
    for _ in range(count):
        yield random.permutation(n)


def interval(
    value: float, draws: npt.NDArray[np.float64], confidence: float
) -> tuple[float, float]:
    """Return an interval around a value from its draws.

    The draws tell how far a value varies, not where it lies: with fewer different proteins, a
    group of three is more easily found. So their quantiles are taken from their own mean and laid
    around the value.

    Parameters
    ----------
    value : float
    draws : array of shape (m,)
        NaN where a draw told nothing.
    confidence : float
        Share of the draws inside.

    Returns
    -------
    low, high : float
        NaN for fewer than 20 draws.
    """
    told = draws[np.isfinite(draws)]
    if len(told) < _LEAST_DRAWS or not np.isfinite(value):
        return float("nan"), float("nan")
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(told - told.mean(), tails)
    return float(value + low), float(value + high)


def p_value(value: float, by_chance: npt.NDArray[np.float64]) -> float:
    """Return the share of exchanges that come as far as the data, the data counted as one."""
    told = by_chance[np.isfinite(by_chance)]
    if not len(told) or not np.isfinite(value):
        return float("nan")
    return float((1 + np.count_nonzero(told >= value)) / (1 + len(told)))


def batches(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """Yield items in lists of `size`."""
    batch: list[ItemT] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def spread_out(
    work: Sequence[Callable[[], ResultT]], threads: int, done: int, total: int, message: str
) -> Generator[Event, Command | None, tuple[list[ResultT], bool]]:
    """Carry out work in threads, in order; return what was done, and whether all of it was.

    Parameters
    ----------
    work : sequence of callable
        Release the GIL.
    threads : int
    done, total : int
        Of the events: what was done before, and in all.
    message : str
    """
    results: dict[int, ResultT] = {}
    running: dict[Future[ResultT], int] = {}
    waiting = list(enumerate(work))[::-1]
    stopped = False
    with ThreadPoolExecutor(threads) as pool:
        while running or (waiting and not stopped):
            while waiting and not stopped and len(running) < threads:
                place, task = waiting.pop()
                running[pool.submit(task)] = place
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                results[running.pop(future)] = future.result()
            told = yield Event(done=done + len(results), total=total, message=message)
            stopped = stopped or told is Command.STOP
    return [results[place] for place in sorted(results)], len(results) == len(work)

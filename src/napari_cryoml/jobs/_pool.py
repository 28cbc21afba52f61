"""Pieces of work that do not depend on each other, carried out one by one or by many workers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from napari_cryoml._errors import InputError

ItemT = TypeVar("ItemT")
DoneT = TypeVar("DoneT")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[DoneT]):
    """What has become of one item.

    Parameters
    ----------
    number : int
        Of the item, from 0.
    value : object
        What the work returned; None if it failed.
    error : str or None
        One sentence if it failed, else None.
    worker : str
        Which worker had it; empty for this process.
    """

    number: int
    value: DoneT | None = None
    error: str | None = None
    worker: str = ""


class Pool(Protocol):
    """Where pieces of work are carried out.

    A pool is opened and closed by whoever owns the run, and only lent to jobs.
    """

    @property
    def where(self) -> str:
        """A few words on where the work is done, for the log."""
        ...

    def outcomes(
        self, work: Callable[[Any], DoneT], items: Sequence[Any]
    ) -> Generator[Outcome[DoneT], None, None]:
        """Yield the outcome of each item, in the order of the items.

        Parameters
        ----------
        work : callable
            Takes an item. A pool of other processes pickles it, once a run, and the items.
        items : sequence
            Taken as they are needed.

        Yields
        ------
        Outcome
            Closing the generator gives up what has not been yielded.
        """
        ...


class InlinePool:
    """Carries out the work in this thread; an `InputError` is an outcome, anything else is not."""

    @property
    def where(self) -> str:
        """A few words on where the work is done."""
        return "this process"

    def outcomes(
        self, work: Callable[[Any], DoneT], items: Sequence[Any]
    ) -> Generator[Outcome[DoneT], None, None]:
        """Yield the outcome of each item as it is done."""
        for number, item in enumerate(items):
            try:
                value = work(item)
            except InputError as error:
                yield Outcome(number, error=str(error))
            else:
                yield Outcome(number, value)

"""Pieces of work carried out by the workers of a Dask scheduler."""

from __future__ import annotations

import pickle
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from napari_cryoml._errors import InputError
from napari_cryoml.jobs._child_end import sentence_of
from napari_cryoml.jobs._cluster_config import ClusterConfig
from napari_cryoml.jobs._dask_connection import about_cluster, connected
from napari_cryoml.jobs._pool import InlinePool, Outcome, Pool

if TYPE_CHECKING:
    from distributed import Client, Future

DoneT = TypeVar("DoneT")

AHEAD = 4
"""Items that are given out for each thread of the cluster: enough that none of them waits."""
_LEAST_AHEAD = 16
_LOST = (
    "The workers that had it were lost one after the other; it may need more memory than they have."
)
_LOOK_S = 5.0  # between two looks at how many workers there are


class DaskPool:
    """Gives items to the workers of a scheduler, a few ahead of what has come back.

    Neither the scheduler nor this process ever holds more than those few, so a list may be of any
    length. An item whose work raises is tried again; so is one whose worker is lost. What still
    fails is an outcome.

    Parameters
    ----------
    client : distributed.Client
    attempts : int, default 3
        How often an item is tried.
    """

    def __init__(self, client: Client, attempts: int = 3) -> None:
        self._client, self._attempts = client, attempts
        self._ahead, self._looked_at = _LEAST_AHEAD, -_LOOK_S

    @property
    def where(self) -> str:
        """How many workers there are, and at which address."""
        return about_cluster(self._client).sentence().rstrip(".")

    def outcomes(
        self, work: Callable[[Any], DoneT], items: Sequence[Any]
    ) -> Generator[Outcome[DoneT], None, None]:
        """Yield the outcome of each item, in the order of the items.

        Raises
        ------
        InputError
            If the work cannot be sent to another process, or the scheduler is lost.
        """
        shared = self._shared(work)
        given: deque[Future] = deque()
        waiting = iter(range(len(items)))
        try:
            for number in range(len(items)):
                self._fill(given, waiting, shared, items)
                again = partial(self._submit, shared, items, number)
                yield self._outcome(number, given.popleft(), again)
        finally:
            if given:
                with suppress(Exception):  # a scheduler that has gone has nothing to cancel
                    self._client.cancel(list(given))

    def _shared(self, work: Callable[[Any], Any]) -> Future:
        """Return the work as the workers have it.

        It is made of its pickle by a task rather than scattered, so that it can be made again if
        all workers that hold it are lost.
        """
        try:
            packed = pickle.dumps(work)
        except Exception as error:
            raise InputError(f"This work cannot be sent to another process: {error}.") from error
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph")
            return self._client.submit(pickle.loads, packed, pure=False, retries=self._attempts)

    def _fill(
        self, given: deque[Future], waiting: Iterator[int], shared: Future, items: Sequence[Any]
    ) -> None:
        """Give out items until as many are away as it takes to keep all workers busy."""
        if time.monotonic() > self._looked_at + _LOOK_S:
            threads = sum(self._client.nthreads().values())
            self._ahead, self._looked_at = max(AHEAD * threads, _LEAST_AHEAD), time.monotonic()
        while len(given) < self._ahead:
            number = next(waiting, None)
            if number is None:
                return
            given.append(self._submit(shared, items, number))

    def _submit(self, shared: Future, items: Sequence[Any], number: int) -> Future:
        # Items given out within a tenth of a second are of one age to the scheduler; the first
        # is waited for first.
        return self._client.submit(
            _carried_out,
            shared,
            items[number],
            pure=False,
            retries=self._attempts - 1,
            priority=-number,
        )

    def _outcome(self, number: int, future: Future, again: Callable[[], Future]) -> Outcome[Any]:
        from distributed import CancelledError, KilledWorker

        try:
            value, worker = future.result()
        except KilledWorker:
            # The scheduler suspects all items that waited on a lost worker: this one is asked
            # once more.
            return self._asked_again(number, again())
        except (CancelledError, OSError) as error:
            self._check_connection(error)
            return Outcome(number, error=sentence_of(error))
        except Exception as error:
            return Outcome(number, error=sentence_of(error))
        finally:
            future.release()
        return Outcome(number, value, worker=worker)

    def _asked_again(self, number: int, future: Future) -> Outcome[Any]:
        from distributed import KilledWorker

        try:
            value, worker = future.result()
        except KilledWorker:
            return Outcome(number, error=_LOST)
        except Exception as error:
            self._check_connection(error)
            return Outcome(number, error=sentence_of(error))
        return Outcome(number, value, worker=worker)

    def _check_connection(self, error: Exception) -> None:
        if self._client.status != "running":
            raise InputError(
                "The connection to the Dask scheduler was lost; what came back before is kept: "
                "start the run again to go on."
            ) from error


@contextmanager
def open_pool(config: ClusterConfig | None = None) -> Iterator[Pool]:
    """Open the pool of a configuration: this process, workers here, or those of a scheduler.

    Raises
    ------
    InputError
        If the scheduler cannot be reached.
    """
    if config is None or not config.is_wanted:
        yield InlinePool()
        return
    with connected(config) as client:
        yield DaskPool(client, config.attempts)


def _carried_out(work: Callable[[Any], Any], item: Any) -> tuple[Any, str]:
    """Return what the work makes of an item, and which worker this is."""
    from distributed import get_worker

    return work(item), str(get_worker().address)

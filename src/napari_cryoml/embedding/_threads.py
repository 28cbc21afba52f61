"""How many threads the compiled loops of this room may use."""

from __future__ import annotations

import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from napari_cryoml.jobs import default_threads, waited_for_threads


def n_threads() -> int:
    """Return the number in OMP_NUM_THREADS, or else that of the cores of this process."""
    cores = waited_for_threads()
    if cores is not None:
        return cores
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return max(1, int(given)) if given.isdigit() else default_threads()


@contextmanager
def workers() -> Generator[tuple[ThreadPoolExecutor, int], None, None]:
    """Give a pool of threads and their number; matrix products in each take one core meanwhile.

    Compiled loops and matrix products leave the interpreter's lock, so that threads do.
    """
    from threadpoolctl import threadpool_limits

    number = n_threads()
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(number) as pool:
        yield pool, number

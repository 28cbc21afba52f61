"""How many threads the compiled loops of this room may use."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

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
    number = n_threads()
    with _one_core, ThreadPoolExecutor(number) as pool:
        yield pool, number


class _OneCoreProducts:
    """Keeps matrix products to one core while anybody is inside.

    The limit is one for the whole process: whoever leaves first must not lift it, and whoever
    leaves last must not put back the limit of another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limits: Any = None

    def __enter__(self) -> None:
        from threadpoolctl import threadpool_limits

        with self._lock:
            if self._inside == 0:
                self._limits = threadpool_limits(1, user_api="blas")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limits.restore_original_limits()


_one_core = _OneCoreProducts()

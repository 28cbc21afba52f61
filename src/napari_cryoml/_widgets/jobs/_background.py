"""Short work that would hold up the GUI: reading an image, listing a folder, writing a file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QObject, QTimer

from napari_cryoml._errors import InputError

logger = logging.getLogger(__name__)
POLL_MS = 20


@dataclass(frozen=True, slots=True)
class _Task:
    future: Future[Any]
    on_done: Callable[[Any], object]
    on_error: Callable[[str], object]


class Background(QObject):
    """One thread beside the GUI's; its results are handed over on the GUI's thread.

    Parameters
    ----------
    parent : QObject, optional
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="cryoml")
        self._tasks: list[_Task] = []
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._tasks)

    def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        on_done: Callable[[Any], object],
        on_error: Callable[[str], object],
    ) -> None:
        """Call ``function(*args)`` in the thread, then `on_done` with what it returned.

        `on_error` gets one sentence where it raised; anything but an `InputError` is logged.
        """
        future = self._executor.submit(function, *args)
        self._tasks.append(_Task(future, on_done, on_error))
        self._timer.start()

    def close(self, *, finish: bool = False) -> None:
        """Hand nothing over any more; drop what waits, or with `finish` wait until it is done."""
        stop_timer(self._timer)
        self._tasks.clear()
        self._executor.shutdown(wait=finish, cancel_futures=not finish)

    def _poll(self) -> None:
        finished = [task for task in self._tasks if task.future.done()]
        self._tasks = [task for task in self._tasks if not task.future.done()]
        if not self._tasks:
            self._timer.stop()
        for task in finished:
            _hand_over(task)


def stop_timer(timer: QTimer) -> None:
    """Stop a timer, which Qt may have deleted already if the application is on its way out."""
    with suppress(RuntimeError):
        timer.stop()


def _hand_over(task: _Task) -> None:
    try:
        result = task.future.result()
    except CancelledError:
        return
    except InputError as error:
        task.on_error(str(error))
    except Exception as error:
        logger.exception("Background work failed")
        task.on_error(f"This went wrong: {error or type(error).__name__}. Details are in the log.")
    else:
        task.on_done(result)

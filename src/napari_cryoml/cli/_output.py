"""What the shell shows: progress while a job runs, results once it is done."""

from __future__ import annotations

import json
import math
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from napari_cryoml._errors import InputWarning
from napari_cryoml.jobs import Event, Job, run_inline

ResultT = TypeVar("ResultT")

_LOG_SECONDS = 10.0
"""Least time between two lines of progress where there is no terminal."""


def print_json(result: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own; what JSON has no word for, as NaN, is null."""
    sys.stdout.write(json.dumps(_plain(result), default=str, allow_nan=False) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def report(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the result of a command: JSON, or one ``name: value`` a line."""
    if as_json:
        print_json(result)
        return
    for line in _lines(result):
        sys.stdout.write(f"{line}\n")


def _lines(result: Mapping[str, Any], margin: str = "") -> Iterator[str]:
    for name, value in result.items():
        label = f"{margin}{name if margin else name.replace('_', ' ')}:"
        if isinstance(value, Mapping):
            yield label
            yield from _lines(value, margin + "  ")
        elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
            yield label
            yield from _table(value, margin + "  ")
        elif isinstance(value, list):
            yield f"{label} {', '.join(map(str, value))}"
        else:
            yield f"{label} {_word(value)}"


def _table(rows: list[Mapping[str, Any]], margin: str) -> Iterator[str]:
    """Yield rows under their names; columns that are empty throughout are left out."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = [
        [name.replace("_", " "), *words]
        for name in names
        if any(words := [_cell(row.get(name)) for row in rows])
    ]
    widths = [max(map(len, column)) for column in columns]
    for line in zip(*columns, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield margin + "  ".join(cells).rstrip()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else _word(value)


def _word(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def run_job(
    job: Job[ResultT], title: str, on_event: Callable[[Event], object] | None = None
) -> ResultT:
    """Run a job here with its progress on stderr; Ctrl-C stops it and keeps what it has.

    Parameters
    ----------
    job : Job
    title : str
        What is being done, for the bar.
    on_event : callable, optional
        Sees every event.
    """
    console = Console(stderr=True)
    progress = _bar if console.is_terminal else _log
    with (
        progress(title, console) as show,
        _stop_on_interrupt() as interrupted,
        plain_warnings(console),
    ):

        def see(event: Event) -> None:
            show(event)
            if on_event is not None:
                on_event(event)

        return run_inline(job, see, lambda: bool(interrupted))


@contextmanager
def _bar(title: str, console: Console) -> Iterator[Callable[[Event], None]]:
    """Show events as a bar that moves."""
    said = TextColumn("{task.fields[said]}", markup=False)  # names may hold brackets
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), said)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=None, said="")

        def show(event: Event) -> None:
            said = _describe(event)
            progress.update(task, completed=event.done, total=event.total or None, said=said)

        yield show


@contextmanager
def _log(title: str, console: Console) -> Iterator[Callable[[Event], None]]:
    """Show events as a line now and then, for a file or a cluster's log."""
    last = time.monotonic()

    def show(event: Event) -> None:
        nonlocal last
        if time.monotonic() - last >= _LOG_SECONDS:
            last = time.monotonic()
            say(f"{title}: {_describe(event)}", console)

    yield show


def say(sentence: str, console: Console | None = None) -> None:
    """Print a sentence on stderr as it is, on one line."""
    where = console or Console(stderr=True)
    where.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _describe(event: Event) -> str:
    """Return what an event says, or else step and loss of a training event in a few words."""
    loss = getattr(event, "loss", None)
    if event.message or loss is None:
        return event.message
    return f"step {getattr(event, 'step', 0)}, loss {loss:.3f}"


@contextmanager
def plain_warnings(console: Console | None = None) -> Iterator[None]:
    """Print each warning about the input once, as a sentence without a source line."""
    original = warnings.showwarning
    said: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
        if not issubclass(category, InputWarning):
            original(message, category, *args, **kwargs)
        elif str(message) not in said:
            said.add(str(message))
            say(str(message), console)

    with warnings.catch_warnings():
        warnings.simplefilter("always", InputWarning)
        warnings.showwarning = show
        yield


@contextmanager
def _stop_on_interrupt() -> Iterator[list[int]]:
    """Collect the first Ctrl-C instead of raising it; the second one interrupts as ever."""
    caught: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        previous = signal.signal(signal.SIGINT, note)
    except ValueError:  # not in the main thread: nothing to catch here
        yield caught
        return
    try:
        yield caught
    finally:
        signal.signal(signal.SIGINT, previous)

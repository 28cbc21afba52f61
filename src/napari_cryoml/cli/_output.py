"""What the shell shows: progress while a job runs, results once it is done."""

from __future__ import annotations

import json
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from napari_cryoml._errors import InputWarning
from napari_cryoml.jobs import Event, Job, run_inline
from napari_cryoml.picking import ImagePicked

ResultT = TypeVar("ResultT")


def print_json(result: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    sys.stdout.write(json.dumps(result, default=str) + "\n")
    sys.stdout.flush()


def report(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the result of a command: JSON, or one ``name: value`` a line."""
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        shown = f"{value:.4g}" if isinstance(value, float) else value
        sys.stdout.write(f"{name.replace('_', ' ')}: {shown}\n")


def run_job(
    job: Job[ResultT], title: str, on_event: Callable[[Event], object] | None = None
) -> ResultT:
    """Run a job here with a progress bar on stderr; Ctrl-C stops it and keeps what it has.

    Parameters
    ----------
    job : Job
    title : str
        What is being done, for the bar.
    on_event : callable, optional
        Sees every event.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, TextColumn("{task.fields[said]}"), console=console) as progress,
        _stop_on_interrupt() as interrupted,
        plain_warnings(console),
    ):
        task = progress.add_task(title, total=None, said="")

        def show(event: Event) -> None:
            said = event.message or _describe(event)
            progress.update(task, completed=event.done, total=event.total or None, said=said)
            if on_event is not None:
                on_event(event)

        return run_inline(job, show, lambda: bool(interrupted))


def write_heatmap(event: ImagePicked, folder: Path) -> None:
    """Write the score map of an image as MRC, with the pixel size of its own grid."""
    from napari_cryoml.io import write_mrc

    folder.mkdir(parents=True, exist_ok=True)
    size, step = event.picks.pixel_size, float(event.score_map.scale.mean())
    path = folder / f"{Path(event.image).stem}_scores.mrc"
    write_mrc(path, event.score_map.values, size * step if size else None)


def _describe(event: Event) -> str:
    """Return step and loss of a training event in a few words."""
    loss = getattr(event, "loss", None)
    return "" if loss is None else f"step {getattr(event, 'step', 0)}, loss {loss:.3f}"


@contextmanager
def plain_warnings(console: Console | None = None) -> Iterator[None]:
    """Print warnings about the input as one sentence each, without a source line."""
    where = console or Console(stderr=True)
    original = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
        if issubclass(category, InputWarning):
            where.print(f"[yellow]{message}[/yellow]")
        else:
            original(message, category, *args, **kwargs)

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

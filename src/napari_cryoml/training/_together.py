"""Carry a job out in several processes that train one network together."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import ChildJob, Command, Event, Job, default_threads
from napari_cryoml.training._devices_config import DevicesConfig
from napari_cryoml.training._seat import (
    Seat,
    accelerator_of,
    backend_of,
    is_started_outside,
    seated,
    seated_outside,
)

ResultT = TypeVar("ResultT")

_PAUSE_SECONDS = 0.05
_LAST_WORDS_SECONDS = 3.0


def on_devices(
    config: DevicesConfig, function: Callable[..., Job[ResultT]], /, *args: Any, **kwargs: Any
) -> Generator[Event, Command | None, ResultT]:
    """Carry out a job whose networks are trained on several devices.

    The job runs in as many processes as there are devices, all alike; where it calls `fit`, each
    computes its share of every step. This process leads: its events and its result are those of
    the run. The other ones are started by it and end with it; or all were started by torchrun or
    srun, then the first leads, and the result of the others is to be thrown away (see `leads`).

    Parameters
    ----------
    config : DevicesConfig
    function : callable
        Returns the job; stands at the top level of a module, or is a method of what can be
        pickled.
    *args, **kwargs
        Its arguments, which are pickled.

    Yields
    ------
    Event
        Of the job.

    Returns
    -------
    object
        What the job returns. If another process ends too early, the job is told to stop, and
        returns what it has reached.

    Raises
    ------
    InputError
        If there are not as many devices, or the processes do not come together.
    """
    if is_started_outside():
        with seated_outside(config) as team:
            return (yield from _as_member(team, function(*args, **kwargs)))
    n = n_devices(config)
    if n == 1:
        return (yield from function(*args, **kwargs))
    with _team_of(n, config, function, args, kwargs) as team:
        return (yield from _as_member(team, function(*args, **kwargs)))


def n_devices(config: DevicesConfig) -> int:
    """Return how many devices of this computer are to be trained on.

    Raises
    ------
    InputError
        If there are not as many, or other computers are to be started from here.
    """
    if config.nodes > 1:
        raise InputError(
            f"Training on {config.nodes} computers starts on each of them: run the command by "
            "torchrun or srun there, or leave --nodes out."
        )
    if config.devices == 1:
        return 1
    import torch

    n_gpus = torch.cuda.device_count() if accelerator_of(config) == "cuda" else 0
    if config.devices == "auto":
        return max(n_gpus, 1)
    if accelerator_of(config) == "cuda" and n_gpus < config.devices:
        raise InputError(
            f"{config.devices} GPUs were asked for and this computer has {n_gpus}: ask for that "
            "many, or for --device cpu."
        )
    return config.devices


def _as_member(team: Any, job: Job[ResultT]) -> Generator[Event, Command | None, ResultT]:
    """Carry a job out as one of a team; it is told to stop once the team says so."""
    from napari_cryoml.training._team import belonging

    command: Command | None = None
    with belonging(team):
        try:
            while True:
                try:
                    event = job.send(command)
                except StopIteration as end:
                    result: ResultT = end.value
                    return result
                if team.leads:
                    command = yield event
                else:
                    command = None
                if team.must_stop:
                    command, team.must_stop = Command.STOP, False
        finally:
            job.close()


def follow_leader(
    seat: Seat, start_seconds: float, function: Callable[..., Job[Any]], args: Any, kwargs: Any
) -> Job[None]:
    """Take part in a job of the process that has started this one, and say nothing."""
    import torch.distributed  # noqa: F401 - what takes long comes before the first event

    yield Event(done=0, total=0, message="Ready.")
    with seated(seat, start_seconds) as team:
        yield from _as_member(team, function(*args, **kwargs))


@contextmanager
def _team_of(
    n: int, config: DevicesConfig, function: Callable[..., Job[Any]], args: Any, kwargs: Any
) -> Iterator[Any]:
    """Start the other processes, join them, and end them when the block is left."""
    accelerator = accelerator_of(config)
    backend = backend_of(config, accelerator)
    followers: list[ChildJob[None]] = []
    with (
        tempfile.TemporaryDirectory(prefix="napari-cryoml-team-") as folder,
        _threads_for(n) as threads,
    ):
        store = str(Path(folder) / "store")
        try:
            for rank in range(1, n):
                seat = Seat(rank, n, store, accelerator, backend)
                call = (seat, config.start_seconds, function, args, kwargs)
                followers.append(ChildJob.start(follow_leader, *call, threads=threads))
            _wait_until_ready(followers, config.start_seconds)
            leader = seated(Seat(0, n, store, accelerator, backend), config.start_seconds)
            with ExitStack() as stack:
                team = _entered(stack, leader, followers)
                team.reason = lambda: _last_words(followers)
                yield team
        finally:
            for follower in followers:
                follower.cancel()
            for follower in followers:
                follower.wait(_LAST_WORDS_SECONDS)


def _entered(stack: ExitStack, leader: Any, followers: Sequence[ChildJob[None]]) -> Any:
    from napari_cryoml.training._team import TeamLostError

    try:
        return stack.enter_context(leader)
    except TeamLostError as error:
        raise InputError(f"{_last_words(followers)} Training has not begun.") from error


@contextmanager
def _threads_for(n: int) -> Iterator[int]:
    """Divide the cores among the processes, unless the user has."""
    import torch

    before = torch.get_num_threads()
    if "OMP_NUM_THREADS" in os.environ:
        yield before
        return
    share = max((default_threads() + 1) // n, 1)
    torch.set_num_threads(share)
    try:
        yield share
    finally:
        torch.set_num_threads(before)


def _wait_until_ready(followers: Sequence[ChildJob[None]], seconds: float) -> None:
    """Wait for the first word of each."""
    deadline = time.monotonic() + seconds
    waiting = list(followers)
    while waiting:
        for follower in list(waiting):
            state = follower.state
            if follower.poll():
                waiting.remove(follower)
            elif state != "running":
                raise InputError(follower.error or "A process of this run did not start.")
        if waiting and time.monotonic() > deadline:
            raise InputError(
                f"Only {len(followers) - len(waiting) + 1} of {len(followers) + 1} processes had "
                f"started after {seconds:g} s: ask for fewer devices, or try again."
            )
        time.sleep(_PAUSE_SECONDS if waiting else 0)


def _last_words(followers: Sequence[ChildJob[None]]) -> str:
    """Return which process has gone, and why."""
    deadline = time.monotonic() + _LAST_WORDS_SECONDS
    while time.monotonic() < deadline:
        for rank, follower in enumerate(followers, start=1):
            if follower.state != "running":
                why = follower.error or "It ended by itself."
                return f"Process {rank + 1} of {len(followers) + 1} is lost. {why}"
        time.sleep(_PAUSE_SECONDS)
    return "The processes of this run have lost each other."

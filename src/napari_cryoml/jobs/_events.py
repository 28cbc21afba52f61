"""What a job says while it runs, and what it can be told."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, TypeVar


class Command(Enum):
    """What the owner of a job may send into its generator."""

    STOP = "stop"
    """Finish early and return what has been reached so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One sign of life of a job; jobs with more to say derive their own events.

    Parameters
    ----------
    done, total : int
        Units of work finished, and in all; `total` is 0 while it is unknown.
    message : str
        One line for the log; empty if there is nothing to say.
    """

    done: int
    total: int
    message: str = ""


ResultT = TypeVar("ResultT")

Job: TypeAlias = Generator[Event, Command | None, ResultT]
"""A generator of events that takes `Command.STOP` by ``send`` and returns its result."""

"""The child's end of the pipes, and the ends a child may come to."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from io import FileIO

from napari_cryoml._errors import InputError
from napari_cryoml.jobs._wire import receive


def claim_pipes() -> tuple[FileIO, FileIO]:
    """Take stdin and stdout for messages: return where commands come from and answers go to.

    Code in the child may print, and may read stdin; neither must touch the messages.
    """
    commands, answers = FileIO(os.dup(0), "r"), FileIO(os.dup(1), "w")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return commands, answers


def heed(commands: FileIO, take: Callable[[bytes], object]) -> None:
    """Pass on every further message, in a thread; end at once when the parent has gone."""
    threading.Thread(target=_listen, args=(commands, take), daemon=True).start()


def _listen(commands: FileIO, take: Callable[[bytes], object]) -> None:
    with contextlib.suppress(EOFError, OSError):
        while True:
            take(receive(commands))
    _end_as_orphan()


def _end_as_orphan() -> None:
    """Take along whatever was started here, so that no orphan works on."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def sentence_of(error: Exception) -> str:
    """Return one sentence for the user on what was raised."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The computer ran out of memory: close other programs or use smaller settings."
    what = str(error).rstrip(".") or "no message"
    return f"Something went wrong in our code: {type(error).__name__}: {what}."


def leave_within(seconds: float) -> None:
    """End this process after `seconds` at the latest.

    Libraries that hang while the interpreter shuts down must not keep the memory.
    """
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()

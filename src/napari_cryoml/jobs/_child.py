"""What the child process does: read one request, carry it out, tell the parent."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import traceback
from io import FileIO

from napari_cryoml._errors import InputError
from napari_cryoml.jobs._inline import run_inline
from napari_cryoml.jobs._wire import receive, send

EXIT_GRACE_S = 5.0
"""How long the libraries of a finished job may take to shut down."""


def main() -> None:
    """Carry out the one job that arrives on stdin; events and the outcome leave on stdout."""
    commands, answers = _claim_pipes()
    stop = threading.Event()
    try:
        request = receive(commands)
    except EOFError:
        return
    threading.Thread(target=_listen, args=(commands, stop), daemon=True).start()
    outcome = _carry_out(request, answers, stop)
    try:
        send(answers, outcome)
    except OSError:
        os._exit(1)  # nobody is left to hear it
    _leave_within(EXIT_GRACE_S)


def _claim_pipes() -> tuple[FileIO, FileIO]:
    # The job may print, and may read stdin; neither must touch the messages.
    commands, answers = FileIO(os.dup(0), "r"), FileIO(os.dup(1), "w")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return commands, answers


def _listen(commands: FileIO, stop: threading.Event) -> None:
    """Note the wish to stop; end at once when the parent has gone, so that no orphan works on."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            receive(commands)
            stop.set()
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _carry_out(request: bytes, answers: FileIO, stop: threading.Event) -> bytes:
    try:
        # Written by our own parent process, over a pipe that no one else holds.
        function, args, kwargs = pickle.loads(request)  # noqa: S301
        result = run_inline(
            function(*args, **kwargs),
            on_event=lambda event: send(answers, pickle.dumps(("event", event))),
            should_stop=stop.is_set,
        )
        return pickle.dumps(("result", result))
    except Exception as error:
        return pickle.dumps(("failure", (_sentence(error), traceback.format_exc())))


def _sentence(error: Exception) -> str:
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The computer ran out of memory: close other programs or use smaller settings."
    what = str(error).rstrip(".") or "no message"
    return f"Something went wrong in our code: {type(error).__name__}: {what}."


def _leave_within(seconds: float) -> None:
    # Libraries that hang while the interpreter shuts down must not keep the memory.
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()

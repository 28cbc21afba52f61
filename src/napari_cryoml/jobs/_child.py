"""What the child process of a job does: read one request, carry it out, tell the parent."""

from __future__ import annotations

import os
import pickle
import threading
import traceback
from io import FileIO

from napari_cryoml.jobs._child_end import claim_pipes, heed, leave_within, sentence_of
from napari_cryoml.jobs._inline import run_inline
from napari_cryoml.jobs._wire import receive, send

EXIT_GRACE_S = 5.0
"""How long the libraries of a finished job may take to shut down."""


def main() -> None:
    """Carry out the one job that arrives on stdin; events and the outcome leave on stdout."""
    commands, answers = claim_pipes()
    stop = threading.Event()
    try:
        request = receive(commands)
    except EOFError:
        return
    heed(commands, lambda message: stop.set())
    outcome = _carry_out(request, answers, stop)
    try:
        send(answers, outcome)
    except OSError:
        os._exit(1)  # nobody is left to hear it
    leave_within(EXIT_GRACE_S)


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
        return pickle.dumps(("failure", (sentence_of(error), traceback.format_exc())))

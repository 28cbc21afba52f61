"""Start and end a python process that carries out a job or a service."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from napari_cryoml._errors import InputError

# The child must not read modules from the working directory before it has our import path (-P),
# and a segmentation fault shall leave a traceback in the log (faulthandler).
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "import importlib; importlib.import_module(sys.argv[2]).main()"
)
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

# Threads of OpenMP that wait spin on their core; with others at work there, each of the many short
# loops of an image then waits for its turn: ten times as long was seen.
_PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}


def default_threads() -> int:
    """Return how many threads a background job may use: the cores of this process less one."""
    return max(1, _cores() - 1)


def waited_for_threads() -> int | None:
    """Return how many threads a process may use that the user waits for: all cores.

    None where OMP_NUM_THREADS has decided, so that it goes on deciding.
    """
    return None if "OMP_NUM_THREADS" in os.environ else _cores()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spawn(module: str, threads: int | None) -> subprocess.Popen[bytes]:
    """Start ``main()`` of `module`; stdin and stdout carry messages, stderr is the log.

    Not `multiprocessing`, whose spawned children import the user's main module again: in a
    script that opens napari, a second napari.
    """
    path = [str(Path(entry).absolute()) for entry in sys.path]
    command = [sys.executable, "-P", "-X", "faulthandler", "-c", _BOOT, json.dumps(path), module]
    try:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and code
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(threads),
            **_own_group(),
        )
    except OSError as error:
        raise InputError(
            f"The background process could not be started ({error}): close other programs, "
            f"or check the Python at {sys.executable!r}."
        ) from error


def _environment(threads: int | None) -> dict[str, str]:
    environment = {**_PATIENT, **os.environ}
    if threads is None and "OMP_NUM_THREADS" in environment:
        return environment  # the user, or a cluster's scheduler, has decided
    count = str(default_threads() if threads is None else max(1, threads))
    return environment | dict.fromkeys(THREAD_VARIABLES, count)


def _own_group() -> dict[str, Any]:
    # A group of its own: Ctrl-C in the shell stays with the parent, and ending the group takes
    # along whatever the job has started.
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags}
    return {"start_new_session": True}


def end_group(process: subprocess.Popen[bytes], *, force: bool) -> None:
    """End the process and, except on Windows, all that it has started; it may be gone already."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL if force else signal.SIGTERM)


def death_notice(code: int) -> str:
    """Return one sentence on a process that ended with `code` and without a word.

    Parameters
    ----------
    code : int
        Exit code; on Linux and macOS, -n for signal n.
    """
    if code >= 0:
        return (
            f"The background process ended by itself with exit code {code} before the work was "
            f"finished; its log may say why."
        )
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name == "SIGKILL":
        return (
            "The background process was killed from outside (SIGKILL); the computer may have run "
            "out of memory: close other programs or use smaller settings, and try again."
        )
    return (
        f"The background process crashed ({name}) before the work was finished; its log may say "
        f"where."
    )

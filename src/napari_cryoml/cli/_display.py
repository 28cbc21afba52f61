"""A screen for napari where there is none."""

from __future__ import annotations

import os
import shutil
import sys

from napari_cryoml._errors import InputError

_MARK = "NAPARI_CRYOML_VIRTUAL_DISPLAY"
_SCREEN = "-screen 0 1366x768x24"


def has_display() -> bool:
    """Return whether windows can be opened: always outside Linux."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def is_virtual() -> bool:
    """Return whether this process runs on the virtual display of `ensure_display`."""
    return bool(os.environ.get(_MARK))


def ensure_display() -> None:
    """Start this command again on a virtual display if there is no display; else do nothing.

    Raises
    ------
    InputError
        If xvfb is not installed.
    """
    if has_display():
        return
    runner = shutil.which("xvfb-run")
    if runner is None:
        raise InputError(
            "There is no display and no xvfb to make a virtual one: run "
            "'apt-get install xvfb xauth', or give --no-viewer."
        )
    os.environ[_MARK] = "1"
    command = [runner, "-a", "-s", _SCREEN, sys.executable, "-m", "napari_cryoml", *sys.argv[1:]]
    sys.stdout.flush()
    os.execv(runner, command)  # noqa: S606 - the same program again, with a screen

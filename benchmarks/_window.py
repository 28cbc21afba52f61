"""Letting time go by in a window."""

from __future__ import annotations

import time

from qtpy.QtWidgets import QApplication


def pass_time(seconds: float) -> None:
    """Have Qt handle what happens, for some time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.001)

"""Signals of others that one part of a dock hears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Connections:
    """Signals and who hears them, from now on until `close`.

    Parameters
    ----------
    *pairs : tuple of signal and callable
    """

    def __init__(self, *pairs: tuple[Any, Callable[..., object]]) -> None:
        self._pairs = pairs
        for signal, slot in pairs:
            signal.connect(slot)

    def close(self) -> None:
        """Hear nothing any more."""
        for signal, slot in self._pairs:
            signal.disconnect(slot)

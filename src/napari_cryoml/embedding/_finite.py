"""Rows whose vectors hold numbers that are not finite."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def on_rows_set_aside(finite: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    """Return what the user is told if some rows cannot be used."""
    bad = len(finite) - int(finite.sum())
    if not bad:
        return ()
    return (f"Set aside because their vectors are not finite: {bad} of {len(finite)} rows.",)

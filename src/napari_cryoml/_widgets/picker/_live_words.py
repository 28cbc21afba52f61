"""What live picking says about itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_cryoml.picking.live import LiveAnswer


def status_text(found: LiveAnswer, n_here: int, seconds: float) -> str:
    """Return one line on a refit.

    Parameters
    ----------
    found : LiveAnswer
    n_here : int
        Picks above the threshold in its image.
    seconds : float
        From the edit to the redrawn picks.
    """
    name = "Preview" if found.preview else "Live"
    parts = [f"{name}: {1000 * seconds:.0f} ms", f"{counted(n_here, 'pick')} here"]
    if not found.preview:
        parts.append(f"about {particles_text(found)}")
    return ", ".join(parts) + "."


def particles_text(found: LiveAnswer) -> str:
    """Return the number of particles in an image and its interval."""
    prior = found.prior
    low, high = f"{prior.low:.0f}", f"{prior.high:.0f}"
    interval = "" if low == high else f" ({low}-{high})"
    if not math.isfinite(prior.high):
        interval = f" ({low} or more)"
    return f"{prior.value:.0f} particles an image{interval}"


def waiting_text(has_diameter: bool) -> str:
    """Return what live picking waits for."""
    if not has_diameter:
        return "Draw the diameter of one particle first [0]."
    return (
        "Click a particle: picks follow every click, live from the third on. Or start with "
        "blobs: Pick all images."
    )


def counted(number: int, what: str) -> str:
    """Return a number of things, such as "1 pick" or "2 picks"."""
    return f"{number} {what}{'' if number == 1 else 's'}"

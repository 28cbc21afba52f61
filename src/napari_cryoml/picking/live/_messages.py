"""What passes between the live picker and who asks it; importing it needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_cryoml.data import Annotations, Picks, ScoreMap
from napari_cryoml.jobs import Event
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._prior import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class LiveRequest:
    """What is asked of the live picker after an edit, or when another image is shown.

    Parameters
    ----------
    labels : mapping of str to Annotations
        Of all images that have some.
    image : str or None
        The image on show.
    config : LiveConfig
    """

    labels: Mapping[str, Annotations]
    image: str | None
    config: LiveConfig


@dataclass(frozen=True, slots=True, eq=False)
class SuggestRequest(LiveRequest):
    """Asks the live picker for the places whose labels would teach most."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveAnswer:
    """What the live picker finds in one image.

    Parameters
    ----------
    image : str
    picks : Picks
        By falling log-odds.
    score_map : ScoreMap
        Log-odds.
    seconds : mapping of str to float
        What "features", "fit" and "score" took.
    n_labels : int
    prior : Estimate
        Particles per image, with its 95 % interval.
    threshold : float
        Log-odds at which the expected F1 is largest.
    notes : tuple of str
        Sentences for the user.
    preview : bool
        Whether there were too few labels for more than a look.
    """

    image: str
    picks: Picks
    score_map: ScoreMap
    seconds: Mapping[str, float]
    n_labels: int
    prior: Estimate
    threshold: float
    notes: tuple[str, ...] = ()
    preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures(Event):
    """What a job that picks a list from labels has found out, once it is through.

    Parameters
    ----------
    seconds : mapping of str to float
        What "features" of an image took, the "fit", and to "score" and pick an image, on average.
    prior : Estimate
        Particles per image, with its 95 % interval.
    threshold : float
        Log-odds at which the expected F1 is largest.
    notes : tuple of str
        Sentences for the user.
    """

    seconds: Mapping[str, float]
    prior: Estimate
    threshold: float
    notes: tuple[str, ...] = ()

    @classmethod
    def nothing(cls) -> LiveFigures:
        """Return the figures of a job that has not come so far."""
        return cls(done=0, total=0, seconds={}, prior=Estimate(0, 0, 0), threshold=0.0)

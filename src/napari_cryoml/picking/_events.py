"""What the jobs of a picker say; importing it needs no torch, nor does unpickling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from napari_cryoml.data import Picks, ScoreMap
from napari_cryoml.jobs import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDone(Event):
    """One image of a list is done.

    Parameters
    ----------
    image : str
        Its name.
    picks : Picks
        By falling score, down to the threshold of the job.
    device : str
        Where it was scored, in a user's words.
    seconds : mapping of str to float
        What parts of the work took, where it is measured.
    """

    image: str
    picks: Picks
    device: str
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePicked(ImageDone):
    """One image of a list is done, with its heat map.

    Parameters
    ----------
    score_map : ScoreMap
        The heat map the picks are peaks of.
    """

    score_map: ScoreMap


@dataclass(frozen=True, slots=True, kw_only=True)
class PickersCompared(Event):
    """How well a trained network and the live picker do on the same labels, shown to neither.

    Parameters
    ----------
    network, live : float or None
        Validation AP of each; None where none was measured, or not on held-out labels.
    better : {"network", "live"} or None
        None where it cannot be told.
    n_held_out : int
        How many labels the figures rest on.
    """

    network: float | None
    live: float | None
    better: Literal["network", "live"] | None
    n_held_out: int

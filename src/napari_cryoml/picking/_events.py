"""What the jobs of a picker say; importing it needs no torch, nor does unpickling."""

from __future__ import annotations

from dataclasses import dataclass

from napari_cryoml.data import Picks, ScoreMap
from napari_cryoml.jobs import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePicked(Event):
    """One image of a list is done.

    Parameters
    ----------
    image : str
        Its name.
    picks : Picks
        By falling score, down to the threshold of the job.
    score_map : ScoreMap
        The heat map the picks are peaks of.
    device : str
        Where it was scored, in a user's words.
    """

    image: str
    picks: Picks
    score_map: ScoreMap
    device: str

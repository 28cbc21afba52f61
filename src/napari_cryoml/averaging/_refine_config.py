"""What a user decides about iterative averages of subtomograms."""

from __future__ import annotations

from pydantic import Field

from napari_cryoml._registry import Config
from napari_cryoml.averaging._align_config import AlignConfig

_WIDEST_STEP = 40.0
_DETAIL = 135.0
"""Degrees between rotations times the periods to a box that they can tell apart."""


class RefineConfig(Config):
    """How subtomograms are aligned to their own average, again and again."""

    iterations: int = Field(
        10, ge=1, le=100, description="Rounds of alignment and averaging after the first guess."
    )
    starts: int = Field(
        2,
        ge=1,
        le=20,
        description="Random first guesses for each half, of which the one that its particles fit "
        "best is refined; not used with a reference.",
    )
    first_high: float = Field(
        3.0,
        ge=2,
        description="Finest detail that is compared at first, periods to a box; it rises to that "
        "of the alignment. Halves know of a reference no more than this.",
    )
    align: AlignConfig = Field(
        default_factory=AlignConfig, description="The alignment of the last rounds."
    )
    seed: int = Field(0, ge=0, description="Of the halves and of the first guesses.")

    def round(self, iteration: int, side: int, pixel_size: float | None = None) -> AlignConfig:
        """Return the alignment of one round: coarse at first, as asked for in the last third.

        Parameters
        ----------
        iteration : int
            From 0.
        side : int
            Of the boxes, voxels.
        pixel_size : float, optional
            Angstrom.
        """
        last = self.align.highest(side, pixel_size)
        first = min(self.first_high, last)
        share = min(iteration / max(2 * self.iterations / 3, 1), 1.0)
        return self.up_to(first + share * (last - first))

    def up_to(self, high: float) -> AlignConfig:
        """Return the alignment up to some detail, with no more rotations than that needs."""
        step = min(max(_DETAIL / high, self.align.angular_step), _WIDEST_STEP)
        coarse = step > self.align.angular_step
        return self.align.model_copy(
            update={
                "low": min(self.align.low, high / 2),
                "high": high,
                "resolution": None,
                "angular_step": step,
                "rounds": min(self.align.rounds, 2) if coarse else self.align.rounds,
                "beams": 1 if coarse else self.align.beams,
                "full_size": self.align.full_size and not coarse,
            }
        )

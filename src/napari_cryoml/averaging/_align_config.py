"""What a user decides about the alignment of subtomograms."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config

_SHIFT_SHARE = 1 / 8


class AlignConfig(Config):
    """How subtomograms are aligned to references."""

    angular_step: float = Field(
        15.0,
        ge=4,
        le=60,
        description="Step in degrees between the rotations of the reference that are screened: "
        "4608 of them at 15 degrees.",
    )
    low: float = Field(
        1.5,
        ge=0.5,
        description="Coarsest detail that is compared, periods to a box.",
    )
    high: float = Field(
        9.0,
        ge=2,
        description="Finest detail that is compared, periods to a box; about 135 / angular_step.",
    )
    resolution: float | None = Field(
        None,
        gt=0,
        description="Finest detail that is compared, in angstrom (voxels where no voxel size is "
        "known), in place of `high`.",
    )
    max_shift: float | None = Field(
        None,
        ge=0,
        description="Furthest that a particle lies from the centre of its box along each axis, "
        "voxels; an eighth of the box by default.",
    )
    candidates: int = Field(
        12,
        ge=1,
        le=500,
        description="Rotations that the screen passes on to the comparison with shifts.",
    )
    beams: int = Field(
        3, ge=1, le=50, description="Of the candidates, how many the first local round refines."
    )
    rounds: int = Field(
        3,
        ge=0,
        le=10,
        description="Local rounds: the first varies the rotation by half of angular_step, the "
        "others each by half as much as the one before.",
    )
    full_size: bool = Field(
        False,
        description="Whether one more local round compares all frequencies of the box.",
    )
    diameter: float | None = Field(
        None,
        gt=0,
        description="Diameter in voxels of the soft ball around the particle, in the frame of the "
        "reference; four fifths of the box by default.",
    )
    symmetry: str = Field(
        "C1",
        pattern=r"^(C[1-9][0-9]*|D[1-9][0-9]*|T|O|I)$",
        description="Point group of the particle: C1, C2, ..., D2, D3, ..., T, O or I; its main "
        "axis is z.",
    )
    batch: int = Field(
        64, ge=1, description="Subtomograms that are compared at once: more take more memory."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.high <= self.low:
            raise ValueError(f"must compare finer detail ({self.high}) than low ({self.low})")
        return self

    def highest(self, side: int, pixel_size: float | None = None) -> float:
        """Return the finest detail that is compared in a box of `side` voxels, periods to a box."""
        wanted = self.high
        if self.resolution is not None:
            wanted = side * (pixel_size or 1.0) / self.resolution
        return min(max(wanted, self.low + 1), (side - 1) // 2)

    def reach(self, side: int) -> float:
        """Return how far particles may lie from the centre of a box of `side` voxels, voxels.

        Raises
        ------
        InputError
            If that is beyond the box.
        """
        if self.max_shift is not None and self.max_shift > side / 2:
            raise InputError(
                f"A particle cannot lie {self.max_shift:g} voxels off the middle of a box of "
                f"{side}: give a max_shift of {side // 4} or less, or cut larger boxes."
            )
        return _SHIFT_SHARE * side if self.max_shift is None else self.max_shift

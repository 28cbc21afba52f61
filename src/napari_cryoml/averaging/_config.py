"""What a user decides about averages."""

from __future__ import annotations

from pydantic import Field

from napari_cryoml._registry import Config


class AverageConfig(Config):
    """How crops are aligned to each other and averaged."""

    max_shift: float | None = Field(
        None,
        ge=0,
        description="Furthest that a crop is moved, pixels; a sixteenth of the box by default.",
    )
    angular_step: float = Field(
        4.0,
        ge=2,
        le=30,
        description="Step in degrees of the turns that are tried before they are refined; it also "
        "sets the finest detail that is looked at, about 60 / step periods to a box.",
    )
    iterations: int = Field(
        10, ge=1, le=100, description="Rounds of alignment at coarse resolution from each start."
    )
    starts: int = Field(
        3, ge=1, le=50, description="Random starts, of which the likeliest result is refined."
    )
    diameter: float | None = Field(
        None,
        gt=0,
        description="Diameter in pixels of the soft disc within which crops are compared; by "
        "default 1.2 diameters of the particles where they are known, else four fifths of the box.",
    )
    mirror: bool = Field(
        False, description="Whether a crop may also be mirrored: never for true projections."
    )
    most: int = Field(
        500, ge=2, le=2000, description="Most crops that are averaged: a random sample of more."
    )
    seed: int = Field(0, ge=0, description="Of the sample, the halves and the starts.")

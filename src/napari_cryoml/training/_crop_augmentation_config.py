"""How crops are varied before a classifier sees them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from napari_cryoml._registry import Config


class CropAugmentationConfig(Config):
    """Variations of crops that leave their class as it is."""

    kind: Literal["none", "paper", "full", "cells"] = Field(
        "full",
        description="None; those of Gupta et al. 2022: parts of the crop, and turns about the "
        "beam (paper); ours: turns in all directions, after which the missing wedge is cut out "
        "again and noise with the spectrum of the crop fills what was lost (full); or mirror "
        "images, turns of the plane and shifts by whole pixels, for light microscopy (cells).",
    )
    copies: int = Field(
        0,
        ge=0,
        le=1000,
        description="Variations of each crop, the crop as it is among them, that are made once, "
        "kept in memory and drawn from again; 0 makes each anew.",
    )
    turns: Literal["none", "right", "any"] = Field(
        "right",
        description="Turns of the plane: none, by right angles, which change no pixel, or by any "
        "angle (cells).",
    )
    probability: float = Field(
        0.5, ge=0, le=1, description="Of each of the two variations of the paper."
    )
    least_part: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Least share of the plane across the beam that is cut of a crop "
        "and magnified to all of it (paper).",
    )
    angle: float = Field(
        45.0, ge=0, le=180, description="Largest turn about the beam, degrees (paper)."
    )
    shift: float = Field(
        0.1, ge=0, le=0.5, description="Largest shift along each axis, as a share of the side."
    )
    scale: float = Field(
        0.1, ge=0, lt=0.5, description="Crops are magnified by up to this share, or shrunk (paper)."
    )
    noise: float = Field(
        0.5,
        ge=0,
        le=3,
        description="Largest deviation of the noise that is added, as a multiple of that of the "
        "crop; it has the crop's spectrum and missing wedge (full).",
    )
    refill: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the power that a turn has lost, by interpolation and to the missing "
        "wedge, that comes back as noise (full).",
    )
    contrast: float = Field(
        0.1, ge=0, le=1, description="Spread (log scale) of the random contrast of a crop (full)."
    )
    ball: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of the crops whose corners are faded out, so that neighbours in them "
        "do not count (full).",
    )
    mirror: bool = Field(
        False,
        description="Mirror half of the crops (full); the mirror image of a molecule is another "
        "one.",
    )

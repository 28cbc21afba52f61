"""What simulated cells show, and how well."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from napari_cryoml._registry import Config
from napari_cryoml.simulate._cells_patterns import PATTERNS


class CellsSimulationConfig(Config):
    """What simulated cells show: proteins, how they are told apart, and what is in the way."""

    n_proteins: int = Field(170, ge=1, le=100_000, description="Number of proteins.")
    cells_per_protein: int = Field(
        40, ge=1, description="Cells of each protein, in each condition."
    )
    size: int = Field(64, ge=16, le=512, description="Side of the crops in pixels.")
    kind: Literal["yeast", "round"] = Field(
        "yeast", description="Shape of the cells: yeast, most with a bud, or round without buds."
    )
    cell_share: float = Field(
        0.4, ge=0.1, le=1, description="Diameter of a mother cell over the side of a crop."
    )
    classes: tuple[str, ...] = Field(
        tuple(PATTERNS), min_length=1, description="Compartments that proteins are found in."
    )
    complex_size: float = Field(4, ge=1, description="Mean number of proteins in a complex.")
    pathway_size: float = Field(8, ge=1, description="Mean number of proteins in a pathway.")
    bioprocess_size: float = Field(
        16, ge=1, description="Mean number of proteins of one class that share a bioprocess."
    )
    function_strength: float = Field(
        1.0,
        ge=0,
        le=4,
        description="How far bioprocesses, pathways and complexes of one class differ in how "
        "they fill their compartment; 0 for not at all.",
    )
    protein_spread: float = Field(
        0.15, ge=0, le=4, description="How far proteins of one complex differ, as above."
    )
    cell_spread: float = Field(
        0.25, ge=0, le=4, description="How far cells of one protein differ, as above."
    )
    unannotated: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of the proteins that each standard but the compartments leaves out.",
    )
    misannotated: float = Field(
        0.05, ge=0, le=1, description="Share of the proteins listed under another term by mistake."
    )
    photons: float = Field(
        40.0, gt=0, description="Mean counts per pixel of the marker, and of a usual protein."
    )
    brightness_spread: float = Field(
        0.6, ge=0, le=3, description="Spread of the logarithm of brightness among proteins."
    )
    expression_spread: float = Field(
        0.3, ge=0, le=3, description="Spread of the logarithm of brightness among cells."
    )
    plates: int = Field(4, ge=1, description="Plates that the proteins are spread over.")
    replicates: int = Field(2, ge=1, description="Plates that each protein is on.")
    plate_spread: float = Field(
        0.3,
        ge=0,
        le=2,
        description="How far plates differ in gain, background, blur and bleed-through, as "
        "spread of their logarithms.",
    )
    background: float = Field(20.0, ge=0, description="Mean counts per pixel outside the cells.")
    blur: float = Field(
        1.0, ge=0, le=8, description="Mean width of the microscope's blur, pixels (deviation)."
    )
    focus_spread: float = Field(
        0.2, ge=0, le=2, description="Spread of the logarithm of the blur among cells."
    )
    read_noise: float = Field(3.0, ge=0, description="Deviation of the camera's noise, counts.")
    bleed_through: float = Field(
        0.04, ge=0, le=1, description="Mean share of the marker that the protein channel sees."
    )
    autofluorescence: float = Field(
        0.2,
        ge=0,
        description="Glow of the cell itself in the protein channel, over the mean counts.",
    )
    crowding: float = Field(
        1.2, ge=0, le=4, description="Expected number of neighbours that a cell touches."
    )
    dead: float = Field(
        0.02, ge=0, le=1, description="Share of dead cells, bright and without structure."
    )
    conditions: int = Field(
        1, ge=1, le=2, description="1, or 2 with a second condition in which some proteins move."
    )
    moving: float = Field(
        0.1, ge=0, le=1, description="Share of the proteins that move in the second condition."
    )
    response: float = Field(
        0.1,
        ge=0,
        le=1,
        description="How much smaller, as a share, all cells are in the second condition.",
    )
    camera: bool = Field(
        False, description="Whether counts are whole numbers of 16 bits, as a camera gives them."
    )

    @field_validator("classes")
    @classmethod
    def _check_classes(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in classes if name not in PATTERNS]
        if unknown or len(set(classes)) < len(classes):
            raise ValueError(f"classes must be different ones of {', '.join(PATTERNS)}")
        return classes

    @model_validator(mode="after")
    def _check(self) -> CellsSimulationConfig:
        if self.replicates > self.plates:
            raise ValueError("replicates must not exceed plates")
        if self.conditions == 2 and self.moving > 0 and len(self.classes) < 2:
            raise ValueError("proteins that move need 2 classes or more")
        return self

    @property
    def radius(self) -> float:
        """Mean radius of a mother cell, pixels."""
        return self.cell_share * self.size / 2

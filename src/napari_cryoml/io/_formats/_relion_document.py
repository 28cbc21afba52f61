"""What RELION's labels are, and what a STAR file holds beside the positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_cryoml.io._formats._star_blocks import Block, loop_of

PIXELS = ("rlnCoordinateX", "rlnCoordinateY", "rlnCoordinateZ")
CENTRED = tuple(f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
SCORES = ("rlnAutopickFigureOfMerit", "rlnParticleScore", "ParticleScore", "rlnLCCmax")
UNSET_SCORE = -999.0
"""What RELION writes for picks without a figure of merit."""


@dataclass(frozen=True, slots=True, eq=False)
class StarDocument:
    """What a STAR file holds beside the positions, so that it can be written again.

    Parameters
    ----------
    blocks : mapping of str to block
        All data blocks in their order; that of the particles without rows.
    particles : str
        Name of the block of the particles.
    columns : tuple of str
        Its labels in their order.
    image_column, score_column : str, optional
        Labels that the image's name and the score came from.
    """

    blocks: Mapping[str, Block]
    particles: str
    columns: tuple[str, ...]
    image_column: str | None
    score_column: str | None

    @property
    def centred(self) -> bool:
        """Positions are angstrom from the centre of the tomogram, as RELION 5 writes them."""
        return CENTRED[0] in self.columns


def shapes_in(blocks: Mapping[str, Block]) -> dict[str, tuple[int, ...]]:
    """Return the tomogram shapes (z, y, x) that a block of the file lists, if one does."""
    wanted = {"rlnTomoName", "rlnTomoSizeX", "rlnTomoSizeY", "rlnTomoSizeZ"}
    shapes: dict[str, tuple[int, ...]] = {}
    for block in blocks.values():
        frame = loop_of(block)
        if wanted <= set(frame.columns):
            sizes = frame[["rlnTomoSizeZ", "rlnTomoSizeY", "rlnTomoSizeX"]].astype(int).to_numpy()
            shapes |= {
                str(name): (int(z), int(y), int(x))
                for name, (z, y, x) in zip(frame["rlnTomoName"], sizes, strict=True)
            }
    return shapes

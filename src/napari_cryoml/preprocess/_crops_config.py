"""How wide crops are, and how many pixels they have."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config
from napari_cryoml.data import ImageSource, PicksTable
from napari_cryoml.preprocess._crop_rows import common_diameter
from napari_cryoml.preprocess._crops import PickCrops

_BOX_DIAMETERS = 1.5
_USUAL_SIZES = {2: 64, 3: 32}


class CropsConfig(Config):
    """How crops are cut out around picks."""

    diameter: float | None = Field(
        None,
        gt=0,
        description="Particle diameter in pixels of the image, the longest axis; none for the one "
        "that the picks tell.",
    )
    box: int | None = Field(
        None,
        ge=2,
        description="Side of a crop in pixels of the image; none for 1.5 diameters.",
    )
    size: int | None = Field(
        None,
        ge=2,
        description="Side of a crop once it is reduced, in pixels; none for that of the box, at "
        "most 64 (32 in 3-D).",
    )

    def cut(self, sources: Sequence[ImageSource], table: PicksTable) -> PickCrops:
        """Return the crops of these picks; none is read yet.

        Parameters
        ----------
        sources : sequence of ImageSource
        table : PicksTable

        Raises
        ------
        InputError
            If neither a diameter nor a box is known, or `PickCrops` cannot be made.
        """
        diameter = self.diameter or common_diameter(table)
        box = self.box
        if box is None:
            if diameter is None:
                raise InputError(
                    "The picks do not tell how large the particles are: give their diameter, or "
                    "the side of the box."
                )
            box = _even(_BOX_DIAMETERS * diameter)
        ndim = max((picks.ndim for picks in table if len(picks)), default=2)
        size = min(box, _USUAL_SIZES[ndim]) if self.size is None else self.size
        return PickCrops(sources, table, box, size, diameter=diameter)


def _even(length: float) -> int:
    """Return the nearest even length: its middle stays in the middle when it is reduced."""
    return max(2 * round(length / 2), 2)

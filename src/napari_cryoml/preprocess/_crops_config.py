"""How wide crops are, and how many pixels they have."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config
from napari_cryoml.data import ImageSource, MissingWedge, PicksTable
from napari_cryoml.preprocess._box_cutting import Border, BoxCutting
from napari_cryoml.preprocess._crop_rows import common_diameter
from napari_cryoml.preprocess._crops import PickCrops

_ANGSTROM_PER_NM = 10.0
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

    sub_voxel: bool = Field(
        False,
        description="Move each box by the fraction of a pixel that its pick lies off a pixel, so "
        "that the particle is exactly in the middle.",
    )
    border: Border = Field(
        "mirror",
        description="What lies beyond the border of an image: its mirror image, or the mean of the "
        "box; drop leaves picks out whose box leaves the image.",
    )
    smooth_nm: float = Field(
        0.0,
        ge=0,
        description="Sigma in nanometres of a Gaussian that smooths the crops; 0 for none.",
    )
    invert: bool = Field(False, description="Turn dark particles into bright ones.")

    def box_of(self, table: PicksTable) -> int:
        """Return the side of the boxes of these picks, in pixels of the image.

        Raises
        ------
        InputError
            If neither a box nor a diameter is known.
        """
        if self.box is not None:
            return self.box
        diameter = self.diameter or common_diameter(table)
        if diameter is None:
            raise InputError(
                "The picks do not tell how large the particles are: give their diameter, or the "
                "side of the box."
            )
        return _even(_BOX_DIAMETERS * diameter)

    def cut(
        self,
        sources: Sequence[ImageSource],
        table: PicksTable,
        *,
        pixel_size: float | None = None,
        wedge: MissingWedge | None = None,
    ) -> PickCrops:
        """Return the crops of these picks; none is read yet.

        Parameters
        ----------
        sources : sequence of ImageSource
        table : PicksTable
        pixel_size : float, optional
            Angstrom per pixel of the images, where they do not say it.
        wedge : MissingWedge, optional
            Tilts that the tomograms were reconstructed from.

        Raises
        ------
        InputError
            If neither a diameter nor a box is known, crops are to be smoothed and no pixel size is
            known, or `PickCrops` cannot be made.
        """
        diameter = self.diameter or common_diameter(table)
        box = self.box_of(table)
        ndim = max((picks.ndim for picks in table if len(picks)), default=2)
        size = min(box, _USUAL_SIZES[ndim]) if self.size is None else self.size
        cutting = BoxCutting(
            self.sub_voxel, self.border, self._smooth_px(sources, pixel_size), self.invert
        )
        return PickCrops(
            sources,
            table,
            box,
            size,
            diameter=diameter,
            cutting=cutting,
            pixel_size=pixel_size,
            wedge=wedge,
        )

    def _smooth_px(self, sources: Sequence[ImageSource], pixel_size: float | None) -> float:
        """Return the sigma of the smoothing in pixels of the images."""
        if not self.smooth_nm:
            return 0.0
        known = pixel_size or next((s.pixel_size for s in sources if s.pixel_size), None)
        if known is None:
            raise InputError(
                f"Smoothing by {self.smooth_nm:g} nm needs the pixel size of the images, which "
                "they do not say: give it, or leave out the smoothing."
            )
        return _ANGSTROM_PER_NM * self.smooth_nm / known


def _even(length: float) -> int:
    """Return the nearest even length: its middle stays in the middle when it is reduced."""
    return max(2 * round(length / 2), 2)

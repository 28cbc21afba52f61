"""How cells are cut out of images."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config

Edge: TypeAlias = Literal["mirror", "pad", "drop"]


class CellsConfig(Config):
    """How cells are cut out of images of several channels."""

    size: int = Field(64, ge=2, description="Side of a crop in pixels.")
    pixel_size: float | None = Field(
        None,
        gt=0,
        description="Angstrom per pixel that crops are rescaled to, as 1600 for 0.16 micrometres; "
        "none for that of the image.",
    )
    edge: Edge = Field(
        "mirror",
        description="What lies beyond the border of an image: its mirror image, or zeros (pad); "
        "drop leaves cells out whose crop leaves the image.",
    )
    mask: bool = Field(
        False, description="Set what does not belong to the cell, its neighbours too, to zero."
    )
    protein: str = Field(
        "0",
        description="Channel of the protein, by name or by number from 0; it becomes the first of "
        "the crops.",
    )
    marker: str | None = Field(
        None,
        description="Channel of the marker (nucleus, cytosol, membrane), by name or number; it "
        "becomes the second.",
    )
    others: bool = Field(
        True, description="Keep the other channels too, behind the protein and the marker."
    )
    empty_below: float = Field(
        2.0,
        ge=0,
        description="Signal in standard deviations of the background below which the protein "
        "channel of a cell counts as empty.",
    )

    def ratio(self, pixel_size: float | None, where: str) -> float:
        """Return pixels of an image per pixel of a crop.

        Parameters
        ----------
        pixel_size : float or None
            Angstrom per pixel of the image.
        where : str
            Name of the image.

        Raises
        ------
        InputError
            If crops are to be rescaled, and the image does not tell its pixel size.
        """
        if self.pixel_size is None:
            return 1.0
        if pixel_size is None:
            raise InputError(
                f"Crops of {self.pixel_size:g} angstrom a pixel need the pixel size of {where}, "
                "which it does not tell: give it, or cut without rescaling."
            )
        return self.pixel_size / pixel_size

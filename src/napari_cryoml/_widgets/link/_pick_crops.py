"""The crops of picks, and the service that shows them; importing it needs no torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._napari._map_link import MapLink
from napari_cryoml.data import Crops, ImageSource, MissingWedge, PicksTable

if TYPE_CHECKING:
    from napari_cryoml.averaging import CropService
    from napari_cryoml.preprocess import CropsConfig, PickCrops

Sentences = tuple[str, ...]


def crop_service(crops: Crops) -> CropService:
    """Make the service behind a gallery."""
    from napari_cryoml.averaging import CropService

    return CropService(crops)


def crops_of_picks(
    link: MapLink,
    known: Iterable[str] = (),
    config: CropsConfig | None = None,
    wedge: MissingWedge | None = None,
) -> tuple[PickCrops, Sentences]:
    """Return the crops of all picks, and what was odd about them; from any thread.

    Parameters
    ----------
    link : MapLink
    known : iterable of str
        Ids of picks of which something is known: whoever lies where one of them was has its id.
    config : CropsConfig, optional
        How crops are cut; its diameter is that of the images, where they know one.
    wedge : MissingWedge, optional
        Tilts that tomograms were reconstructed from.

    Raises
    ------
    InputError
        If there are no picks or no images, or the size of a crop is not known.
    """
    from napari_cryoml.preprocess import CropsConfig

    source, config = link.picks_source(), config or CropsConfig()
    diameter = max(source.diameters.values(), default=0.0)
    if config.diameter is None and diameter > 0:
        config = config.model_copy(update={"diameter": diameter})
    if config.diameter is None and config.box is None:
        raise InputError(
            "The diameter of the particles is not known: draw it in the Picker [0], or give the "
            "points their size."
        )
    crops, remarks = cut(source.sources, source.table, config, wedge)
    return crops.known_as(known), remarks


def cut(
    sources: Sequence[ImageSource],
    table: PicksTable,
    config: CropsConfig,
    wedge: MissingWedge | None = None,
) -> tuple[PickCrops, Sentences]:
    """Return the crops of picks, and what was odd about them.

    Raises
    ------
    InputError
        As `CropsConfig.cut` does.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        crops = config.cut(sources, table, wedge=wedge)
    return crops, tuple(str(one.message) for one in caught)

"""What the Explorer has done in child processes and threads; importing it needs no torch."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._napari._map_link import MapLink
from napari_cryoml.data import Crops, Embedding, ImageSource, Picks, PicksTable
from napari_cryoml.jobs import Job

if TYPE_CHECKING:
    from napari_cryoml.averaging import CropService
    from napari_cryoml.embedding import CropEncoderConfig, MapService
    from napari_cryoml.preprocess import PickCrops

Sentences = tuple[str, ...]


def embed(crops: Crops, config: CropEncoderConfig) -> Job[Embedding]:
    """Encode crops; what is done is kept until all is, and taken up again after a stop.

    Parameters
    ----------
    crops : Crops
    config : CropEncoderConfig
    """
    from napari_cryoml.embedding import extract
    from napari_cryoml.features import user_cache_folder

    folder = user_cache_folder() / "vectors"
    folder.mkdir(parents=True, exist_ok=True)
    what = "\n".join([config.name, config.model_dump_json(), *crops.ids.tolist()])
    store = folder / f"{hashlib.blake2b(what.encode(), digest_size=16).hexdigest()}.vectors"
    embedding = yield from extract(crops, config, store=store)
    if len(embedding) == len(crops):
        store.unlink(missing_ok=True)
    return embedding


def map_service(vectors: Any) -> MapService:
    """Make the service behind maps and groups."""
    from napari_cryoml.embedding import MapService

    return MapService(vectors)


def crop_service(crops: Crops) -> CropService:
    """Make the service behind the gallery."""
    from napari_cryoml.averaging import CropService

    return CropService(crops)


def crops_of_picks(link: MapLink, known: Iterable[str] = ()) -> tuple[Crops, Sentences]:
    """Return the crops of all picks, and what was odd about them; from any thread.

    Parameters
    ----------
    link : MapLink
    known : iterable of str
        Ids of picks of which something is known: whoever lies where one of them was has its id.

    Raises
    ------
    InputError
        If there are no picks or no images, or their diameter is not known.
    """
    source = link.picks_source()
    diameters = [diameter for diameter in source.diameters.values() if diameter > 0]
    if not diameters:
        raise InputError(
            "The diameter of the particles is not known: draw it in the Picker [0], or give the "
            "points their size."
        )
    crops, remarks = _cut(source.sources, source.table, diameter=max(diameters))
    return crops.known_as(known), remarks


def crops_of_embedding(embedding: Embedding, link: MapLink) -> tuple[Crops, Sentences]:
    """Return the crops of an embedding whose images are at hand; from any thread.

    Raises
    ------
    InputError
        If its rows lie in none of the images, or nobody knows how large a crop is.
    """
    images, positions = embedding.images, embedding.positions
    if images is None or positions is None:
        raise InputError("These rows lie in no images: there are no crops to show.")
    found = link.picks_source()
    wanted = {source.name for source in found.sources}
    table = PicksTable.of(
        Picks(name, positions[images == name])
        for name in np.unique(images).tolist()
        if name in wanted
    )
    box = embedding.provenance.get("box")
    diameter = max(found.diameters.values(), default=0.0)
    crops, remarks = _cut(
        found.sources, table, diameter=diameter or None, box=box if isinstance(box, int) else None
    )
    return crops.known_as(embedding.ids.tolist()), remarks


def _cut(
    sources: tuple[ImageSource, ...], table: PicksTable, **options: Any
) -> tuple[PickCrops, Sentences]:
    from napari_cryoml.preprocess import CropsConfig

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        crops = CropsConfig(**options).cut(sources, table)
    return crops, tuple(str(one.message) for one in caught)


def file_name(place: str | Path) -> str:
    """Return a name for a file that belongs to a place."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", str(place)).strip("-")[-80:]

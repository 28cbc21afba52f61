"""What the Explorer has done in child processes and threads; importing it needs no torch."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._napari._map_link import MapLink
from napari_cryoml._widgets.link import cut
from napari_cryoml.data import Crops, Embedding, Picks, PicksTable
from napari_cryoml.jobs import Job

if TYPE_CHECKING:
    from napari_cryoml.embedding import CropEncoderConfig, MapService

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


def compare(cells: Embedding) -> Job[Embedding]:
    """Find out which proteins move between the two conditions of their cells.

    Raises
    ------
    InputError
        If a column or a condition is missing.
    """
    from napari_cryoml.embedding import displacements

    return displacements(cells)


def map_service(vectors: Any) -> MapService:
    """Make the service behind maps and groups."""
    from napari_cryoml.embedding import MapService

    return MapService(vectors)


def crops_of_embedding(embedding: Embedding, link: MapLink) -> tuple[Crops, Sentences]:
    """Return the crops of an embedding whose images are at hand; from any thread.

    Raises
    ------
    InputError
        If its rows lie in none of the images, or nobody knows how large a crop is.
    """
    from napari_cryoml.preprocess import CropsConfig

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
    size = box if isinstance(box, int) else None
    crops, remarks = cut(found.sources, table, CropsConfig(diameter=diameter or None, box=size))
    return crops.known_as(embedding.ids.tolist()), remarks

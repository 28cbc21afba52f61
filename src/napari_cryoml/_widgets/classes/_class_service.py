"""The service behind classifiers; importing it needs no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cryoml.data import Crops, MissingWedge

if TYPE_CHECKING:
    from napari_cryoml.classification import ClassifyService


def classify_service(
    crops: Crops, wedge: MissingWedge | None, usual: str = "few_shot"
) -> ClassifyService:
    """Make the service behind classifiers, which describes crops for the usual system."""
    from napari_cryoml.classification import ClassifyService

    return ClassifyService(crops, wedge, usual)

"""What napari opens from its Plugins menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_cryoml._widgets.classify._controller import ClassifyController
from napari_cryoml._widgets.classify._view import ClassifyOffers, ClassifyView
from napari_cryoml._widgets.frame import OpenDocks, PluginDock
from napari_cryoml.averaging import AverageConfig, RefineConfig
from napari_cryoml.classification import systems
from napari_cryoml.preprocess import CropsConfig

if TYPE_CHECKING:
    import napari

FIRST_SYSTEMS = ("few_shot", "contrastive")
_WIDTH_PX = 380

classifiers: OpenDocks[ClassifyController] = OpenDocks()
"""All Classify docks that are open, and signals about them."""


class ClassifyWidget(PluginDock[ClassifyController]):
    """The Classify dock.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer, "Classify dock", classifiers, _make, _WIDTH_PX)


def _make(viewer: Any) -> tuple[ClassifyView, ClassifyController]:
    view = ClassifyView(offers())
    return view, ClassifyController(viewer, view)


def offers() -> ClassifyOffers:
    """Return what there is to choose from, the defaults first."""
    names = [*FIRST_SYSTEMS, *(name for name in systems if name not in FIRST_SYSTEMS)]
    return ClassifyOffers(
        systems={name: systems[name] for name in names},
        crops=CropsConfig,
        image_average=AverageConfig,
        volume_average=RefineConfig,
    )

"""What napari opens from its Plugins menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_cryoml._registry import Registry
from napari_cryoml._widgets.embedding._controller import ExplorerController
from napari_cryoml._widgets.embedding._view import ExplorerView, Offers
from napari_cryoml._widgets.frame import OpenDocks, PluginDock
from napari_cryoml.embedding import (
    NoveltyConfig,
    SpreadConfig,
    clusterings,
    encoders,
    projections,
)

if TYPE_CHECKING:
    import napari

FIRST_ENCODER, FIRST_METHOD, FIRST_GROUPING = "live", "umap", "kmeans"
_WIDTH_PX = 360

explorers: OpenDocks[ExplorerController] = OpenDocks()
"""All Explorers that are open, and signals about them."""


class ExplorerWidget(PluginDock[ExplorerController]):
    """The Explorer's dock.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer, "Explorer", explorers, _make, _WIDTH_PX)


def _make(viewer: Any) -> tuple[ExplorerView, ExplorerController]:
    view = ExplorerView(offers())
    return view, ExplorerController(viewer, view)


def offers() -> Offers:
    """Return what there is to choose from, the defaults first."""
    return Offers(
        encoders=_first(FIRST_ENCODER, _all(encoders)),
        projections=_first(FIRST_METHOD, _all(projections)),
        clusterings=_first(FIRST_GROUPING, _all(clusterings)),
        novelty=NoveltyConfig,
        spreading=SpreadConfig,
    )


def _all(registry: Registry[Any]) -> dict[str, Any]:
    return {name: registry[name] for name in registry}


def _first(name: str, known: dict[str, Any]) -> dict[str, Any]:
    return {name: known[name], **known}

"""What napari opens from its menus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_cryoml._widgets.cells._controller import CellsController
from napari_cryoml._widgets.cells._map_tab import names_of
from napari_cryoml._widgets.cells._view import CellsOffers, CellsView
from napari_cryoml._widgets.frame import OpenDocks, PluginDock
from napari_cryoml.classification import systems
from napari_cryoml.embedding import encoders
from napari_cryoml.preprocess import CellsConfig, SegmentConfig

if TYPE_CHECKING:
    import napari

FIRST_SYSTEMS = ("measurements", "deeploc", "deeploc_2017", "few_shot", "contrastive")
FIRST_ENCODERS = ("measurements", "rings", "classifier")
_WIDTH_PX = 380

cell_docks: OpenDocks[CellsController] = OpenDocks()
"""All Cells docks that are open, and signals about them."""


class CellsWidget(PluginDock[CellsController]):
    """The Cells dock.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer, "Cells dock", cell_docks, _make, _WIDTH_PX)


def _make(viewer: Any) -> tuple[CellsView, CellsController]:
    view = CellsView(offers())
    return view, CellsController(viewer, view)


def offers() -> CellsOffers:
    """Return what there is to choose from, the defaults first."""
    return CellsOffers(
        systems={name: systems[name] for name in names_of(list(systems), FIRST_SYSTEMS)},
        encoders={name: encoders[name] for name in names_of(list(encoders), FIRST_ENCODERS)},
        cells=CellsConfig,
        segment=SegmentConfig,
    )

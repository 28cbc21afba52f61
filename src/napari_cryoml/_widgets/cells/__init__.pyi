from ._controller import CellsController
from ._view import CellsOffers, CellsView
from ._widget import CellsWidget, cell_docks, offers

__all__ = [
    "CellsController",
    "CellsOffers",
    "CellsView",
    "CellsWidget",
    "cell_docks",
    "offers",
]

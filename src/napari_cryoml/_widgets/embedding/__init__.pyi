from ._controller import ExplorerController
from ._view import ExplorerView, Offers
from ._widget import ExplorerWidget, explorers, offers

__all__ = ["ExplorerController", "ExplorerView", "ExplorerWidget", "Offers", "explorers", "offers"]

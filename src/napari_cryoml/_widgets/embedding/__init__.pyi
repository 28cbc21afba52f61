from ._controller import ExplorerController
from ._view import ExplorerView, Offers
from ._widget import ExplorerWidget, offers

__all__ = ["ExplorerController", "ExplorerView", "ExplorerWidget", "Offers", "offers"]

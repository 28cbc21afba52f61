from ._controller import ClassifyController
from ._view import ClassifyOffers, ClassifyView
from ._widget import ClassifyWidget, classifiers, offers

__all__ = [
    "ClassifyController",
    "ClassifyOffers",
    "ClassifyView",
    "ClassifyWidget",
    "classifiers",
    "offers",
]

from ._view import ClassifyOffers, ClassifyView

__all__ = ["ClassifyOffers", "ClassifyView"]

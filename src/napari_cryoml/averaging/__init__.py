"""Crops aligned to each other, their average, and how far it can be trusted."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""From crops to vectors, maps of them, groups and what is new among them."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""The Explorer: a map of picks or of anything that was embedded, linked with the images."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

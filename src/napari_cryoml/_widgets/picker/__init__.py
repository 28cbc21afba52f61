"""The Picker: click a few particles, train while you go on, pick all micrographs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

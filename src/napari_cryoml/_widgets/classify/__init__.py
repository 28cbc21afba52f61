"""The Classify dock: classes of particles from a few labels, for crops and subtomograms."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

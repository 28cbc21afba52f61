"""The Cells dock: classes of cells from a few labels, and vectors of proteins."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

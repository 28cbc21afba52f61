"""What shows crops in any dock: a gallery of them, and their average."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""What docks that classify crops share: classes, labels, the gallery, systems and their results."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""What docks of particles share: the link to the images, crops of picks, classes, and files."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

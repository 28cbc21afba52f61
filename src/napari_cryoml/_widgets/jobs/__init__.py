"""Work beside the GUI's thread: threads for reading, child processes for jobs, a panel for both."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

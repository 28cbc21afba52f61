"""One loop for all objectives, the samplers that feed it, and where it runs.

Names are imported on first use, so that a Config can be had without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""From images and a few labels to picks: training, dense scores, peaks, baselines.

Names are imported on first use, so that a Config can be had without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

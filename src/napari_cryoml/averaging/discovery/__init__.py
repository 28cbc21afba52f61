"""Structures that nobody has labelled: clusters of crops, taken apart, averaged and ranked.

Xu et al. 2017, Deep learning-based subdivision approach for large scale macromolecules structure
recovery from electron cryo tomograms, Bioinformatics 33:i13, section 2.3.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Classifiers of crops: systems that train them from few labels, and what they answer."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

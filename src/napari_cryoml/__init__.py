"""Point at a few particles, and get the rest: in napari, from the shell, in a script."""

from importlib.metadata import version

__version__ = version("napari-cryoml")

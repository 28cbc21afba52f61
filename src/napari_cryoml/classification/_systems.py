"""The systems that come with us; importing this fills the registry."""

from napari_cryoml.classification._system import SystemConfig, systems

__all__ = ["SystemConfig", "systems"]

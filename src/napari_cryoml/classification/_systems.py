"""The systems that come with us; importing this fills the registry."""

from napari_cryoml.classification import _contrastive_system, _published_systems  # noqa: F401
from napari_cryoml.classification._system import SystemConfig, systems

__all__ = ["SystemConfig", "systems"]

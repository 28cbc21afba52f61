"""The systems that come with us; importing this fills the registry."""

from napari_cryoml.classification import (  # noqa: F401
    _contrastive_system,
    _deeploc_systems,
    _feature_systems,
    _inpainting_system,
    _measurement_system,
    _published_systems,
)
from napari_cryoml.classification._system import SystemConfig, systems

__all__ = ["SystemConfig", "systems"]

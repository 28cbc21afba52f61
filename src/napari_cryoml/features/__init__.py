"""What places of an image look like, in numbers that need no training."""

from napari_cryoml.features._feature_map import FeatureMap

__all__ = [
    "FeatureMap",
]

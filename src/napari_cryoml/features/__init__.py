"""What places of an image look like, in numbers that need no training."""

from napari_cryoml.features._cache import FeatureCache, neighbours, user_cache_folder
from napari_cryoml.features._feature_key import feature_key
from napari_cryoml.features._feature_map import FeatureMap

__all__ = [
    "FeatureCache",
    "FeatureMap",
    "feature_key",
    "neighbours",
    "user_cache_folder",
]

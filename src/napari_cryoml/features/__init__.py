"""What places of an image look like, in numbers that need no training."""

from napari_cryoml.features._cache import FeatureCache, neighbours, user_cache_folder
from napari_cryoml.features._crop_harmonics import (
    CropRings,
    RingHarmonics,
    crop_harmonics,
    crop_rings,
)
from napari_cryoml.features._feature_key import feature_key
from napari_cryoml.features._feature_map import FeatureMap
from napari_cryoml.features._harmonics import (
    FEATURES_VERSION,
    HarmonicsConfig,
    harmonic_channels,
    harmonic_features,
)
from napari_cryoml.features._measure import GROUPS as MEASUREMENT_GROUPS
from napari_cryoml.features._measure import measure
from napari_cryoml.features._measure_crops import measure_crops
from napari_cryoml.features._measure_groups import MeasureGroup
from napari_cryoml.features._measurement_sets import MeasurementSetConfig, measurement_sets
from napari_cryoml.features._measurements import MeasurementReport, Measurements, Reduction
from napari_cryoml.features._rotation_invariant import rotation_invariant

__all__ = [
    "FEATURES_VERSION",
    "MEASUREMENT_GROUPS",
    "CropRings",
    "FeatureCache",
    "FeatureMap",
    "HarmonicsConfig",
    "MeasureGroup",
    "MeasurementReport",
    "MeasurementSetConfig",
    "Measurements",
    "Reduction",
    "RingHarmonics",
    "crop_harmonics",
    "crop_rings",
    "feature_key",
    "harmonic_channels",
    "harmonic_features",
    "measure",
    "measure_crops",
    "measurement_sets",
    "neighbours",
    "rotation_invariant",
    "user_cache_folder",
]

"""The encoders that come with us; importing this fills the registry."""

from napari_cryoml.embedding._classifier_encoder import ClassifierEncoderConfig
from napari_cryoml.embedding._encoder import CropEncoder, CropEncoderConfig, encoders
from napari_cryoml.embedding._invariant_encoder import InvariantConfig
from napari_cryoml.embedding._live_encoder import LiveEncoderConfig
from napari_cryoml.embedding._measurement_encoder import MeasurementEncoderConfig
from napari_cryoml.embedding._rings import RingsConfig
from napari_cryoml.embedding._spectrum import SpectrumConfig
from napari_cryoml.embedding._trained_encoder import DetectorEncoderConfig

__all__ = [
    "ClassifierEncoderConfig",
    "CropEncoder",
    "CropEncoderConfig",
    "DetectorEncoderConfig",
    "InvariantConfig",
    "LiveEncoderConfig",
    "MeasurementEncoderConfig",
    "RingsConfig",
    "SpectrumConfig",
    "encoders",
]

"""Networks and their Configs: detectors of particles, classifiers of crops.

The Configs import without torch; the networks bring torch when they are asked
for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_cryoml.models._autoencoder import Autoencoder
from napari_cryoml.models._cb3d import CB3D
from napari_cryoml.models._classifier_config import ClassifierConfig, classifiers
from napari_cryoml.models._compact import Compact
from napari_cryoml.models._config import DetectorConfig, NetworkOptions, detectors
from napari_cryoml.models._conv31 import Conv31
from napari_cryoml.models._conv63 import Conv63
from napari_cryoml.models._conv127 import Conv127
from napari_cryoml.models._deeploc import DeepLoc
from napari_cryoml.models._deeploc_2017 import DeepLoc2017
from napari_cryoml.models._dsrf3d import DSRF3D
from napari_cryoml.models._dsrf3d_v2 import DSRF3DV2
from napari_cryoml.models._flat import Flat
from napari_cryoml.models._harmonic import Harmonic
from napari_cryoml.models._inception3d import Inception3D
from napari_cryoml.models._paired_inpainting import PairedInpainting
from napari_cryoml.models._rb3d import RB3D
from napari_cryoml.models._resnet8 import ResNet8
from napari_cryoml.models._resnet16 import ResNet16

if TYPE_CHECKING:
    from napari_cryoml.models._classifier import Classifier
    from napari_cryoml.models._crop_decoder import CropDecoder
    from napari_cryoml.models._decoder import Decoder
    from napari_cryoml.models._detector import Detector
    from napari_cryoml.models._encoder import Encoder, EncoderConfig, load_encoder
    from napari_cryoml.models._grad_cam import grad_cam
    from napari_cryoml.models._inpainting_decoder import InpaintingDecoder
    from napari_cryoml.models._inpainting_encoder import InpaintingEncoder
    from napari_cryoml.models._topaz import import_topaz

__all__ = [
    "CB3D",
    "DSRF3D",
    "DSRF3DV2",
    "RB3D",
    "Autoencoder",
    "Classifier",
    "ClassifierConfig",
    "Compact",
    "Conv31",
    "Conv63",
    "Conv127",
    "CropDecoder",
    "Decoder",
    "DeepLoc",
    "DeepLoc2017",
    "Detector",
    "DetectorConfig",
    "Encoder",
    "EncoderConfig",
    "Flat",
    "Harmonic",
    "Inception3D",
    "InpaintingDecoder",
    "InpaintingEncoder",
    "NetworkOptions",
    "PairedInpainting",
    "ResNet8",
    "ResNet16",
    "classifiers",
    "detectors",
    "grad_cam",
    "import_topaz",
    "load_encoder",
]

_NEED_TORCH = {
    "Classifier": "_classifier",
    "CropDecoder": "_crop_decoder",
    "Decoder": "_decoder",
    "Detector": "_detector",
    "Encoder": "_encoder",
    "EncoderConfig": "_encoder",
    "InpaintingDecoder": "_inpainting_decoder",
    "InpaintingEncoder": "_inpainting_encoder",
    "grad_cam": "_grad_cam",
    "import_topaz": "_topaz",
    "load_encoder": "_encoder",
}


def __getattr__(name: str) -> Any:
    if name not in _NEED_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_NEED_TORCH[name]}"), name)

"""The figures that the layer tables of the networks have to give, at 32 units."""

import subprocess
import sys

import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.models import Decoder, detectors

# receptive field px, stride px, latent, parameters in 2-D and in 3-D
FIGURES = {
    "conv31": (31, 4, 128, 258_148, 1_291_556),
    "conv63": (63, 8, 256, 1_077_989, 5_388_197),
    "conv127": (127, 16, 512, 4_356_070, 21_773_478),
    "resnet8": (71, 4, 128, 329_249, 1_397_473),
    "resnet16": (91, 4, 128, 458_913, 1_785_185),
}


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_there_are_five_networks():
    assert list(detectors) == list(FIGURES)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("name", FIGURES)
def test_figures(name, ndim):
    import torch

    field, stride, latent, *counts = FIGURES[name]
    config = detectors.create(name, ndim=ndim)
    assert (config.receptive_field, config.stride, config.latent) == (field, stride, latent)
    with torch.device("meta"):
        detector = config.build()
    assert (detector.receptive_field, detector.stride, detector.latent) == (field, stride, latent)
    assert parameters(detector) == counts[ndim - 2]


@pytest.mark.parametrize(
    ("name", "units", "ndim", "count"),
    [
        ("resnet8", 64, 2, 1_311_809),
        ("resnet8", 64, 3, 5_565_889),
        ("resnet16", 64, 2, 1_829_185),
        ("resnet16", 64, 3, 7_115_457),
    ],
)
def test_wide_residual_networks(name, units, ndim, count):
    import torch

    with torch.device("meta"):
        assert parameters(detectors.create(name, units=units, ndim=ndim).build()) == count


@pytest.mark.parametrize(("name", "count"), [("resnet8", 328_801), ("resnet16", 458_145)])
def test_without_batch_norm_there_are_biases(name, count):
    import torch

    with torch.device("meta"):
        assert parameters(detectors.create(name, batch_norm=False).build()) == count


@pytest.mark.parametrize(
    ("name", "size"),
    [("conv31", 31), ("conv63", 63), ("conv127", 127), ("resnet8", 63), ("resnet16", 63)],
)
def test_decoders_draw_the_middle_of_the_crop(name, size):
    config = detectors.create(name, units=1)
    assert Decoder(config.latent, config.receptive_field, ndim=2, units=1).size == size


def test_the_decoder_of_conv31_has_the_channels_of_the_paper():
    decoder = Decoder(128, 31, ndim=2)
    shapes = [tuple(p.shape[:2]) for p in decoder.parameters() if p.ndim > 1]
    assert shapes == [(128, 128), (128, 64), (64, 32), (32, 1)]


def test_an_unknown_option_gets_a_sentence():
    with pytest.raises(InputError, match="network 'conv31': depth"):
        detectors.create("conv31", depth=3)
    with pytest.raises(InputError, match="network 'conv31': ndim"):
        detectors.create("conv31", ndim=4)


def test_configs_need_no_torch():
    code = (
        "import sys, napari_cryoml.models as m; m.detectors.create('resnet8').receptive_field;"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0


def test_unknown_names_of_the_package_are_attribute_errors():
    import napari_cryoml.models

    with pytest.raises(AttributeError, match="nothing"):
        _ = napari_cryoml.models.nothing

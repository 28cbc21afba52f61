import math

import pytest
import torch

from napari_cryoml.models import detectors


def test_an_untrained_network_can_start_at_the_prior():
    torch.manual_seed(0)
    detector = detectors.create("conv31").build()
    detector.start_from_prior(0.01)
    logits = detector(torch.randn(50, 1, 31, 31))
    assert logits.mean().item() == pytest.approx(math.log(0.01 / 0.99), abs=0.5)


@pytest.mark.parametrize("name", ["conv31", "resnet8", "resnet16"])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_features_neither_vanish_nor_explode_at_the_start(name, batch_norm):
    torch.manual_seed(0)
    config = detectors.create(name, batch_norm=batch_norm)
    x = torch.randn(8, 1, *(config.receptive_field,) * 2)
    with torch.no_grad():
        assert 0.2 < config.build().features(x).std() < 3


def test_an_image_of_zeros_scores_the_same_everywhere():
    detector = detectors.create("conv31", units=2).build().eval()
    with torch.no_grad():
        scores = detector.dense(torch.zeros(1, 1, 9, 20), full_resolution=True)
    torch.testing.assert_close(scores, scores[0, 0, 0].expand_as(scores))


def test_a_shift_of_the_image_shifts_the_scores():
    torch.manual_seed(0)
    detector = detectors.create("resnet8", units=2).build().eval()
    image = torch.zeros(1, 1, 80, 80)
    image[..., 40, 40] = 10
    with torch.no_grad():
        there = detector.dense(image, full_resolution=True)
        here = detector.dense(image.roll((1, 2), (2, 3)), full_resolution=True)
    torch.testing.assert_close(here[:, 1:, 2:], there[:, :-1, :-2], atol=1e-5, rtol=0)
    assert there[0, 40, 40] != there[0, 0, 0]


def test_one_pixel_is_an_image():
    detector = detectors.create("conv31", units=1).build().eval()
    x = torch.ones(3, 1, 1, 1)
    with torch.no_grad():
        assert detector.dense(x).shape == (3, 1, 1)
        assert torch.equal(detector.dense(x, full_resolution=True), detector.dense(x))


def test_an_empty_batch_gives_no_scores():
    detector = detectors.create("conv31", units=1).build().eval()
    assert detector(torch.zeros(0, 1, 31, 31)).shape == (0, 1, 1)

"""Tiles leave no trace in the scores, and their memory is bounded."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.models import detectors
from napari_cryoml.picking._dense import score_image


class TinyDetector(nn.Module):
    """Two valid convolutions: 7 pixels of receptive field, stride 2."""

    receptive_field, stride = 7, 2

    def __init__(self, ndim):
        super().__init__()
        torch.manual_seed(0)
        conv = nn.Conv2d if ndim == 2 else nn.Conv3d
        self.ndim = ndim
        self.layers = nn.Sequential(conv(1, 3, 3, stride=2), nn.ReLU(), conv(3, 1, 3))
        self.largest = 0

    def forward(self, x):
        self.largest = max(self.largest, x.numel())
        return self.layers(x).squeeze(1)


def crop_scores(detector, image, step):
    """Score of the crop of the mirrored image around every `step`-th pixel, one at a time."""
    margin = detector.receptive_field // 2
    padded = np.pad(image, margin, mode="symmetric")
    scores = np.empty([math.ceil(size / step) for size in image.shape], np.float32)
    with torch.inference_mode():
        for point in np.ndindex(scores.shape):
            crop = padded[tuple(slice(step * k, step * k + 2 * margin + 1) for k in point)]
            scores[point] = detector(torch.from_numpy(crop)[None, None]).item()
    return scores


def random_image(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("full_resolution", [False, True])
@pytest.mark.parametrize("shape", [(21, 18), (3, 30), (1, 1), (7, 10, 9), (2, 3, 4)])
def test_every_score_is_that_of_its_crop(shape, full_resolution):
    detector, image = TinyDetector(len(shape)), random_image(*shape)
    expected = crop_scores(detector, image, 1 if full_resolution else 2)
    for tile in (1, 4, 7, 100):
        scores = score_image(detector, image, tile=tile, full_resolution=full_resolution)
        np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("full_resolution", [False, True])
@pytest.mark.parametrize(("name", "shape"), [("conv31", (75, 50)), ("conv31", (9, 21, 6))])
def test_equals_one_pass_over_the_whole_image(name, shape, full_resolution):
    torch.manual_seed(1)
    detector = detectors.create(name, ndim=len(shape), units=2).build()
    image = random_image(*shape)
    with torch.inference_mode():
        whole = detector.dense(
            torch.from_numpy(image)[None, None], full_resolution=full_resolution
        )[0].numpy()
    for tile in (16, 20, None):
        scores = score_image(detector, image, tile=tile, full_resolution=full_resolution)
        np.testing.assert_allclose(scores, whole, atol=1e-5)


def test_memory_does_not_grow_with_the_image():
    detector = TinyDetector(2)
    score_image(detector, random_image(40, 40), tile=16)
    small = detector.largest
    score_image(detector, random_image(200, 200), tile=16)
    assert detector.largest == small == (16 + 2 * 3) ** 2


def test_no_graph_is_kept_and_the_mode_comes_back():
    seen = []

    class Watching(TinyDetector):
        def forward(self, x):
            seen.append((torch.is_grad_enabled(), self.training))
            return super().forward(x)

    detector = Watching(2).train()
    score_image(detector, random_image(9, 9))
    assert set(seen) == {(False, False)}
    assert detector.training


def test_the_mode_comes_back_after_an_error():
    class Failing(TinyDetector):
        def forward(self, x):
            raise RuntimeError("broken")

    detector = Failing(2).train()
    with pytest.raises(RuntimeError, match="broken"):
        score_image(detector, random_image(9, 9))
    assert detector.training


def test_progress_is_told_after_each_tile():
    told = []
    score_image(
        TinyDetector(2), random_image(20, 10), tile=10, on_tile=lambda *step: told.append(step)
    )
    assert told == [(1, 2), (2, 2)]


class Greedy(TinyDetector):
    """Runs out of memory on more than `limit` pixels."""

    limit = 0

    def forward(self, x):
        if x.numel() > self.limit:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return super().forward(x)


def test_tiles_are_halved_until_they_fit():
    image, detector = random_image(40, 40), Greedy(2)
    detector.limit = 15**2
    with pytest.warns(InputWarning, match="free memory") as told:
        scores = score_image(detector, image, tile=32)
    assert len(told) == 2
    np.testing.assert_array_equal(scores, score_image(TinyDetector(2), image, tile=8))


def test_no_tile_fits():
    with pytest.warns(InputWarning), pytest.raises(InputError, match="choose the CPU"):
        score_image(Greedy(2), random_image(10, 10), tile=4)


def test_other_axes_are_refused():
    with pytest.raises(InputError, match=r"scores 2-D images; .* \(4, 4, 4\)"):
        score_image(TinyDetector(2), random_image(4, 4, 4))


def test_an_empty_image_has_no_scores():
    assert score_image(TinyDetector(2), np.empty((0, 8), np.float32)).shape == (0, 4)


def test_the_array_is_read_tile_by_tile():
    class Lazy:
        """Looks like an array and counts the pixels that are read at once."""

        shape, ndim = (64, 64), 2
        most = 0

        def __getitem__(self, region):
            pixels = np.zeros(self.shape, np.uint8)[region]
            self.most = max(self.most, pixels.size)
            return pixels

    image = Lazy()
    score_image(TinyDetector(2), image, tile=16)
    assert 0 < image.most <= (16 + 2 * 3) ** 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("mixed", "tolerance"), [(False, 1e-2), (True, 5e-2)])
def test_a_gpu_gives_the_same_scores(mixed, tolerance):
    detector, image = detectors.create("conv31").build(), random_image(100, 90)
    on_cpu = score_image(detector, image)
    on_gpu = score_image(detector, image, device="cuda", mixed_precision=mixed)
    np.testing.assert_allclose(on_gpu, on_cpu, atol=tolerance)

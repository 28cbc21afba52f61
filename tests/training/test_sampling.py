import numpy as np
import pytest
import torch

from napari_cryoml._errors import InputError
from napari_cryoml.training import (
    IGNORED,
    AugmentationConfig,
    DenseCrops,
    LabelledImage,
    PatchSampler,
    TrainingConfig,
    paint_labels,
)
from napari_cryoml.training._sampling import _cut

PLAIN = AugmentationConfig(contrast=0, brightness=0)


def _image(ndim: int, size: int = 40) -> LabelledImage:
    """Return an image whose pixels are 1 at labelled places and 0 elsewhere."""
    labels = paint_labels((size,) * ndim, [[size // 2] * ndim, [1] * ndim], [[9] * ndim], 2)
    return LabelledImage((labels == 1).astype(np.float32), labels)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_labels_sit_on_the_centres_of_the_fields(ndim: int, stride: int) -> None:
    field = 7
    config = TrainingConfig(crop_size=24, crops=6, augmentation=PLAIN)
    batch = DenseCrops([_image(ndim)], field, stride, config).draw()
    steps = (24 - field) // stride + 1
    assert batch.labels.shape == (6, *[steps] * ndim)
    centres = (slice(None), *[slice(field // 2, 24 - field // 2, stride)] * ndim)
    shown = batch.images[:, 0][centres]
    assert torch.equal(shown[batch.labels == 1], torch.ones(int((batch.labels == 1).sum())))
    assert shown[batch.labels == -1].sum() == 0


def test_the_border_of_an_image_is_sampled_and_beyond_is_ignored() -> None:
    config = TrainingConfig(crop_size=64, crops=20, augmentation=PLAIN)
    batch = DenseCrops([_image(2)], 7, 1, config).draw()
    assert (batch.labels == IGNORED).any()
    inside = (batch.labels != IGNORED).sum(dim=(1, 2))
    assert inside.max() == 40 * 40


def test_the_share_of_crops_with_a_label() -> None:
    image = LabelledImage(
        np.zeros((2000, 2000), np.float32), paint_labels((2000, 2000), [[1000, 1000]], [], 2)
    )
    config = TrainingConfig(crop_size=32, crops=200, labelled_share=0.5, augmentation=PLAIN)
    batch = DenseCrops([image], 7, 1, config).draw()
    share = (batch.labels == 1).any(dim=2).any(dim=1).float().mean()
    assert 0.35 < share < 0.65


def test_the_seed_decides_the_batches() -> None:
    def first(seed: int) -> torch.Tensor:
        return DenseCrops([_image(2)], 7, 2, TrainingConfig(seed=seed)).draw().images

    assert torch.equal(first(3), first(3))
    assert not torch.equal(first(3), first(4))


def test_halving_goes_down_to_one_crop_of_the_field() -> None:
    sampler = DenseCrops([_image(2)], 7, 1, TrainingConfig(crop_size=16, crops=4))
    shapes = [tuple(sampler.draw().images.shape)]
    while sampler.halve():
        shapes.append(tuple(sampler.draw().images.shape))
    assert shapes == [(4, 1, 16, 16), (2, 1, 16, 16), (1, 1, 16, 16), (1, 1, 8, 8), (1, 1, 7, 7)]


@pytest.mark.parametrize("ndim", [2, 3])
def test_patches_hold_the_published_numbers(ndim: int) -> None:
    config = TrainingConfig(patches=64, labelled_patches=16, augmentation=PLAIN)
    batch = PatchSampler([_image(ndim)], 9, config).draw()
    assert batch.images.shape == (64, 1, *[9] * ndim)
    assert batch.labels.shape == (64, *[1] * ndim)
    flat = batch.labels.flatten()
    assert (flat[:16] >= 0).all()
    assert (flat[16:] == -1).all()
    middle = batch.images[(slice(None), 0, *[4] * ndim)]
    assert middle[flat == 1].min() > 0.5
    assert middle[flat == -1].max() < 0.5


def test_patches_need_a_label() -> None:
    image = LabelledImage(np.zeros((20, 20), np.float32), np.full((20, 20), -1, np.int8))
    with pytest.raises(InputError, match="needs a label"):
        PatchSampler([image], 9, TrainingConfig())


@pytest.mark.parametrize("ndim", [2, 3])
def test_beyond_the_border_pixels_are_mirrored_and_labels_ignored(ndim: int) -> None:
    pixels = np.random.default_rng(0).random((4,) * ndim, np.float32)
    image = LabelledImage(pixels, np.ones((4,) * ndim, np.int8))
    crop, labels = _cut(image, np.full(ndim, -1), 3)
    assert np.array_equal(crop, np.pad(pixels, 1, mode="symmetric")[(slice(3),) * ndim])
    assert (labels == 1).sum() == 2**ndim
    assert (labels == IGNORED).sum() == 3**ndim - 2**ndim
    assert (_cut(image, np.full(ndim, 9), 3)[1] == IGNORED).all()

import numpy as np
import pytest
import torch

from napari_cryoml.data import ArrayCrops
from napari_cryoml.training import CropAugmentationConfig, CropSampler, CropStore
from napari_cryoml.training._kept_views import KeptViews


class Maker:
    """Makes of a row and whether it is varied a number that has not been given before."""

    def __init__(self) -> None:
        self.made: list[tuple[int, bool]] = []

    def __call__(self, rows: np.ndarray, is_varied: np.ndarray) -> torch.Tensor:
        self.made += zip(rows.tolist(), is_varied.tolist(), strict=True)
        n = len(self.made)
        return torch.stack([torch.tensor([row, n - len(rows) + i]) for i, row in enumerate(rows)])


def kept(make, copies, n_crops=5, **options):
    return KeptViews(n_crops, copies, make, np.random.default_rng(0), **options)


def test_each_variation_is_made_once() -> None:
    make = Maker()
    views = kept(make, 3)
    rows = np.array([4, 0, 2])
    drawn = [torch.cat(views.draw(rows, 2)) for _ in range(60)]
    assert len(make.made) == 9
    assert sorted(make.made) == sorted(
        (row, is_varied) for row in (0, 2, 4) for is_varied in (False, True, True)
    )
    assert all(torch.equal(one[:, 0], torch.tensor([4, 0, 2, 4, 0, 2])) for one in drawn)
    assert len(torch.unique(torch.cat(drawn)[:, 1])) == 9


def test_views_of_a_crop_are_different_copies() -> None:
    one, other = kept(Maker(), 2).draw(np.arange(5), 2)
    assert torch.equal(one[:, 0], other[:, 0])
    assert (one[:, 1] != other[:, 1]).all()


def test_a_crop_may_come_twice_in_a_batch() -> None:
    views = kept(Maker(), 1)
    for _ in range(2):
        (drawn,) = views.draw(np.array([3, 1, 3]), 1)
        assert torch.equal(drawn[0], drawn[2])
        assert drawn[:, 0].tolist() == [3, 1, 3]


def test_what_does_not_fit_is_made_anew() -> None:
    make = Maker()
    views = kept(make, 1, memory_bytes=2 * 16)  # two of two int64
    for _ in range(3):
        (drawn,) = views.draw(np.arange(5), 1)
        assert drawn[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert len(make.made) == 5 + 3 + 3


@pytest.mark.parametrize("shape", [(9, 8), (8, 9, 8)])
def test_a_sampler_draws_the_crop_and_few_variations_of_it(shape: tuple[int, ...]) -> None:
    crops = np.random.default_rng(0).normal(size=(3, 1, *shape)).astype(np.float32)
    config = CropAugmentationConfig(kind="full", copies=3)
    sampler = CropSampler(crops, batch=3, n_views=2, augmentation=config)
    drawn: dict[int, set[bytes]] = {0: set(), 1: set(), 2: set()}
    for _ in range(40):
        batch = sampler.draw()
        for view in batch.views:
            assert view.shape == (3, 1, *shape)
            for row, image in zip(batch.rows.tolist(), view, strict=True):
                drawn[row].add(image.numpy().tobytes())
    assert [len(found) for found in drawn.values()] == [3, 3, 3]
    plain = CropStore(ArrayCrops.of(crops)).read(np.arange(3))
    assert all(plain[row].tobytes() in found for row, found in drawn.items())


def test_a_description_is_drawn_in_place_of_the_crop() -> None:
    crops = np.random.default_rng(0).normal(size=(4, 1, 6, 6)).astype(np.float32)
    calls = []

    def describe(images: torch.Tensor) -> torch.Tensor:
        calls.append(len(images))
        return images.flatten(1)[:, :5]

    config = CropAugmentationConfig(kind="full", copies=2)
    sampler = CropSampler(crops, batch=4, augmentation=config, describe=describe)
    views = [sampler.draw().views[0] for _ in range(20)]
    assert {view.shape for view in views} == {(4, 5)}
    assert sum(calls) == 8
    anew = CropSampler(crops, batch=4, describe=describe)
    assert anew.draw().views[0].shape == (4, 1, 6, 6)

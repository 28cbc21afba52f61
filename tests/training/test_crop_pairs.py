import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.objectives import CropBatch
from napari_cryoml.training import CropAugmentationConfig, CropPairs, CropSampler

RNG = np.random.default_rng(0)
AS_IT_IS = CropAugmentationConfig(kind="none")


def partners(pairs, row, n=400):
    return set(pairs.draw(np.full(n, row), RNG).tolist())


def test_a_partner_is_another_crop_of_the_group_each_equally_often():
    pairs = CropPairs.of([np.array(["b", "a", "b", "c", "b"])])
    assert partners(pairs, 0) == {2, 4}
    assert partners(pairs, 4) == {0, 2}
    drawn = pairs.draw(np.full(2000, 2), RNG)
    assert 900 < (drawn == 0).sum() < 1100
    assert pairs.paired(np.arange(5)).tolist() == [0, 2, 4]


def test_a_partner_agrees_in_as_much_as_it_can():
    protein = np.array(list("aaaaaab"))
    plate = np.array(["p", "p", "p", "q", "q", "r", "p"])
    image = np.array(["1", "1", "2", "3", "4", "5", "1"])
    pairs = CropPairs.of([protein, plate, image])
    assert partners(pairs, 0) == {1}  # of the image
    assert partners(pairs, 2) == {0, 1}  # of the plate
    assert partners(pairs, 3) == {4}
    assert partners(pairs, 5) == {0, 1, 2, 3, 4}  # of the protein
    assert pairs.paired(np.arange(7)).tolist() == [0, 1, 2, 3, 4, 5]


def test_only_rows_that_may_be_drawn_are_partners():
    pairs = CropPairs.of([np.array(list("aaaabb"))], rows=[0, 2, 3, 4])
    assert partners(pairs, 0) == {2, 3}
    assert pairs.paired(np.arange(6)).tolist() == [0, 2, 3]


@pytest.mark.parametrize("groups", [np.array(["", "", "a", "a"]), np.array([-1, -1, 0, 0])])
def test_crops_of_no_group_have_no_partner(groups):
    assert CropPairs.of([groups]).paired(np.arange(4)).tolist() == [2, 3]


def test_groups_of_one_are_refused():
    with pytest.raises(InputError, match="no two of them belong to the same protein"):
        CropPairs.of([np.array(["a", "b"])]).paired(np.arange(2))


def test_equal_to_a_search_through_all_rows():
    rng = np.random.default_rng(3)
    levels = [rng.integers(0, 5, 60), rng.integers(0, 3, 60), rng.integers(0, 3, 60)]
    pairs = CropPairs.of(levels)
    for row in range(60):
        agree = np.ones(60, bool)
        expected = set()
        for level in levels:
            agree &= level == level[row]
            expected = set(np.flatnonzero(agree).tolist()) - {row} or expected
        assert partners(pairs, row, 2000) == expected


def test_the_second_view_shows_a_partner():
    groups = np.array([0, 1, 0, 1, 2])
    crops = np.zeros((5, 1, 4, 4))
    crops[:, 0, 0] = np.arange(5)[:, None] + 1  # each its own brightness of one line
    crops[:, 0, 1, 0] = np.arange(5) ** 2
    sampler = CropSampler(
        crops, batch=4, n_views=2, augmentation=AS_IT_IS, pairs=CropPairs.of([groups])
    )
    assert sampler.steps_per_epoch == 1
    batch = sampler.draw()
    assert isinstance(batch, CropBatch) and len(batch.views) == 2
    alone = CropSampler(crops, batch=5, shuffle=False, augmentation=AS_IT_IS).draw().views[0]
    other = {0: 2, 2: 0, 1: 3, 3: 1}
    assert sorted(batch.rows.tolist()) == [0, 1, 2, 3]
    for place, row in enumerate(batch.rows.tolist()):
        assert (batch.views[0][place] == alone[row]).all()
        assert (batch.views[1][place] == alone[other[row]]).all()

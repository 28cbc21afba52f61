import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import split_cells


def _cells(**sizes):
    return np.repeat(list(sizes), list(sizes.values()))


def _parts(split):
    return split.train, split.validation, split.test


def test_each_group_gives_its_shares():
    groups = np.random.default_rng(0).permutation(_cells(a=100, b=50, c=10))
    split = split_cells(groups, seed=3)
    counts = [np.unique(groups[rows], return_counts=True)[1].tolist() for rows in _parts(split)]
    assert counts == [[80, 40, 8], [10, 5, 1], [10, 5, 1]]
    assert sorted(np.concatenate(_parts(split))) == list(range(160))
    assert split.notes == () and split.held_out == () and split.seed == 3


def test_the_seed_decides_the_draw():
    groups = _cells(a=100, b=50)
    assert split_cells(groups, seed=1).test.tolist() == split_cells(groups, seed=1).test.tolist()
    assert split_cells(groups, seed=1).test.tolist() != split_cells(groups, seed=2).test.tolist()


@pytest.mark.parametrize(
    ("size", "counts"),
    [(1, (0, 0, 1)), (2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1)), (9, (7, 1, 1))],
)
def test_small_groups_are_measured_first_then_learnt_from(size, counts):
    split = split_cells(_cells(a=size))
    assert tuple(map(len, _parts(split))) == counts


def test_a_group_of_one_cell_is_said():
    split = split_cells(_cells(lone=1, a=10))
    assert split.notes == (
        "1 of 2 groups have too few cells to train on as well as to measure: lone.",
    )


@pytest.mark.parametrize("shares", [(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (1 / 3, 1 / 3, 1 / 3)])
def test_counts_sum_to_the_cells_whatever_the_size(shares):
    groups = np.repeat(np.arange(40), np.arange(1, 41))
    split = split_cells(groups, shares)
    assert sum(map(len, _parts(split))) == len(groups)
    for rows, share in zip(_parts(split), shares, strict=True):
        got = np.bincount(groups[rows], minlength=40)
        assert (np.abs(got - share * np.arange(1, 41)) < 2).all()


def test_a_part_without_a_share_stays_empty():
    split = split_cells(_cells(a=7, b=1), (1, 0, 0))
    assert tuple(map(len, _parts(split))) == (8, 0, 0)
    assert tuple(map(len, _parts(split_cells(_cells(a=7), (0, 0, 1))))) == (0, 0, 7)


def test_whole_groups_are_held_out_by_name():
    groups = _cells(a=10, b=10, c=20)
    split = split_cells(groups, hold_out=["b"])
    assert set(groups[split.test]) == {"b"} and len(split.test) == 10
    assert set(groups[split.train]) == set(groups[split.validation]) == {"a", "c"}
    assert len(split.train) + len(split.validation) == 30
    assert split.held_out == ("b",) and split.notes == ()


def test_whole_groups_are_held_out_by_chance():
    groups = np.repeat(np.arange(20), 5)
    split = split_cells(groups, hold_out=0.25, seed=1)
    assert len(split.held_out) == 5
    assert set(groups[split.test].astype(str)) == set(split.held_out)
    assert not set(groups[split.test]) & set(groups[split.train])
    assert split_cells(groups, hold_out=0.25, seed=2).held_out != split.held_out


def test_cells_of_no_group_are_in_no_part():
    split = split_cells(np.array(["", "a", "a", ""]))
    assert sorted(np.concatenate(_parts(split))) == [1, 2]
    assert split.notes == ("2 of 4 cells belong to no group and are in no part.",)
    assert sorted(np.concatenate(_parts(split_cells(np.array([-1, 0, 0]))))) == [1, 2]


def test_no_cells_at_all():
    assert tuple(map(len, _parts(split_cells(np.empty(0, str))))) == (0, 0, 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shares": (0.8, 0.1)}, "three numbers that sum to 1"),
        ({"shares": (0.8, 0.3, -0.1)}, "three numbers that sum to 1"),
        ({"hold_out": ["x"]}, "No cell belongs to 'x'"),
        ({"hold_out": ["a", "b"]}, "Nothing is left to train on"),
        ({"hold_out": 1.0}, "between 0 and 1; 1.0 was given"),
    ],
)
def test_what_cannot_be_parted_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        split_cells(_cells(a=5, b=5), **options)

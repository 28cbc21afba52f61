import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import MissingWedge, Picks, grid_frequencies


def test_the_beam_direction_is_missing_and_the_tilt_axis_is_not():
    wedge = MissingWedge(-60, 60)
    assert wedge.measured([[0, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0, 1]]).all()
    assert not wedge.measured([[1, 0, 0], [2, 0, 1], [-2, 0, 1], [1, 5, 0]]).any()


def test_the_tilt_axis_may_be_x():
    wedge = MissingWedge(-60, 60, "x")
    assert wedge.measured([[2, 0, 1], [2, 1, 0], [1, 1, 0]]).tolist() == [False, False, True]


def test_an_uneven_range_leaves_out_one_side():
    wedge = MissingWedge(-30, 60)
    assert wedge.measured([[1, 0, 1], [-1, 0, -1], [-1, 0, 1], [1, 0, -1]]).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_the_share_that_is_measured_is_that_of_the_tilts():
    share = MissingWedge(-60, 60).mask((33, 33, 33))[:, 0, :]
    z, _, x = np.moveaxis(grid_frequencies((33, 33, 33)), -1, 0)
    inside = np.hypot(z, x)[:, 0, :] < 0.5
    assert share[inside].mean() == pytest.approx(120 / 180, abs=0.03)


def test_a_mask_belongs_to_a_real_volume():
    mask = MissingWedge(-40, 50).mask((9, 9, 9))
    np.testing.assert_array_equal(mask, np.roll(mask[::-1, ::-1, ::-1], 1, (0, 1, 2)))


def test_all_tilts_leave_nothing_missing():
    assert MissingWedge(-90, 90).is_complete
    assert MissingWedge(-90, 90).mask((8, 8, 8)).all()


@pytest.mark.parametrize("tilts", [(60, -60), (-100, 60), (0, 0)])
def test_tilts_out_of_order(tilts):
    with pytest.raises(InputError, match="Tilts run"):
        MissingWedge(*tilts)


def test_rotations_travel_with_picks():
    turns = np.stack([np.eye(3), np.diag([1.0, -1, -1])])
    picks = Picks("a", np.zeros((2, 3)), rotations=turns)
    np.testing.assert_array_equal(picks.take(np.array([1])).rotations, turns[1:])


@pytest.mark.parametrize("positions", [np.zeros((1, 3)), np.zeros((2, 2))])
def test_rotations_that_do_not_fit(positions):
    with pytest.raises(InputError):
        Picks("a", positions, rotations=np.zeros((2, 3, 3)))

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import (
    degrees_between,
    even_rotations,
    nearby_rotations,
    point_group,
    rotations_apart,
)


def random_rotations(n, seed=0):
    return Rotation.random(n, random_state=seed).as_matrix()


def are_rotations(matrices):
    square = matrices @ np.swapaxes(matrices, -1, -2)
    return np.allclose(square, np.eye(3)) and np.allclose(np.linalg.det(matrices), 1)


@pytest.mark.parametrize("n", [1, 2, 500])
def test_even_rotations_are_rotations_and_as_many_as_asked_for(n):
    found = even_rotations(n)
    assert found.shape == (n, 3, 3)
    assert are_rotations(found)


@pytest.mark.parametrize("step", [15, 30])
def test_no_orientation_is_far_from_all_of_them(step):
    gaps = degrees_between(random_rotations(200)[:, None], rotations_apart(step)[None]).min(axis=1)
    assert gaps.max() < step
    assert np.median(gaps) == pytest.approx(step / 2, rel=0.2)


def test_a_step_of_15_degrees_takes_4608():
    assert len(rotations_apart(15)) == 4608


@pytest.mark.parametrize(("name", "order"), [("C1", 1), ("C4", 4), ("D3", 6), ("T", 12), ("O", 24)])
def test_a_symmetry_leaves_one_of_the_rotations_that_look_alike(name, order):
    group = point_group(name)
    assert len(group) == order
    assert are_rotations(group)
    assert group[0] == pytest.approx(np.eye(3))
    left = rotations_apart(30, name)
    assert len(left) == pytest.approx(576 / order, rel=0.15)
    gaps = degrees_between(random_rotations(50)[:, None], left[None], name).min(axis=1)
    assert gaps.max() < 30


def test_the_main_axis_is_z():
    quarter = point_group("C4")
    assert quarter @ np.array([1.0, 0, 0]) == pytest.approx(np.tile([1, 0, 0], (4, 1)))


def test_no_such_point_group():
    with pytest.raises(InputError, match="no point group 'Q2'"):
        point_group("Q2")


def test_nearby_rotations_are_as_far_as_asked_for():
    angles = degrees_between(nearby_rotations(8.0), np.eye(3))
    assert angles[0] == pytest.approx(0, abs=1e-5)
    assert angles[1:] == pytest.approx(8.0)


def test_angles_between_rotations():
    turn = Rotation.from_rotvec(np.deg2rad([[0, 0, a] for a in (0, 30, 90, 180)])).as_matrix()[
        :, ::-1, ::-1
    ]
    assert degrees_between(turn, np.eye(3)) == pytest.approx([0, 30, 90, 180], abs=1e-5)
    assert degrees_between(turn, np.eye(3), "C4") == pytest.approx([0, 30, 0, 0], abs=1e-5)
    other = random_rotations(1)[0]
    assert degrees_between(other @ turn, other) == pytest.approx([0, 30, 90, 180], abs=1e-5)

import numpy as np
import pytest

from napari_cryoml.averaging._poses import FLIP, Poses, placed, turns


def spot(y, x, side=33, width=2.0):
    rows, columns = np.indices((side, side))
    square = (rows - y) ** 2 + (columns - x) ** 2
    return np.exp(-square / 2 / width**2).astype(np.float32)


def pose(angle_deg=0.0, shift=(0.0, 0.0), flip=False):
    matrix = turns([np.deg2rad(angle_deg)])
    return Poses(matrix @ FLIP if flip else matrix, np.array([shift], float))


def top(image):
    weights = image / image.sum()
    return [(weights * axis).sum() for axis in np.indices(image.shape)]


def test_an_unmoved_image_stays_the_same():
    image = np.random.default_rng(0).normal(size=(2, 12, 15)).astype(np.float32)
    assert placed(image, Poses.unmoved(2)) == pytest.approx(image, abs=1e-5)


def test_a_positive_angle_turns_x_towards_y():
    found = placed(spot(16, 24)[None], pose(90))[0]
    assert top(found) == pytest.approx([24, 16], abs=0.05)


def test_an_image_is_mirrored_then_turned_then_moved():
    # (4, 0) is mirrored to (-4, 0), turned by 90 degrees to (0, 4), moved to (1, 7).
    found = placed(spot(20, 16)[None], pose(90, (1, 3), flip=True))[0]
    assert top(found) == pytest.approx([17, 23], abs=0.05)


def test_angles_and_mirrors_are_read_off_the_matrix():
    for angle in (-170, -30, 0, 45, 120):
        for flip in (False, True):
            made = pose(angle, flip=flip)
            assert made.angles == pytest.approx([angle])
            assert made.mirrored.tolist() == [flip]


@pytest.mark.parametrize("mirrored", [False, True])
def test_undoing_brings_back_what_was_mirrored_turned_and_moved(mirrored):
    angle, shift = np.deg2rad([35.0]), np.array([[2.0, -3.0]])
    there = Poses(turns(angle) @ FLIP if mirrored else turns(angle), shift)
    back = Poses.undoing(angle, shift, np.array([mirrored]))
    both = there.followed_by(back)
    assert both.matrix[0] == pytest.approx(np.eye(2))
    assert both.shift[0] == pytest.approx([0, 0])


def test_one_pose_after_another_is_as_placing_twice():
    first, second = pose(50, (2, 1)), pose(-20, (-1, 3), flip=True)
    image = spot(20, 13)[None]
    once = placed(image, first.followed_by(second))
    twice = placed(placed(image, first), second)
    assert once == pytest.approx(twice, abs=5e-3)


def test_halves_are_put_back_in_order():
    second = np.array([True, False, True])
    a, b = pose(10), Poses(turns(np.deg2rad([20, 30])), np.array([[1, 1], [2, 2.0]]))
    whole = Poses.of_halves(second, a, b)
    assert whole.angles == pytest.approx([20, 10, 30])
    assert whole.shift[:, 0].tolist() == [1, 0, 2]
    assert whole.take(np.array([2])).angles == pytest.approx([30])


def test_no_images_are_no_trouble():
    assert placed(np.zeros((0, 8, 8), np.float32), Poses.unmoved(0)).shape == (0, 8, 8)

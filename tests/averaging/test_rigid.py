import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import Alignment, RigidPoses


def random_poses(n, seed=0):
    rotations = Rotation.random(n, random_state=seed).as_matrix()
    return RigidPoses(rotations, np.random.default_rng(seed).normal(size=(n, 3)))


def test_poses_through_another_bring_places_where_both_together_do():
    poses, frame = random_poses(4), random_poses(1, seed=1)
    place = np.array([1.0, -2, 3])
    there = frame.rotations[0] @ place + frame.shifts[0]
    expected = poses.rotations @ there + poses.shifts
    found = poses.through(frame)
    assert found.rotations @ place + found.shifts == pytest.approx(expected)


def test_scores_are_unknown_unless_they_are_given():
    assert np.isnan(random_poses(3).scores).all()
    assert len(RigidPoses.unmoved(0)) == 0
    assert np.isnan(RigidPoses.unknown(2).rotations).all()


def test_some_poses_can_be_taken_and_put_back():
    poses = random_poses(5)
    rows = np.array([1, 3])
    other = RigidPoses.unmoved(5).put(rows, poses.take(rows))
    assert (other.rotations[rows] == poses.rotations[rows]).all()
    assert (other.rotations[0] == np.eye(3)).all()


def test_arrays_that_do_not_go_together_are_refused():
    with pytest.raises(InputError, match=r"shifts \(n, 3\)"):
        RigidPoses(np.zeros((2, 3, 3)), np.zeros((3, 3)))


def test_the_best_of_several_references():
    found = Alignment.unknown(3, 2)
    for number, scores in enumerate(([0.5, 0.2, np.nan], [0.3, 0.7, np.nan])):
        poses = random_poses(3, seed=number)
        found.update(
            np.arange(3), number, RigidPoses(poses.rotations, poses.shifts, np.array(scores))
        )
    assert found.reference.tolist() == [0, 1, -1]
    assert found.aligned.tolist() == [True, True, False]
    assert found.margins[:2] == pytest.approx([0.2, 0.5])
    assert np.isnan(found.margins[2])
    assert (found.poses.rotations[1] == random_poses(3, seed=1).rotations[1]).all()

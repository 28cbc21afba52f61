import numpy as np
import pytest
from tests.averaging.phantoms import SIDE, WEDGE, subtomograms

from napari_cryoml.averaging import RigidPoses, impute_wedge

MASK = WEDGE.mask((SIDE,) * 3)


def spectra(boxes):
    return np.fft.fftn(boxes, axes=(1, 2, 3))


def impute(made, boxes=None):
    poses = RigidPoses(made.rotations, made.shifts)
    return impute_wedge(made.boxes if boxes is None else boxes, made.reference, WEDGE, poses)


def test_measured_coefficients_stay_as_they_are():
    made = subtomograms(4, 0.5)
    assert np.abs(spectra(impute(made)) - spectra(made.boxes))[:, MASK].max() < 1e-3


def test_missing_ones_are_those_of_the_whole_particle():
    made, whole = subtomograms(4), subtomograms(4, wedge=None)
    found = impute(made, 3 * made.boxes)
    before = np.abs(3 * (made.boxes - whole.boxes)).max()
    assert np.abs(found - 3 * whole.boxes).max() < 0.2 * before


def test_poses_that_are_not_known_leave_boxes_alone():
    made = subtomograms(2)
    found = impute_wedge(made.boxes, made.reference, WEDGE, RigidPoses.unknown(2))
    assert (found == made.boxes).all()


def test_each_is_filled_from_its_own_reference():
    made = subtomograms(2, shift=0)
    poses = RigidPoses(made.rotations, made.shifts)
    both = np.array([made.reference, np.zeros_like(made.reference)])
    found = impute_wedge(made.boxes, both, WEDGE, poses, np.array([0, 1]))
    assert found[0] == pytest.approx(impute(made)[0])
    assert found[1] == pytest.approx(made.boxes[1], abs=1e-4)

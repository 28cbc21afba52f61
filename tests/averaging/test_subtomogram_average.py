import numpy as np
import pytest
import torch
from tests.averaging.phantoms import SIDE, WEDGE, subtomograms, through

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import RigidPoses, average_subtomograms, shell_correlation
from napari_cryoml.averaging._sums import FourierSums


def average(boxes, poses, wedge=None, **options):
    return average_subtomograms(boxes, poses, wedge, device="cpu", **options)


def poses_of(made):
    return RigidPoses(made.rotations, made.shifts)


def below_nyquist(boxes):
    radius = np.linalg.norm(np.stack(np.meshgrid(*[np.fft.fftfreq(SIDE)] * 3), -1), axis=-1)
    spectra = np.fft.fftn(boxes, axes=(-3, -2, -1)) * (radius < 0.5)
    return np.fft.ifftn(spectra, axes=(-3, -2, -1)).real


def test_particles_laid_on_each_other_give_the_reference_back():
    made = subtomograms(12)
    found = average(made.boxes, poses_of(made), WEDGE)
    assert shell_correlation(found.average, made.reference).values[1:7].min() > 0.98
    inverse = RigidPoses(np.swapaxes(made.rotations, 1, 2), made.shifts)
    wrong = average(made.boxes, inverse, WEDGE)
    assert shell_correlation(wrong.average, made.reference).values[3:7].max() < 0.9


def test_of_particles_that_lie_alike_it_is_the_mean():
    noise = np.random.default_rng(0).normal(size=(4, SIDE, SIDE, SIDE)).astype(np.float32)
    smooth = np.array([through(box, None) for box in below_nyquist(noise)])
    smooth = smooth * np.hanning(SIDE)[:, None, None] * np.hanning(SIDE)[:, None] * np.hanning(SIDE)
    standard = smooth - smooth.mean(axis=(1, 2, 3), keepdims=True)
    standard /= standard.std(axis=(1, 2, 3), keepdims=True)
    found = average(smooth, RigidPoses.unmoved(4))
    expected = below_nyquist(standard.mean(axis=0))
    assert np.corrcoef(found.average.ravel(), expected.ravel())[0, 1] > 0.995


def test_each_frequency_is_divided_by_those_that_measured_it():
    made = subtomograms(3, shift=0)
    same = np.array([made.reference] * 3)
    seen = np.array([through(made.reference, WEDGE), made.reference, made.reference])
    weights = average(seen, RigidPoses.unmoved(3), WEDGE).weights
    mask = WEDGE.mask((SIDE,) * 3)[..., : SIDE // 2 + 1]
    assert set(np.unique(weights)) == {0, 3}
    assert (weights[mask & (weights > 0)] == 3).all()
    assert (weights[~mask] == 0).all()
    assert average(same, RigidPoses.unmoved(3)).weights.max() == 3


def test_what_fewer_than_two_measured_is_left_out():
    made = subtomograms(2, shift=0)
    quarter = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    poses = RigidPoses(np.array([np.eye(3), quarter]), np.zeros((2, 3)))
    found = average(made.boxes, poses, WEDGE)
    spectrum = np.abs(np.fft.rfftn(found.average))
    once = (found.weights == 1).nonzero()
    assert len(once[0])
    assert spectrum[once].max() < 1e-3 * spectrum.max()
    alone = average(made.boxes[:1], poses.take(slice(1)), WEDGE)
    assert np.abs(np.fft.rfftn(alone.average))[alone.weights == 1].max() > 1


def test_halves_are_disjoint_and_the_fsc_belongs_to_them():
    made = subtomograms(11, 0.5)
    found = average(made.boxes, poses_of(made), WEDGE, pixel_size=10.0)
    assert sorted(np.bincount(found.half)) == [5, 6]
    for number in (0, 1):
        rows = np.flatnonzero(found.half == number)
        alone = average(made.boxes[rows], poses_of(made).take(rows), WEDGE)
        assert alone.average == pytest.approx(found.halves[number], abs=1e-4)
    assert found.fsc.unit == "Å"
    assert found.resolution is None or found.resolution >= 20
    assert not found.gold_standard
    assert "not gold-standard" in found.notes[0]
    kept = average(made.boxes, poses_of(made), WEDGE, half=found.half, gold_standard=True)
    assert kept.gold_standard
    assert kept.notes == ()


def test_sums_add_up():
    made = subtomograms(4)
    device = torch.device("cpu")
    parts = []
    for rows in (slice(2), slice(2, 4), slice(4)):
        sums = FourierSums(SIDE, device)
        sums.add(made.boxes[rows], poses_of(made).take(rows), WEDGE)
        parts.append(sums)
    both = parts[0] + parts[1]
    assert both.n == 4
    assert both.average() == pytest.approx(parts[2].average(), abs=1e-5)
    assert (both.counts == parts[2].counts).all()


def test_a_symmetry_is_given_to_the_average():
    made = subtomograms(3, shift=0, wedge=None)
    found = average(made.boxes, poses_of(made), symmetry="C2").average
    turned = np.rot90(found[1:, 1:, 1:], 2, axes=(1, 2))
    assert turned == pytest.approx(found[1:, 1:, 1:], abs=0.05 * float(np.abs(found).max()))


def test_boxes_and_poses_that_are_of_no_use_are_left_out():
    made = subtomograms(4)
    boxes = made.boxes.copy()
    boxes[1] = 3
    poses = poses_of(made).put(np.array([2]), RigidPoses.unknown(1))
    found = average(boxes, poses, WEDGE)
    assert found.used.tolist() == [0, 3]
    assert np.isnan(found.poses.rotations[[1, 2]]).all()
    with pytest.raises(InputError, match="none has a pose"):
        average(boxes, RigidPoses.unknown(4), WEDGE)
    with pytest.raises(InputError, match="4 subtomograms need as many poses; 3 were given"):
        average(boxes, poses.take(slice(3)), WEDGE)


def test_rows_of_more_boxes():
    made = subtomograms(3)
    found = average(made.boxes, poses_of(made), WEDGE).among(np.array([1, 4, 5]), 6, ("Said.",))
    assert found.used.tolist() == [1, 4, 5]
    assert found.notes[0] == "Said."
    assert np.isnan(found.poses.shifts[0]).all()

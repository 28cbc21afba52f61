import numpy as np
import pytest
import torch
from tests.averaging.phantoms import SIDE, WEDGE, particle, subtomograms

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import AlignConfig, align_crops, degrees_between
from napari_cryoml.averaging._band import Band
from napari_cryoml.averaging._search import Search
from napari_cryoml.averaging._transform import Transforms, turned, waves
from napari_cryoml.jobs import Command, run_inline

QUICK = AlignConfig(angular_step=24, high=6)


def align(*arguments, **options):
    return run_inline(align_crops(*arguments, device="cpu", **options))


def error_deg(found, made):
    return degrees_between(found.poses.rotations, made.rotations)


def test_particles_are_found_as_they_were_turned_and_moved():
    made = subtomograms(8)
    found = align(made.boxes, made.reference, WEDGE, QUICK)
    assert error_deg(found, made).max() < 4
    assert found.poses.shifts == pytest.approx(made.shifts, abs=0.15)
    assert (found.poses.scores > 0.9).all()
    assert found.aligned.all()


def test_particles_are_found_in_noise():
    made = subtomograms(16, 0.3, seed=1)
    found = align(made.boxes, made.reference, WEDGE, QUICK)
    assert np.median(error_deg(found, made)) < 6
    assert np.median(np.abs(found.poses.shifts - made.shifts)) < 0.4


def test_what_lies_in_the_wedge_is_not_compared():
    made = subtomograms(8, seed=2)
    rng = np.random.default_rng(0)
    spectra = np.fft.fftn(rng.normal(size=made.boxes.shape), axes=(1, 2, 3))
    missing = np.fft.ifftn(spectra * ~WEDGE.mask((SIDE,) * 3), axes=(1, 2, 3)).real
    boxes = made.boxes + missing.astype(np.float32)
    assert error_deg(align(boxes, made.reference, WEDGE, QUICK), made).max() < 10
    assert np.median(error_deg(align(boxes, made.reference, None, QUICK), made)) > 15


def test_each_is_told_which_reference_it_shows():
    one, two = subtomograms(5, 1.0), subtomograms(5, 1.0, blobs="bent", seed=3)
    found = align(
        np.concatenate([one.boxes, two.boxes]), [one.reference, two.reference], WEDGE, QUICK
    )
    assert found.reference.tolist() == [0] * 5 + [1] * 5
    assert (found.margins > 0).all()
    assert found.scores.shape == (10, 2)
    best = np.take_along_axis(found.scores, found.reference[:, None], 1)[:, 0]
    assert found.poses.scores == pytest.approx(best)


def test_the_score_is_the_correlation_over_what_was_measured():
    made = subtomograms(1, shift=0)
    scores = [
        align(contrast * made.boxes + level, made.reference, WEDGE, QUICK).scores[0, 0]
        for contrast, level in ((1, 0), (5, 100), (1e-3, -2))
    ]
    assert scores == pytest.approx([scores[0]] * 3, abs=1e-3)
    assert 0.95 < scores[0] <= 1


def test_a_last_round_at_full_size_is_no_worse():
    made = subtomograms(6)
    coarse = align(made.boxes, made.reference, WEDGE, QUICK)
    fine = align(made.boxes, made.reference, WEDGE, QUICK.model_copy(update={"full_size": True}))
    assert error_deg(fine, made).mean() < error_deg(coarse, made).mean() + 0.1


def test_the_batch_does_not_matter():
    made = subtomograms(5, 0.5)
    one, many = (
        align(made.boxes, made.reference, WEDGE, QUICK.model_copy(update={"batch": batch}))
        for batch in (2, 5)
    )
    assert one.poses.rotations == pytest.approx(many.poses.rotations, abs=1e-4)


def test_symmetric_particles_need_fewer_rotations():
    made = subtomograms(6)
    turned = np.rot90(made.reference, 2, axes=(1, 2))
    # An even side has no voxel opposite its first one.
    reference = made.reference.copy()
    reference[:, 1:, 1:] += turned[:, :-1, :-1]
    boxes = np.array([reference] * 2)
    found = align(boxes, reference, None, QUICK.model_copy(update={"symmetry": "C2"}))
    assert degrees_between(found.poses.rotations, np.eye(3), "C2").max() < 3


def test_boxes_that_hold_nothing_are_passed_over():
    made = subtomograms(3)
    boxes = made.boxes.copy()
    boxes[0], boxes[2, 0, 0, 0] = 7, np.nan
    found = align(boxes, made.reference, WEDGE, QUICK)
    assert found.aligned.tolist() == [False, True, False]
    assert found.reference.tolist() == [-1, 0, -1]
    assert np.isnan(found.poses.rotations[[0, 2]]).all()
    assert error_deg(found, made)[1] < 4


def test_stopping_keeps_the_poses_so_far():
    made = subtomograms(6)
    job = align_crops(
        made.boxes, made.reference, WEDGE, QUICK.model_copy(update={"batch": 2}), device="cpu"
    )
    event = next(job)
    assert (event.done, event.total) == (1, 3)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert end.value.value.aligned.tolist() == [True, True] + [False] * 4


def test_detail_can_be_given_in_angstrom():
    config = AlignConfig(resolution=40)
    assert config.highest(32, 10) == 8
    assert config.highest(32, 2) == 2.5
    assert config.highest(32, 100) == 15
    assert AlignConfig().highest(16) == 7


@pytest.mark.parametrize(
    ("boxes", "reference", "message"),
    [
        (np.zeros((2, 16, 16)), np.zeros((16,) * 3), "cubes"),
        (np.zeros((2, 16, 16, 12)), np.zeros((16,) * 3), "cubes"),
        (np.zeros((0, 16, 16, 16)), np.zeros((16,) * 3), "there are none"),
        (np.zeros((2, 4, 4, 4)), np.zeros((4,) * 3), "4: choose a larger box"),
        (np.zeros((2, 16, 16, 16)), np.zeros((20,) * 3), "References are 20 voxels wide"),
        (np.zeros((2, 16, 16, 16)), np.full((16,) * 3, np.nan), "no numbers"),
    ],
)
def test_what_cannot_be_aligned(boxes, reference, message):
    with pytest.raises(InputError, match=message):
        align(boxes, reference)


def test_a_side_view_shows_what_a_rotation_means():
    # A quarter turn that brings +x to +z: the arm of the particle along x then points along z.
    quarter = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    box = particle(quarter)
    found = align(box[None], particle(), None, QUICK)
    assert degrees_between(found.poses.rotations[0], quarter) < 4


def test_larger_boxes_are_searched_in_larger_strides():
    made = subtomograms(2, side=64, shift=6, seed=5)
    config = QUICK.model_copy(update={"high": 4, "full_size": True})
    found = align(made.boxes, made.reference, WEDGE, config)
    assert found.poses.shifts == pytest.approx(made.shifts, abs=0.5)
    assert error_deg(found, made).max() < 6


def test_the_score_at_the_shift_is_the_plain_normalised_correlation():
    made = subtomograms(1, 0.5, shift=1.0, seed=6)
    device = torch.device("cpu")
    band = Band(SIDE, 1.5, 6, WEDGE, device)
    spectra = band.spectra(made.boxes)
    spectra = spectra / spectra.norm()
    rotation = torch.as_tensor(made.rotations[:1], dtype=torch.float32)
    reference = Transforms(torch.as_tensor(made.reference)[None], 6.0)
    search = Search(band, reference, torch.ones(len(band)), 3.0)
    found = search.over_shifts(spectra, rotation[None])
    shift = found.shifts[0]
    shown = reference.at(turned(band.frequencies, rotation)) * waves(band.frequencies, shift, SIDE)
    plain = (spectra.conj() * shown).real.sum() / shown.norm()
    assert float(found.scores[0, 0]) == pytest.approx(float(plain), abs=1e-5)
    for offset in 0.2 * np.concatenate([np.eye(3), -np.eye(3)]):
        moved = shown * waves(band.frequencies, torch.as_tensor(offset[None]).float(), SIDE)
        assert (spectra.conj() * moved).real.sum() / shown.norm() <= plain + 1e-5

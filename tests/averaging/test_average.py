import numpy as np
import pytest
from tests.averaging.conftest import SIDE, particles, spread_deg
from tests.averaging.phantoms import WEDGE, subtomograms

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import (
    AverageConfig,
    average_crops,
    class_average,
    degrees_between,
    shell_correlation,
)
from napari_cryoml.averaging._mask import soft_mask
from napari_cryoml.averaging._poses import Poses, placed, turns
from napari_cryoml.jobs import run_inline


def correlation(a, b):
    mask = soft_mask(a.shape)
    a, b = (each - (each * mask).sum() / mask.sum() for each in (a, b))
    return (a * b * mask).sum() / np.sqrt((a * a * mask).sum() * (b * b * mask).sum())


def likeness(image, truth):
    """Return the correlation with the truth, as it is turned and moved to fit best."""
    found = []
    for angle in np.deg2rad(np.arange(0, 360, 5)):
        turned = placed(image[None].astype(np.float32), Poses(turns([angle]), np.zeros((1, 2))))[0]
        for y in (-1, 0, 1):
            found += [correlation(np.roll(turned, (y, x), (0, 1)), truth) for x in (-1, 0, 1)]
    return max(found)


def test_an_aligned_average_shows_the_particle_and_an_unaligned_one_does_not(quick):
    made = particles(80, 0.2, seed=1)
    found = class_average(made.crops, quick)
    assert likeness(found.average, made.truth) > 0.9
    assert likeness(made.crops.mean(axis=0), made.truth) < 0.8
    assert np.median(spread_deg(found.angles + made.angles)) < 8


def test_pure_noise_makes_no_halves_that_agree(quick):
    noise = np.random.default_rng(0).normal(size=(60, SIDE, SIDE))
    found = class_average(noise, quick)
    # Each half lines its noise up by itself; only what they share counts.
    assert np.abs(found.frc.values[3:]).mean() < 0.25
    assert found.resolution is None or found.resolution > SIDE / 4


def test_what_is_returned_belongs_together(quick):
    made = particles(21, 4)
    found = class_average(made.crops, quick, pixel_size=3.0)
    assert found.used.tolist() == list(range(21))
    assert found.average.shape == (SIDE, SIDE)
    assert found.average.dtype == np.float32
    assert np.bincount(found.half).tolist() == [11, 10]
    share = np.array([11, 10]) / 21
    assert np.tensordot(share, found.halves, 1) == pytest.approx(found.average, abs=1e-5)
    mask = soft_mask((SIDE, SIDE))
    again = shell_correlation(*found.halves, mask=mask, pixel_size=3.0)
    assert found.frc.values == pytest.approx(again.values)
    assert found.frc.unit == "Å"
    assert found.notes == ()


def test_poses_lay_the_crops_on_the_average(quick):
    made = particles(20, 8)
    found = class_average(made.crops, quick)
    poses = Poses(turns(np.deg2rad(found.angles)), found.shifts)
    standard = made.crops - made.crops.mean(axis=(1, 2), keepdims=True)
    standard /= standard.std(axis=(1, 2), keepdims=True)
    assert placed(standard, poses).mean(axis=0) == pytest.approx(found.average, abs=1e-3)


def test_contrast_stays_as_in_the_crops(quick):
    made = particles(30, 4)
    centre = slice(SIDE // 2 - 4, SIDE // 2 + 4)
    dark = class_average(made.crops, quick).average
    bright = class_average(-made.crops, quick).average
    assert dark[centre, centre].mean() < dark.mean() < bright[centre, centre].mean()


def test_the_same_seed_gives_the_same_average(quick):
    made = particles(16, 1)
    one, two = (class_average(made.crops, quick) for _ in range(2))
    assert one.average.tobytes() == two.average.tobytes()
    assert one.half.tolist() == two.half.tolist()
    other = class_average(made.crops, quick.model_copy(update={"seed": 5}))
    assert other.half.tolist() != one.half.tolist()


def test_a_misfit_has_the_lowest_score(quick):
    made = particles(24, 4)
    made.crops[7] = np.random.default_rng(5).normal(size=(SIDE, SIDE))
    assert class_average(made.crops, quick).scores.argmin() == 7


def test_scores_are_correlations_with_the_average_of_the_others(quick):
    made = particles(6, 4)
    found = class_average(made.crops, quick)
    standard = made.crops - made.crops.mean(axis=(1, 2), keepdims=True)
    standard /= standard.std(axis=(1, 2), keepdims=True)
    images = placed(standard, Poses(turns(np.deg2rad(found.angles)), found.shifts))
    for row in range(6):
        others = np.delete(images, row, axis=0).mean(axis=0)
        assert found.scores[row] == pytest.approx(correlation(images[row], others), abs=1e-3)


class TestMirror:
    def test_is_never_used_unless_it_is_asked_for(self, quick):
        made = particles(20, 8, mirrored=range(0, 20, 2))
        assert not class_average(made.crops, quick).mirrored.any()

    def test_is_used_when_it_is(self, quick):
        made = particles(20, 8, mirrored=range(0, 20, 2))
        found = class_average(made.crops, quick.model_copy(update={"mirror": True}))
        agree = (found.mirrored == (np.arange(20) % 2 == 0)).mean()
        assert agree in (0, 1)


class TestOddInput:
    def test_one_crop_is_its_own_average(self, quick):
        made = particles(1, 4)
        found = class_average(made.crops, quick)
        assert correlation(found.average, made.crops[0]) == pytest.approx(1)
        assert found.angles.tolist() == [0]
        assert found.halves is None
        assert found.frc is None
        assert found.resolution is None
        assert np.isnan(found.scores).all()
        assert "its own average" in found.notes[0]

    def test_two_crops_are_a_half_each(self, quick):
        found = class_average(particles(2, 20).crops, quick)
        assert sorted(found.half.tolist()) == [0, 1]
        assert found.scores == pytest.approx(found.scores[0], abs=1e-4)
        assert found.scores[0] > 0.8
        assert "2 crops" in found.notes[0]

    def test_equal_crops_agree_in_all_details(self, quick):
        crops = np.repeat(particles(1, 20).crops, 8, axis=0)
        found = class_average(crops, quick)
        assert found.scores == pytest.approx(1, abs=0.02)
        assert found.frc.values[:8].min() > 0.95

    def test_crops_that_cannot_be_used_are_left_out_and_said(self, quick):
        made = particles(24, 4)
        made.crops[3, 5, 5] = np.nan
        made.crops[4] = np.inf
        made.crops[9] = 7.0
        found = class_average(made.crops, quick)
        assert set(range(24)) - set(found.used.tolist()) == {3, 4, 9}
        for values in (found.angles, found.shifts, found.scores):
            assert np.isnan(values[[3, 4, 9]]).all()
            assert np.isfinite(values[found.used]).all()
        assert found.half[3] == -1
        assert found.notes == (
            "2 crops have values that are no numbers and were left out.",
            "1 crop has one value everywhere and was left out.",
        )

    def test_of_many_a_sample_is_taken_and_said(self, quick):
        made = particles(40, 4)
        found = class_average(made.crops, quick.model_copy(update={"most": 25}))
        assert len(found.used) == 25
        assert np.isfinite(found.scores).sum() == 25
        assert found.notes == ("A random 25 of 40 crops were averaged.",)

    def test_large_offsets_leave_the_digits_of_the_signal(self, quick):
        made = particles(20, 8)
        plain = class_average(made.crops, quick)
        raised = class_average(made.crops * 0.01 + 1000, quick)
        assert correlation(plain.average, raised.average) > 0.99

    @pytest.mark.parametrize(
        ("crops", "sentence"),
        [
            (np.zeros((0, 16, 16)), "nothing to average"),
            (np.zeros((3, 16, 16)), "No crop can be averaged"),
            (np.full((3, 16, 16), np.nan), "No crop can be averaged"),
            (np.zeros((3, 5, 16)), "5 x 16"),
            (np.zeros((16, 16)), "axes"),
        ],
    )
    def test_what_cannot_be_averaged_is_said(self, crops, sentence):
        with pytest.raises(InputError, match=sentence):
            class_average(crops)

    def test_a_shift_beyond_the_crop_is_refused(self):
        with pytest.raises(InputError, match="max_shift is 9"):
            class_average(particles(4, 4).crops, AverageConfig(max_shift=9))

    @pytest.mark.parametrize("shape", [(8, 8), (17, 17), (20, 26)])
    def test_sides_may_be_small_odd_and_uneven(self, quick, shape):
        crops = np.random.default_rng(0).normal(size=(5, *shape))
        found = class_average(crops, quick)
        assert found.average.shape == shape
        assert np.isfinite(found.average).all()


class TestVolumes:
    CONFIG = AverageConfig(iterations=3, angular_step=25)

    def test_are_aligned(self):
        made = subtomograms(16, 2.0, seed=4)
        found = class_average(made.boxes, self.CONFIG, pixel_size=8.0, wedge=WEDGE)
        frames = np.swapaxes(found.rotations, 1, 2) @ made.rotations
        alike = np.einsum("aij,bij->ab", frames, frames)
        assert np.median(alike, axis=1).max() > 1 + 2 * np.cos(np.deg2rad(12))
        assert found.shifts.shape == (16, 3)
        assert found.frc.unit == "Å"
        assert found.frc.values[3:5].mean() > 0.8
        assert found.used.tolist() == list(range(16))

    def test_are_laid_by_what_is_told(self):
        made = subtomograms(4, shift=1)
        found = class_average(made.boxes, self.CONFIG, wedge=WEDGE)
        place = np.array([1.0, 2, -1])
        in_crop = found.rotations @ place - np.einsum("nij,nj->ni", found.rotations, found.shifts)
        back = np.einsum("nji,nj->ni", found.rotations, in_crop) + found.shifts
        assert back == pytest.approx(np.tile(place, (4, 1)))
        assert found.angles == pytest.approx(degrees_between(found.rotations, np.eye(3)))

    def test_that_cannot_be_used_are_left_out(self):
        boxes = subtomograms(6, 2.0).boxes
        boxes[2] = 0
        found = class_average(boxes, self.CONFIG, wedge=WEDGE)
        assert found.used.tolist() == [0, 1, 3, 4, 5]
        assert np.isnan(found.rotations[2]).all()
        assert found.half[2] == -1

    def test_that_are_no_cubes_are_averaged_as_they_lie(self):
        rng = np.random.default_rng(0)
        signal = rng.normal(size=(10, 12, 12))
        crops = signal + 0.5 * rng.normal(size=(30, 10, 12, 12))
        found = class_average(crops, pixel_size=8.0)
        assert correlation(found.average, signal) > 0.95
        assert found.shifts.shape == (30, 3)
        assert not found.angles.any()
        assert found.frc.values[3:].mean() > 0.9
        assert "as they lie" in found.notes[-1]


def test_a_job_can_be_stopped_and_keeps_what_there_is(quick):
    made = particles(24, 8)
    events = []
    found = run_inline(
        average_crops(made.crops, quick), events.append, should_stop=lambda: len(events) >= 2
    )
    assert len(events) < events[0].total
    assert np.isfinite(found.average).all()


def test_an_average_can_be_that_of_some_among_many(quick):
    found = class_average(particles(4, 8).crops, quick)
    rows = np.array([1, 5, 6, 9])
    among = found.among(rows, 12, ("Said before.",))
    assert among.used.tolist() == rows.tolist()
    assert among.scores[rows] == pytest.approx(found.scores)
    assert np.isnan(among.angles).sum() == 8
    assert among.shifts.shape == (12, 2)
    assert among.half[[0, 2]].tolist() == [-1, -1]
    assert among.notes[0] == "Said before."

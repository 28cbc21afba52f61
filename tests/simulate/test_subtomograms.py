import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import MissingWedge
from napari_cryoml.jobs import Command, run_inline
from napari_cryoml.simulate import (
    DensityMap,
    SubtomogramConfig,
    procedural_maps,
    simulate_subtomograms,
)
from napari_cryoml.simulate import _subtomograms as subtomograms
from napari_cryoml.simulate._neighbours import place_neighbours

MAPS = procedural_maps(2, 20, 10.0)


def simulated(per_class=4, seed=0, maps=MAPS, **options):
    config = SubtomogramConfig(**({"box": 20, "tilt_step": 6} | options))
    return run_inline(simulate_subtomograms(maps, per_class, config, seed))


def test_boxes_and_truth_belong_together():
    made = simulated(per_class=3, empty_class=True, shift_px=1.5, dark=True)
    assert made.classes == ("complex_01", "complex_02", "empty")
    assert made.labels.tolist() == [0, 1, 2] * 3
    assert made.crops.array.shape == (9, 1, 20, 20, 20)
    assert made.crops.array.dtype == np.float32
    assert made.crops.columns["class"].tolist() == ["complex_01", "complex_02", "empty"] * 3
    assert made.crops.ids[3] == "complex_01_0001"
    assert (made.crops.pixel_size, made.crops.wedge) == (10.0, MissingWedge(-60, 60))
    assert made.rotations.shape == (9, 3, 3)
    np.testing.assert_allclose(np.linalg.det(made.rotations), 1)
    assert np.abs(made.shifts).max() <= 1.5


def test_a_seed_is_a_data_set_whatever_the_chunks(monkeypatch):
    first = simulated(neighbours=2)
    monkeypatch.setattr(subtomograms, "_CHUNK", 3)
    again = simulated(neighbours=2)
    np.testing.assert_allclose(first.crops.array, again.crops.array, atol=1e-4)
    np.testing.assert_array_equal(first.rotations, again.rotations)
    other = simulated(seed=1, neighbours=2)
    assert not np.allclose(first.rotations, other.rotations)


def test_more_boxes_begin_with_the_same():
    few, many = simulated(per_class=2), simulated(per_class=3)
    np.testing.assert_allclose(few.crops.array, many.crops.array[:4], atol=1e-4)


def test_stop_keeps_what_is_done(monkeypatch):
    monkeypatch.setattr(subtomograms, "_CHUNK", 4)
    config = SubtomogramConfig(box=20, tilt_step=10)
    job = simulate_subtomograms(MAPS, 10, config)
    events = [next(job), next(job)]
    assert [(event.done, event.total) for event in events] == [(0, 20), (4, 20)]
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert len(end.value.value) == len(end.value.value.crops) == 4
    assert end.value.value.labels.tolist() == [0, 1, 0, 1]


def test_all_boxes_have_noise_of_deviation_one():
    boxes = simulated(per_class=10, snr=1e-4).crops.array
    np.testing.assert_allclose(boxes.std(), 1, rtol=0.05)


def test_without_noise_the_variance_of_every_class_is_one():
    made = simulated(per_class=10, snr=None)
    variances = made.crops.array.var(axis=(1, 2, 3, 4))
    np.testing.assert_allclose(variances[0::2].mean(), 1, rtol=0.15)
    np.testing.assert_allclose(variances[1::2].mean(), 1, rtol=0.15)


def test_the_empty_class_has_no_signal():
    made = simulated(per_class=2, snr=None, empty_class=True)
    assert not made.crops.array[2::3].any()
    assert made.crops.array[0::3].any(axis=(1, 2, 3, 4)).all()
    crowded = simulated(per_class=2, snr=None, empty_class=True, neighbours=4)
    assert crowded.crops.array[2::3].any()


def test_the_scale_of_a_map_does_not_matter():
    louder = [DensityMap(entry.array * 37, 10.0, entry.name) for entry in MAPS]
    np.testing.assert_allclose(
        simulated().crops.array, simulated(maps=louder).crops.array, atol=1e-3
    )


def test_neighbours_lie_about_and_do_not_overlap():
    radii = [3.0, 5.0]
    for seed in range(20):
        kinds, offsets = place_neighbours(6, 4.0, radii, 32, np.random.default_rng(seed))
        assert 0 < len(kinds) <= 6
        balls = [(np.zeros(3), 4.0)]
        balls += [(offset, radii[kind]) for kind, offset in zip(kinds, offsets, strict=True)]
        for number, (centre, radius) in enumerate(balls):
            for other, far in balls[:number]:
                assert np.linalg.norm(centre - other) >= radius + far
        reach = np.abs(offsets).max(axis=1) - np.take(radii, kinds)
        assert (reach < 16).all()


def test_where_there_is_no_room_there_are_no_neighbours():
    kinds, offsets = place_neighbours(3, 40.0, [5.0], 20, np.random.default_rng(0))
    assert (kinds.shape, offsets.shape) == ((0,), (0, 3))


def test_neighbours_leave_the_particle_alone():
    alone, crowded = simulated(snr=None, shift_px=0), simulated(snr=None, shift_px=0, neighbours=4)
    difference = np.abs(alone.crops.array - crowded.crops.array)[:, 0].mean(axis=0)
    assert difference[0].mean() > 1.5 * difference[8:13, 8:13, 8:13].mean()
    assert difference.max() > 0.1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"maps": []}, "1 map or more"),
        ({"per_class": 0}, "1 subtomogram or more of each class"),
        ({"seed": -1}, "seed of 0 or more"),
        ({"maps": [MAPS[0], MAPS[0]]}, "more than one complex_01"),
        ({"maps": [DensityMap(MAPS[0].array, 10.0, "empty")]}, "more than one empty"),
    ],
)
def test_what_cannot_be_simulated_is_told(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        simulated(**arguments)

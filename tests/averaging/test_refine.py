import numpy as np
import pytest
from tests.averaging.phantoms import WEDGE, particle, subtomograms

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import AlignConfig, AverageStep, RefineConfig, refine
from napari_cryoml.averaging._refine import split_by_id
from napari_cryoml.jobs import Command, run_inline

QUICK = RefineConfig(iterations=4, starts=1, align=AlignConfig(angular_step=24, high=6))


def spread_deg(found, made):
    """Return how far poses lie from the truth, each, in the frame that most of them agree on."""
    frames = np.swapaxes(found.poses.rotations, 1, 2) @ made.rotations
    traces = np.einsum("aij,bij->ab", frames, frames)
    angles = np.rad2deg(np.arccos(np.clip((traces - 1) / 2, -1, 1)))
    return angles[np.median(angles, axis=1).argmin()]


def run(made, config=QUICK, **options):
    return run_inline(refine(made.boxes, WEDGE, config, device="cpu", **options))


@pytest.fixture(scope="module")
def made():
    return subtomograms(24, 1.0, seed=4)


@pytest.fixture(scope="module")
def found(made):
    return run(made, pixel_size=10.0)


def test_particles_find_their_average_without_a_reference(made, found):
    assert np.median(spread_deg(found, made)) < 8
    assert np.bincount(found.half).tolist() == [12, 12]
    assert found.gold_standard
    assert found.notes == ()
    assert found.fsc.values[:5].min() > 0.8
    assert found.average.shape == made.reference.shape


def test_halves_do_not_know_of_each_other(made):
    once = QUICK.model_copy(update={"iterations": 1})
    plain = run(made, once)
    first, second = (np.flatnonzero(plain.half == number) for number in (0, 1))
    other = made.boxes.copy()
    other[second] = np.random.default_rng(0).normal(size=other[second].shape)
    again = run_inline(refine(other, WEDGE, once, device="cpu"))
    assert (again.half == plain.half).all()
    assert again.halves[0].tobytes() == plain.halves[0].tobytes()
    assert (again.poses.rotations[first] == plain.poses.rotations[first]).all()
    assert not np.allclose(again.halves[1], plain.halves[1])


def test_each_round_is_told_with_its_average(made):
    events = []
    config = QUICK.model_copy(update={"iterations": 2})
    result = run_inline(refine(made.boxes, WEDGE, config, device="cpu"), events.append)
    steps = [event for event in events if isinstance(event, AverageStep)]
    assert [step.iteration for step in steps] == [1, 2]
    assert steps[-1].current is result
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert events[-1].done == events[-1].total


def test_with_a_reference_the_frame_is_its_own(made):
    result = run(made, QUICK.model_copy(update={"iterations": 3}), reference=made.reference)
    errors = np.einsum("nij,nij->n", result.poses.rotations, made.rotations)
    angles = np.rad2deg(np.arccos(np.clip((errors - 1) / 2, -1, 1)))
    assert np.median(angles) < 8


def test_stopping_keeps_the_last_round(made):
    job = refine(made.boxes, WEDGE, QUICK, device="cpu")
    event = next(job)
    while not isinstance(event, AverageStep):
        event = next(job)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert end.value.value is event.current


def test_stopping_at_once_averages_the_particles_as_they_lie(made):
    job = refine(made.boxes, WEDGE, QUICK, device="cpu")
    next(job)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert "as they lie" in end.value.value.notes[0]
    assert end.value.value.poses.rotations[0] == pytest.approx(np.eye(3))


def test_the_same_seed_gives_the_same_average():
    made = subtomograms(6, 1.0)
    config = QUICK.model_copy(update={"iterations": 1})
    one, two = (run(made, config) for _ in range(2))
    assert one.average.tobytes() == two.average.tobytes()


def test_halves_go_by_the_names_of_the_particles():
    names = np.array([f"p{number}" for number in range(9)])
    half = split_by_id(names)
    order = np.random.default_rng(0).permutation(9)
    assert (split_by_id(names[order]) == half[order]).all()
    assert sorted(np.bincount(half)) == [4, 5]
    assert (split_by_id(names, seed=1) != half).any()


def test_a_single_subtomogram_is_its_own_average():
    box = particle()[None]
    result = run_inline(refine(box, None, QUICK, device="cpu"))
    assert "its own average" in result.notes[-1]
    assert result.halves is None
    assert result.resolution is None
    assert not result.gold_standard


def test_what_cannot_be_averaged():
    with pytest.raises(InputError, match="No subtomogram can be averaged"):
        run_inline(refine(np.zeros((3, 16, 16, 16))))


def test_detail_rises_from_round_to_round():
    config = RefineConfig(iterations=9)
    highs = [config.round(number, 32).high for number in range(9)]
    assert highs[0] == 3
    assert highs == sorted(highs)
    assert highs[6:] == [9, 9, 9]
    assert config.round(8, 32).angular_step == 15
    assert config.round(0, 32).angular_step == 40

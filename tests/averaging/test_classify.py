import numpy as np
import pytest
from tests.averaging.phantoms import WEDGE, subtomograms

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import (
    AlignConfig,
    ClassesConfig,
    ClassesStep,
    classify_subtomograms,
    shell_correlation,
)
from napari_cryoml.averaging._classify import _by_size
from napari_cryoml.averaging._damping import damped, damped_halves
from napari_cryoml.averaging._laid import imputed
from napari_cryoml.jobs import Command, run_inline

QUICK = ClassesConfig(
    n_classes=2, iterations=2, starts=1, n_dims=5, align=AlignConfig(angular_step=24, high=6)
)


@pytest.fixture(scope="module")
def boxes():
    parts = [subtomograms(n, 2.0, seed=n, blobs=blobs) for n, blobs in ((14, "boot"), (10, "bent"))]
    return np.concatenate([part.boxes for part in parts])


def classify(boxes, config=QUICK, on_event=None):
    return run_inline(classify_subtomograms(boxes, WEDGE, config, device="cpu"), on_event)


@pytest.mark.parametrize("imputation", [True, False])
def test_two_structures_are_parted_and_averaged(boxes, imputation):
    events = []
    found = classify(boxes, QUICK.model_copy(update={"imputation": imputation}), events.append)
    assert found.labels.tolist() == [0] * 14 + [1] * 10
    assert found.sizes.tolist() == [14, 10]
    assert found.averages[0].used.tolist() == list(range(14))
    assert found.averages[0].fsc.values[:4].min() > 0.8
    assert not found.averages[0].gold_standard
    assert found.scores.shape == (24, 2)
    assert (found.scores.argmax(axis=1) == found.labels).all()
    steps = [event for event in events if isinstance(event, ClassesStep)]
    assert [step.iteration for step in steps] == [1, 2]
    assert steps[-1].current is found
    assert events[-1].done == events[-1].total


def test_boxes_that_hold_nothing_belong_to_no_class(boxes):
    some = boxes[:8].copy()
    some[3] = 1
    found = classify(some, QUICK.model_copy(update={"n_classes": 1, "iterations": 1}))
    assert found.labels.tolist() == [0, 0, 0, -1, 0, 0, 0, 0]
    assert np.isnan(found.poses.shifts[3]).all()
    assert np.isnan(found.scores[3]).all()


def test_stopping_keeps_the_last_round(boxes):
    job = classify_subtomograms(boxes[:10], WEDGE, QUICK, device="cpu")
    event = next(job)
    while not isinstance(event, ClassesStep):
        event = next(job)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert end.value.value is event.current


def test_stopping_at_once_leaves_one_class(boxes):
    job = classify_subtomograms(boxes[:10], WEDGE, QUICK, device="cpu")
    next(job)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert end.value.value.sizes.tolist() == [10]


def test_more_classes_than_subtomograms(boxes):
    with pytest.raises(InputError, match="2 classes need at least 2 subtomograms; 1 of 1"):
        classify(boxes[:1])


def test_the_largest_class_is_the_first():
    labels, order = _by_size(np.array([7, 2, 2, 5, 5, 5]))
    assert labels.tolist() == [2, 1, 1, 0, 0, 0]
    assert order.tolist() == [5, 2, 7]


def test_imputing_leaves_what_was_measured_and_scales_the_rest():
    reference = np.array([1, 2j, 3, 4], np.complex64)
    measured = np.array([[True, True, True, False]])
    spectra = np.array([[2, 4j, 6, 100]], np.complex64)
    found = imputed(spectra, measured, reference)
    assert found[0].tolist() == [2, 4j, 6, 8]


def test_references_lose_the_shells_on_which_halves_disagree(boxes):
    found = classify(boxes[:8], QUICK.model_copy(update={"n_classes": 1, "iterations": 1}))
    average = found.averages[0]
    for volume, was in zip(
        [damped(average), *damped_halves(average)], [average.average, *average.halves], strict=True
    ):
        before, after = (np.abs(np.fft.rfftn(each)) for each in (was, volume))
        assert (after <= before + 1e-2).all()
        assert shell_correlation(volume, was).values[1] > 0.95

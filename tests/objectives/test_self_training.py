import pytest
import torch
from toy_crops import build_network, toy_batch

from napari_cryoml.objectives import crop_objectives
from napari_cryoml.objectives._self_training import pseudo_labels

PROBABILITIES = torch.tensor([[0.97, 0.03], [0.94, 0.06], [0.01, 0.99], [0.05, 0.95], [0.5, 0.5]])


def build(**options):
    return crop_objectives.create("self_training", **options).build(build_network("toy", 2))


def test_sure_answers_become_labels():
    assert pseudo_labels(PROBABILITIES, 0.95).tolist() == [0, -1, 1, 1, -1]
    assert pseudo_labels(PROBABILITIES, 0.6).tolist() == [0, 0, 1, 1, -1]


@pytest.mark.parametrize(("most", "expected"), [(1, [0, -1, 1, -1, -1]), (2, [0, 0, 1, 1, -1])])
def test_the_surest_of_each_class_come_first(most, expected):
    assert pseudo_labels(PROBABILITIES, 0.9, most).tolist() == expected


def test_no_crops_get_no_labels():
    assert pseudo_labels(torch.zeros(0, 3), 0.9).shape == (0,)


def test_the_first_epochs_know_the_labels_alone():
    objective = build(warm_up=2)
    assert objective.begin_epoch(1, lambda: pytest.fail("not needed")) is None
    assert objective.begin_epoch(2, lambda: PROBABILITIES).tolist() == [0, -1, 1, 1, -1]


def test_answers_are_made_anew_each_epoch():
    objective = build(threshold=0.9, warm_up=0)
    assert objective.begin_epoch(0, lambda: PROBABILITIES)[0] == 0
    assert objective.begin_epoch(1, lambda: PROBABILITIES.flip(1))[0] == 1
    assert objective.begin_epoch(2, lambda: torch.full((5, 2), 0.5)).tolist() == [-1] * 5


def test_the_loss_is_that_of_the_labels():
    batch, _ = toy_batch(6, 2, 1)
    supervised = crop_objectives.create("supervised").build(build_network("toy", 2))
    torch.testing.assert_close(build()(batch).total, supervised(batch).total)

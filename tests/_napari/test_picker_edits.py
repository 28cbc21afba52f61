import numpy as np
import pytest

from napari_cryoml._napari._picker_edits import NEW, LabelSet, changes, click, inside, merge
from napari_cryoml.data import NEGATIVE, POSITIVE, Annotations

SHAPE = {2: (100, 80), 3: (50, 100, 80)}


def labels(positions, marks, ids):
    return LabelSet(Annotations(np.array(positions, float), np.array(marks)), np.array(ids))


@pytest.fixture(params=[2, 3])
def ndim(request):
    return request.param


def place(ndim, value):
    return np.full(ndim, float(value))


def test_a_click_on_nothing_adds_a_label(ndim):
    edit = click(LabelSet.empty(ndim), place(ndim, 10), NEGATIVE, shape=SHAPE[ndim], reach_px=5)
    assert edit.add.negatives.tolist() == [[10.0] * ndim]
    assert edit.remove == []


@pytest.mark.parametrize("outside", [-1.0, 1000.0])
def test_a_click_outside_the_image_is_refused_in_a_sentence(ndim, outside):
    edit = click(
        LabelSet.empty(ndim), place(ndim, outside), POSITIVE, shape=SHAPE[ndim], reach_px=5
    )
    assert not edit
    assert "outside" in edit.note


def test_a_click_of_the_other_kind_turns_a_label_over_where_it_stands(ndim):
    known = labels([place(ndim, 10)], [POSITIVE], [7])
    edit = click(known, place(ndim, 11), NEGATIVE, shape=SHAPE[ndim], reach_px=5)
    assert edit.remove == [7]
    assert edit.add.negatives.tolist() == [[10.0] * ndim]


def test_a_double_click_leaves_one_particle_and_a_second_negative_click_none(ndim):
    positive = labels([place(ndim, 10)], [POSITIVE], [7])
    assert not click(positive, place(ndim, 10), POSITIVE, shape=SHAPE[ndim], reach_px=5)
    negative = labels([place(ndim, 10)], [NEGATIVE], [7])
    edit = click(negative, place(ndim, 10), NEGATIVE, shape=SHAPE[ndim], reach_px=5)
    assert edit.remove == [7]
    assert len(edit.add) == 0


def test_the_nearest_label_within_reach_is_the_one_that_is_clicked(ndim):
    known = labels([place(ndim, 10), place(ndim, 12)], [POSITIVE, POSITIVE], [1, 2])
    edit = click(known, place(ndim, 12.4), NEGATIVE, shape=SHAPE[ndim], reach_px=5)
    assert edit.remove == [2]


def test_pixels_reach_half_a_pixel_beyond_their_centres():
    positions = np.array([[-0.5, 0.0], [-0.51, 0.0], [99.5, 79.5], [99.6, 0.0]])
    assert inside(positions, (100, 80)).tolist() == [True, False, True, False]


def test_pasted_rows_carry_old_ids_and_still_count_as_new():
    known = labels([[1, 1], [5, 5]], [1, 1], [3, 4])
    rows = labels([[1, 1], [5, 5], [9, 9]], [1, 1, 1], [3, 4, 3])
    new, moved, gone = changes(known, rows)
    assert (new.tolist(), moved.tolist(), gone) == ([2], [], [])


def test_a_drag_replaces_the_label_and_keeps_its_kind():
    known = labels([[1, 1], [50, 50]], [1, 0], [3, 4])
    rows = labels([[1, 1], [60, 60]], [1, 0], [3, 4])
    edit = merge(known, rows, shape=(100, 80), reach_px=5)
    assert edit.remove == [4]
    assert edit.add.negatives.tolist() == [[60.0, 60.0]]


def test_a_label_dragged_outside_stays():
    known = labels([[1, 1]], [1], [3])
    edit = merge(known, labels([[-40, 1]], [1], [3]), shape=(100, 80), reach_px=5)
    assert not edit
    assert "outside" in edit.note


def test_removed_rows_give_their_ids():
    known = labels([[1, 1], [5, 5], [9, 9]], [1, 1, 0], [3, 4, 5])
    edit = merge(known, labels([[5, 5]], [1], [4]), shape=(100, 80), reach_px=5)
    assert edit.remove == [3, 5]
    assert len(edit.add) == 0


def test_several_new_rows_come_as_they_are_but_not_from_outside():
    known = LabelSet.empty(2)
    rows = labels([[1, 1], [200, 1], [2, 2]], [1, 1, 0], [NEW, NEW, NEW])
    edit = merge(known, rows, shape=(100, 80), reach_px=5)
    assert edit.add.positions.tolist() == [[1, 1], [2, 2]]
    assert edit.add.labels.tolist() == [1, 0]
    assert "outside" in edit.note

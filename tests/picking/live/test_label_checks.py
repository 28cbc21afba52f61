"""Labels that cannot be meant are named in sentences."""

import numpy as np
import pytest

from napari_cryoml.data import Annotations
from napari_cryoml.picking.live._label_checks import contradictions, ignored_labels, near_border


def labelled(positives, negatives=(), ndim=2) -> Annotations:
    rows = np.array([*positives, *negatives], dtype=float).reshape(-1, ndim)
    return Annotations(rows, np.repeat([1, 0], [len(positives), len(negatives)]).astype(np.int8))


def test_labels_that_agree_say_nothing():
    labels = labelled([(10, 10), (10, 50), (50, 10)], [(30, 30), (30, 30), (31, 30)])
    assert contradictions(labels, 40.0) == ()


def test_particle_and_no_particle_at_one_place():
    labels = labelled([(10, 10), (80, 80)], [(10, 19)])
    (sentence,) = contradictions(labels, 40.0)
    assert sentence == (
        "1 place is labelled both as particle and as no particle, within 10 px (at y 10, x 10): "
        "delete one of the two labels."
    )


@pytest.mark.parametrize(("distance", "found"), [(9.99, 1), (10.0, 1), (10.01, 0)])
def test_a_quarter_of_a_diameter_is_one_place(distance, found):
    assert len(contradictions(labelled([(5, 5)], [(5, 5 + distance)]), 40.0)) == found
    assert len(contradictions(labelled([(5, 5), (5 + distance, 5)]), 40.0)) == found


def test_particles_clicked_again_are_counted_once_each():
    labels = labelled([(10, 10), (10, 10), (11, 10), (60, 60), (62, 60), (90, 10)])
    (sentence,) = contradictions(labels, 20.0)
    assert sentence.startswith("3 particles are labelled twice, within 5 px (the first at y 10, x ")


def test_both_kinds_give_a_sentence_each():
    labels = labelled([(1, 1, 1), (1, 1, 2)], [(1, 1, 1)], ndim=3)
    both, twice = contradictions(labels, 8.0)
    assert both.startswith("2 places are labelled both")
    assert "(the first at z 1, y 1, x 1)" in both
    assert twice.startswith("1 particle is labelled twice")


@pytest.mark.parametrize("ndim", [2, 3])
def test_no_labels_have_no_faults(ndim):
    nothing = Annotations.empty(ndim)
    shape = (10,) * ndim
    assert contradictions(nothing, 5.0) == ()
    assert near_border(nothing, shape, np.ones(shape, bool)) == ()
    assert ignored_labels(nothing, shape, np.ones(shape, bool)).shape == (0,)


def test_labels_outside_the_image_are_ignored():
    labels = labelled([(-0.5, 0), (99.5, 49.5), (100, 0), (np.nan, 3)], [(5, -1)])
    assert ignored_labels(labels, (100, 50)).tolist() == [False, False, True, True, True]
    (sentence,) = near_border(labels, (100, 50))
    assert sentence == (
        "3 labels lie outside the image (the first at y 100, x 0) and cannot be used: "
        "delete or move them."
    )


def test_labels_where_no_particle_may_be_are_ignored_on_a_coarser_grid():
    usable = np.zeros((10, 20), bool)
    usable[2:8, 2:18] = True
    labels = labelled([(10, 10), (8, 8), (7, 20)], [(2, 2)])
    shape = (40, 80)
    assert ignored_labels(labels, shape, usable).tolist() == [False, False, False, True]
    usable[2] = False
    assert ignored_labels(labels, shape, usable).tolist() == [True, True, True, True]
    (sentence,) = near_border(labels, shape, usable)
    assert sentence.startswith("3 particles lie in the padding or too near the border")


def test_negative_labels_near_the_border_need_no_sentence():
    usable = np.zeros((10, 10), bool)
    assert near_border(labelled([], [(5, 5)]), (10, 10), usable) == ()


def test_outside_and_near_the_border_give_a_sentence_each():
    usable = np.ones((10, 10, 10), bool)
    usable[0] = False
    labels = labelled([(0, 5, 5), (5, 5, 5), (5, 5, 30)], ndim=3)
    outside, cut = near_border(labels, (10, 10, 10), usable)
    assert outside.startswith("1 label lies outside the image (at z 5, y 5, x 30)")
    assert cut.startswith("1 particle lies in the padding")
    assert "(at z 0, y 5, x 5)" in cut

from dataclasses import replace

import numpy as np
import pytest

from napari_cryoml.data import Annotations, Picks
from napari_cryoml.picking import final_picks, rejected_picks, with_poses


def picks(positions, scores, ndim=2):
    return Picks("a", np.array(positions, float).reshape(-1, ndim), np.array(scores, np.float32))


@pytest.mark.parametrize("ndim", [2, 3])
def test_picks_on_a_negative_are_rejected_picks(ndim):
    table = picks([[0] * ndim, [10] * ndim], [2, 1], ndim)
    marks = rejected_picks(table, np.full((1, ndim), 9.0), 5.0)
    assert marks.tolist() == [False, True]


@pytest.mark.parametrize("ndim", [2, 3])
def test_nothing_is_rejected_where_there_is_nothing(ndim):
    none = np.empty((0, ndim))
    assert rejected_picks(picks([[1] * ndim], [1], ndim), none, 5).tolist() == [False]
    assert rejected_picks(picks([], [], ndim), np.zeros((1, ndim)), 5).tolist() == []


def test_final_picks_keep_good_ones_and_add_missed_particles():
    labels = Annotations(np.array([[0.5, 0], [50, 50], [10, 10]]), np.array([1, 1, 0]))
    final = final_picks(picks([[0, 0], [10, 10], [20, 20]], [3, 2, -1]), labels, 0.0, 8.0)
    assert final.positions.tolist() == [[0, 0], [50, 50]]
    assert final.scores.tolist() == [3, 0]
    assert final.diameter == 8.0


def test_without_picks_the_labels_are_the_result():
    labels = Annotations.of_positives([[1, 2], [3, 4]])
    final = final_picks(picks([], []), labels, 0.0, 8.0)
    assert final.positions.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("ndim", [2, 3])
def test_nearness_is_that_of_all_pairs(ndim):
    rng = np.random.default_rng(0)
    table = picks(rng.uniform(0, 50, (60, ndim)), rng.normal(size=60), ndim)
    negatives = rng.uniform(0, 50, (20, ndim))
    gaps = np.linalg.norm(table.positions[:, None] - negatives[None], axis=2)
    assert np.array_equal(rejected_picks(table, negatives, 6.0), (gaps <= 6.0).any(axis=1))


def test_final_picks_keep_what_is_known_of_each():
    found = picks([[0, 0, 0], [10, 10, 10], [20, 20, 20]], [3, -1, 2], 3)
    turns = np.eye(3)[None] * np.ones((3, 1, 1))
    columns = {"class": np.array(["x", "y", "z"]), "n": np.arange(3), "f": np.arange(3.0)}
    found = replace(found, rotations=turns, columns=columns)
    final = final_picks(found, Annotations.of_positives([[50, 50, 50]]), 0.0, 8.0)
    assert final.columns["class"].tolist() == ["x", "z", ""]
    assert final.columns["n"].tolist() == [0, 2, 0]
    np.testing.assert_array_equal(final.columns["f"], [0, 2, np.nan])
    np.testing.assert_array_equal(final.rotations[:2], turns[:2])
    assert np.isnan(final.rotations[2]).all()


def test_each_pick_is_at_most_one_known_particle():
    turns = np.stack([np.eye(3), np.eye(3)[[1, 2, 0]]])
    known = replace(
        picks([[0, 0, 0], [20, 20, 20]], [0, 0], 3),
        rotations=turns,
        columns={"class": np.array(["ribosome", "proteasome"])},
    )
    found = picks([[2, 0, 0], [1, 0, 0], [20, 20, 21], [40, 40, 40]], [4, 3, 2, 1], 3)
    posed = with_poses(found, known, 4.0)
    assert posed.columns["class"].tolist() == ["", "ribosome", "proteasome", ""]
    assert np.isfinite(posed.rotations).all(axis=(1, 2)).tolist() == [False, True, True, False]
    np.testing.assert_array_equal(posed.rotations[1:3], turns)
    assert with_poses(found, None, 4.0) is found


def test_what_a_pick_knows_itself_stays():
    own = replace(
        picks([[0, 0, 0], [9, 9, 9]], [2, 1], 3),
        rotations=np.stack([np.eye(3)[[2, 0, 1]], np.full((3, 3), np.nan)]),
        columns={"class": np.array(["a", ""])},
    )
    known = replace(
        own, rotations=np.tile(np.eye(3), (2, 1, 1)), columns={"class": np.array(["bb", "ccc"])}
    )
    posed = with_poses(own, known, 1.0)
    assert posed.columns["class"].tolist() == ["a", "ccc"]
    np.testing.assert_array_equal(posed.rotations, [np.eye(3)[[2, 0, 1]], np.eye(3)])

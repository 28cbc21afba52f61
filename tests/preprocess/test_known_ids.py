import numpy as np
import pytest

from napari_cryoml.preprocess import known_ids, pick_id


def picks(places, image="a.mrc"):
    positions = np.asarray(places, float)
    ids = np.array([pick_id(image, place) for place in positions])
    return ids, np.full(len(ids), image), positions


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_pick_that_has_moved_a_little_is_the_one_it_was(ndim):
    before, *_ = picks([[10.0] * ndim, [50.0] * ndim])
    moved = picks([[51.0] * ndim, [90.0] * ndim])
    found = known_ids(*moved, before, reach_px=5)
    assert found.tolist() == [before[1], moved[0][1]]


def test_beyond_reach_it_is_another():
    before, *_ = picks([[10, 10]])
    moved = picks([[10, 16]])
    assert known_ids(*moved, before, 5).tolist() == moved[0].tolist()
    assert known_ids(*moved, before, 6).tolist() == before.tolist()


def test_only_the_nearest_takes_over_and_once():
    before, *_ = picks([[10, 10]])
    ids, images, positions = picks([[12, 10], [11, 10]])
    assert known_ids(ids, images, positions, before, 5).tolist() == [ids[0], before[0]]


def test_a_pick_that_is_there_still_keeps_its_id():
    before, *_ = picks([[10, 10], [11, 10]])
    ids, images, positions = picks([[10, 10]])
    assert known_ids(ids, images, positions, before, 5).tolist() == ids.tolist()


def test_other_images_and_other_ids_are_passed_over():
    before, *_ = picks([[10, 10]], "b@1.mrc")
    here = picks([[11, 10]])
    assert known_ids(*here, [*before, "cell 7", "a.mrc@x"], 5).tolist() == here[0].tolist()
    there = picks([[11, 10]], "b@1.mrc")
    assert known_ids(*there, before, 5).tolist() == before.tolist()


def test_no_picks_and_nothing_known():
    none = np.array([], str), np.array([], str), np.empty((0, 2))
    assert len(known_ids(*none, ["a.mrc@1.0,1.0"], 5)) == 0
    here = picks([[11, 10]])
    assert known_ids(*here, [], 5).tolist() == here[0].tolist()


def test_ids_stay_unique():
    rng = np.random.default_rng(0)
    first = picks(rng.uniform(0, 100, (200, 2)))
    second = picks(first[2] + rng.normal(0, 1, (200, 2)))
    found = known_ids(*second, first[0], 4)
    assert len(set(found.tolist())) == 200
    assert np.isin(found, first[0]).mean() > 0.8

import numpy as np

from napari_cryoml.embedding.drawing import category_codes, place_terms


def test_the_commonest_comes_first_and_none_is_minus_one():
    codes, names = category_codes(["ice", "", "ribosome", "ribosome", None, float("nan"), "carbon"])
    assert names == ["ribosome", "carbon", "ice"]
    assert codes.tolist() == [2, -1, 0, 0, -1, -1, 1]


def test_numbers_and_nothing_at_all():
    assert category_codes(np.array([3, 3, 1]))[1] == ["3", "1"]
    codes, names = category_codes([])
    assert (codes.tolist(), names) == ([], [])
    assert category_codes(["", ""])[0].tolist() == [-1, -1]


def test_words_with_room_stay_at_their_anchors():
    anchors = [(0, 0), (100, 0)]
    np.testing.assert_array_equal(place_terms(anchors, [(40, 10)] * 2), anchors)


def test_a_word_in_the_way_moves_by_a_line():
    places = place_terms([(0, 0), (5, 2)], [(40, 10)] * 2)
    assert places[0].tolist() == [0, 0]
    assert places[1].tolist() == [5, 12]


def test_no_two_words_ever_overlap_and_those_without_room_are_left_out():
    anchors = np.random.default_rng(0).uniform(0, 60, (30, 2))
    places = place_terms(anchors, [(40, 10)] * 30)
    kept = places[~np.isnan(places[:, 0])]
    assert 0 < len(kept) < 30
    apart = np.abs(kept[:, None] - kept[None])
    overlap = (apart[..., 0] < 40) & (apart[..., 1] < 10)
    assert overlap.sum() == len(kept)


def test_no_words():
    assert place_terms([], []).shape == (0, 2)

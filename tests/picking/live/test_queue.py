import itertools

import numpy as np
import pytest

from napari_cryoml.data import Annotations, ArrayImage
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking.live import (
    Calibration,
    Estimate,
    Head,
    LiveConfig,
    LiveModel,
    LiveRequest,
    LiveService,
    SuggestRequest,
    suggest_clicks,
)

DIAMETER = 14.0
REASONS = ("odd", "unsure", "missed")


def spots(ndim, places, kinds, *, mask=None):
    """Return features of three channels: how bright it is, and the two parts of a kind."""
    shape = (46,) * ndim
    values = np.zeros((3, *shape), np.float16)
    for place, (height, *kind) in zip(places, kinds, strict=True):
        values[(slice(None), *place)] = height, *kind
    return FeatureMap(values, np.full(ndim, 2.0), np.zeros(ndim), mask)


def model(ndim, expected=4.0):
    head = Head(
        np.zeros(3), np.ones(3), np.array([1.0, 0.01, 0.01]), np.zeros(3), intercept=0, strength=1
    )
    number = Estimate(expected, expected, expected)
    config = LiveConfig(diameter=DIAMETER, ndim=ndim)
    return LiveModel(config, head, Calibration((0.0, 1.0), (-2.0, 2.0), number), 0.0, 3, 0)


def image(name, ndim):
    return ArrayImage(np.zeros((92,) * ndim, np.float32), name)


def grid(ndim, n):
    steps = itertools.product(*[range(3, 46, 7)] * ndim)
    return [place for place, _ in zip(steps, range(n), strict=False)]


def suggest(ndim, maps, labels, n=3):
    images = {name: image(name, ndim) for name in maps}
    return suggest_clicks(model(ndim), images, maps, labels, n=n)


@pytest.mark.parametrize("ndim", [2, 3])
def test_suggestions_are_peaks_far_from_labels_and_from_each_other(ndim):
    places = grid(ndim, 24)
    kinds = [(1, 0, 0), (1, 5, -5), (1, -5, 5)] * 8
    labels = {"a": Annotations.of_positives([2.0 * np.array(places[0])])}
    found = suggest(ndim, {"a": spots(ndim, places, kinds)}, labels, n=2)
    kinds_asked = {kinds[places.index(tuple(np.rint(f.position / 2).astype(int)))] for f in found}
    assert kinds_asked == {(1, 5, -5), (1, -5, 5)}
    assert all(f.image == "a" and f.position.shape == (ndim,) for f in found)
    assert all(f.probability > 0.5 for f in found)


def test_nothing_labelled_and_nothing_masked_is_suggested():
    places = grid(2, 5)
    mask = np.ones((46, 46), bool)
    mask[places[1]] = False
    maps = {"a": spots(2, places, [(1, i, -i) for i in range(5)], mask=mask)}
    labelled = 2.0 * np.array([places[0], places[2]]) + 4.0
    labels = {"a": Annotations(labelled, np.array([1, 0], np.int8))}
    found = suggest(2, maps, labels, n=500)
    gaps = [np.linalg.norm(labelled - f.position, axis=1).min() for f in found]
    assert len(found) >= 2
    assert min(gaps) > DIAMETER / 2
    assert tuple(2.0 * np.array(places[1])) not in {tuple(f.position) for f in found}
    assert len({tuple(f.position) for f in found}) == len(found)


def test_images_without_labels_come_first():
    places = grid(2, 4)
    alike = [(1, 0, 0), (1, 5, 0), (1, 5, 0), (1, 5, 0)]
    maps = {"seen": spots(2, places, alike), "new": spots(2, places, alike)}
    labels = {"seen": Annotations.of_positives([2.0 * np.array(places[0])])}
    assert suggest(2, maps, labels, n=1)[0].image == "new"


def test_the_same_question_gets_the_same_answer():
    rng = np.random.default_rng(0)
    maps = {"a": spots(2, grid(2, 16), rng.normal(1, 1, (16, 3)))}
    labels = {"a": Annotations.of_positives([[10.0, 10.0]])}
    first, second = suggest(2, maps, labels), suggest(2, maps, labels)
    assert [f.position.tolist() for f in first] == [f.position.tolist() for f in second]


def test_an_image_without_peaks_has_no_suggestions():
    assert suggest(2, {}, {}) == ()
    flat = FeatureMap(np.zeros((3, 46, 46), np.float16), np.full(2, 2.0), np.zeros(2))
    nowhere = FeatureMap(flat.values, flat.scale, flat.offset, np.zeros((46, 46), bool))
    assert suggest(2, {"a": nowhere}, {}) == ()


def test_all_heights_of_the_ranking_are_asked_about():
    kinds = [(3 - 0.05 * step, 0, 0) for step in range(48)]
    maps = {"a": spots(2, grid(2, 48), kinds)}
    found = suggest(2, maps, {"b": Annotations.of_positives([[0.0, 0.0]])}, n=8)
    chances = {reason: [f.probability for f in found if f.reason == reason] for reason in REASONS}
    assert [len(chances[reason]) for reason in REASONS] == [3, 3, 2]
    assert min(chances["odd"]) > max(chances["unsure"])
    assert min(chances["unsure"]) > max(chances["missed"])


def test_ties_do_not_break_it():
    flat = FeatureMap(np.ones((3, 46, 46), np.float16), np.full(2, 2.0), np.zeros(2))
    labels = {"a": Annotations.of_positives([[40.0, 40.0]])}
    assert len(suggest(2, {"a": flat}, labels, n=3)) <= 3


# The service


@pytest.fixture
def service():
    rng = np.random.default_rng(0)
    pixels = [rng.normal(size=(64, 64)).astype(np.float32) for _ in range(5)]
    for each in pixels:
        for y, x in ((20, 20), (20, 44), (44, 20), (44, 44)):
            each[y - 3 : y + 4, x - 3 : x + 4] -= 2
    return LiveService([ArrayImage(each, f"{n}") for n, each in enumerate(pixels)], n_ahead=0)


def test_the_service_makes_the_features_of_one_unseen_image(service):
    config = LiveConfig(diameter=9.0, encoder=False, mask_borders=False)
    labels = {"0": Annotations.of_positives([[20.0, 20.0], [20.0, 44.0], [44.0, 20.0]])}
    service.answer(LiveRequest(labels, "0", config))
    found = service.answer(SuggestRequest(labels, "0", config))
    assert {f.image for f in found} <= {"0", "1"}
    assert "1" in {f.image for f in found}
    while service.idle():
        pass
    images = {f.image for f in service.answer(SuggestRequest(labels, "0", config))}
    assert len(images) > 2


def test_an_image_that_cannot_be_used_is_passed_over():
    rng = np.random.default_rng(0)
    good = ArrayImage(rng.normal(size=(64, 64)).astype(np.float32), "good")
    service = LiveService([ArrayImage(np.zeros((64, 64), np.float32), "flat"), good])
    config = LiveConfig(diameter=9.0, encoder=False, mask_borders=False)
    labels = {"good": Annotations.of_positives([[20.0, 20.0], [20.0, 44.0], [44.0, 20.0]])}
    found = service.answer(SuggestRequest(labels, "good", config))
    assert {f.image for f in found} == {"good"}

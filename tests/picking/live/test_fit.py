"""From labels to a model: what takes part, in which order, and what the scores stand for."""

import numpy as np
import pytest
from scipy.special import expit

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ArrayImage
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking.live import LiveConfig, _fit, fit_live
from napari_cryoml.picking.live._head import HeadFit
from napari_cryoml.picking.live._model import RawPeaks

CONFIG = LiveConfig(diameter=14, encoder=False, device="cpu")


def toy_map(seed: int, ndim: int = 2, size: int = 32, mask=None) -> tuple[FeatureMap, np.ndarray]:
    """Return features of which the first is high at six places, and the places in pixels."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.4, (3, *(size,) * ndim))
    grid = np.stack(np.meshgrid(*[np.arange(4, size - 3, 8)] * ndim, indexing="ij"), -1)
    places = rng.permutation(grid.reshape(-1, ndim))[:6]
    axes = np.indices((size,) * ndim)
    for place in places:
        squares = sum((axis - at) ** 2 for axis, at in zip(axes, place, strict=True))
        values[0] += 3 * np.exp(-squares / 4)
    scale = np.full(ndim, 2.0)
    return FeatureMap(values.astype(np.float16), scale, np.zeros(ndim), mask), places * 2.0


def world(n: int = 3, ndim: int = 2, size: int = 32):
    """Return sources, maps and places of `n` images; the sources refuse to be read."""
    images, maps, places = {}, {}, {}
    for seed in range(n):
        name = f"{seed}.mrc"
        maps[name], places[name] = toy_map(seed, ndim, size)
        images[name] = Unread(np.zeros((2 * size,) * ndim), name)
    return images, maps, places


class Unread(ArrayImage):
    """An image whose pixels nobody may look at."""

    def read(self, region=None):
        raise AssertionError("pixels were read")


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_model_tells_particles_from_the_rest(ndim):
    config = CONFIG.model_copy(update={"ndim": ndim})
    images, maps, places = world(2, ndim, 32 if ndim == 2 else 24)
    labels = {"0.mrc": Annotations.of_positives(places["0.mrc"][:4])}
    model = fit_live(images, maps, labels, config).model
    assert (model.n_positives, model.n_negatives, model.preview) == (4, 0, False)
    _, picks = model.pick(images["1.mrc"], maps["1.mrc"])
    best = picks.positions[:6]
    gaps = np.linalg.norm(best[:, None] - places["1.mrc"], axis=-1).min(axis=0)
    assert gaps.max() <= 2 * np.sqrt(ndim)


def test_without_a_particle_there_is_nothing_to_learn(label):
    images, maps, places = world(1)
    for labels in ({}, {"0.mrc": label()}, {"0.mrc": label([], places["0.mrc"])}):
        with pytest.raises(InputError, match="no labelled particle"):
            fit_live(images, maps, labels, CONFIG)


def test_an_image_that_shows_nothing_else_is_refused_with_a_sentence(label):
    features, places = toy_map(0, mask=np.zeros((32, 32), bool))
    images = {"0.mrc": Unread(np.zeros((64, 64)), "0.mrc")}
    with pytest.raises(InputError, match="no place to compare"):
        fit_live(images, {"0.mrc": features}, {"0.mrc": label(places)}, CONFIG)
    tiny, _ = toy_map(0, size=8)
    corner = FeatureMap(tiny.values[:, :3, :3], tiny.scale, tiny.offset)
    with pytest.raises(InputError, match="no place to compare"):
        fit_live(images, {"0.mrc": corner}, {"0.mrc": label([(2.0, 2.0)] * 3)}, CONFIG)


@pytest.mark.parametrize("ndim", [2, 3])
def test_labels_of_each_kind_are_ordered_by_place(ndim):
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (30, ndim)).astype(float)
    kinds = rng.integers(0, 2, 30).astype(np.int8)
    expected = sorted((kind, *row) for row, kind in zip(rows.tolist(), kinds.tolist(), strict=True))
    for _ in range(3):
        turned = rng.permutation(30)
        entry = _fit.in_order(Annotations(rows[turned], kinds[turned]))
        found = [(kind, *row) for row, kind in zip(entry.positions, entry.labels, strict=True)]
        assert [tuple(map(float, row)) for row in found] == expected


def test_the_order_of_labels_and_of_images_does_not_matter(label):
    images, maps, places = world(3)
    labels = {name: label(at[:4], at[4:] + 6) for name, at in places.items()}
    first = fit_live(images, maps, labels, CONFIG).model
    turned = {
        name: Annotations(entry.positions[::-1], entry.labels[::-1])
        for name, entry in reversed(labels.items())
    }
    backwards = dict(reversed(maps.items()))
    second = fit_live(dict(reversed(images.items())), backwards, turned, CONFIG).model
    np.testing.assert_array_equal(first.head.linear, second.head.linear)
    assert first.head.intercept == second.head.intercept
    assert first.calibration == second.calibration
    assert first.threshold == second.threshold


def test_images_without_labels_take_no_part(label):
    images, maps, places = world(3)
    labels = {"1.mrc": label(places["1.mrc"])}
    alone = fit_live({"1.mrc": images["1.mrc"]}, {"1.mrc": maps["1.mrc"]}, labels, CONFIG)
    labels |= {"0.mrc": label(), "not there": label()}
    among = fit_live(images, maps, labels, CONFIG)
    np.testing.assert_array_equal(alone.model.head.linear, among.model.head.linear)
    assert alone.model.calibration == among.model.calibration
    assert list(alone.found) == list(among.found) == ["1.mrc"]


def test_the_images_with_most_labels_calibrate(label):
    images, maps, places = world(5)
    counts = {"0.mrc": 1, "1.mrc": 4, "2.mrc": 2, "3.mrc": 2, "4.mrc": 3}
    labels = {name: label(places[name][:n]) for name, n in counts.items()}
    found = fit_live(images, maps, labels, CONFIG).found
    assert sorted(found) == ["1.mrc", "2.mrc", "4.mrc"]


@pytest.mark.parametrize(("n", "preview"), [(1, True), (2, True), (3, False), (4, False)])
def test_fewer_than_three_particles_give_a_preview(label, n, preview):
    images, maps, places = world(1)
    config = CONFIG.model_copy(update={"head": "quadratic"})
    labels = {"0.mrc": label(places["0.mrc"][:n], [(1.0, 1.0)])}
    model = fit_live(images, maps, labels, config).model
    assert model.preview is preview
    assert model.head.degree == (1 if preview else 2)
    assert np.isfinite(model.threshold)


@pytest.mark.parametrize(("head", "degree"), [("linear", 1), ("quadratic", 2), ("auto", 1)])
def test_the_config_chooses_the_head(label, head, degree):
    images, maps, places = world(1)
    config = CONFIG.model_copy(update={"head": head})
    model = fit_live(images, maps, {"0.mrc": label(places["0.mrc"])}, config).model
    assert model.head.degree == degree


@pytest.mark.parametrize("number", [3.0, 6.0, 12.0])
def test_a_number_that_is_known_is_the_sum_of_the_probabilities(label, number):
    images, maps, places = world(2)
    config = CONFIG.model_copy(update={"particles_per_image": number})
    labels = {name: label(at[:3]) for name, at in places.items()}
    fitted = fit_live(images, maps, labels, config)
    assert fitted.model.prior.value == number
    assert fitted.model.prior.low == fitted.model.prior.high == number
    sums = [
        expit(fitted.model.calibration.log_odds(peaks.scores)).sum()
        for peaks in fitted.found.values()
    ]
    assert np.mean(sums) == pytest.approx(number, rel=0.35)


def test_a_larger_number_gives_the_better_peaks_a_higher_probability(label):
    images, maps, places = world(1)
    labels = {"0.mrc": label(places["0.mrc"][:3])}
    few, many = (
        fit_live(images, maps, labels, CONFIG.model_copy(update={"particles_per_image": n})).model
        for n in (2.0, 10.0)
    )
    scores = np.linspace(np.mean(few.calibration.scores), few.calibration.scores[-1], 20)
    assert (few.calibration.log_odds(scores) < many.calibration.log_odds(scores)).all()


def test_labelled_peaks_lose_what_their_labels_taught(label):
    positions = np.array([[0.0, 0], [20, 0], [40, 0], [60, 0]])
    scores = np.array([4.0, 3, 2, 1], np.float32)
    found = {name: RawPeaks(None, positions, scores) for name in ("b", "d")}
    labels = {
        "a": label([(0, 0)], [(1, 1)]),
        "b": label([(22, 0), (29, 60)], [(61, 1)]),  # one far from every peak
        "c": label([], [(4, 4)]),
        "d": label([(0, 1)]),
    }
    fitted = HeadFit(
        None,
        np.array([9.0, 2.5, 7.0, 3.0]),
        np.array([-5.0, 0.5, -6.0]),
        np.array([-1.0, -0.5, -2.0, -1.5]),
        np.array([0.1, 0.25, 0.1]),
    )
    images = {name: Unread(np.zeros((80, 80)), name) for name in found}
    peaks, clicks, negatives = _fit._held_out_peaks(found, images, labels, CONFIG, fitted)
    assert [one.tolist() for one in peaks] == [[4, 2.5, 2, 1.25], [2.5, 3, 2, 1]]
    assert clicks.tolist() == [9, 2.5, 7, 2.5]  # at a peak, the score of that peak
    assert negatives.tolist() == [-5, 1.25, -6]
    assert scores.tolist() == [4, 3, 2, 1]
    assert fitted.clicks.tolist() == [9, 2.5, 7, 3]


def test_without_peaks_the_clicks_keep_their_scores(label):
    none = RawPeaks(None, np.empty((0, 2)), np.empty(0, np.float32))
    fitted = HeadFit(None, np.array([1.0]), np.empty(0), np.array([-1.0]), np.empty(0))
    images = {"a": Unread(np.zeros((80, 80)), "a")}
    labels = {"a": label([(5, 5)])}
    peaks, clicks, negatives = _fit._held_out_peaks({"a": none}, images, labels, CONFIG, fitted)
    assert [len(part) for part in (*peaks, clicks, negatives)] == [0, 1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_the_proposed_threshold_has_the_best_expected_f1(seed):
    log_odds = np.random.default_rng(seed).normal(0, 3, 60)
    chances = expit(log_odds)

    def f1(threshold: float) -> float:
        kept = log_odds >= threshold
        return 2 * chances[kept].sum() / (kept.sum() + chances.sum())

    threshold = _fit._proposed_threshold(log_odds)
    assert f1(threshold) == pytest.approx(max(map(f1, log_odds)))
    assert expit(threshold) == pytest.approx(f1(threshold) / 2)


def test_where_peaks_part_clearly_the_threshold_lies_between_them():
    assert _fit._proposed_threshold(np.array([6.0] * 9 + [-6.0] * 9)) == pytest.approx(0, abs=0.1)
    assert _fit._proposed_threshold(np.empty(0)) == 0
    assert -3 < _fit._proposed_threshold(np.array([-2.0])) <= -2
    assert np.isfinite(_fit._proposed_threshold(np.array([40.0, 40.0, -40.0])))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("ndim", [2, 3])
def test_whatever_is_labelled_there_are_finite_picks_or_a_sentence(label, ndim, seed):
    """Tiny grids, flat channels, sparse masks, labels beyond the border or all in one place."""
    rng = np.random.default_rng(seed)
    images, maps, labels = {}, {}, {}
    for name in "abc"[: rng.integers(1, 4)]:
        grid = tuple(int(size) for size in rng.integers(1, (20, 9)[ndim - 2], ndim))
        values = rng.normal(0, rng.choice([0, 1e-4, 1, 1000]), (3, *grid))
        values[0] = rng.choice([0, 5e4]) if rng.random() < 0.3 else values[0]
        mask = rng.random(grid) < rng.choice([0, 0.05, 0.5, 1]) if rng.random() < 0.6 else None
        maps[name] = FeatureMap(values.astype(np.float16), np.full(ndim, 2.0), np.zeros(ndim), mask)
        images[name] = Unread(np.zeros([2 * size for size in grid]), name)
        places = rng.uniform(-3, 2 * np.array(grid) + 3, (rng.choice([0, 1, 3, 30]), ndim))
        places[:] = places[:1] if rng.random() < 0.3 else places
        cut = int(rng.integers(0, len(places) + 1))
        labels[name] = label(places[:cut], places[cut:], ndim)
    config = LiveConfig(
        diameter=14, ndim=ndim, encoder=False, particles_per_image=rng.choice([None, 0.01, 1e5])
    )
    try:
        model = fit_live(images, maps, labels, config).model
    except InputError as error:
        assert str(error).endswith(".")
        return
    assert np.isfinite(model.threshold)
    assert model.prior.low <= model.prior.value <= model.prior.high
    for name, image in images.items():
        score_map, picks = model.pick(image, maps[name])
        assert np.isfinite(score_map.values).all()
        assert np.isfinite(picks.scores).all()
        assert (np.diff(picks.scores) <= 0).all()
        assert ((picks.positions >= 0) & (picks.positions <= np.array(image.shape) - 1)).all()

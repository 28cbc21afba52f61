"""The live picker from labels to picks, end to end on images of balls."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ArrayImage
from napari_cryoml.evaluation import match
from napari_cryoml.features import FeatureCache
from napari_cryoml.picking._scoring import LOWEST_SCORE
from napari_cryoml.picking.live import LiveConfig, LivePicker, LiveRequest, _engine
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

CONFIG = LiveConfig(diameter=14, device="cpu")
PLAIN = LiveConfig(diameter=14, device="cpu", encoder=False)


def with_options(config: LiveConfig, **options) -> LiveConfig:
    return LiveConfig(**{**config.model_dump(), **options})


@pytest.fixture
def picker(fields, cache) -> LivePicker:
    """Return a fresh live picker of four images, whose features are soon at hand."""
    return LivePicker.of([image for image, _ in fields.values()], cache)


def clicks(fields, **counts: int) -> dict[str, Annotations]:
    """Return labels: the first particles of some images."""
    return {name: Annotations.of_positives(fields[name][1][:n]) for name, n in counts.items()}


def at_places(score_map, positions: np.ndarray) -> np.ndarray:
    """Return the scores of the grid points nearest to positions in pixels."""
    nearest = np.rint((positions - score_map.offset) / score_map.scale).astype(int)
    return score_map.values[tuple(nearest.T)]


def assert_same(first, second) -> None:
    np.testing.assert_array_equal(first.picks.positions, second.picks.positions)
    np.testing.assert_array_equal(first.picks.scores, second.picks.scores)
    np.testing.assert_array_equal(first.score_map.values, second.score_map.values)
    assert first.threshold == second.threshold
    assert first.prior == second.prior


@pytest.mark.parametrize("config", [PLAIN, CONFIG])
@pytest.mark.parametrize("counts", [{"a": 3}, {"a": 16}, {"a": 2, "b": 2, "c": 3}])
def test_a_few_clicks_find_the_particles_of_another_image(picker, fields, config, counts):
    answer = picker.answer(LiveRequest(clicks(fields, **counts), "d", config))
    centres = fields["d"][1]
    best = match(answer.picks.positions[: len(centres)], centres, 4.0) >= 0
    assert best.sum() >= 14
    kept = answer.picks.positions[answer.picks.scores >= answer.threshold]
    assert len(kept) >= 14
    assert (match(kept, centres, 4.0) < 0).sum() <= 3
    assert answer.image == answer.picks.image == "d"
    assert answer.n_labels == sum(counts.values())
    assert not answer.preview
    assert set(answer.seconds) == {"features", "fit", "score"}


@pytest.mark.parametrize("n", [3, 5, 16])
def test_scores_are_calibrated_log_odds(picker, fields, n):
    answer = picker.answer(LiveRequest(clicks(fields, a=n), "d", PLAIN))
    chance = expit(answer.picks.scores.astype(float))
    found = match(answer.picks.positions, fields["d"][1], 4.0) >= 0
    assert chance[found].mean() > 0.8
    assert (~found).sum() == 0 or chance[~found].mean() < 0.2
    assert chance.sum() == pytest.approx(16, rel=0.2)
    assert answer.prior.low < 16 < answer.prior.high
    assert answer.prior.value == pytest.approx(16, rel=0.2)
    assert (~found).any() or n < 16  # there was something to tell apart


@pytest.mark.parametrize("counts", [{"a": 1}, {"a": 3}, {"a": 16, "b": 9}])
@pytest.mark.parametrize("name", ["a", "c"])
def test_picks_fall_and_lie_in_the_image_where_a_particle_may_be(picker, fields, counts, name):
    answer = picker.answer(LiveRequest(clicks(fields, **counts), name, PLAIN))
    picks, features = answer.picks, picker.features(name, PLAIN)
    assert len(picks) > 0
    assert (np.diff(picks.scores) <= 0).all()
    assert picks.scores.min() >= LOWEST_SCORE
    assert picks.positions.min() >= 0
    assert (picks.positions <= np.array(fields[name][0].shape) - 1).all()
    nearest = np.rint(features.to_grid(picks.positions)).astype(int)
    assert features.mask[tuple(nearest.T)].all()
    gaps = np.linalg.norm(picks.positions[:, None] - picks.positions, axis=-1)
    # Half a diameter on the grid, before positions are refined between its points.
    assert gaps[~np.eye(len(picks), dtype=bool)].min() >= 7 - 2


def test_the_threshold_lies_within_the_scores(picker, fields):
    for counts in ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 16}, {"a": 5, "b": 5}):
        answer = picker.answer(LiveRequest(clicks(fields, **counts), "a", PLAIN))
        assert answer.score_map.values.min() < answer.threshold < answer.picks.scores.max()
        assert answer.threshold >= LOWEST_SCORE


def test_the_order_of_labels_does_not_matter(fields, cache):
    images = [image for image, _ in fields.values()]
    answers = []
    for turn in (slice(None), slice(None, None, -1)):
        labels = {
            name: Annotations(
                np.concatenate([fields[name][1][:6], fields[name][1][6:9] + 8])[turn],
                np.repeat([1, 0], [6, 3]).astype(np.int8)[turn],
            )
            for name in ["a", "c"][turn]
        }
        picker = LivePicker.of(images[turn], cache)
        answers.append(picker.answer(LiveRequest(labels, "b", CONFIG)))
    assert_same(*answers)


def test_other_images_in_the_list_do_not_matter(fields, cache):
    labels, (image, _), (shown, _) = clicks(fields, a=4), fields["a"], fields["b"]
    few = LivePicker.of([image, shown], cache)
    many = LivePicker.of([one for one, _ in fields.values()], cache)
    many.answer(LiveRequest(clicks(fields, c=4), "d", CONFIG))  # nor does what was asked before
    empty = {"c": Annotations.empty(2), "gone": Annotations.empty(2)}
    assert_same(
        few.answer(LiveRequest(labels, "b", CONFIG)),
        many.answer(LiveRequest(labels | empty, "b", CONFIG)),
    )


def test_two_pickers_agree_to_the_bit_also_by_way_of_the_disk(fields, cache, tmp_path):
    images, labels = [image for image, _ in fields.values()], clicks(fields, a=3, b=2)
    request = LiveRequest(labels, "c", CONFIG)
    first = LivePicker.of(images, cache).answer(request)
    LivePicker.of(images, FeatureCache(folder=tmp_path)).answer(request)
    reader = LivePicker.of(images, FeatureCache(folder=tmp_path))
    assert_same(first, reader.answer(request))


def test_a_labelled_image_is_picked_by_the_same_model(picker, fields):
    labels = clicks(fields, a=4)
    answer = picker.answer(LiveRequest(labels, "a", PLAIN))
    model = picker.fit(labels, PLAIN)
    score_map, picks = model.pick(fields["a"][0], picker.features("a", PLAIN))
    np.testing.assert_array_equal(picks.positions, answer.picks.positions)
    np.testing.assert_array_equal(picks.scores, answer.picks.scores)
    np.testing.assert_array_equal(score_map.values, answer.score_map.values)


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (1, "Click on 2 more particles: until then this shows what looks alike."),
        (2, "Click on one more particle: until then this shows what looks alike."),
    ],
)
def test_one_or_two_clicks_give_a_preview_and_a_sentence(picker, fields, n, sentence):
    answer = picker.answer(LiveRequest(clicks(fields, a=n), "b", CONFIG))
    assert answer.preview
    assert sentence in answer.notes
    best = match(answer.picks.positions[:8], fields["b"][1], 4.0) >= 0
    assert best.mean() > 0.7


def test_three_clicks_need_no_sentence(picker, fields):
    answer = picker.answer(LiveRequest(clicks(fields, a=3), "b", CONFIG))
    assert not answer.preview
    assert not any("until then" in note for note in answer.notes)


def test_a_negative_lowers_the_score_where_it_was_clicked(make_field):
    image, centres = make_field(size=120, name="a")
    pixels, decoys = image.array.copy(), centres[[3, 9, 17, 21]]
    y, x = np.indices(pixels.shape)
    for row, column in decoys:  # a bright spot in what looked like a particle
        pixels += 6 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 4)
    picker = LivePicker.of([ArrayImage(pixels, "a")])
    particles = np.delete(centres, [3, 9, 17, 21], axis=0)
    labels = {"a": Annotations.of_positives(particles[:4])}
    before = picker.answer(LiveRequest(labels, "a", PLAIN))
    kinds = np.repeat([1, 0], [4, 1]).astype(np.int8)
    labels = {"a": Annotations(np.concatenate([particles[:4], decoys[:1]]), kinds)}
    after = picker.answer(LiveRequest(labels, "a", PLAIN))
    assert after.n_labels == 5
    old, new = (at_places(one.score_map, decoys[:1]) for one in (before, after))
    assert new < old
    gaps = [
        at_places(one.score_map, particles[4:]).mean() - at_places(one.score_map, decoys[:1])
        for one in (before, after)
    ]
    assert gaps[1] > gaps[0]


def test_a_number_that_is_known_is_kept_to(picker, fields):
    labels = clicks(fields, a=4)
    for number in (8.0, 30.0):
        config = with_options(PLAIN, particles_per_image=number)
        answer = picker.answer(LiveRequest(labels, "a", config))
        assert (answer.prior.low, answer.prior.value, answer.prior.high) == (number,) * 3
        assert expit(answer.picks.scores.astype(float)).sum() == pytest.approx(number, rel=0.5)


@pytest.mark.parametrize(
    ("labels", "shown", "words"),
    [
        ({}, "a", "no labelled particle"),
        ({"a": Annotations.empty(2)}, "a", "no labelled particle"),
        ({"a": Annotations(np.ones((3, 2)), np.zeros(3, np.int8))}, "a", "no labelled particle"),
        ({"a": Annotations.of_positives([[20, 20]])}, None, "no image on show"),
        ({"a": Annotations.of_positives([[20, 20]])}, "z", "no image named 'z'"),
        ({"z": Annotations.of_positives([[20, 20]])}, "a", "no image named 'z'"),
    ],
)
def test_requests_that_cannot_be_answered_are_refused_in_a_sentence(picker, labels, shown, words):
    with pytest.raises(InputError, match=words):
        picker.answer(LiveRequest(labels, shown, PLAIN))


def test_after_a_refusal_the_picker_goes_on(picker, fields):
    request = LiveRequest(clicks(fields, a=3), "b", PLAIN)
    first = picker.answer(request)
    with pytest.raises(InputError):
        picker.answer(LiveRequest({}, "b", PLAIN))
    assert_same(first, picker.answer(request))


def test_an_image_that_shows_nothing_is_refused(fields, cache):
    flat = ArrayImage(np.ones((96, 96)), "flat")
    picker = LivePicker.of([flat, fields["a"][0]], cache)
    with pytest.raises(InputError, match="flat"):
        picker.answer(LiveRequest(clicks(fields, a=3), "flat", PLAIN))
    answer = picker.answer(LiveRequest(clicks(fields, a=3), "a", PLAIN))
    assert len(answer.picks) > 0


def test_a_change_of_labels_or_options_is_fitted_anew_and_another_image_is_not(
    picker, fields, monkeypatch
):
    fits = []
    monkeypatch.setattr(
        _engine,
        "fit_live",
        lambda *given, fit=_engine.fit_live, **more: (fits.append(given[2]), fit(*given, **more))[
            1
        ],
    )
    labels = clicks(fields, a=4)
    for shown in "abca":
        picker.answer(LiveRequest(labels, shown, PLAIN))
    assert len(fits) == 1
    moved = {"a": Annotations.of_positives(fields["a"][1][:4] + 0.5)}
    turned = {"a": Annotations(labels["a"].positions, np.array([1, 1, 1, 0], np.int8))}
    for number, changed in enumerate([moved, turned, labels, clicks(fields, a=4, b=1)], start=2):
        picker.answer(LiveRequest(changed, "a", PLAIN))
        assert len(fits) == number
    picker.answer(LiveRequest(clicks(fields, a=4, b=1), "a", with_options(PLAIN, head="linear")))
    assert len(fits) == 6


def test_what_an_image_teaches_is_kept_until_its_labels_change(picker, fields, monkeypatch):
    made = []
    monkeypatch.setattr(
        _engine,
        "image_examples",
        lambda *given, make=_engine.image_examples: (made.append(len(given[1])), make(*given))[1],
    )
    for counts in ({"a": 3, "b": 2}, {"a": 3, "b": 4}, {"a": 3, "b": 2}, {"a": 3, "b": 4, "c": 1}):
        picker.fit(clicks(fields, **counts), PLAIN)
    # Of each image the latest state is kept: b is looked at again each time, a once.
    assert made == [3, 2, 4, 2, 4, 1]
    fresh = LivePicker.of(list(picker.images.values()), picker.cache)
    labels = clicks(fields, a=3, b=4, c=1)
    kept, anew = picker.fit(labels, PLAIN), fresh.fit(labels, PLAIN)
    np.testing.assert_array_equal(kept.head.linear, anew.head.linear)


def test_images_sampled_otherwise_are_picked_at_the_same_places(make_field):
    fine, centres = make_field(size=192, diameter=28.0, name="fine", pixel_size=1.5, noise=0.5)
    blocks = fine.array.reshape(96, 2, 96, 2).mean(axis=(1, 3))
    coarse = ArrayImage(blocks, "coarse", 3.0)
    config = LiveConfig(diameter=28, pixel_size=1.5, encoder=False, device="cpu")
    picker = LivePicker.of([fine, coarse])
    labels = {"fine": Annotations.of_positives(centres[:5])}
    answers = [picker.answer(LiveRequest(labels, name, config)) for name in ("fine", "coarse")]
    n = len(centres)
    one, two = (answer.picks.positions[:n] for answer in answers)
    in_fine = 2 * two + 0.5  # the middle of two pixels
    assert (match(one, centres, 8.0) >= 0).all()
    assert (match(in_fine, one, 4.0) >= 0).all()
    assert [answer.picks.diameter for answer in answers] == [28, 14]
    assert [answer.picks.pixel_size for answer in answers] == [1.5, 3.0]


def test_a_tomogram_is_picked_end_to_end(make_field):
    image, centres = make_field(size=56, ndim=3, name="t")
    config = LiveConfig(diameter=14, ndim=3, device="cpu")
    labels = {"t": Annotations.of_positives(centres[:4])}
    answer = LivePicker.of([image]).answer(LiveRequest(labels, "t", config))
    assert answer.picks.positions.shape[1] == 3
    assert (match(answer.picks.positions[:8], centres, 4.0) >= 0).all()
    assert answer.score_map.values.shape == (28, 28, 28)


def test_a_tomogram_among_micrographs_is_refused(make_field, fields):
    image, _ = make_field(size=20, ndim=3, name="t", diameter=8.0)
    picker = LivePicker.of([image, fields["a"][0]])
    with pytest.raises(InputError, match="3 axes"):
        picker.answer(LiveRequest(clicks(fields, a=3), "t", PLAIN))


def test_clicks_on_a_simulated_micrograph_find_the_others():
    clean = {"gold": 0, "ice": 0, "aggregates": 0, "fragments": 0}
    config = MicrographConfig(
        shape=(256, 256), diameter=28, n_particles=20, count="fixed", snr=1, **clean
    )
    shown, other = (simulate_micrograph(config, seed, name=f"{seed}") for seed in (1, 2))
    sources = [ArrayImage(one.image, name) for name, one in (("1", shown), ("2", other))]
    labels = {"1": Annotations.of_positives(shown.picks.positions[:10])}
    settings = LiveConfig(diameter=28, device="cpu")
    answer = LivePicker.of(sources).answer(LiveRequest(labels, "2", settings))
    best = answer.picks.positions[: len(other.picks)]
    assert (match(best, other.picks.positions, 11.0) >= 0).mean() > 0.7


@pytest.mark.parametrize(
    "options",
    [
        {"diameter": 0},
        {"diameter": -3},
        {"pixel_size": 0},
        {"ndim": 4},
        {"separation": 0},
        {"separation": 3},
        {"head": "cubic"},
        {"particles_per_image": 0},
        {"seed": -1},
        {"colour": "red"},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValidationError):
        LiveConfig(**{"diameter": 14, **options})
    with pytest.raises(ValidationError):
        LiveConfig()


def test_the_config_names_the_degree_and_the_harmonics():
    heads = ("auto", "linear", "quadratic")
    assert [LiveConfig(diameter=9, head=head).degree for head in heads] == [None, 1, 2]
    in_3d = LiveConfig(diameter=9, ndim=3)
    assert in_3d.harmonics().ndim == 3
    coarse = LiveConfig(diameter=9, working_diameter=10)
    assert coarse.preprocessor().config.working_diameter == 10
    preprocessor = LiveConfig(diameter=9, pixel_size=2).preprocessor()
    assert preprocessor.config.working_diameter == 14
    assert preprocessor.pixel_size == 2

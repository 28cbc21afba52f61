"""The head minimises its loss, guesses well what it would say unseen, and chooses its size."""

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit

from napari_cryoml.picking.live import _head, fit_head
from napari_cryoml.picking.live._examples import Examples
from napari_cryoml.picking.live._head import Head, _head_of
from napari_cryoml.picking.live._regression import POSITIVE_SHARE, Basis, Problem

SHARE = POSITIVE_SHARE


def examples(positives, unlabelled, negatives=None, *, clicks=None, images=None) -> Examples:
    """Return examples; one row a click unless `clicks` says otherwise, and one image."""
    width = np.shape(unlabelled)[1]
    negatives = np.empty((0, width)) if negatives is None else np.asarray(negatives, float)
    positives = np.asarray(positives, float)
    at = [np.zeros(len(rows), np.intp) for rows in (positives, negatives, unlabelled)]
    if images is not None:
        at[0], at[2] = (np.asarray(part, np.intp) for part in images)
    return Examples(
        positives.astype(np.float32),
        np.arange(len(positives)) if clicks is None else np.asarray(clicks, np.intp),
        at[0],
        negatives.astype(np.float32),
        np.arange(len(negatives)),
        at[1],
        np.asarray(unlabelled, np.float32),
        at[2],
    )


def toy(n_clicks=12, n_unlabelled=300, width=4, n_negatives=5, seed=0, rows_a_click=3) -> Examples:
    """Return particles that differ from the rest along the first feature."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_clicks, width)) + 1.5 * np.eye(width)[0]
    positives = np.repeat(centres, rows_a_click, axis=0)
    positives = positives + rng.normal(0, 0.2, positives.shape)
    unlabelled = rng.normal(size=(n_unlabelled, width)) * 2 + 3
    negatives = rng.normal(size=(n_negatives, width)) - 1
    clicks = np.repeat(np.arange(n_clicks), rows_a_click)
    return examples(2 * positives + 3, unlabelled, 2 * negatives + 3, clicks=clicks)


def design(rows: np.ndarray, unlabelled: np.ndarray, degree: int) -> np.ndarray:
    standard = (rows - unlabelled.mean(0)) / unlabelled.std(0)
    standard = np.clip(standard, -6, 6)
    parts = [standard, standard**2 - 1] if degree == 2 else [standard]
    return np.hstack([*parts, np.ones((len(rows), 1))])


def plain_weights(given: Examples, degree: int, strength: float, channel=None, left_out=None):
    """Minimise the loss as the docstring writes it, by a library."""
    unlabelled = given.unlabelled.astype(float)
    kept = given.positive_clicks != left_out
    p, n, u = (
        design(rows.astype(float), unlabelled, degree)
        for rows in (given.positives[kept], given.negatives, given.unlabelled)
    )
    counts = np.bincount(given.positive_clicks)[given.positive_clicks[kept]]
    each = 1 / counts / len(given.clicks)  # without a click, the others keep their weight
    against = SHARE / max(len(given.clicks), len(n))
    centre = np.zeros(p.shape[1])
    centre[[] if channel is None else channel] = 1

    def loss(w):
        risk = SHARE * each @ np.logaddexp(0, -(p @ w))
        risk += (1 - SHARE) * np.logaddexp(0, u @ w).mean()
        risk += against * np.logaddexp(0, n @ w).sum()
        return risk + strength * np.square(w - centre)[:-1].sum() / 2000

    def slope(w):
        gradient = -SHARE * (each * expit(-(p @ w))) @ p
        gradient += (1 - SHARE) * expit(u @ w) @ u / len(u)
        gradient += against * expit(n @ w) @ n
        return gradient + strength * np.append((w - centre)[:-1], 0) / 1000

    start = np.zeros(p.shape[1])
    return optimize.minimize(loss, start, jac=slope, method="BFGS", options={"gtol": 1e-9}).x


def fitted_weights(given: Examples, degree: int, strength: float, channel=None) -> tuple:
    problem = Problem.of(given, Basis.of(given.unlabelled), degree, channel)
    return problem, *problem.minimise(problem.centre, strength)


@pytest.mark.parametrize("strength", [1.0, 30.0, 300.0])
@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("n_negatives", [0, 5, 30])
@pytest.mark.parametrize("channel", [None, 2])
def test_newtons_method_finds_the_minimum_of_the_loss(degree, strength, n_negatives, channel):
    given = toy(n_negatives=n_negatives)
    expected = plain_weights(given, degree, strength, channel)
    _, found, _ = fitted_weights(given, degree, strength, channel)
    np.testing.assert_allclose(found, expected, atol=0.03 * np.abs(expected).max())


def test_the_loss_is_the_same_from_any_start():
    problem, weights, _ = fitted_weights(toy(), 1, 3.0)
    far = np.random.default_rng(0).normal(0, 3, len(weights))
    np.testing.assert_allclose(problem.minimise(far, 3.0)[0], weights, atol=0.05)


@pytest.mark.parametrize("degree", [1, 2])
def test_held_out_scores_are_near_those_of_a_refit_without_the_click(degree):
    given = toy(n_clicks=8)
    problem, weights, factor = fitted_weights(given, degree, 10.0, 2)
    clicks, changes, _ = problem.positives.held_out(weights, factor)
    rows = design(given.positives.astype(float), given.unlabelled.astype(float), degree)
    exact, seen = [], []
    for click in given.clicks:
        own = rows[given.positive_clicks == click]
        exact.append((own @ plain_weights(given, degree, 10.0, 2, click)).max())
        seen.append((own @ weights).max())
    exact, seen = np.array(exact), np.array(seen)
    assert (exact < seen).all()
    # The guess is off by a part of what leaving the click out changes.
    np.testing.assert_allclose(clicks - changes, seen, atol=1e-4)
    change = seen - exact
    assert (np.abs(clicks - exact) < 0.4 * change).all()
    assert np.abs(clicks - exact).mean() < 0.2 * change.mean()


def test_a_negative_scores_higher_where_it_was_not_seen():
    given = toy(n_negatives=4)
    problem, weights, factor = fitted_weights(given, 1, 3.0)
    negatives, changes, _ = problem.negatives.held_out(weights, factor)
    rows = design(given.negatives.astype(float), given.unlabelled.astype(float), 1)
    assert (negatives > rows @ weights).all()
    np.testing.assert_allclose(negatives - changes, rows @ weights, atol=1e-4)


def test_each_click_counts_alike_however_many_points_stand_for_it():
    given = toy(n_clicks=6, rows_a_click=1, n_negatives=0)
    times = [1, 5, 2, 1, 3, 4]
    many = examples(
        np.repeat(given.positives, times, axis=0),
        given.unlabelled,
        clicks=np.repeat(np.arange(6), times),
    )
    once, often = fit_head(given, degree=1), fit_head(many, degree=1)
    np.testing.assert_allclose(often.head.linear, once.head.linear, atol=1e-4)
    np.testing.assert_allclose(often.clicks, once.clicks, atol=1e-3)


def ring(n: int, rng) -> np.ndarray:
    """Return places on a ring about the origin, inside of a wide normal cloud."""
    turn = rng.uniform(0, 2 * np.pi, n)
    noise = rng.normal(0, 1, (n, 4))
    noise[:, :2] = 0.25 * np.stack([np.sin(turn), np.cos(turn)], 1) + rng.normal(0, 0.1, (n, 2))
    return noise


def test_a_linear_signal_gets_a_linear_head():
    rng = np.random.default_rng(0)
    clicks = rng.normal(size=(60, 4)) + 2 * np.eye(4)[0]
    fit = fit_head(examples(clicks, rng.normal(size=(800, 4))))
    assert fit.head.degree == 1
    assert np.abs(fit.head.linear).argmax() == 0
    assert fit.head.linear[0] > 0


def test_a_ring_shaped_signal_gets_squares_if_there_are_clicks_enough():
    rng = np.random.default_rng(1)
    unlabelled = rng.normal(size=(800, 4))
    many = fit_head(examples(ring(80, rng), unlabelled))
    assert many.head.degree == 2
    assert (many.head.quadratic[:2] < -0.1).all()
    few = fit_head(examples(ring(_head.QUADRATIC_CLICKS - 1, rng), unlabelled))
    assert few.head.degree == 1


@pytest.mark.parametrize("degree", [1, 2])
def test_the_degree_may_be_asked_for(degree):
    assert fit_head(toy(), degree=degree).head.degree == degree


@pytest.mark.parametrize("strengths", [(5.0,), (7.0, 0.5)])
def test_the_strength_is_one_of_those_tried(monkeypatch, strengths):
    monkeypatch.setattr(_head, "STRENGTHS", {1: strengths, 2: strengths})
    assert fit_head(toy()).head.strength in strengths


def test_noise_is_held_down_and_a_clear_signal_is_not():
    rng = np.random.default_rng(2)
    unlabelled = rng.normal(size=(600, 20))
    nothing = fit_head(examples(rng.normal(size=(12, 20)), unlabelled))
    clear = fit_head(examples(rng.normal(size=(60, 20)) + 2 * np.eye(20)[3], unlabelled))
    assert nothing.head.strength == max(_head.STRENGTHS[1])
    assert clear.head.strength < max(_head.STRENGTHS[1])
    assert np.abs(nothing.head.linear).max() < np.abs(clear.head.linear).max()


def images_of(n_images: int, n_clicks: int, fooled: bool) -> Examples:
    """Return clicks in several images; where fooled, feature 1 marks those of one image alone."""
    rng = np.random.default_rng(4)
    at, at_unlabelled = (np.repeat(np.arange(n_images), n) for n in (n_clicks, 200))
    clicks = rng.normal(size=(len(at), 3)) + 2 * np.eye(3)[0]
    if fooled:
        clicks[:, 1] += np.where(at == 0, 4, -1)
    unlabelled = rng.normal(size=(len(at_unlabelled), 3))
    return examples(clicks, unlabelled, images=(at, at_unlabelled))


@pytest.mark.parametrize("n_images", [2, 3, 5])
def test_the_head_is_chosen_by_images_left_out(n_images):
    same, other = images_of(n_images, 6, False), images_of(n_images, 6, True)
    assert len(_head._folds(same)) == min(n_images, 3)
    assert sorted(np.concatenate(_head._folds(same))) == list(range(n_images))
    plain, fooled = fit_head(same), fit_head(other)
    assert plain.head.linear.argmax() == 0
    assert fooled.head.strength > plain.head.strength


@pytest.mark.parametrize(("n_images", "n_clicks"), [(1, 9), (2, 1), (2, 2)])
def test_too_few_images_or_clicks_are_not_left_out(n_images, n_clicks):
    given = images_of(n_images, n_clicks, False)
    assert _head._folds(given) == []
    assert np.isfinite(fit_head(given).head.linear).all()


def test_an_image_without_particles_is_no_fold():
    given = images_of(2, 6, False)
    one_sided = examples(
        given.positives, given.unlabelled, images=(np.zeros(12), given.unlabelled_images)
    )
    assert _head._folds(one_sided) == []


def test_an_image_without_unlabelled_places_is_no_fold():
    given = images_of(3, 6, False)
    seen = given.unlabelled_images > 0
    part = examples(
        given.positives,
        given.unlabelled[seen],
        images=(given.positive_images, given.unlabelled_images[seen]),
    )
    assert [fold.tolist() for fold in _head._folds(part)] == [[1], [2]]
    assert np.isfinite(fit_head(part).head.linear).all()


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("degree", [None, 1, 2])
def test_one_click_or_the_same_twice_is_enough_for_a_head(copies, degree):
    rng = np.random.default_rng(0)
    unlabelled, click = rng.normal(size=(200, 5)), np.array([3.0, 0, -1, 0, 0])
    fit = fit_head(examples([click] * copies, unlabelled), degree=degree)
    assert np.isfinite(fit.clicks).all()
    assert len(fit.clicks) == copies
    assert len(fit.negatives) == 0
    scores = fit.head.score(np.vstack([click, unlabelled]).T[..., None])
    assert scores[0, 0] > np.quantile(scores[1:], 0.95)


def test_a_channel_given_twice_shares_its_weight():
    given = toy(n_negatives=0)
    twice = examples(
        np.repeat(given.positives, 2, axis=1),
        np.repeat(given.unlabelled, 2, axis=1),
        clicks=given.positive_clicks,
    )
    head = fit_head(twice, degree=1).head
    np.testing.assert_allclose(head.linear[::2], head.linear[1::2], atol=1e-4)
    assert head.linear[0] > 0


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("value", [0.0, 0.1, 3000.0])
def test_a_constant_channel_says_nothing(degree, value):
    given = toy()
    parts = (given.positives, given.unlabelled, given.negatives)
    p, u, n = (np.column_stack([rows, np.full(len(rows), value)]) for rows in parts)
    plain = fit_head(given, degree=degree).head
    head = fit_head(examples(p, u, n, clicks=given.positive_clicks), degree=degree).head
    np.testing.assert_allclose(head.linear, [*plain.linear, 0], atol=2e-3)
    places = np.concatenate([u, p]).T[..., None].astype(np.float32)
    np.testing.assert_allclose(head.score(places), plain.score(places[:-1]), atol=0.02)


def test_a_few_clicks_start_from_the_channel_of_any_particle(monkeypatch):
    rng = np.random.default_rng(6)
    unlabelled, click = rng.normal(size=(300, 4)), np.array([1.0, 0, 1, 0])
    given = examples([click], unlabelled)
    monkeypatch.setattr(_head, "STRENGTHS", {1: (300.0,)})
    plain = fit_head(given).head
    drawn = fit_head(given, particle_channel=2).head
    assert plain.linear[2] < 0.5 < drawn.linear[2]
    assert drawn.linear.argmax() == 2
    monkeypatch.setattr(_head, "STRENGTHS", {1: (1e9,)})
    held = fit_head(given, particle_channel=2).head
    np.testing.assert_allclose(held.linear, [0, 0, 1, 0], atol=1e-5)


def test_clicks_that_say_otherwise_leave_the_channel_of_any_particle():
    rng = np.random.default_rng(7)
    clicks = rng.normal(size=(80, 3)) + np.array([2, -2, 0])
    head = fit_head(examples(clicks, rng.normal(size=(800, 3))), particle_channel=1).head
    assert head.linear[1] < 0 < head.linear[0]


def test_an_explicit_negative_lowers_the_score_there():
    rng = np.random.default_rng(5)
    clicks, unlabelled = rng.normal(size=(10, 3)) + 3 * np.eye(3)[0], rng.normal(size=(400, 3))
    place = np.array([2.5, 3.0, 0.0])
    before = fit_head(examples(clicks, unlabelled), degree=1)
    after = fit_head(examples(clicks, unlabelled, [place]), degree=1)
    column = place[:, None, None]
    assert after.head.score(column) < before.head.score(column)
    assert after.head.score(column) < after.head.score(clicks.T[..., None]).mean()
    assert len(after.negatives) == len(after.negative_changes) == 1


def plain_score(head: Head, values: np.ndarray) -> np.ndarray:
    flat = values.reshape(len(values), -1).T.astype(float)
    standard = np.clip((flat - head.mean) / head.deviation, -6, 6)
    scores = standard @ head.linear + standard**2 @ head.quadratic + head.intercept
    return scores.reshape(values.shape[1:])


@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (2, 3, 4), (0, 4), (91, 91)])
@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_scores_are_the_plain_formula(shape, degree, kind):
    rng = np.random.default_rng(0)
    squares = rng.normal(size=4) if degree == 2 else np.zeros(4)
    head = Head(rng.normal(size=4), rng.uniform(0.2, 2, 4), rng.normal(size=4), squares, -1.5, 3.0)
    assert head.degree == degree
    values = rng.normal(0, 3, (4, *shape)).astype(kind)
    kept = values.copy()
    scores = head.score(values)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, plain_score(head, values), rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(values, kept)


def test_an_outlier_counts_six_deviations_and_no_more():
    head = Head(np.array([1.0]), np.array([2.0]), np.array([1.0]), np.zeros(1), 0.0, 1.0)
    values = np.array([[1.0, 3.0, 13.0, 1000.0, np.inf, -1000.0, -np.inf]], np.float16)
    assert head.score(values).tolist() == [0, 1, 6, 6, 6, -6, -6]


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("channel", [None, 2])
def test_the_head_scores_rows_as_the_problem_does(degree, channel):
    given = toy()
    basis = Basis.of(given.unlabelled, channel)
    problem = Problem.of(given, basis, degree, channel)
    weights, _ = problem.minimise(problem.centre, 10.0)
    head = _head_of(basis, weights, degree, 10.0)
    found = head.score(given.unlabelled.T[:, :, None])[:, 0]
    np.testing.assert_allclose(found, basis.rows(given.unlabelled, degree) @ weights, atol=1e-4)


def test_beside_learned_channels_the_analytic_ones_cost_more():
    rng = np.random.default_rng(8)
    clicks, unlabelled = rng.normal(size=(6, 4)) + np.array([2, 0, 0, 0]), rng.normal(size=(400, 4))
    clicks[:, 3], unlabelled[:, 3] = clicks[:, 0], unlabelled[:, 0]  # the same, but learned
    alike = fit_head(examples(clicks, unlabelled)).head.linear
    assert alike[0] == pytest.approx(alike[3], abs=1e-4)
    unlike = fit_head(examples(clicks, unlabelled), particle_channel=2).head.linear
    assert 0 < unlike[0] < 0.3 * unlike[3]


def test_the_same_examples_give_the_same_head_to_the_bit():
    first, second = fit_head(toy()), fit_head(toy())
    np.testing.assert_array_equal(first.head.linear, second.head.linear)
    np.testing.assert_array_equal(first.clicks, second.clicks)

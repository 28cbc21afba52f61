"""Rows that join a map: among landmarks, and later."""

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.embedding import _landmarks
from napari_cryoml.embedding._landmarks import choose_landmarks
from napari_cryoml.embedding._placement import mean_of_neighbours
from napari_cryoml.embedding._projection import (
    PcaConfig,
    TsneConfig,
    UmapConfig,
    place,
    project,
)
from napari_cryoml.evaluation import trustworthiness
from napari_cryoml.jobs import Command, run_inline

QUICK = {
    "pca": PcaConfig(),
    "tsne": TsneConfig(perplexity=10, early_iterations=60, iterations=90),
    "umap": UmapConfig(epochs=60),
}


def _sheet(n, seed=0):
    """Return rows of a bent sheet in six dimensions."""
    u, v = np.random.default_rng(seed).uniform(-1, 1, size=(2, n))
    waves = [u, v, np.sin(2 * u), np.cos(2 * v), 0.3 * u * v, 0.3 * np.sin(3 * v)]
    return np.stack(waves, axis=1).astype(np.float32)


def _by_landmarks(kind, vectors, **more):
    config = QUICK[kind].model_copy(update={"landmarks_above": 100, "n_landmarks": 150} | more)
    events = []
    return run_inline(project(vectors, config), events.append), events


def test_the_mean_of_neighbours_by_hand():
    layout = np.array([[0.0, 0], [2, 0], [0, 2]], np.float32)
    near = np.array([[0, 1], [1, 2], [2, 1]])
    even, same, both = np.array([[1.0, 1], [0, 5], [0, 0]], np.float32)
    placed = mean_of_neighbours(near, np.stack([even, same, both]), layout)
    np.testing.assert_allclose(placed, [[1, 0], [2, 0], [1, 1]], atol=1e-6)


def test_a_mean_leans_to_the_nearest():
    layout = np.array([[0.0, 0], [1, 0], [9, 0]], np.float32)
    placed = mean_of_neighbours(np.array([[0, 1, 2]]), np.array([[1.0, 2, 9]], "f4"), layout)
    assert 0 < placed[0, 0] < 2 < layout[:, 0].mean()


@pytest.mark.parametrize("kind", ["tsne", "umap"])
@pytest.mark.parametrize("placement", ["neighbours", "network"])
def test_the_rest_is_placed_among_landmarks(kind, placement, monkeypatch):
    monkeypatch.setattr(_landmarks, "_ROWS_AT_ONCE", 100)
    vectors = _sheet(500)
    found, events = _by_landmarks(kind, vectors, placement=placement)
    assert np.isfinite(found.layout).all()
    assert len(set(found.landmarks)) == 150
    assert trustworthiness(vectors, found.layout, 15) > 0.9
    assert "150 landmarks" in found.notes[-1]
    done = [event.done for event in events]
    assert done == sorted(done)
    assert done[-1] == events[-1].total

    # Whoever follows the events ends up with the map itself.
    shown = np.zeros_like(found.layout)
    for event in events:
        shown[slice(None) if event.rows is None else event.rows] = event.layout
    np.testing.assert_array_equal(shown, found.layout)


@pytest.mark.parametrize("placement", ["neighbours", "network"])
def test_landmarks_and_rows_set_aside_go_together(placement):
    vectors = _sheet(400)
    vectors[::40] = np.nan
    found, events = _by_landmarks("umap", vectors, placement=placement)
    bad = np.arange(400) % 40 == 0
    np.testing.assert_array_equal(np.isnan(found.layout).any(axis=1), bad)
    assert not bad[found.landmarks].any()
    assert all(not bad[event.rows].any() for event in events)


def test_one_seed_one_map_by_network():
    vectors = _sheet(300)
    one, two = (_by_landmarks("umap", vectors, placement="network")[0].layout for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_pca_needs_no_landmarks():
    assert _by_landmarks("pca", _sheet(300))[0].landmarks is None


@pytest.mark.parametrize("at", [3, 8])
def test_stopping_among_landmarks_says_who_has_no_place(at):
    config = UmapConfig(epochs=40, landmarks_above=100, n_landmarks=150)
    job = project(_sheet(400), config)
    for _ in range(at):
        next(job)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    found = end.value.value
    placed = np.isfinite(found.layout).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(placed), found.landmarks)
    assert found.notes[-1] == "Stopped: 250 of 400 rows have no place yet."


def test_rare_rows_have_landmarks():
    rng = np.random.default_rng(0)
    many, few = rng.normal(size=(2000, 3)), 30 + 0.1 * rng.normal(size=(12, 3))
    vectors = np.vstack([many, few]).astype(np.float32)
    chosen = choose_landmarks(vectors, 200, seed=0)
    assert len(set(chosen)) == 200
    assert (chosen >= 2000).sum() >= 4
    np.testing.assert_array_equal(chosen, choose_landmarks(vectors, 200, seed=0))
    assert (choose_landmarks(vectors, 200, seed=1) != chosen).any()


@pytest.mark.parametrize("n", [10, 30])
def test_landmarks_of_equal_rows_and_all_rows(n):
    np.testing.assert_array_equal(choose_landmarks(np.zeros((n, 2), "f4"), n, 0), np.arange(n))


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_new_rows_join_a_map(kind, metric):
    vectors, new = _sheet(300), _sheet(60, seed=1)
    config = QUICK[kind].model_copy(update={"metric": metric})
    layout = run_inline(project(vectors, config)).layout
    placed = place(vectors, layout, new, config)
    assert placed.shape == (60, 2)
    assert placed.dtype == np.float32
    # The nearest row of the map lies near on the map as well.
    near = np.linalg.norm(new[:, None] - vectors[None], axis=2).argmin(axis=1)
    strayed = np.linalg.norm(placed - layout[near], axis=1)
    assert np.median(strayed) < 0.25 * layout.std()


@pytest.mark.parametrize("kind", QUICK)
def test_rows_of_the_map_itself_go_where_they_are(kind):
    vectors = _sheet(80)
    layout = run_inline(project(vectors, QUICK[kind])).layout
    placed = place(vectors, layout, vectors[::7], QUICK[kind])
    np.testing.assert_allclose(placed, layout[::7], atol=1e-4 * np.abs(layout).max())


def test_pca_places_exactly():
    vectors, new = _sheet(100), 10 * _sheet(20, seed=1) + 5
    layout = run_inline(project(vectors, PcaConfig(n_components=3))).layout
    both = np.vstack([vectors, new]).astype(float) - vectors.mean(axis=0)
    axes = np.linalg.lstsq(both[:100], layout, rcond=None)[0]
    found = place(vectors, layout, new, PcaConfig(n_components=3))
    np.testing.assert_allclose(found, both[100:] @ axes, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize("n", [1, 3, 10])
def test_few_rows_on_a_map_are_enough(kind, n):
    vectors = _sheet(n)
    layout = np.arange(2.0 * n).reshape(n, 2)
    placed = place(vectors, layout, _sheet(4, seed=1), QUICK[kind])
    assert placed.shape == (4, 2)
    assert np.isfinite(placed).all()


def test_rows_join_a_large_map_as_they_do_one_by_landmarks():
    vectors, new = _sheet(120), _sheet(20, seed=1)
    layout = np.random.default_rng(0).normal(size=(120, 2))
    by_mean = place(vectors, layout, new, TsneConfig(landmarks_above=100))
    assert (by_mean != place(vectors, layout, new, TsneConfig())).any()
    # Within what they are the mean of, where forces would push them about.
    assert (by_mean.min(axis=0) >= layout.min(axis=0)).all()
    assert (by_mean.max(axis=0) <= layout.max(axis=0)).all()


def test_rows_without_a_place_do_not_count():
    vectors = _sheet(50)
    layout = np.zeros((50, 2))
    layout[:25], layout[25:40], vectors[40:] = 7, np.nan, np.nan
    new = np.vstack([_sheet(3, seed=1), np.full((1, 6), np.nan)])
    placed = place(vectors, layout, new, UmapConfig())
    np.testing.assert_allclose(placed[:3], 7, rtol=1e-6)
    assert np.isnan(placed[3]).all()
    assert place(vectors, layout, np.empty((0, 6)), UmapConfig()).shape == (0, 2)


def test_mistakes_are_said():
    with pytest.raises(InputError, match="make the map first"):
        place(np.eye(3), np.full((3, 2), np.nan), np.eye(3), UmapConfig())
    with pytest.raises(InputError, match="length 2"):
        place(np.eye(3), np.zeros((3, 2)), np.eye(2), UmapConfig())

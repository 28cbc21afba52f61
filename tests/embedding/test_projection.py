"""Maps of small tables: shapes, events, degenerate rows, seeds."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._projection import (
    PcaConfig,
    TsneConfig,
    UmapConfig,
    project,
    projections,
)
from napari_cryoml.evaluation import neighbourhood_recall, trustworthiness
from napari_cryoml.jobs import Command, run_inline

QUICK = {
    "pca": PcaConfig(),
    "tsne": TsneConfig(perplexity=10, early_iterations=60, iterations=90),
    "umap": UmapConfig(epochs=60),
}
"""Every kind of map, with fewer rounds than by default."""


def _groups(n=150, d=6, seed=0):
    """Return rows of three groups far apart, and their groups."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % 3
    return (8 * np.eye(3, d)[group] + rng.normal(size=(n, d))).astype(np.float32), group


def _mapped(vectors, config, **more):
    events = []
    return run_inline(project(vectors, config, **more), events.append), events


def _apart(layout, group):
    """Return the least distance of the centres of groups over the largest spread within one."""
    centres = np.array([layout[group == g].mean(axis=0) for g in range(3)])
    between = [np.linalg.norm(centres[a] - centres[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    within = max(layout[group == g].std() for g in range(3))
    return min(between) / within


def test_all_kinds_are_tried_here():
    assert set(projections) == set(QUICK)
    assert all(config.name == kind for kind, config in QUICK.items())


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_groups_lie_apart(kind, metric, dtype):
    vectors, group = _groups()
    config = QUICK[kind].model_copy(update={"metric": metric})
    found, events = _mapped(vectors.astype(dtype), config)
    assert found.layout.shape == (150, 2)
    assert found.layout.dtype == np.float32
    assert _apart(found.layout, group) > 1.5
    assert found.landmarks is None
    assert found.notes == ()
    assert found.origin.startswith("Seed 0") == (kind != "pca")
    assert all(event.rows is None and event.layout.shape == (150, 2) for event in events)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert done[-1] == events[-1].total
    np.testing.assert_array_equal(events[-1].layout, found.layout)


@pytest.mark.parametrize("kind", ["tsne", "umap"])
def test_the_first_layout_is_by_pca_and_more_follow(kind):
    vectors, _ = _groups()
    _, events = _mapped(vectors, QUICK[kind])
    principal, _ = _mapped(vectors, PcaConfig())
    np.testing.assert_allclose(events[0].layout, principal.layout, atol=1e-6)
    assert len(events) >= 5
    assert all((a.layout != b.layout).any() for a, b in pairwise(events))


def test_pca_is_a_turn_of_the_vectors():
    vectors, _ = _groups(d=4)
    found, _ = _mapped(vectors, PcaConfig(n_components=4))
    apart = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    again = np.linalg.norm(found.layout[:, None] - found.layout[None], axis=2)
    np.testing.assert_allclose(again / again.max(), apart / apart.max(), atol=1e-5)
    spread = found.layout.var(axis=0)
    assert (np.diff(spread) <= 0).all()
    assert _mapped(vectors, PcaConfig(n_components=6))[0].layout.shape == (150, 6)


@pytest.mark.parametrize("kind", QUICK)
def test_the_seed_decides(kind):
    vectors, _ = _groups()
    one, two = (_mapped(vectors, QUICK[kind])[0].layout for _ in range(2))
    np.testing.assert_array_equal(one, two)
    if kind != "pca":
        other = _mapped(vectors, QUICK[kind].model_copy(update={"seed": 1}))[0].layout
        assert (one != other).any()


def test_threads_do_not_change_umap(monkeypatch):
    vectors, _ = _groups()
    layouts = []
    for threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        layouts.append(_mapped(vectors, QUICK["umap"])[0].layout)
    np.testing.assert_array_equal(*layouts)


@pytest.mark.parametrize("kind", ["tsne", "umap"])
@pytest.mark.parametrize("at", [0, 1, 4])
def test_stopping_keeps_the_present_layout(kind, at):
    vectors, _ = _groups()
    job = project(vectors, QUICK[kind])
    for _ in range(at + 1):
        event = next(job)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    np.testing.assert_array_equal(end.value.value.layout, event.layout)


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 10])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_few_rows_give_something(kind, n, d):
    vectors = np.random.default_rng(0).normal(size=(n, d))
    found, _ = _mapped(vectors, QUICK[kind])
    assert found.layout.shape == (n, 2)
    assert np.isfinite(found.layout).all()
    assert n < 2 or np.ptp(found.layout, axis=0).any()
    if n < 4:
        assert len(found.notes) == 1
    elif kind == "tsne":
        assert f"Perplexity was lowered from 10 to {(n - 1) / 3:.3g}" in found.notes[0]


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize(
    "vectors",
    [
        np.ones((40, 3)),
        np.repeat(np.eye(3), 30, axis=0),
        np.vstack([np.zeros((60, 4)), np.random.default_rng(0).normal(size=(10, 4))]),
        np.hstack([np.random.default_rng(0).normal(size=(50, 3)), np.ones((50, 2))]),
        np.random.default_rng(0).normal(size=(50, 3)) * 1e30,
        np.random.default_rng(0).normal(size=(50, 3)) * 1e-30,
        np.zeros((50, 0)),
    ],
    ids=["equal", "three", "many equal", "constant columns", "huge", "tiny", "no columns"],
)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_odd_tables_give_finite_layouts(kind, vectors, metric):
    found, _ = _mapped(vectors, QUICK[kind].model_copy(update={"metric": metric}))
    assert found.layout.shape == (len(vectors), 2)
    assert np.isfinite(found.layout).all()


@pytest.mark.parametrize("kind", ["tsne", "umap"])
def test_equal_rows_lie_together(kind):
    vectors, _ = _groups(60)
    found, _ = _mapped(np.vstack([vectors, vectors]), QUICK[kind])
    twins = np.linalg.norm(found.layout[:60] - found.layout[60:], axis=1)
    assert np.median(twins) < 0.1 * found.layout.std()


@pytest.mark.parametrize("kind", QUICK)
def test_rows_that_are_not_finite_are_set_aside(kind):
    vectors, group = _groups()
    vectors[3, 1], vectors[70] = np.nan, np.inf
    found, events = _mapped(vectors, QUICK[kind])
    bad = np.isnan(found.layout).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(bad), [3, 70])
    assert found.notes[0] == "2 rows have numbers that are not finite and no place on the map."
    assert _apart(found.layout[~bad], group[~bad]) > 1.5
    for event in events:
        np.testing.assert_array_equal(event.rows, np.flatnonzero(~bad))
        assert len(event.layout) == 148


def test_nothing_but_rows_that_are_not_finite():
    found, _ = _mapped(np.full((5, 2), np.nan), UmapConfig())
    assert np.isnan(found.layout).all()
    assert found.notes[0].startswith("5 rows have")


@pytest.mark.parametrize("kind", ["tsne", "umap"])
def test_a_map_that_begins_with_another_stays_recognisable(kind):
    vectors, group = _groups()
    # Turned by a right angle and shrunk, so that PCA could not have led there.
    start = _mapped(vectors, PcaConfig())[0].layout @ np.array([[0, 1], [-1, 0]]) / 3
    start[::10] = np.nan
    found, _ = _mapped(vectors, QUICK[kind], start=start)
    known = np.isfinite(start).all(axis=1)
    centres = np.array([found.layout[group == g].mean(axis=0) for g in range(3)])
    wanted = np.array([start[known & (group == g)].mean(axis=0) for g in range(3)])
    shared = np.corrcoef((centres - centres.mean(0)).ravel(), (wanted - wanted.mean(0)).ravel())
    assert shared[0, 1] > 0.8
    assert np.isfinite(found.layout).all()


def test_umap_is_as_good_as_umap_learn_says_it_should_be():
    from sklearn.datasets import load_digits

    vectors = load_digits().data[:600]
    layout = _mapped(vectors, UmapConfig())[0].layout
    assert trustworthiness(vectors, layout, 15) > 0.97
    assert neighbourhood_recall(vectors, layout, 15) > 0.5


@pytest.mark.slow
def test_the_graph_is_that_of_umap_learn():
    from umap.umap_ import find_ab_params, fuzzy_simplicial_set

    from napari_cryoml.embedding._neighbours import nearest
    from napari_cryoml.embedding._umap_graph import graph_edges, membership_curve

    vectors, _ = _groups(100)
    indices, distances = nearest(vectors, k=14)
    own = np.arange(100)[:, None]
    wanted, _, _ = fuzzy_simplicial_set(
        vectors,
        15,
        np.random.RandomState(0),
        "euclidean",
        knn_indices=np.hstack([own, indices]).astype(np.int32),
        knn_dists=np.hstack([np.zeros((100, 1)), distances]).astype(np.float32),
    )
    edges = graph_edges(indices, distances, 500)
    found = np.zeros((100, 100))
    rows = np.repeat(np.arange(100), np.diff(edges.indptr))
    found[rows, edges.indices] = edges.weights
    wanted = wanted.toarray() / wanted.max()
    np.testing.assert_allclose(found, np.where(wanted < 1 / 500, 0, wanted), atol=1e-3)
    np.testing.assert_allclose(membership_curve(0.1), find_ab_params(1.0, 0.1), rtol=1e-3)


def test_mistakes_are_said():
    with pytest.raises(InputError, match="table of n rows"):
        next(project(np.zeros(5), PcaConfig()))
    with pytest.raises(InputError, match="table of n rows"):
        next(project(np.array([["a", "b"]]), PcaConfig()))
    with pytest.raises(InputError, match="A map of 3 rows"):
        next(project(np.eye(3), PcaConfig(), start=np.zeros((2, 2))))
    with pytest.raises(InputError, match="kind of map"):
        projections.create("lda")
    with pytest.raises(InputError, match="perplexity"):
        projections.create("tsne", perplexity=0)


def test_options_are_known_without_heavy_packages():
    heavy = ["torch", "sklearn", "umap", "numba", "matplotlib", "pyarrow", "openTSNE", "scipy"]
    asked = (
        "import sys; from napari_cryoml.embedding._projection import projections; "
        "[projections.create(kind) for kind in projections]; "
        f"sys.exit(' '.join(name for name in {heavy} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

"""Clusters are those that anyone would draw, in one order, whatever the rows are like."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score, silhouette_score

from napari_cryoml._errors import InputError
from napari_cryoml.embedding import _agglomerative, _centres, _silhouette
from napari_cryoml.embedding._clusters import (
    AgglomerativeConfig,
    HdbscanConfig,
    KMeansConfig,
    LeidenConfig,
    cluster,
    clusterings,
)
from napari_cryoml.embedding._neighbour_graph import neighbour_graph
from napari_cryoml.embedding._silhouette import silhouette
from napari_cryoml.embedding._ward import merge
from napari_cryoml.jobs import Event, run_inline

CONFIGS = {
    "kmeans": KMeansConfig(k=3),
    "hdbscan": HdbscanConfig(min_cluster_size=5),
    "leiden": LeidenConfig(neighbours=30, resolution=0.5),
    "agglomerative": AgglomerativeConfig(n_clusters=3),
}
every_method = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def blobs(sizes=(20, 40, 30), d=4, far=30.0, seed=0):
    """Return rows around points that lie far apart, in random order, and whose they are."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = far * np.eye(len(sizes), d)
    return (centres[kind] + rng.normal(size=(len(kind), d))).astype(np.float32), kind


def clusters_of(vectors, config, **runner):
    return run_inline(cluster(vectors, config), **runner)


def test_methods_are_found_by_name():
    assert list(clusterings) == ["agglomerative", "hdbscan", "kmeans", "leiden"]
    assert clusterings["kmeans"]().k == 100
    with pytest.raises(InputError, match="way of making clusters 'kmeans': k"):
        clusterings.create("kmeans", k=0)


@every_method
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_blobs_are_the_clusters_largest_first(config, dtype):
    vectors, kind = blobs()
    found = clusters_of(vectors.astype(dtype) + 50, config)
    np.testing.assert_array_equal(found.labels, np.array([2, 0, 1])[kind])
    assert found.labels.dtype == np.int32
    assert found.sizes.tolist() == [40, 30, 20]
    assert len(found) == 3
    assert found.silhouette > 0.8
    assert found.notes == ()


@every_method
def test_same_seed_same_clusters(config):
    vectors = np.random.default_rng(1).normal(size=(120, 5))
    first, second = clusters_of(vectors, config), clusters_of(vectors, config)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.silhouette == second.silhouette or np.isnan(first.silhouette)


@every_method
def test_rows_that_are_not_finite_are_set_aside_and_said(config):
    vectors, kind = blobs()
    vectors[3, 1], vectors[7] = np.nan, np.inf
    found = clusters_of(vectors, config)
    assert found.labels[[3, 7]].tolist() == [-1, -1]
    kept = np.delete(np.arange(len(kind)), [3, 7])
    assert adjusted_rand_score(kind[kept], found.labels[kept]) == 1
    assert "not finite: 2 of 90 rows" in found.notes[0]


@every_method
@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_rows(config, n):
    found = clusters_of(np.arange(2.0 * n).reshape(n, 2), config)
    assert found.labels.shape == (n,)
    assert found.sizes.sum() == (found.labels >= 0).sum()
    if not isinstance(config, HdbscanConfig):
        assert (found.labels >= 0).all()


@every_method
def test_rows_without_any_finite_vector(config):
    found = clusters_of(np.full((3, 2), np.nan), config)
    assert found.labels.tolist() == [-1, -1, -1]
    assert len(found) == 0
    assert np.isnan(found.silhouette)


@pytest.mark.filterwarnings("error")
@every_method
def test_equal_rows_are_never_parted(config):
    vectors = np.repeat([[0.0, 0], [9, 9]], [12, 7], axis=0)
    if isinstance(config, LeidenConfig):
        config = LeidenConfig(neighbours=6, resolution=0.3)
    found = clusters_of(vectors, config)
    assert len(np.unique(found.labels[:12])) == len(np.unique(found.labels[12:])) == 1
    assert found.labels[0] != found.labels[-1]


@pytest.mark.filterwarnings("error")
def test_all_rows_equal():
    for config in CONFIGS.values():
        found = clusters_of(np.ones((30, 3)), config)
        assert found.sizes.sum() == (found.labels >= 0).sum()


@pytest.mark.parametrize("vectors", [np.zeros(3), np.zeros((3, 0)), np.zeros((2, 2, 2))])
def test_what_is_no_table_is_refused(vectors):
    with pytest.raises(InputError, match="table of n rows"):
        clusters_of(vectors, KMeansConfig())


@every_method
def test_stopping_at_any_event_gives_clusters(config):
    vectors, _ = blobs()
    said = []
    clusters_of(vectors, config, on_event=said.append)
    assert said and all(isinstance(event, Event) for event in said)
    for stop_at in range(1, len(said) + 1):
        seen = []
        found = clusters_of(
            vectors,
            config,
            on_event=seen.append,
            should_stop=lambda seen=seen, last=stop_at: len(seen) >= last,
        )
        assert len(found.labels) == len(vectors)
        assert len(seen) <= len(said)


def test_stopped_kmeans_says_so_and_keeps_what_it_has():
    vectors, kind = blobs()
    found = clusters_of(vectors, KMeansConfig(k=3), should_stop=lambda: True)
    assert adjusted_rand_score(kind, found.labels) == 1
    assert "Stopped early" in found.notes[0]


def test_more_clusters_than_different_rows_are_not_made_and_said():
    vectors = np.repeat(np.eye(4), [5, 4, 3, 2], axis=0)
    found = clusters_of(vectors, KMeansConfig(k=100))
    assert found.sizes.tolist() == [5, 4, 3, 2]
    assert found.notes == (
        "100 clusters were asked for and 4 made: there are no more different rows.",
    )
    merged = clusters_of(vectors, AgglomerativeConfig(n_clusters=20))
    assert merged.sizes.tolist() == [5, 4, 3, 2]
    assert "20 clusters were asked for and 4 made" in merged.notes[0]


def test_kmeans_by_batches_finds_the_blobs_too(monkeypatch):
    monkeypatch.setattr(_centres, "ALL_AT_ONCE", 50)
    monkeypatch.setattr(_centres, "_LEAST_SEEN", 500)
    monkeypatch.setattr(_centres, "_BATCH", 30)
    vectors, kind = blobs()
    said = []
    found = clusters_of(vectors, KMeansConfig(k=3), on_event=said.append)
    assert adjusted_rand_score(kind, found.labels) == 1
    assert said[-1].done == said[-1].total > 5
    stopped = clusters_of(vectors, KMeansConfig(k=3), should_stop=lambda: True)
    assert "Stopped early" in stopped.notes[-1]


def test_rows_go_to_their_nearest_centre():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 3)).astype(np.float32)
    centres = rng.normal(size=(7, 3)).astype(np.float32)
    plain = ((vectors[:, None] - centres) ** 2).sum(axis=-1).argmin(axis=1)
    np.testing.assert_array_equal(_centres.nearest_centre(vectors, centres), plain)


def test_hdbscan_leaves_out_what_lies_apart():
    vectors, kind = blobs()
    apart = np.full((1, 4), -60.0)
    found = clusters_of(np.concatenate([vectors, apart]), CONFIGS["hdbscan"])
    assert found.labels[-1] == -1
    assert adjusted_rand_score(kind, found.labels[:-1]) == 1


def test_hdbscan_of_too_few_rows_says_so():
    found = clusters_of(np.eye(4), HdbscanConfig(min_cluster_size=5))
    assert (found.labels == -1).all()
    assert "fewer than 5 rows" in found.notes[0]


def test_hdbscan_uses_the_directions_that_vary_most():
    vectors, kind = blobs()
    noise = np.random.default_rng(5).normal(0, 0.1, size=(90, 60))
    config = HdbscanConfig(min_cluster_size=5, dimensions=2)
    found = clusters_of(np.concatenate([noise, vectors], axis=1), config)
    assert adjusted_rand_score(kind, found.labels) == 1


@pytest.mark.parametrize(
    "config",
    [HdbscanConfig(min_cluster_size=10, sample=200), LeidenConfig(resolution=0.3, sample=200)],
)
def test_rest_of_a_sample_joins_its_neighbours(config):
    vectors, kind = blobs(sizes=(200, 300, 250))
    found = clusters_of(vectors, config)
    is_in = found.labels >= 0
    assert is_in.mean() > 0.9
    assert "200 rows drawn at random" in found.notes[0]
    assert adjusted_rand_score(kind[is_in], found.labels[is_in]) == 1


def test_rest_far_from_every_dense_cluster_belongs_to_none():
    vectors, _ = blobs(sizes=(200, 300, 250))
    config = HdbscanConfig(min_cluster_size=10, sample=200)
    far = np.random.default_rng(8).normal(200, 50, size=(4, 4))
    found = clusters_of(np.concatenate([vectors, far]), config)
    assert (found.labels[-4:] == -1).all()


def test_graph_of_neighbours_against_a_plain_one():
    vectors = np.random.default_rng(2).normal(size=(12, 3)).astype(np.float32)
    distance = np.linalg.norm(vectors[:, None] - vectors, axis=-1)
    np.fill_diagonal(distance, np.inf)
    directed = np.zeros((12, 12))
    np.put_along_axis(directed, distance.argsort(axis=1)[:, :4], 0.5, axis=1)
    np.testing.assert_allclose(neighbour_graph(vectors, 4).toarray(), directed + directed.T)


def test_higher_resolution_makes_more_clusters():
    vectors = np.random.default_rng(3).normal(size=(300, 3))
    few, many = (clusters_of(vectors, LeidenConfig(resolution=r)) for r in (0.5, 5))
    assert len(few) < len(many)


@pytest.mark.parametrize("n_clusters", [1, 2, 5, 12])
def test_merging_is_that_of_scipy(n_clusters):
    points = np.random.default_rng(4).normal(size=(40, 3))
    plain = fcluster(linkage(points, "ward"), n_clusters, "maxclust")
    assert adjusted_rand_score(plain, merge(points, n_clusters=n_clusters)) == 1
    assert adjusted_rand_score(plain, merge(points, np.ones(40), n_clusters)) == 1


@pytest.mark.parametrize("distance", [0.5, 1.5, 4.0])
def test_distance_is_that_of_scipy(distance):
    points = np.random.default_rng(4).normal(size=(40, 3))
    plain = fcluster(linkage(points, "ward"), distance, "distance")
    for weights in (None, np.ones(40)):
        assert adjusted_rand_score(plain, merge(points, weights, distance=distance)) == 1


def test_weights_stand_for_equal_points():
    rng = np.random.default_rng(6)
    points, weights = rng.normal(size=(15, 2)), rng.integers(1, 9, size=15)
    for n_clusters in (2, 4, 8):
        repeated = merge(np.repeat(points, weights, axis=0), n_clusters=n_clusters)
        first = np.cumsum(weights) - weights
        found = merge(points, weights, n_clusters)
        assert adjusted_rand_score(repeated[first], found) == 1


def test_ward_of_many_rows_merges_small_clusters(monkeypatch):
    monkeypatch.setattr(_agglomerative, "EXACT_ROWS", 50)
    monkeypatch.setattr(_agglomerative, "_MICRO_CLUSTERS", 15)
    vectors, kind = blobs()
    found = clusters_of(vectors, AgglomerativeConfig(n_clusters=3))
    assert adjusted_rand_score(kind, found.labels) == 1
    by_distance = clusters_of(vectors, AgglomerativeConfig(distance=60))
    np.testing.assert_array_equal(by_distance.labels, found.labels)


def test_silhouette_of_few_rows_is_exact():
    rng = np.random.default_rng(7)
    vectors, labels = rng.normal(size=(80, 3)), rng.integers(0, 5, 80)
    labels[0] = 5  # alone
    assert silhouette(vectors, labels) == pytest.approx(silhouette_score(vectors, labels))


def test_silhouette_of_a_draw_is_close(monkeypatch):
    monkeypatch.setattr(_silhouette, "_ASKED", 200)
    monkeypatch.setattr(_silhouette, "_COMPARED", 300)
    vectors, kind = blobs(sizes=(500, 300, 100, 100), far=3.0)
    estimate = silhouette(vectors, kind, seed=1)
    assert estimate == pytest.approx(silhouette_score(vectors, kind), abs=0.03)
    assert estimate == silhouette(vectors, kind, seed=1) != silhouette(vectors, kind, seed=2)


@pytest.mark.parametrize("labels", [[0, 0, 0], [-1, -1, -1], [0, 0, -1]])
def test_silhouette_of_one_cluster_is_none(labels):
    assert np.isnan(silhouette(np.eye(3), labels))


def test_silhouette_leaves_out_rows_of_no_cluster():
    vectors, kind = blobs()
    labels = np.where(np.arange(90) < 60, kind, -1)
    assert silhouette(vectors, labels) == pytest.approx(silhouette(vectors[:60], kind[:60]))


def test_silhouette_of_equal_rows_is_nought():
    assert silhouette(np.ones((6, 2)), [0, 0, 0, 1, 1, 1]) == 0

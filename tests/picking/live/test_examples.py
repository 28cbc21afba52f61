"""Which grid points the head learns from."""

import numpy as np
import pytest

from napari_cryoml.data import Annotations
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking.live import _examples
from napari_cryoml.picking.live._examples import collect_examples


def own_places(
    grid: tuple[int, ...], scale: float = 2.0, mask=None, first: float = 0
) -> FeatureMap:
    """Return features that say where they are: grid coordinates, after the number of the image."""
    values = np.concatenate([np.full((1, *grid), first), np.indices(grid)])
    ndim = len(grid)
    return FeatureMap(values.astype(np.float16), np.full(ndim, scale), np.zeros(ndim), mask)


def labelled(positives=(), negatives=(), ndim: int = 2) -> Annotations:
    rows = np.array([*positives, *negatives], dtype=float).reshape(-1, ndim)
    return Annotations(rows, np.repeat([1, 0], [len(positives), len(negatives)]).astype(np.int8))


def places(rows: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(row) for row in rows[:, 1:].astype(int).tolist()}


def collect(features, labels, seed=0):
    return collect_examples({"a": features}, {"a": labels}, seed)


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_click_on_a_grid_point_is_that_point_and_its_neighbours(ndim):
    examples = collect(own_places((9,) * ndim), labelled([(8.0,) * ndim], ndim=ndim))
    cross = {tuple(np.full(ndim, 4) + sign * step) for step in np.eye(ndim) for sign in (-1, 0, 1)}
    assert places(examples.positives) == cross
    assert len(examples.positives) == 2 * ndim + 1
    assert examples.positive_clicks.tolist() == [0] * (2 * ndim + 1)


@pytest.mark.parametrize(
    ("click", "expected"),
    [
        ((9.0, 9.0), {(4, 4), (4, 5), (5, 4), (5, 5)}),  # between four points
        ((9.0, 8.0), {(4, 4), (5, 4)}),
        ((8.4, 8.0), {(4, 4), (5, 4)}),
        ((0.0, 0.0), {(0, 0), (0, 1), (1, 0)}),
        ((16.0, 16.0), {(8, 8), (7, 8), (8, 7)}),
        ((0.0, 8.0), {(0, 4), (1, 4), (0, 3), (0, 5)}),
    ],
)
def test_points_within_one_step_stand_for_a_click(click, expected):
    assert places(collect(own_places((9, 9)), labelled([click])).positives) == expected


@pytest.mark.parametrize("beyond", [(-3.0, -20.0), (17.9, 17.0), (400.0, -400.0)])
def test_a_click_beyond_the_grid_stands_at_its_border(beyond):
    nearest = tuple(int(np.clip(np.rint(at / 2), 0, 8)) for at in beyond)
    found = places(collect(own_places((9, 9)), labelled([beyond])).positives)
    assert nearest in found
    assert all(0 <= at <= 8 for place in found for at in place)


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_grid_of_one_point_stands_for_all_clicks(ndim):
    features = own_places((1,) * ndim)
    examples = collect(features, labelled([(0.0,) * ndim, (1.0,) * ndim], ndim=ndim))
    assert examples.positives[:, 1:].tolist() == [[0] * ndim] * 2
    assert examples.positive_clicks.tolist() == [0, 1]
    assert len(examples.unlabelled) == 0


@pytest.mark.parametrize(
    ("n", "most"), [(10, 5), (40, 5), (50, 4), (100, 2), (101, 1), (200, 1), (300, 1)]
)
def test_with_many_clicks_fewer_points_stand_for_each(monkeypatch, n, most):
    monkeypatch.setattr(_examples, "_MOST_ROWS", 200)
    features = own_places((60, 60))
    grid = np.stack(np.meshgrid(*[np.arange(4, 116, 6.0)] * 2), -1).reshape(-1, 2)
    examples = collect(features, labelled(grid[:n]))
    rows_a_click = np.bincount(examples.positive_clicks, minlength=n)
    assert rows_a_click.tolist() == [most] * n
    nearest = examples.positives[np.unique(examples.positive_clicks, return_index=True)[1]]
    assert (np.abs(nearest[:, 1:] - grid[:n] / 2) <= 1).all()


def test_the_nearest_point_is_kept_when_one_alone_may_stand_for_a_click(monkeypatch):
    monkeypatch.setattr(_examples, "_MOST_ROWS", 1)
    found = places(collect(own_places((9, 9)), labelled([(8.6, 7.2), (3.2, 12.9)])).positives)
    assert found == {(4, 4), (2, 6)}


def test_negatives_are_collected_alike():
    labels = labelled([(4.0, 4.0)], [(12.0, 12.0), (13.0, 4.0)])
    examples = collect(own_places((9, 9)), labels)
    assert places(examples.negatives) == {(6, 6), (5, 6), (7, 6), (6, 5), (6, 7), (6, 2), (7, 2)}
    assert examples.negative_clicks.tolist() == [0] * 5 + [1] * 2
    assert len(collect(own_places((9, 9)), labelled([(4.0, 4.0)])).negatives) == 0


@pytest.mark.parametrize("ndim", [2, 3])
def test_unlabelled_points_keep_away_from_labels_and_from_the_mask(ndim):
    grid = (21,) * ndim
    mask = np.zeros(grid, bool)
    mask[(slice(3, 18),) * ndim] = True
    labels = labelled([(20.0,) * ndim], [(30.0,) * ndim], ndim=ndim)
    rows = collect(own_places(grid, mask=mask), labels).unlabelled[:, 1:]
    assert len(rows) > 0
    assert rows.min() >= 3
    assert rows.max() <= 17
    for place in (10, 15):
        assert np.linalg.norm(rows - place, axis=1).min() > 3
    if ndim == 2:  # there are fewer points than may be drawn: each once
        far = np.linalg.norm(np.argwhere(mask)[:, None] - [[10, 10], [15, 15]], axis=-1).min(1) > 3
        assert len(rows) == len(np.unique(rows, axis=0)) == far.sum()


def test_the_draw_covers_the_image_and_depends_on_the_seed_alone():
    features, labels = own_places((120, 120)), labelled([(100.0, 100.0)])
    first, again, other = (collect(features, labels, seed).unlabelled for seed in (1, 1, 2))
    assert len(first) == _examples.UNLABELLED_POINTS
    assert len(places(first)) == len(first)
    np.testing.assert_array_equal(first, again)
    assert places(first) != places(other)
    thirds = np.histogram2d(first[:, 1], first[:, 2], bins=3, range=[[0, 120]] * 2)[0]
    assert thirds.min() > 0.7 * len(first) / 9


def test_the_draw_from_an_image_does_not_depend_on_the_others():
    maps = {"a": own_places((90, 90), first=1), "b": own_places((60, 80), first=2)}
    labels = {"a": labelled([(10.0, 10.0)]), "b": labelled([(20.0, 40.0)])}
    alone = collect_examples(maps, {"b": labels["b"]}, 0)
    both = collect_examples(maps, labels, 0)
    np.testing.assert_array_equal(both.unlabelled[both.unlabelled_images == 1], alone.unlabelled)


def test_many_images_share_the_unlabelled_points():
    maps = {f"{i:02d}": own_places((60, 60), first=i) for i in range(12)}
    labels = {name: labelled([(10.0, 10.0)]) for name in maps}
    counts = np.bincount(collect_examples(maps, labels, 0).unlabelled_images)
    assert counts.tolist() == [500] * 12


def three_images():
    maps = {name: own_places((15, 15), first=i) for i, name in enumerate("abcd")}
    labels = {
        "c": labelled([(4.0, 4.0)], [(20.0, 20.0)]),
        "b": Annotations.empty(2),  # says nothing: left out
        "a": labelled([(8.0, 8.0), (21.0, 9.0)]),
        "d": labelled([], [(8.0, 20.0), (20.0, 8.0)]),
    }
    return collect_examples(maps, labels, 0)


def test_images_count_in_the_order_of_their_names():
    examples = three_images()
    number = np.array([0, 2, 3])  # of those that are labelled, as written in their first channel
    for rows, images in [
        (examples.positives, examples.positive_images),
        (examples.negatives, examples.negative_images),
        (examples.unlabelled, examples.unlabelled_images),
    ]:
        np.testing.assert_array_equal(rows[:, 0], number[images])
    assert examples.clicks.tolist() == [0, 1, 2]
    assert examples.positive_clicks[examples.positive_images == 1].tolist() == [2] * 5
    assert np.unique(examples.negative_clicks).tolist() == [0, 1, 2]


@pytest.mark.parametrize("kept", [[0], [1], [2], [0, 2], [0, 1, 2], []])
def test_rows_of_some_images(kept):
    examples = three_images()
    some = examples.of_images(np.array(kept, np.intp))
    for kind in ("positive", "negative", "unlabelled"):
        images = getattr(examples, f"{kind}_images")
        rows = "unlabelled" if kind == "unlabelled" else f"{kind}s"
        here = np.isin(images, kept)
        np.testing.assert_array_equal(getattr(some, rows), getattr(examples, rows)[here])
        np.testing.assert_array_equal(getattr(some, f"{kind}_images"), images[here])
    assert some.clicks.tolist() == [c for c in range(3) if (0 if c < 2 else 1) in kept]


def test_rows_are_single_precision_features_of_the_points():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(7, 12, 13)).astype(np.float16)
    features = FeatureMap(values, np.full(2, 2.0), np.zeros(2))
    examples = collect(features, labelled([(10.0, 12.0)]))
    assert examples.positives.dtype == examples.unlabelled.dtype == np.float32
    assert examples.positives.shape == (5, 7)
    np.testing.assert_array_equal(examples.positives[0], values[:, 4, 6])  # rows by place

import numpy as np
import pytest

from napari_cryoml.embedding.drawing import PLAIN, SELECTED, MapView, PointRaster
from napari_cryoml.embedding.drawing._layers import N_DISCS

RED, BLUE = (255, 0, 0), (0, 0, 255)
PALETTE = np.array([RED, BLUE], np.uint8)
GROUND = (10, 20, 30)


def grid_of(n_side, size=100):
    """Points at the middles of pixels of a view of `size`, and that view."""
    axis = (np.arange(n_side) + 0.5) * size / n_side
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return points.astype(np.float32), MapView((size / 2, size / 2), 1.0, (size, size))


def colour_at(picture, view, place):
    column, line = np.floor(view.to_screen(place)).astype(int)
    return picture[line, column]


@pytest.mark.parametrize("n_side", [5, 90])
def test_points_are_painted_where_they_are_in_their_colours(n_side):
    points, view = grid_of(n_side)
    left = points[:, 0] < 50
    raster = PointRaster(points)
    raster.set_colours(np.where(left, 0, 1), PALETTE)
    picture = raster.render(view, GROUND).astype(int)
    place_left, place_right = points[left][0], points[~left][-1]
    red, _, blue, _ = colour_at(picture, view, place_left)
    assert red > 150 > 90 > blue
    red, _, blue, _ = colour_at(picture, view, place_right)
    assert blue > 150 > 90 > red


def test_a_point_high_on_the_map_is_high_on_the_screen():
    raster = PointRaster(np.array([[50.0, 90.0]]))
    picture = raster.render(MapView((50.0, 50.0), 1.0, (100, 100)))
    assert np.flatnonzero(picture[..., 3].any(axis=1)).mean() == pytest.approx(9.5, abs=1)


def test_without_points_there_is_the_ground_or_nothing():
    raster, view = PointRaster(np.full((3, 2), np.nan)), MapView(size=(7, 5))
    assert (raster.render(view, GROUND) == (*GROUND, 255)).all()
    assert raster.render(view).shape == (5, 7, 4)
    assert not raster.render(view)[..., 3].any()


def test_points_out_of_view_leave_no_trace():
    points, view = grid_of(20)
    picture = PointRaster(points).render(view.panned(500, 0))
    assert not picture[..., 3].any()


@pytest.mark.parametrize("n", [200, 20_000])
def test_transparent_over_a_ground_is_the_picture_on_that_ground(n):
    points = np.random.default_rng(0).normal(size=(n, 2))
    raster = PointRaster(points)
    raster.set_colours(np.arange(n) % 3 - 1, PALETTE)
    view = MapView.fit(points, (80, 60))
    clear, solid = raster.render(view).astype(float), raster.render(view, GROUND)
    alpha = clear[..., 3:] / 255
    mixed = clear[..., :3] * alpha + np.array(GROUND) * (1 - alpha)
    assert np.abs(mixed - solid[..., :3]).max() < 3


@pytest.mark.parametrize("n", [150, 15_000])
def test_a_band_of_lines_is_painted_like_the_rest(n, monkeypatch):
    points = np.random.default_rng(1).normal(size=(n, 2))
    raster = PointRaster(points)
    raster.set_colours(np.arange(n) % 2, PALETTE)
    raster.set_selected(points[:, 0] > 0)
    view = MapView.fit(points, (90, 70))
    whole = raster.render(view, GROUND)
    monkeypatch.setattr("napari_cryoml.embedding.drawing._paint._BAND_PIXELS", 200)
    np.testing.assert_array_equal(raster.render(view, GROUND), whole)


def test_colours_mix_by_the_share_of_the_points():
    points = np.zeros((2 * N_DISCS, 2), np.float32)
    codes = (np.arange(len(points)) % 4 == 0).astype(int)
    raster = PointRaster(points)
    raster.set_colours(codes, PALETTE)
    red, green, blue, alpha = raster.render(MapView((0.0, 0.0), 1.0, (21, 21)))[10, 10].astype(int)
    assert alpha > 240
    assert (red, green, blue) == (pytest.approx(191, abs=2), 0, pytest.approx(64, abs=2))


def test_more_points_are_more_opaque():
    rng = np.random.default_rng(0)
    dense = rng.uniform(0, 10, (9000, 2))
    sparse = rng.uniform(0, 10, (900, 2)) + np.array([20, 0])
    view = MapView((15.0, 5.0), 0.1, (320, 120))
    alpha = PointRaster(np.concatenate([dense, sparse])).render(view)[..., 3].astype(float)
    assert alpha[10:110, 10:110].mean() > 2 * alpha[10:110, 210:310].mean() > 0


def test_few_with_a_class_are_seen_among_many_without():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50_000, 2)).astype(np.float32)
    codes = np.full(len(points), -1)
    codes[0] = 0
    points[0] = 0
    raster = PointRaster(points)
    raster.set_colours(codes, PALETTE)
    view = MapView((0.0, 0.0), 0.02, (201, 201))
    red, green, _, _ = raster.render(view, GROUND)[100, 100].astype(int)
    assert red > 200 > green + 100


@pytest.mark.parametrize("n", [100, 20_000])
def test_selected_rows_are_outlined_and_the_others_faint(n):
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(n, 2)), rng.normal(size=(n, 2)) + np.array([12, 0])])
    raster = PointRaster(points)
    view = MapView.fit(points, (240, 120))
    before = raster.render(view)[..., 3].astype(float)
    raster.set_selected(np.arange(2 * n) < n)
    picture = raster.render(view)
    after = picture[..., 3].astype(float)
    assert after[:, 130:].sum() < 0.6 * before[:, 130:].sum()
    assert after[:, :110].sum() > before[:, :110].sum()
    pink = np.abs(picture[..., :3].astype(int) - SELECTED).max(axis=2) < 20
    assert pink[:, :110].sum() > 20
    assert not (pink & (picture[..., 3] > 0))[:, 130:].any()


def test_selecting_nothing_is_no_selection():
    points, view = grid_of(10)
    raster = PointRaster(points)
    before = raster.render(view)
    raster.set_selected(np.zeros(100, bool))
    np.testing.assert_array_equal(raster.render(view), before)


def test_hidden_rows_are_neither_painted_nor_found():
    raster = PointRaster(np.array([[10.0, 10.0], [30.0, 10.0]]))
    view = MapView((20.0, 10.0), 1.0, (40, 20))
    raster.set_shown(np.array([False, True]))
    assert not raster.render(view)[:, :15, 3].any()
    assert raster.nearest((10, 10), 5) == -1
    assert raster.nearest((30, 10), 5) == 1
    assert raster.n_visible == 1
    raster.set_shown(None)
    assert raster.nearest((10, 10), 5) == 0


def test_points_grow_with_the_zoom_but_not_without_end():
    points = np.random.default_rng(0).normal(size=(5000, 2))
    raster, view = PointRaster(points), MapView.fit(points, (300, 300))
    radii = [raster.radius(view.zoomed(factor)) for factor in (1, 4, 16, 1e6)]
    assert radii == sorted(radii)
    assert radii[0] < radii[2] <= radii[3] == 8


def test_deep_in_the_map_a_point_is_still_in_its_place():
    points = np.array([[1000.0, 1000.0], [1000.25, 1000.0]], np.float32)
    view = MapView((1000.0, 1000.0), 0.005, (100, 100))
    alpha = PointRaster(points).render(view)[..., 3]
    assert alpha[50, 50]
    assert alpha[50, 99]
    assert not alpha[50, 70]


def test_a_finer_screen_gets_a_finer_picture():
    points = np.random.default_rng(0).normal(size=(50, 2))
    raster, view = PointRaster(points), MapView.fit(points, (100, 80))
    coarse, fine = raster.render(view), raster.render(view, ratio=2)
    assert fine.shape == (160, 200, 4)
    # The same share of the picture is covered: discs are as large on any screen.
    assert (fine[..., 3] > 0).mean() == pytest.approx((coarse[..., 3] > 0).mean(), rel=0.25)


def test_faint_points_are_fainter():
    points, view = grid_of(10)
    raster = PointRaster(points)
    assert raster.render(view, faint=True)[..., 3].max() < raster.render(view)[..., 3].max() / 2


def test_without_codes_all_have_the_plain_colour():
    picture = PointRaster(np.array([[0.0, 0.0]])).render(MapView((0.0, 0.0), 1.0, (31, 31)))
    assert tuple(picture[15, 15, :3].tolist()) == PLAIN


@pytest.mark.parametrize("codes", [[2], [-2]])
def test_codes_beyond_the_palette_are_an_error(codes):
    with pytest.raises(ValueError, match="palette of 2 colours"):
        PointRaster(np.zeros((1, 2))).set_colours(np.array(codes), PALETTE)


def test_hundreds_of_categories_have_their_own_colours():
    palette = np.zeros((400, 3), np.uint8)
    palette[399] = RED
    raster = PointRaster(np.array([[0.0, 0.0]]))
    raster.set_colours(np.array([399]), palette)
    assert tuple(raster.render(MapView((0.0, 0.0), 1.0, (31, 31)))[15, 15, :3]) == RED

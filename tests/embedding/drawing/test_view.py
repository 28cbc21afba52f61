import numpy as np
import pytest

from napari_cryoml.embedding.drawing import MapView


def test_y_points_up_on_the_map_and_down_on_the_screen():
    view = MapView((10.0, 20.0), 0.5, (100, 60))
    assert view.to_screen([10, 20]).tolist() == [50, 30]
    assert view.to_screen([11, 21]).tolist() == [52, 28]
    assert view.extent == (-15.0, 35.0, 5.0, 35.0)


def test_there_and_back_is_where_one_began():
    view = MapView((3.0, -7.0), 0.013, (640, 480))
    pixels = np.random.default_rng(0).uniform(0, 640, (20, 2))
    np.testing.assert_allclose(view.to_screen(view.to_map(pixels)), pixels)


def test_all_points_fit():
    points = np.array([[0, 0], [10, 0], [10, 4]], np.float32)
    view = MapView.fit(points, (200, 200))
    places = view.to_screen(points)
    assert ((places > 0) & (places < 200)).all()
    assert places[:, 0].min() < 20
    assert view.centre == (5.0, 2.0)


def test_rows_that_are_not_finite_do_not_count():
    points = np.array([[0, 0], [np.nan, 5], [4, 4], [np.inf, 0]])
    assert MapView.fit(points, (50, 50)).centre == (2.0, 2.0)


def test_a_far_outlier_does_not_shrink_the_map():
    points = np.random.default_rng(0).normal(size=(1000, 2))
    near = MapView.fit(points, (300, 300))
    far = MapView.fit(np.concatenate([points, [[1e6, 1e6]]]), (300, 300))
    assert far.units_per_pixel < 3 * near.units_per_pixel


@pytest.mark.parametrize("points", [np.empty((0, 2)), [[np.nan, np.nan]], [[5, 5]], [[5, 5]] * 200])
def test_no_spread_still_gives_a_view(points):
    view = MapView.fit(np.array(points, float), (100, 80))
    assert 0 < view.units_per_pixel < 1
    assert np.isfinite(view.centre).all()


def test_the_point_under_the_mouse_stays_there_when_zooming():
    view = MapView((1.0, 2.0), 0.1, (400, 300))
    before = view.to_map((37, 211))
    zoomed = view.zoomed(3.7, (37, 211))
    np.testing.assert_allclose(zoomed.to_map((37, 211)), before)
    assert zoomed.units_per_pixel == pytest.approx(0.1 / 3.7)
    assert view.zoomed(2).centre == view.centre


def test_the_content_follows_the_mouse_when_panning():
    view = MapView((1.0, 2.0), 0.1, (400, 300))
    point = view.to_map((50, 60))
    np.testing.assert_allclose(view.panned(10, -5).to_screen(point), (60, 55))


def test_a_finer_screen_shows_the_same():
    view = MapView((1.0, 2.0), 0.1, (400, 300))
    fine = view.scaled(2)
    assert fine.size == (800, 600)
    assert fine.extent == pytest.approx(view.extent)

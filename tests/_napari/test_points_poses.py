import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer, Points

from napari_cryoml._napari import _points_poses
from napari_cryoml._napari._map_layers import LayerLink
from napari_cryoml._napari._points_poses import pose_features
from napari_cryoml._napari._reader import get_reader
from napari_cryoml._napari._writer import write_points
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import POSE_COLUMNS, read_picks, rotations_of, write_picks

QUARTER = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # about z, on columns zyx
TURNS = np.stack([QUARTER, np.eye(3)[[1, 2, 0]], np.eye(3)[[2, 0, 1]]])
POSITIONS = np.array([[5.0, 10, 20], [6, 30, 40], [7, 50, 60]])
CLASSES = np.array(["ribosome", "", "proteasome"])


def table(image="t", rotations=TURNS):
    return PicksTable.of(
        [Picks(image, POSITIONS, None, 4.0, None, {"class": CLASSES}, rotations=rotations)]
    )


@pytest.fixture
def viewer(monkeypatch):
    viewer = ViewerModel()
    monkeypatch.setattr(_points_poses.napari, "current_viewer", lambda: viewer)
    return viewer


def opened(path, viewer):
    (layer,) = get_reader(str(path))(str(path))
    return viewer.add_layer(Layer.create(*layer))


def written(layer, path):
    data, attributes, _ = layer.as_layer_data_tuple()
    (first, *_) = write_points(str(path), data, attributes)
    return read_picks(first).picks[0]


def test_a_feature_is_the_axis_times_the_angle():
    features = pose_features(table())
    assert tuple(features) == POSE_COLUMNS
    first = [features[name][0] for name in POSE_COLUMNS]
    # A quarter turn about z that brings +y to -x.
    np.testing.assert_allclose(first, [0, 0, 90], atol=1e-9)
    np.testing.assert_allclose(rotations_of(features), TURNS, atol=1e-12)


def test_what_is_unknown_stays_unknown():
    turns = TURNS.copy()
    turns[1] = np.nan
    back = rotations_of(pose_features(table(rotations=turns)))
    np.testing.assert_allclose(back, turns, atol=1e-12)
    assert pose_features(table(rotations=None)) == {}
    assert rotations_of({"turn_x": [1.0]}) is None
    assert rotations_of({name: ["a"] for name in POSE_COLUMNS}) is None
    both = PicksTable.of([*table(rotations=None), *table("u")])
    assert np.isnan(pose_features(both)["turn_z"][:3]).all()


@pytest.mark.parametrize("suffix", [".star", ".tbl", ".em", ".csv", ".ndjson"])
@pytest.mark.parametrize("to", [".star", ".tbl", ".em", ".csv", ".ndjson"])
def test_poses_go_through_a_layer_from_any_format_to_any(tmp_path, viewer, suffix, to):
    (path, *_) = write_picks(table(), tmp_path / f"t{suffix}")
    (tmp_path / "out").mkdir()
    back = written(opened(path, viewer), tmp_path / "out" / f"t{to}")
    np.testing.assert_allclose(back.positions, POSITIONS, atol=1e-4)
    np.testing.assert_allclose(back.rotations, TURNS, atol=1e-6)
    if ".ndjson" not in (suffix, to):
        assert back.columns["class"].tolist() == CLASSES.tolist()


@pytest.mark.parametrize("suffix", [".star", ".tbl", ".ndjson"])
def test_rows_stay_in_step_with_points(tmp_path, viewer, suffix):
    (path, *_) = write_picks(table(), tmp_path / f"t{suffix}")
    layer = opened(path, viewer)
    layer.selected_data = {1}
    layer.remove_selected()
    layer.selected_data = {0}
    layer.data = layer.data + 1
    layer.add([9.0, 9, 9])
    (tmp_path / "out").mkdir()
    data, attributes, _ = layer.as_layer_data_tuple()
    (first, *_) = write_points(str(tmp_path / "out" / path.name), data, attributes)
    back = read_picks(first).picks[0]
    np.testing.assert_allclose(back.positions[0], POSITIONS[0] + 1, atol=1e-4)
    np.testing.assert_allclose(back.rotations[:2], TURNS[[0, 2]], atol=1e-6)
    # The new one has no orientation, which formats of angles write as 0.
    assert np.isnan(back.rotations[2]).all() or np.allclose(back.rotations[2], np.eye(3))


def test_points_without_orientations_are_left_alone(tmp_path, viewer):
    (path, *_) = write_picks(table(rotations=None), tmp_path / "t.csv")
    layer = opened(path, viewer)
    assert not set(POSE_COLUMNS) & set(layer.features)
    layer.add([9.0, 9, 9])
    assert written(layer, tmp_path / "u.csv").rotations is None


def test_a_map_of_a_layer_knows_the_orientations(viewer):
    image = viewer.add_image(np.zeros((20, 80, 80), np.float32), name="t")
    features = {**pose_features(table()), "class": CLASSES}
    points = viewer.add_layer(Points(POSITIONS, features=features))
    link = LayerLink(viewer, points, image)
    (picks,) = link.picks_source().table
    np.testing.assert_allclose(picks.rotations, TURNS, atol=1e-12)
    assert picks.columns["class"].tolist() == CLASSES.tolist()
    assert not set(POSE_COLUMNS) & set(picks.columns)
    link.close()

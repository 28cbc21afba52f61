import numpy as np

from napari_cryoml.embedding.drawing import category_clouds, group_clouds
from napari_cryoml.embedding.drawing._group_clouds import HIDDEN_MASS


def test_groups_may_share_rows_and_the_greatest_is_first():
    points = np.random.default_rng(0).normal(size=(60, 2))
    found = group_clouds(points, {"few": range(10), "many": range(5, 60)})
    assert found.names == ("many", "few")
    assert [rows.tolist() for rows in found.rows] == [list(range(5, 60)), list(range(10))]
    assert [(cloud.code, cloud.count) for cloud in found.clouds] == [(0, 55), (1, 10)]
    (alone,) = category_clouds(points[:10], np.zeros(10, int))
    assert found.clouds[1].extent == alone.extent
    assert found.clouds[1].mode == alone.mode


def test_a_cloud_ends_where_its_last_mass_lies():
    points = np.random.default_rng(0).normal(size=(100, 2))
    (cloud,) = group_clouds(points, {"a": range(100)}).clouds
    (whole,) = category_clouds(points, np.zeros(100, int))
    thin = whole.opacity < HIDDEN_MASS
    assert thin.any()
    assert (cloud.opacity[thin] == 0).all()
    assert (cloud.opacity[~thin] == whole.opacity[~thin]).all()


def test_groups_without_a_cloud_are_said():
    points = np.random.default_rng(0).normal(size=(10, 2))
    points[9] = np.nan
    points[3:6, 1] = points[3:6, 0] = [0, 1, 2]
    found = group_clouds(points, {"two": [0, 1], "gone": [2, 8, 9], "line": [3, 4, 5]})
    assert found.clouds == ()
    assert [len(rows) for rows in found.rows] == [3, 2, 2]
    assert all("No cloud for" in note for note in found.notes)
    assert len(found.notes) == 3


def test_no_groups_at_all():
    found = group_clouds(np.zeros((3, 2)), {})
    assert (len(found), found.clouds, found.notes) == (0, (), ())

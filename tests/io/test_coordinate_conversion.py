import numpy as np
import pytest
from coordinate_tables import assert_same, table

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import convert_picks, flip_y, read_picks, scale, write_picks


@pytest.mark.parametrize("ndim", [2, 3])
def test_flipping_twice_changes_nothing(ndim):
    picks = table(ndim)
    once = flip_y(picks, {"a.mrc": 480, "b.mrc": 512})
    assert once["a.mrc"].positions[0, -2] == 480 - 1 - 20
    assert once["a.mrc"].positions[0, -1] == 10
    assert_same(flip_y(once, {"a.mrc": 480, "b.mrc": 512}), picks)


def test_flipping_without_a_height_asks_for_it():
    with pytest.raises(InputError, match="height of the image: give the shape"):
        flip_y(table(2), {"a.mrc": 480})


def test_flipping_warns_of_angles():
    picks = Picks("a", np.ones((1, 2)), columns={"rlnAnglePsi": np.array([10.0])})
    with pytest.warns(InputWarning, match="rlnAnglePsi stay as they were"):
        flip_y(PicksTable.of([picks]), 10)


@pytest.mark.parametrize("ndim", [2, 3])
def test_scaling_moves_positions_sizes_and_lengths(ndim):
    columns = {"rlnOriginX": np.array([2.0]), "rlnAnglePsi": np.array([90.0])}
    picks = Picks("a", np.full((1, ndim), 8.0), None, 1.5, 20.0, columns)
    (scaled,) = scale(PicksTable.of([picks]), 0.25)
    assert scaled.positions.tolist() == [[2.0] * ndim]
    assert (scaled.pixel_size, scaled.diameter) == (6.0, 5.0)
    assert scaled.columns["rlnOriginX"].tolist() == [0.5]
    assert scaled.columns["rlnAnglePsi"].tolist() == [90.0]


@pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf")])
def test_scaling_by_no_positive_number_is_refused(factor):
    with pytest.raises(InputError, match="a number above 0"):
        scale(table(2), factor)


def test_a_folder_of_boxes_becomes_one_star_file(tmp_path):
    write_picks(table(2), tmp_path / "boxes", format="box", box_size=10)
    (path,) = convert_picks(tmp_path / "boxes", tmp_path / "out.star", pixel_size=1.5)
    assert_same(read_picks(path), table(2), scores=False)
    assert read_picks(path).picks[0].pixel_size == 1.5


def test_flip_then_scale(tmp_path):
    write_picks(table(2), tmp_path / "in.csv")
    shapes = {"a": (480, 512), "b": (480, 512)}
    (path,) = convert_picks(
        tmp_path / "in.csv", tmp_path / "out.csv", flip_y=True, scale=0.5, shapes=shapes
    )
    expected = [(480 - 1 - 20) / 2, 10 / 2]
    assert read_picks(path)["a.mrc"].positions[0].tolist() == expected


def test_the_flipped_expert_agrees_with_the_other_after_flipping(shared_data, tmp_path):
    folder = shared_data / "micrographs/empiar10017_betagal"
    image = "Falcon_2012_06_12-14_57_34_0"
    with pytest.warns(InputWarning, match="rlnAnglePsi"):
        (path,) = convert_picks(
            folder / "manual_yflipped_14_57_34.star",
            tmp_path / "out.csv",
            image=image,
            flip_y=True,
            shapes={image: (4096, 4096)},
        )
    found = read_picks(path)[image].positions
    truth = read_picks(folder / "particles.csv")[image].positions
    nearest = np.linalg.norm(found[:, None] - truth, axis=2).min(axis=1)
    assert (nearest < 40).mean() > 0.7


def test_a_source_that_knows_its_shapes_needs_none(tmp_path):
    write_picks(table(2), tmp_path / "in.cs", shapes={"a": (480, 512), "b": (480, 512)})
    convert_picks(tmp_path / "in.cs", tmp_path / "out.star", flip_y=True)
    found = read_picks(tmp_path / "out.star")
    np.testing.assert_allclose(found["a.mrc"].positions[0], [459, 10], atol=1e-4)

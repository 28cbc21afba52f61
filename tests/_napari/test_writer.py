import numpy as np
import pytest
from napari.layers import Image, Layer, Points

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._napari._points_layers import layer_pixel_size, picks_of_layer
from napari_cryoml._napari._reader import get_reader
from napari_cryoml._napari._writer import write_image, write_points
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import open_image, read_picks, write_picks


def write(layer, path):
    """Write a layer the way napari does."""
    data, attributes, kind = layer.as_layer_data_tuple()
    return (write_points if kind == "points" else write_image)(str(path), data, attributes)


def read_layer(path):
    (layer,) = get_reader(str(path))(str(path))
    return Layer.create(*layer)


def points(n=3, ndim=2, **kwargs):
    return Points(np.arange(n * ndim).reshape(n, ndim) + 10.0, **kwargs)


@pytest.mark.parametrize("suffix", [".star", ".box", ".cbox", ".csv", ".json", ".txt"])
def test_points_come_back_from_every_format(tmp_path, suffix):
    layer = points(name="mic_1.mrc", size=8, scale=(2, 2), units="angstrom")
    (path,) = write(layer, tmp_path / f"mic_1{suffix}")
    table = read_picks(path)
    np.testing.assert_allclose(table.picks[0].positions, layer.data, atol=0.51)


@pytest.mark.parametrize("suffix", [".star", ".tbl", ".csv"])
def test_points_of_a_tomogram_come_back(tmp_path, suffix):
    layer = points(ndim=3, name="tomo_1.mrc", scale=(2,) * 3, units="angstrom")
    (path,) = write(layer, tmp_path / f"tomo_1{suffix}")
    np.testing.assert_allclose(read_picks(path).picks[0].positions, layer.data, atol=1e-3)


def test_a_star_file_survives_being_opened_and_saved(tmp_path):
    table = PicksTable.of(
        Picks(name, np.random.default_rng(0).uniform(5, 50, (4, 2)), np.arange(4.0), 1.5)
        for name in ("mic_1.mrc", "mic_2.mrc")
    )
    (first,) = write_picks(table, tmp_path / "first.star")
    write(read_layer(first), tmp_path / "second.star")
    again = read_picks(tmp_path / "second.star")
    assert again.images == ["mic_1.mrc", "mic_2.mrc"]
    for before, after in zip(read_picks(first), again, strict=True):
        np.testing.assert_allclose(after.positions, before.positions, atol=1e-6)
        np.testing.assert_array_equal(after.scores, before.scores)
        assert after.pixel_size == before.pixel_size
        assert set(after.columns) == set(before.columns)


def test_points_are_told_apart_by_image(tmp_path):
    layer = points(4, features={"image": ["a.mrc", "b.mrc", "a.mrc", ""]}, name="c.mrc")
    table = picks_of_layer(*layer.as_layer_data_tuple()[:2])
    assert {picks.image: len(picks) for picks in table} == {"a.mrc": 2, "b.mrc": 1, "c.mrc": 1}
    np.testing.assert_array_equal(table["a.mrc"].positions, layer.data[[0, 2]])


def test_scores_diameter_and_pixel_size_are_those_of_the_layer():
    layer = points(features={"score": [1, 2, 3]}, size=30, scale=(0.2, 0.2), units="nm")
    (picks,) = picks_of_layer(*layer.as_layer_data_tuple()[:2])
    np.testing.assert_array_equal(picks.scores, [1, 2, 3])
    assert (picks.diameter, picks.pixel_size) == (30.0, 2.0)


@pytest.mark.parametrize(
    ("metadata", "image"),
    [
        ({}, "layer"),
        ({"image": "a.mrc"}, "a.mrc"),
        ({"napari_cryoml": {"image": "b.mrc"}}, "b.mrc"),
        ({"napari_cryoml": "picker:picks:2", "image": "a.mrc"}, "a.mrc"),
    ],
)
def test_the_image_is_named_by_the_metadata(metadata, image):
    layer = points(name="layer", metadata=metadata)
    assert picks_of_layer(*layer.as_layer_data_tuple()[:2]).images == [image]


def test_hidden_points_are_left_out_with_a_warning():
    layer = points(shown=[True, False, True])
    with pytest.warns(InputWarning, match="1 of 3 points"):
        (picks,) = picks_of_layer(*layer.as_layer_data_tuple()[:2])
    np.testing.assert_array_equal(picks.positions, layer.data[[0, 2]])


def test_hidden_points_of_an_opened_file_are_kept():
    layer = points(shown=[True, False, True], metadata={"napari_cryoml": {"keep_hidden": True}})
    assert picks_of_layer(*layer.as_layer_data_tuple()[:2]).n_picks == 3


def test_places_that_are_no_particles_are_left_out():
    layer = points(features={"label": ["particle", "not a particle", "particle"], "id": [1, 2, 3]})
    with pytest.warns(InputWarning, match="1 of 3 points"):
        (picks,) = picks_of_layer(*layer.as_layer_data_tuple()[:2])
    np.testing.assert_array_equal(picks.positions, layer.data[[0, 2]])
    assert not picks.columns


def test_an_empty_layer_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no points to write"):
        write(Points(ndim=2, name="empty"), tmp_path / "a.star")
    assert not list(tmp_path.iterdir())


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.xyz does not tell the format"):
        write(points(), tmp_path / "a.xyz")


@pytest.mark.parametrize("shape", [(3, 5), (4, 3, 5)])
@pytest.mark.parametrize(
    ("units", "pixel_size"), [("angstrom", 2.0), ("nm", 20.0), ("um", 20000.0), ("pixel", None)]
)
def test_an_image_is_written_with_its_pixel_size(tmp_path, shape, units, pixel_size):
    array = np.arange(np.prod(shape)).reshape(shape)
    layer = Image(array, scale=(2.0,) * len(shape), units=units)
    assert write(layer, tmp_path / "a.mrc") == [str(tmp_path / "a.mrc")]
    image = open_image(tmp_path / "a.mrc")
    assert image.pixel_size == pixel_size
    np.testing.assert_array_equal(image.read(), array)


def test_an_image_that_was_opened_is_written_as_it_was(tmp_path):
    array = np.random.default_rng(0).normal(size=(4, 6, 8)).astype(np.float32)
    write(Image(array, scale=(1.5,) * 3, units="angstrom"), tmp_path / "first.mrc")
    write(read_layer(tmp_path / "first.mrc"), tmp_path / "second.mrc")
    image = open_image(tmp_path / "second.mrc")
    assert image.pixel_size == 1.5
    np.testing.assert_array_equal(image.read(), array)


def test_the_finest_level_of_a_multiscale_image_is_written(tmp_path):
    array = np.arange(64.0).reshape(8, 8)
    write(Image([array, array[::2, ::2]], multiscale=True), tmp_path / "a.mrc")
    np.testing.assert_array_equal(open_image(tmp_path / "a.mrc").read(), array)


def test_colours_are_refused(tmp_path):
    with pytest.raises(InputError, match="split the colours"):
        write(Image(np.zeros((4, 5, 3), np.uint8), rgb=True), tmp_path / "a.mrc")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, None),
        ({"scale": [2.0, 2.0]}, None),
        ({"scale": [2.0, 3.0], "units": "angstrom"}, 3.0),
        ({"scale": [2.0, 0.3], "units": ("nanometer", "nanometer")}, 3.0),
        ({"scale": [2.0, 3.0], "units": "second"}, None),
    ],
)
def test_the_pixel_size_of_a_layer(attributes, expected):
    assert layer_pixel_size(attributes) == expected

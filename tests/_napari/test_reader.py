from pathlib import Path

import napari
import numpy as np
import pytest
import tifffile
import zarr
from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.notifications import notification_manager

from napari_cryoml._errors import InputError
from napari_cryoml._napari._image_layers import ImageStack
from napari_cryoml._napari._reader import get_reader
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import open_images, write_mrc, write_picks

KEY = "napari_cryoml"


def read(path):
    """Return the layers that napari would make of a path or a list of paths."""
    path = [str(one) for one in path] if isinstance(path, list) else str(path)
    reader = get_reader(path)
    assert reader is not None
    return [Layer.create(*layer) for layer in reader(path)]


def micrograph(folder, number=1, pixel_size=2.0, shape=(60, 80)):
    image = np.random.default_rng(number).normal(size=shape)
    return write_mrc(folder / f"mic_{number}.mrc", image, pixel_size)


@pytest.mark.parametrize("shape", [(60, 80), (12, 60, 80)])
@pytest.mark.parametrize("pixel_size", [None, 2.0])
def test_an_image_is_a_layer_in_angstrom_where_known(tmp_path, shape, pixel_size):
    path = micrograph(tmp_path, 1, pixel_size, shape)
    (layer,) = read(path)
    assert (layer._type_string, layer.name, layer.data.shape) == ("image", "mic_1.mrc", shape)
    assert layer.dtype == np.float32
    np.testing.assert_array_equal(layer.scale, [pixel_size or 1.0] * len(shape))
    assert {str(unit) for unit in layer.units} == {"angstrom" if pixel_size else "pixel"}
    assert layer.axis_labels == ("z", "y", "x")[-len(shape) :]
    assert layer.metadata[KEY] == {
        "image": "mic_1.mrc",
        "path": str(path),
        "pixel_size": pixel_size,
    }


def test_volumes_stay_on_disk(tmp_path):
    (layer,) = read(micrograph(tmp_path, shape=(12, 60, 80)))
    assert isinstance(layer.data, np.memmap)


def test_contrast_limits_leave_out_hot_pixels_and_nan(tmp_path):
    image = np.random.default_rng(0).normal(size=(200, 200))
    image[::50, ::50] = 1e6
    image[::7, ::7] = np.nan
    (layer,) = read(write_mrc(tmp_path / "a.mrc", image))
    low, high = layer.contrast_limits
    assert -4 < low < -1.5
    assert 1.5 < high < 4


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_even_image_has_contrast_limits_all_the_same(tmp_path, value):
    (layer,) = read(write_mrc(tmp_path / "a.mrc", np.full((30, 40), value)))
    assert layer.contrast_limits[1] > layer.contrast_limits[0]


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, ">f4"])
def test_a_volume_of_any_type_is_shown_as_one_that_is_quick(tmp_path, dtype):
    volume = np.arange(12 * 6 * 8).reshape(12, 6, 8).astype(dtype)
    byteorder = ">" if dtype == ">f4" else "<"
    tifffile.imwrite(tmp_path / "a.tif", volume, byteorder=byteorder, photometric="minisblack")
    (layer,) = read(tmp_path / "a.tif")
    assert layer.dtype in (np.uint8, np.dtype("=f4"))
    np.testing.assert_array_equal(np.asarray(layer.data), volume.astype(np.float32))


def test_a_zarr_store_is_sliced_by_the_viewer(tmp_path):
    volume = np.random.default_rng(0).normal(size=(12, 60, 80)).astype(np.float32)
    zarr.create_array(tmp_path / "a.zarr", data=volume, chunks=(4, 30, 40))
    viewer = ViewerModel()
    (layer,) = read(tmp_path / "a.zarr")
    viewer.add_layer(layer)
    viewer.dims.set_point(0, 5)
    np.testing.assert_array_equal(layer._slice.image.raw, volume[5])
    viewer.dims.ndisplay = 3
    np.testing.assert_array_equal(layer._slice.image.raw, volume)


def test_a_stack_file_is_one_layer_with_a_slider(tmp_path):
    stack = np.random.default_rng(0).normal(size=(3, 60, 80)).astype(np.float32)
    viewer = ViewerModel()
    (layer,) = read(write_mrc(tmp_path / "a.mrcs", stack, 1.5))
    viewer.add_layer(layer)
    assert (layer.name, layer.data.shape) == ("a.mrcs", (3, 60, 80))
    np.testing.assert_array_equal(layer.scale, [1, 1.5, 1.5])
    assert [str(unit) for unit in layer.units] == ["pixel", "angstrom", "angstrom"]
    viewer.dims.set_point(0, 2)
    np.testing.assert_array_equal(layer._slice.image.raw, stack[2])
    viewer.dims.ndisplay = 3
    np.testing.assert_array_equal(layer._slice.image.raw, stack)


def test_a_folder_of_images_of_one_shape_is_one_layer(tmp_path):
    paths = [micrograph(tmp_path, number) for number in (10, 2, 1)]
    (layer,) = read(tmp_path)
    assert layer.data.shape == (3, 60, 80)
    assert layer.metadata[KEY]["images"] == ["mic_1.mrc", "mic_2.mrc", "mic_10.mrc"]
    assert layer.metadata[KEY]["paths"] == [str(path) for path in reversed(paths)]


def test_a_folder_of_images_of_several_shapes_is_a_layer_each(tmp_path):
    micrograph(tmp_path, 1)
    micrograph(tmp_path, 2, shape=(50, 50))
    assert [layer.name for layer in read(tmp_path)] == ["mic_1.mrc", "mic_2.mrc"]


def test_files_opened_as_a_stack_keep_the_order_given(tmp_path):
    (layer,) = read([micrograph(tmp_path, 2), micrograph(tmp_path, 1)])
    assert layer.name == "mic_2.mrc ... mic_1.mrc"
    assert layer.data.shape == (2, 60, 80)


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        np.int64(1),
        (1, slice(2, 5)),
        (slice(0, 2), 3),
        (slice(None), slice(0, 4), slice(1, 9, 2)),
        (..., 3),
        ...,
        slice(2, 2),
    ],
)
def test_a_stack_of_images_is_sliced_like_an_array(tmp_path, key):
    for number in (1, 2, 3):
        micrograph(tmp_path, number)
    stack = ImageStack(open_images(tmp_path))
    whole = np.stack([image.read() for image in stack.images])
    np.testing.assert_array_equal(np.asarray(stack), whole)
    np.testing.assert_array_equal(stack[key], whole[key])
    assert (len(stack), stack.ndim, stack.size, stack.dtype) == (3, 3, whole.size, np.float32)


@pytest.mark.parametrize("name", ["notes.md", "settings.json", "movie.eer", "folder", "no_suffix"])
def test_other_files_are_left_to_other_plugins(tmp_path, name):
    if name == "folder":
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("a,b\n1,2\n")
    assert get_reader(str(tmp_path / name)) is None
    assert get_reader([]) is None


@pytest.mark.parametrize("name", ["bad.mrc", "bad.star", "bad.png"])
def test_a_bad_file_is_one_sentence_in_the_viewer(tmp_path, name):
    (tmp_path / name).write_bytes(b"neither this nor that")
    reader = get_reader(str(tmp_path / name))
    notification_manager.records.clear()
    with pytest.raises(InputError) as caught:
        reader(str(tmp_path / name))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [record.message for record in notification_manager.records] == [str(caught.value)]


def table_of(*images, ndim=2, pixel_size=2.0):
    rng = np.random.default_rng(0)
    return PicksTable.of(
        Picks(image, rng.uniform(5, 50, (4, ndim)), np.arange(4.0), pixel_size, diameter=12.0)
        for image in images
    )


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_coordinate_file_is_one_points_layer(tmp_path, ndim):
    table = table_of("mic_1.mrc", "mic_2.mrc", ndim=ndim)
    (path,) = write_picks(table, tmp_path / "particles.star")
    (layer,) = read(path)
    assert (layer._type_string, layer.name) == ("points", "particles.star")
    np.testing.assert_allclose(layer.data, np.concatenate([p.positions for p in table]), atol=1e-4)
    # Tomograms are named without extension in STAR files.
    assert [Path(name).stem for name in layer.features["image"]] == ["mic_1"] * 4 + ["mic_2"] * 4
    np.testing.assert_array_equal(layer.features["score"], [0, 1, 2, 3] * 2)
    np.testing.assert_array_equal(layer.scale, [2.0] * ndim)
    assert {str(unit) for unit in layer.units} == {"angstrom"}
    assert layer.shown.all()
    assert layer.metadata[KEY]["path"] == str(path)


def test_picks_without_scores_or_pixel_size_are_read(tmp_path):
    (tmp_path / "mic_1.box").write_text("10 20 8 8\n30 40 8 8\n")
    (layer,) = read(tmp_path / "mic_1.box")
    assert len(layer.data) == 2
    assert set(layer.size) == {8.0}
    assert layer.features["score"].isna().all()
    assert {str(unit) for unit in layer.units} == {"pixel"}


@pytest.mark.parametrize("pixel_size", [None, 3.0])
def test_picks_lie_over_the_image_that_is_open(tmp_path, monkeypatch, pixel_size):
    viewer = ViewerModel()
    for layer in read(micrograph(tmp_path, 2, pixel_size)):
        viewer.add_layer(layer)
    monkeypatch.setattr(napari, "current_viewer", lambda: viewer)
    (path,) = write_picks(table_of("mic_1.mrc", "mic_2.mrc"), tmp_path / "particles.star")
    (layer,) = read(path)
    np.testing.assert_array_equal(layer.scale, viewer.layers[0].scale)
    assert layer.units == viewer.layers[0].units
    np.testing.assert_array_equal(layer.shown, [False] * 4 + [True] * 4)


def test_an_empty_coordinate_file_is_an_empty_layer(tmp_path):
    (tmp_path / "mic_1.box").write_text("")
    with pytest.warns(UserWarning, match="no picks"):
        (layer,) = read(tmp_path / "mic_1.box")
    assert len(layer.data) == 0


def test_a_csv_is_read_where_it_holds_picks(tmp_path):
    table = table_of("mic_1.mrc")
    (path,) = write_picks(table, tmp_path / "particles.csv")
    (layer,) = read(path)
    np.testing.assert_allclose(layer.data, table.picks[0].positions, atol=1e-4)


def test_real_files_open(shared_data):
    (layer,) = read(shared_data / "micrographs" / "empiar10028_ribosome80S" / "particles.csv")
    assert len(layer.data) == 413
    (layer,) = read(shared_data / "formats" / "cryodrgn" / "50S-vol.mrc")
    assert layer.data.shape == (128, 32, 32)

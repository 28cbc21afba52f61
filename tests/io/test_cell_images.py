import pickle
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import zarr

from napari_cryoml._errors import InputError
from napari_cryoml.io import open_cell_images, read_cell_image, read_cell_labels

PIXELS = np.random.default_rng(0).integers(0, 4000, (3, 11, 14)).astype(np.uint16)
NAMES = ("gfp", "rfp", "dapi")
CELLS = Path(__file__).parents[3] / "shared" / "data" / "cells"


def _ome(path):
    data = {"axes": "CYX", "Channel": {"Name": ["gfp", "rfp", "dapi & co"]}}
    sizes = {"PhysicalSizeX": 0.16, "PhysicalSizeXUnit": "µm"}
    tifffile.imwrite(path, PIXELS, metadata=data | sizes, ome=True)


def _compressed(path):
    tifffile.imwrite(path, PIXELS, compression="zlib", photometric="minisblack")


def _imagej(path):
    data = {"axes": "ZCYX", "Labels": list(NAMES), "unit": "um"}
    tifffile.imwrite(path, PIXELS[None], imagej=True, resolution=(6.25, 6.25), metadata=data)


def _channels_last(path):
    np.save(path, np.tile(np.moveaxis(PIXELS, 0, -1), (8, 8, 1)))


@pytest.mark.parametrize(
    ("write", "name", "channels", "pixel_size"),
    [
        (_ome, "a.ome.tif", ("gfp", "rfp", "dapi & co"), 1600),
        (_imagej, "a.tif", NAMES, 1600),
        (_compressed, "a.tiff", None, None),
        (lambda path: np.save(path, PIXELS), "a.npy", None, None),
        (lambda path: zarr.save_array(str(path), PIXELS), "a.zarr", None, None),
    ],
)
def test_images_of_several_channels(tmp_path, write, name, channels, pixel_size) -> None:
    write(tmp_path / name)
    image = read_cell_image(tmp_path / name)
    assert (image.name, image.shape, image.ndim, len(image)) == (name, (3, 11, 14), 3, 3)
    assert image.dtype == np.uint16
    assert image.channels == channels
    assert image.pixel_size == (None if pixel_size is None else pytest.approx(pixel_size))
    np.testing.assert_array_equal(np.asarray(image), PIXELS)
    np.testing.assert_array_equal(image[1], PIXELS[1])
    np.testing.assert_array_equal(image[:, 2:5, 3:9], PIXELS[:, 2:5, 3:9])
    np.testing.assert_array_equal(image[0:2, 1:3], PIXELS[0:2, 1:3])
    again = pickle.loads(pickle.dumps(image))  # noqa: S301
    assert again == image
    np.testing.assert_array_equal(again[2], PIXELS[2])


def test_channels_may_come_last(tmp_path) -> None:
    _channels_last(tmp_path / "a.npy")
    image = read_cell_image(tmp_path / "a.npy")
    assert image.shape == (3, 88, 112)
    np.testing.assert_array_equal(image[1, :11, :14], PIXELS[1])


def _rgb_tiff(path):
    tifffile.imwrite(path, np.moveaxis(PIXELS, 0, -1), photometric="rgb")


def _rgba_png(path):
    alpha = np.full((11, 14, 1), 255, np.uint8)
    iio.imwrite(path, np.concatenate([np.moveaxis(PIXELS, 0, -1).astype(np.uint8), alpha], -1))


@pytest.mark.parametrize(("write", "name"), [(_rgb_tiff, "a.tif"), (_rgba_png, "a.png")])
def test_colours_are_channels(tmp_path, write, name) -> None:
    write(tmp_path / name)
    image = read_cell_image(tmp_path / name)
    assert image.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(image[0], PIXELS[0].astype(image.dtype))


def test_grey_in_three_colours_is_one_channel(tmp_path) -> None:
    grey = PIXELS[0].astype(np.uint8)
    iio.imwrite(tmp_path / "a.png", np.stack([grey] * 3, -1))
    image = read_cell_image(tmp_path / "a.png")
    assert image.shape == (1, 11, 14)
    np.testing.assert_array_equal(image[0], grey)


@pytest.mark.parametrize("order", ["tczyx", "tzyxc", "cyx", "yxc"])
def test_ome_zarr_names_its_axes(tmp_path, order) -> None:
    lengths = {"t": 1, "z": 1, "c": 3, "y": 11, "x": 14}
    place = [order.index(axis) for axis in "cyx"]
    data = np.moveaxis(np.zeros([lengths[a] for a in order], np.uint16), place, [0, 1, 2])
    data.reshape(PIXELS.shape)[...] = PIXELS
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=np.ascontiguousarray(np.moveaxis(data, [0, 1, 2], place)))
    axes = [{"name": a, "unit": "micrometer"} if a in "yx" else {"name": a} for a in order]
    scale = [{"type": "scale", "scale": [0.5 if a in "yx" else 1.0 for a in order]}]
    group.attrs["multiscales"] = [
        {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
    ]
    group.attrs["omero"] = {"channels": [{"label": name} for name in NAMES]}
    image = read_cell_image(tmp_path / "a.zarr")
    assert (image.channels, image.pixel_size) == (NAMES, 5000)
    np.testing.assert_array_equal(np.asarray(image), PIXELS)
    np.testing.assert_array_equal(image[1], PIXELS[1])
    np.testing.assert_array_equal(image[1:, 3, 2:4], PIXELS[1:, 3, 2:4])


def _save(folder, names):
    for name, pixels in zip(names, PIXELS, strict=False):
        tifffile.imwrite(folder / name, pixels)
    return [folder / name for name in names]


def test_one_file_a_channel(tmp_path) -> None:
    paths = _save(tmp_path, ["f_1_rfp.tif", "f_1_gfp.tif"])
    image = read_cell_image(paths)
    assert (image.name, image.channels, image.shape) == ("f_1.tif", ("rfp", "gfp"), (2, 11, 14))
    np.testing.assert_array_equal(image[:, 3:5], PIXELS[:2, 3:5])
    np.testing.assert_array_equal(image[1, 3:5, 0:2], PIXELS[1, 3:5, 0:2])
    assert read_cell_image(paths, ["a", "b"]).channels == ("a", "b")


@pytest.mark.parametrize(
    ("names", "words", "images", "channels"),
    [
        (["a_gfp.tif", "a_rfp.tif"], (), ["a.tif"], ("gfp", "rfp")),
        (["a_rfp.tif", "a_gfp.tif"], (), ["a.tif"], ("gfp", "rfp")),
        (["w2_a-ch1.tif", "w2_a-ch2.tif"], (), ["w2_a.tif"], ("ch1", "ch2")),
        (["a_1.tif", "a_2.tif", "a_10.tif"], (), ["a_1.tif", "a_2.tif", "a_10.tif"], None),
        (["a_x.tif", "a_y.tif"], ("y", "x"), ["a.tif"], ("y", "x")),
        (["a_ch2.tif", "b_ch2.tif"], (), ["a_ch2.tif", "b_ch2.tif"], None),
        (["DAPI_f.tif", "GFP_f.tif", "z.tif"], (), ["f.tif", "z.tif"], ("gfp", "dapi")),
    ],
)
def test_a_folder_of_images(tmp_path, names, words, images, channels) -> None:
    _save(tmp_path, names)
    opened = open_cell_images(tmp_path, words)
    assert [image.name for image in opened] == images
    assert opened[0].channels == channels
    same = open_cell_images(str(tmp_path / "*.tif"), words)
    assert same == opened


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("name", ["l.tif", "l.npy", "l.png"])
def test_labels_keep_their_numbers(tmp_path, name, dtype) -> None:
    labels = np.arange(12).reshape(3, 4).astype(dtype)
    if name == "l.npy":
        np.save(tmp_path / name, labels)
    elif name == "l.png" and dtype in (np.uint8, np.uint16):
        iio.imwrite(tmp_path / name, labels)
    elif name == "l.png":
        return
    else:
        tifffile.imwrite(tmp_path / name, labels, compression="zlib")
    np.testing.assert_array_equal(read_cell_labels(tmp_path / name), labels)


def _stack(path, axes, shape):
    tifffile.imwrite(path, np.zeros(shape, np.uint8), imagej=True, metadata={"axes": axes})


def _truncated(path):
    tifffile.imwrite(path, np.zeros((2, 50, 50), np.uint16), photometric="minisblack")
    path.write_bytes(path.read_bytes()[:3000])


def _pickled(path):
    np.save(path, np.array([{}], object), allow_pickle=True)


@pytest.mark.parametrize(
    ("write", "name", "sentence"),
    [
        (lambda p: _stack(p, "ZCYX", (4, 2, 9, 9)), "a.tif", "Z=4, C=2.*project the depth"),
        (lambda p: _stack(p, "TYX", (4, 9, 9)), "a.tif", "T=4"),
        (_truncated, "a.tif", "cannot be read"),
        (lambda p: p.write_bytes(b"II*\0junk"), "a.tif", "cannot be read"),
        (lambda p: p.write_bytes(b"junk"), "a.png", "cannot be read"),
        (_pickled, "a.npy", "Cellpose"),
        (lambda p: np.save(p, np.zeros((70, 80, 90))), "a.npy", "at most 64 channels"),
        (lambda p: np.save(p, np.zeros((4, 4), complex)), "a.npy", "real numbers"),
        (lambda p: p.write_bytes(b""), "a.czi", "no image of cells by its name"),
        (lambda p: None, "a.tif", "There is no file"),
        (lambda p: p.mkdir(), "a.zarr", "not a Zarr store"),
    ],
)
def test_what_is_no_image_is_a_sentence(tmp_path, write, name, sentence) -> None:
    write(tmp_path / name)
    with pytest.raises(InputError, match=sentence):
        np.asarray(read_cell_image(tmp_path / name))


def test_files_that_do_not_belong_together_are_a_sentence(tmp_path) -> None:
    _save(tmp_path, ["a_gfp.tif", "b_gfp.tif", "b_rfp.tif"])
    with pytest.raises(InputError, match=r"image a has no file of the channel 'rfp'"):
        open_cell_images(tmp_path)
    tifffile.imwrite(tmp_path / "a_rfp.tif", np.zeros((5, 5), np.uint8))
    with pytest.raises(InputError, match=r"a_rfp.tif has \(5, 5\) pixels"):
        open_cell_images(tmp_path)
    with pytest.raises(InputError, match="one file at least"):
        read_cell_image([])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no images"):
        open_cell_images(tmp_path / "empty")
    with pytest.raises(InputError, match="gives no images"):
        open_cell_images(str(tmp_path / "*.png"))
    with pytest.raises(InputError, match="1 channels; 2 names"):
        read_cell_image(tmp_path / "b_gfp.tif", ["a", "b"])
    tifffile.imwrite(tmp_path / "empty" / "b_gfp.tif", PIXELS[0])
    with pytest.raises(InputError, match=r"Two images are named b_gfp\.tif"):
        open_cell_images([tmp_path / "b_gfp.tif", tmp_path / "empty" / "b_gfp.tif"])


def test_colours_are_no_labels(tmp_path) -> None:
    _rgba_png(tmp_path / "a.png")
    with pytest.raises(InputError, match="not a picture of them in colours"):
        read_cell_labels(tmp_path / "a.png")


def test_a_file_that_changed_is_told(tmp_path) -> None:
    np.save(tmp_path / "a.npy", PIXELS)
    image = read_cell_image(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", PIXELS[:2])
    with pytest.raises(InputError, match="has changed since it was opened"):
        image[0]


@pytest.mark.skipif(not CELLS.is_dir(), reason="the cell images are not here")
def test_published_images() -> None:
    field = read_cell_image(next((CELLS / "yeast_field").glob("*.tiff")))
    assert (field.shape, field.dtype) == ((1, 1080, 1080), np.uint16)
    assert field[0].std() > 0
    human = open_cell_images(CELLS / "hpa" / "tif_samples" / "A1CF_762_F2")
    assert [image.name for image in human] == ["762_F2_1_10.tif", "762_F2_1_12.tif"]
    assert human[0].channels == ("green", "blue", "red")
    assert human[0].shape == (3, 128, 128)

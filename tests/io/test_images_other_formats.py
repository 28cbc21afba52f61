import json

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import zarr

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io import open_image


def ramp(shape, dtype=np.uint16):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float16, np.float32])
@pytest.mark.parametrize("shape", [(3, 5), (4, 3, 5)])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
def test_tiff_is_read_compressed_or_not(tmp_path, dtype, shape, compression):
    array = ramp(shape, dtype)
    tifffile.imwrite(tmp_path / "a.tif", array, compression=compression, photometric="minisblack")
    image = open_image(tmp_path / "a.tif")
    assert (image.name, image.shape, image.pixel_size) == ("a.tif", shape, None)
    np.testing.assert_array_equal(image.read(), array.astype(np.float32))
    region = tuple(slice(1, n - 1) for n in shape)
    np.testing.assert_array_equal(image.read(region), array[region].astype(np.float32))


def test_plain_tiff_is_mapped(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", ramp((4, 30, 50)), photometric="minisblack")
    assert isinstance(open_image(tmp_path / "a.tif").lazy_array(), np.memmap)


@pytest.mark.parametrize(
    ("unit", "per_unit", "angstrom"),
    [("nm", 2.0, 5.0), ("\\u00B5m", 10.0, 1000.0), ("Angstrom", 0.5, 2.0), ("pixel", 1.0, None)],
)
def test_imagej_resolution_is_the_pixel_size(tmp_path, unit, per_unit, angstrom):
    tifffile.imwrite(
        tmp_path / "a.tif",
        ramp((4, 3, 5)),
        imagej=True,
        resolution=(per_unit, per_unit),
        metadata={"unit": unit, "axes": "ZYX"},
    )
    assert open_image(tmp_path / "a.tif").pixel_size == angstrom


@pytest.mark.parametrize(("unit", "angstrom"), [("nm", 5.0), ("Å", 0.5), ("m", None)])
def test_ome_physical_size_is_the_pixel_size(tmp_path, unit, angstrom):
    metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": unit}
    tifffile.imwrite(tmp_path / "a.ome.tif", ramp((3, 5)), ome=True, metadata=metadata)
    assert open_image(tmp_path / "a.ome.tif").pixel_size == angstrom


@pytest.mark.parametrize(("per_centimetre", "angstrom"), [(5e7, 2.0), (28.35, None), (1550, None)])
def test_a_printers_resolution_is_no_pixel_size(tmp_path, per_centimetre, angstrom):
    tifffile.imwrite(
        tmp_path / "a.tif",
        ramp((3, 5)),
        resolution=(per_centimetre, per_centimetre),
        resolutionunit="CENTIMETER",
    )
    assert open_image(tmp_path / "a.tif").pixel_size == angstrom


def test_channels_of_a_tiff_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", ramp((2, 3, 5)), imagej=True, metadata={"axes": "CYX"})
    with pytest.raises(InputError, match="C=2, Y=3, X=5 was found: save one channel"):
        open_image(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_truncated_tiff_is_one_sentence(tmp_path, compression):
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8)
    tifffile.imwrite(path, noise, compression=compression)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"a\.tif cannot be read as TIFF"):
        open_image(path).read()


@pytest.mark.parametrize("writer", ["tiff", "png"])
@pytest.mark.parametrize("n_channels", [3, 4])
def test_colour_gives_its_luminance_with_a_warning(tmp_path, writer, n_channels):
    colour = np.full((3, 5, n_channels), 255, np.uint8)
    colour[0, 0, :3] = (255, 0, 0)
    colour[0, 1, :3] = (0, 255, 0)
    colour[0, 2, :3] = (0, 0, 255)
    path = tmp_path / f"a.{writer}"
    if writer == "tiff":
        tifffile.imwrite(path, colour, photometric="rgb")
    else:
        iio.imwrite(path, colour)
    with pytest.warns(InputWarning, match="luminance"):
        image = open_image(path)
    assert image.shape == (3, 5)
    expected = 255 * np.array([0.299, 0.587, 0.114, 1, 1])
    np.testing.assert_allclose(image.read()[0], expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_is_read_without_loss(tmp_path, dtype):
    array = (ramp((3, 5), dtype) * 17).astype(dtype)
    iio.imwrite(tmp_path / "a.PNG", array, extension=".png")
    image = open_image(tmp_path / "a.PNG")
    assert (image.shape, image.pixel_size) == ((3, 5), None)
    np.testing.assert_array_equal(image.read(), array)
    np.testing.assert_array_equal(image.read((slice(1, 2), slice(0, 2))), array[1:2, :2])


def test_jpeg_is_read(tmp_path):
    iio.imwrite(tmp_path / "a.jpg", np.full((16, 24), 100, np.uint8))
    image = open_image(tmp_path / "a.jpg")
    assert image.shape == (16, 24)
    np.testing.assert_allclose(image.read(), 100, atol=2)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
@pytest.mark.parametrize("content", [b"", b"neither an image nor anything else"])
def test_a_damaged_file_is_one_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"^{name[0]}\.{name[2:]} cannot be read as .*") as caught:
        open_image(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_truncated_png_is_one_sentence(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8)
    iio.imwrite(tmp_path / "a.png", noise)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:2000])
    with pytest.raises(InputError, match=r"a\.png cannot be read"):
        open_image(tmp_path / "a.png").read()


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("shape", [(30, 50), (4, 30, 50), (1, 1, 4, 30, 50)])
def test_a_plain_zarr_array_is_read(tmp_path, version, shape):
    array = ramp(shape)
    zarr.create_array(
        tmp_path / "a.zarr",
        data=array,
        chunks=tuple(min(8, n) for n in shape),
        zarr_format=version,
    )
    image = open_image(tmp_path / "a.zarr")
    kept = array.reshape(array.shape[-min(len(shape), 3) :])
    assert (image.name, image.shape, image.pixel_size) == ("a.zarr", kept.shape, None)
    np.testing.assert_array_equal(image.read(), kept)
    region = (slice(1, 3),) * kept.ndim
    np.testing.assert_array_equal(image.read(region), kept[region])


def ome_zarr(path, array, version=2, unit="nanometer", scale=0.5, axes="zyx"):
    """Write two levels, the way OME-NGFF 0.4 (Zarr 2) and 0.5 (Zarr 3) put it."""
    group = zarr.open_group(path, mode="w", zarr_format=version)
    group.create_array("0", data=array)
    group.create_array("1", data=array[..., ::2, ::2])
    kinds = {"c": "channel", "t": "time"}
    image = {
        "axes": [
            {"name": axis, "type": "space", "unit": unit}
            if axis in "zyx"
            else {"name": axis, "type": kinds[axis]}
            for axis in axes
        ],
        "datasets": [
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [scale * 2**level] * len(axes)}
                ],
            }
            for level in range(2)
        ],
    }
    if version == 2:
        group.attrs["multiscales"] = [{"version": "0.4", **image}]
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
    return path


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("unit", "pixel_size"), [("angstrom", 0.5), ("nanometer", 5.0), ("furlong", None)]
)
def test_ome_zarr_gives_its_finest_level_and_pixel_size(tmp_path, version, unit, pixel_size):
    array = ramp((4, 6, 8))
    image = open_image(ome_zarr(tmp_path / "a.zarr", array, version, unit))
    assert image.pixel_size == pixel_size
    np.testing.assert_array_equal(image.read(), array)


def test_ome_zarr_with_one_channel_loses_that_axis(tmp_path):
    array = ramp((1, 1, 4, 6, 8))
    image = open_image(ome_zarr(tmp_path / "a.zarr", array, axes="tczyx"))
    np.testing.assert_array_equal(image.read(), array[0, 0])


def test_ome_zarr_with_channels_is_refused(tmp_path):
    path = ome_zarr(tmp_path / "a.zarr", ramp((2, 6, 8)), axes="cyx")
    with pytest.raises(InputError, match="c=2, y=6, x=8 was found: save one channel"):
        open_image(path)


def test_images_numbered_by_bioformats2raw_are_found(tmp_path):
    zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    ome_zarr(tmp_path / "a.zarr" / "0", ramp((4, 6, 8)))
    assert open_image(tmp_path / "a.zarr").shape == (4, 6, 8)


def test_a_group_of_several_arrays_is_refused_by_their_names(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    for name in ("left", "right"):
        group.create_array(name, data=ramp((3, 5)))
    with pytest.raises(InputError, match="arrays found: left, right"):
        open_image(tmp_path / "a.zarr")
    assert open_image(tmp_path / "a.zarr" / "left").shape == (3, 5)


def test_a_folder_that_is_no_store_is_said_to_be_none(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(InputError, match=r"a\.zarr is not a Zarr store"):
        open_image(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("key", "value"), [("compressor", {"id": "pickle"}), ("filters", [{"id": "pickle"}])]
)
def test_pickled_chunks_are_never_decoded(tmp_path, key, value):
    zarr.create_array(tmp_path / "a.zarr", data=ramp((3, 5)), zarr_format=2)
    metadata = tmp_path / "a.zarr" / ".zarray"
    metadata.write_text(json.dumps({**json.loads(metadata.read_text()), key: value}))
    with pytest.raises(InputError, match=r"holds Python objects|cannot be read as Zarr"):
        open_image(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("a.eer", "motion-correct it .*relion_convert_to_tiff"),
        ("a.dm4", "dm2mrc.* of IMOD.*EMAN2"),
        ("a.DM3", "dm2mrc"),
        ("a.ser", "EMAN2: 'e2proc2d.py"),
        ("a.hdf", "e2proc3d.py"),
        ("a.czi", "bfconvert of Bio-Formats"),
        ("a.png.gz", "gunzip"),
        ("a.xyz", "the program that wrote it"),
        ("a", "the program that wrote it"),
    ],
)
def test_other_formats_are_refused_with_the_tool_that_converts_them(tmp_path, name, tool):
    (tmp_path / name).write_bytes(b"pixels")
    with pytest.raises(InputError, match=rf"^{name} is not of a format that is read here.*{tool}"):
        open_image(tmp_path / name)


@pytest.mark.parametrize("name", ["a.mrc", "a.tif", "a.png", "a.zarr", "a.eer"])
def test_a_missing_file_is_one_sentence(tmp_path, name):
    with pytest.raises(InputError, match=r"There is no file|is not a Zarr store"):
        open_image(tmp_path / name)


@pytest.mark.parametrize("name", ["folder", "folder.mrc"])
def test_a_folder_is_no_image(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="is a folder; one image was expected"):
        open_image(tmp_path / name)


def test_a_forbidden_file_is_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    iio.imwrite(path, np.zeros((3, 5), np.uint8))

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(iio, "improps", refuse)
    with pytest.raises(InputError, match="may not be read: ask its owner"):
        open_image(path)


def test_real_tomograms_have_the_pixel_size_of_imagej(shared_data):
    image = open_image(shared_data / "tomograms" / "microtubules" / "13pf_MT.tif")
    assert (image.shape, image.pixel_size) == ((36, 206, 94), 10.52)
    np.testing.assert_array_equal(image.read(), tifffile.imread(image.path))


def test_a_real_lzw_field_is_read(shared_data):
    path = shared_data / "cells" / "yeast_field" / "r05c05f01p01-ch2sk1fk1fl1.tiff"
    image = open_image(path)
    assert (image.shape, image.pixel_size) == ((1080, 1080), None)
    region = (slice(20, 40), slice(50, 90))
    np.testing.assert_array_equal(image.read(region), tifffile.imread(path)[region])


@pytest.mark.parametrize(
    ("pattern", "shape", "largest"),
    [
        ("empiar10146*/*02.bin_avg.png", (1200, 1240), 65535),
        ("empiar10017*/*.jpg", (4096,) * 2, 254),
    ],
)
def test_real_micrographs_are_read(shared_data, pattern, shape, largest):
    path = min((shared_data / "micrographs").glob(pattern))
    image = open_image(path)
    assert image.shape == shape
    assert image.read().max() == largest

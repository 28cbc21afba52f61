import bz2
import gzip
import pickle
import warnings
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ImageSource
from napari_cryoml.io import open_image, open_images, write_mrc

MODES = {0: np.int8, 1: np.int16, 2: np.float32, 6: np.uint16, 12: np.float16}
SHAPES = [(3, 5), (4, 3, 5)]


def ramp(shape: tuple[int, ...], dtype: type = np.float32) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def new_mrc(path: Path, array: np.ndarray, voxel: float = 0.0, volume: bool = True) -> Path:
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(array)
        if array.ndim == 3:
            file.set_volume() if volume else file.set_image_stack()
        file.voxel_size = voxel
    return path


def patch(path: Path, offset: int, content: bytes) -> Path:
    raw = bytearray(path.read_bytes())
    raw[offset : offset + len(content)] = content
    path.write_bytes(raw)
    return path


def words(*values: int) -> bytes:
    return np.array(values, "<i4").tobytes()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_real_mode_is_read_as_float32(tmp_path, mode, shape):
    array = ramp(shape, MODES[mode])
    image = open_image(new_mrc(tmp_path / "a.mrc", array, voxel=1.77))
    assert isinstance(image, ImageSource)
    assert (image.name, image.shape, image.pixel_size) == ("a.mrc", shape, 1.77)
    pixels = image.read()
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, array.astype(np.float32))


def test_complex_pixels_give_their_modulus_and_a_warning(tmp_path):
    path = new_mrc(tmp_path / "a.mrc", np.full((2, 3), 3 + 4j, np.complex64))
    with pytest.warns(InputWarning, match=r"a\.mrc holds complex numbers"):
        image = open_image(path)
    np.testing.assert_array_equal(image.read(), np.full((2, 3), 5.0))


@pytest.mark.parametrize("mode", [3, 101])
def test_other_modes_are_refused_with_the_way_out(tmp_path, mode):
    path = patch(new_mrc(tmp_path / "a.mrc", ramp((3, 5))), 12, words(mode))
    with pytest.raises(InputError, match=f"mode {mode}.*modes 0, 1, 2, 4, 6 and 12"):
        open_image(path)


@pytest.mark.parametrize(("flags", "expected"), [(0, 200.0), (1, -56.0)])
def test_bytes_are_unsigned_where_imod_says_so(tmp_path, flags, expected):
    path = new_mrc(tmp_path / "a.rec", np.full((2, 2, 2), -56, np.int8))
    patch(path, 152, words(1146047817, flags))
    assert open_image(path).read()[0, 0, 0] == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_a_region_equals_the_same_part_of_the_whole(tmp_path, shape):
    image = open_image(new_mrc(tmp_path / "a.mrc", ramp(shape)))
    region = tuple(slice(1, n - 1) for n in shape)
    np.testing.assert_array_equal(image.read(region), image.read()[region])


def test_plain_files_are_mapped_and_what_is_read_may_be_changed(tmp_path):
    image = open_image(new_mrc(tmp_path / "a.mrc", ramp((4, 3, 5))))
    assert isinstance(image.lazy_array(), np.memmap)
    pixels = image.read()
    pixels[:] = -1
    assert image.read().max() == 59


def test_big_endian_files_are_read(tmp_path):
    path = new_mrc(tmp_path / "a.mrc", ramp((3, 5), np.int16).astype(">i2"))
    np.testing.assert_array_equal(open_image(path).read(), ramp((3, 5)))


def test_a_wrong_machine_stamp_is_ignored_with_a_warning(tmp_path):
    path = patch(new_mrc(tmp_path / "a.mrc", ramp((3, 5))), 212, b"\x11\x11\0\0")
    with pytest.warns(InputWarning, match="machine stamp"):
        image = open_image(path)
    np.testing.assert_array_equal(image.read(), ramp((3, 5)))


def test_a_missing_map_identifier_is_mended_with_a_warning(tmp_path):
    path = patch(new_mrc(tmp_path / "a.mrc", ramp((3, 5))), 208, bytes(8))
    with pytest.warns(InputWarning, match="lacks the MAP identifier"):
        image = open_image(path)
    np.testing.assert_array_equal(image.read(), ramp((3, 5)))


def test_unusual_axis_order_is_turned_to_zyx(tmp_path):
    zyx = ramp((2, 3, 4))
    # Columns run along z, rows along x, sections along y.
    path = new_mrc(tmp_path / "a.map", zyx.transpose(1, 2, 0))
    patch(path, 64, words(3, 1, 2))
    with pytest.warns(InputWarning, match="unusual order"):
        image = open_image(path)
    np.testing.assert_array_equal(image.read(), zyx)


def test_impossible_axis_order_is_taken_as_xyz(tmp_path):
    path = patch(new_mrc(tmp_path / "a.mrc", ramp((2, 3, 4))), 64, words(1, 1, 7))
    with pytest.warns(InputWarning, match="impossible axis order"):
        image = open_image(path)
    np.testing.assert_array_equal(image.read(), ramp((2, 3, 4)))


def test_an_extended_header_is_skipped(tmp_path):
    path = new_mrc(tmp_path / "a.mrc", ramp((3, 5)))
    raw = path.read_bytes()
    path.write_bytes(raw[:1024] + b"x" * 256 + raw[1024:])
    patch(path, 92, words(256))
    np.testing.assert_array_equal(open_image(path).read(), ramp((3, 5)))


def test_an_extended_header_that_is_not_there_is_mended(tmp_path):
    path = patch(new_mrc(tmp_path / "a.mrc", ramp((3, 5))), 92, words(256))
    with pytest.warns(InputWarning, match="extended header that is not there"):
        image = open_image(path)
    np.testing.assert_array_equal(image.read(), ramp((3, 5)))


def test_surplus_bytes_are_ignored_with_a_warning(tmp_path):
    path = new_mrc(tmp_path / "a.mrc", ramp((3, 5)))
    path.write_bytes(path.read_bytes() + b"1234567")
    with pytest.warns(InputWarning, match="7 bytes more"):
        assert open_image(path).shape == (3, 5)


@pytest.mark.parametrize("voxel", [0.0, -1.0, np.nan, np.inf])
def test_a_senseless_voxel_size_is_none(tmp_path, voxel):
    path = new_mrc(tmp_path / "a.mrc", ramp((3, 5)))
    patch(path, 40, np.array([voxel] * 3, "<f4").tobytes())
    assert open_image(path).pixel_size is None


def test_unequal_voxels_are_reported(tmp_path):
    path = new_mrc(tmp_path / "a.mrc", ramp((2, 3, 4)), voxel=2.0)
    patch(path, 44, np.array([9.0], "<f4").tobytes())
    with pytest.warns(InputWarning, match="2 x 3 x 2 angstrom"):
        assert open_image(path).pixel_size == 2.0


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_files_are_unpacked_whatever_their_name(tmp_path, suffix, pack):
    plain = new_mrc(tmp_path / "plain.mrc", ramp((4, 3, 5)), voxel=2.0).read_bytes()
    for name in (f"a.mrc{suffix}", "b.MRC"):
        (tmp_path / name).write_bytes(pack(plain))
        image = open_image(tmp_path / name)
        assert (image.shape, image.pixel_size) == ((4, 3, 5), 2.0)
        np.testing.assert_array_equal(image.read(), ramp((4, 3, 5)))


def test_a_compressed_file_that_changes_is_unpacked_again(tmp_path):
    path = tmp_path / "a.mrc.gz"
    for value in (1.0, 2.0):
        plain = new_mrc(tmp_path / "plain.mrc", np.full((8, 8), value, np.float32)).read_bytes()
        path.write_bytes(gzip.compress(plain) + b"\0" * int(value))
        assert open_image(path).read()[0, 0] == value


@pytest.mark.parametrize("suffix", [".mrcs", ".st"])
@pytest.mark.parametrize("n_images", [1, 3])
def test_a_stack_gives_one_image_a_slice(tmp_path, suffix, n_images):
    stack = ramp((n_images, 3, 5))
    path = new_mrc(tmp_path / f"a{suffix}", stack, voxel=1.5, volume=False)
    images = open_images([path])
    assert [image.name for image in images] == [f"a{suffix}#{i}" for i in range(n_images)]
    for image, expected in zip(images, stack, strict=True):
        assert (image.shape, image.pixel_size) == ((3, 5), 1.5)
        np.testing.assert_array_equal(image.read(), expected)
        assert open_image(image.path.with_name(image.name)) == image


def test_one_image_of_a_stack_must_be_named(tmp_path):
    path = new_mrc(tmp_path / "a.mrcs", ramp((3, 3, 5)), volume=False)
    with pytest.raises(InputError, match=r"holds 3 images; one was expected: .*a\.mrcs#0"):
        open_image(path)
    with pytest.raises(InputError, match=r"holds 3 image\(s\) and none of number 3"):
        open_image(tmp_path / "a.mrcs#3")


def test_a_stack_of_volumes_is_refused(tmp_path):
    path = tmp_path / "a.mrc"
    with mrcfile.new(path) as file:
        file.set_data(np.zeros((2, 3, 4, 5), np.float32))
    with pytest.raises(InputError, match="holds 2 volumes"):
        open_image(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is empty"),
        (b"short", "holds 5 bytes"),
        (b"data_particles\n\nloop_\n" * 100, "text was found"),
        (bytes(range(256)) * 8, "something else was found"),
        (bytes(2048), "something else was found"),
    ],
)
def test_what_is_no_mrc_file_is_said_to_be_none(tmp_path, content, found):
    (tmp_path / "a.mrc").write_bytes(content)
    with pytest.raises(InputError, match=rf"^a\.mrc is not an MRC file: .*{found}"):
        open_image(tmp_path / "a.mrc")


@pytest.mark.parametrize("pack", [None, gzip.compress])
def test_a_truncated_file_is_said_to_be_cut_short(tmp_path, pack):
    raw = new_mrc(tmp_path / "a.mrc", ramp((4, 30, 50))).read_bytes()[:-100]
    (tmp_path / "a.mrc").write_bytes(pack(raw) if pack else raw)
    with pytest.raises(InputError, match=r"cut short: .*4 x 30 x 50 .*copy it again"):
        open_image(tmp_path / "a.mrc").read()


def test_a_broken_gzip_stream_is_one_sentence(tmp_path):
    raw = gzip.compress(new_mrc(tmp_path / "a.mrc", ramp((40, 50))).read_bytes())
    (tmp_path / "a.mrc.gz").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(InputError, match=r"a\.mrc\.gz cannot be read as MRC"):
        open_image(tmp_path / "a.mrc.gz").read()


def test_sources_travel_by_path(tmp_path):
    image = open_image(new_mrc(tmp_path / "a.mrc", ramp((300, 500))))
    travelled = pickle.dumps(image)
    assert len(travelled) < 1000
    arrived = pickle.loads(travelled)  # noqa: S301
    np.testing.assert_array_equal(arrived.read(), ramp((300, 500)))


def test_a_file_that_goes_or_changes_is_one_sentence(tmp_path):
    path = new_mrc(tmp_path / "a.mrc", ramp((3, 5)))
    image = open_image(path)
    new_mrc(path, ramp((5, 3)))
    with pytest.raises(InputError, match="has changed since it was opened"):
        image.read()
    path.unlink()
    with pytest.raises(InputError, match="There is no file"):
        image.read()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("pixel_size", [None, 1.77])
def test_written_images_come_back(tmp_path, shape, pixel_size):
    path = write_mrc(tmp_path / "a.mrc", ramp(shape, np.float64), pixel_size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = open_image(path)
    assert image.pixel_size == pixel_size
    np.testing.assert_array_equal(image.read(), ramp(shape))
    assert mrcfile.validate(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mrc"]


def test_written_stacks_come_back_as_stacks(tmp_path):
    write_mrc(tmp_path / "a.mrcs", ramp((2, 3, 5)), 2.0)
    assert [image.name for image in open_images(tmp_path)] == ["a.mrcs#0", "a.mrcs#1"]


def test_writing_nan_is_silent(tmp_path, recwarn):
    path = write_mrc(tmp_path / "a.mrc", np.array([[np.nan, 1.0]]))
    assert not recwarn.list
    assert np.isnan(open_image(path).read()[0, 0])


@pytest.mark.parametrize(
    ("name", "array", "pixel_size", "message"),
    [
        ("a.png", np.zeros((2, 2)), None, "end its name in .mrc"),
        ("a.mrc", np.zeros(3), None, r"shape \(3,\) was given"),
        ("a.mrc", np.zeros((0, 3)), None, r"shape \(0, 3\) was given"),
        ("a.mrc", np.zeros((2, 2), complex), None, "complex128 was given"),
        ("a.mrc", np.zeros((2, 2)), 0.0, "positive number of angstrom"),
        ("gone/a.mrc", np.zeros((2, 2)), None, "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, array, pixel_size, message):
    with pytest.raises(InputError, match=message):
        write_mrc(tmp_path / name, array, pixel_size)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_mrc(tmp_path / "a.mrc", ramp((3, 5)))

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mrcfile, "new", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_mrc(path, np.zeros((3, 5)))
    np.testing.assert_array_equal(open_image(path).read(), ramp((3, 5)))


def test_real_maps_agree_with_each_other_and_with_mrcfile(shared_data):
    folder = shared_data / "formats" / "mrcfile"
    for packed, plain in [("emd_3197.map.gz", "EMD-3197.map"), ("EMD-3197.map.bz2",) * 2]:
        image = open_image(folder / packed)
        assert image.pixel_size == 11.4
        np.testing.assert_array_equal(image.read(), open_image(folder / plain).read())
        np.testing.assert_array_equal(image.read(), mrcfile.read(folder / plain))


def test_a_real_crystal_map_is_turned(shared_data):
    path = shared_data / "formats" / "mrcfile" / "EMD-3001.map"
    with pytest.warns(InputWarning) as caught:
        image = open_image(path)
    assert ["unusual order" in str(warning.message) for warning in caught] == [True, False]
    # mapc, mapr, maps = z, x, y
    np.testing.assert_array_equal(image.read(), mrcfile.read(path).transpose(2, 0, 1))


def test_real_stacks_without_map_identifier(shared_data):
    path = shared_data / "formats" / "cryodrgn" / "relion31.mrcs"
    with pytest.warns(InputWarning, match="lacks the MAP identifier"):
        images = open_images([path])
    assert len(images) == 5
    assert np.isfinite(images[-1].read()).all()


def test_a_real_zero_voxel_size_is_none(shared_data):
    assert open_image(shared_data / "formats" / "napari_boxmanager" / "3d.mrc").pixel_size is None

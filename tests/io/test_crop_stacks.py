import emfile
import mrcfile
import numpy as np
import pytest
import zarr

from napari_cryoml._errors import InputError
from napari_cryoml.data import MissingWedge
from napari_cryoml.io import read_crops, write_mrc

STACK = np.arange(3 * 4 * 5, dtype=np.float32).reshape(3, 4, 5)


def test_an_mrc_stack(tmp_path) -> None:
    crops = read_crops(write_mrc(tmp_path / "s.mrcs", STACK))
    assert crops.ids.tolist() == ["s.mrcs#0", "s.mrcs#1", "s.mrcs#2"]
    np.testing.assert_array_equal(crops.read([2, 0])[:, 0], STACK[[2, 0]])


@pytest.mark.parametrize(
    ("shape", "crops_shape"),
    [
        ((3, 4, 5), (3, 1, 4, 5)),
        ((3, 2, 4, 4), (3, 2, 4, 4)),
        ((3, 4, 4, 4), (3, 1, 4, 4, 4)),
        ((3, 2, 4, 5, 6), (3, 2, 4, 5, 6)),
    ],
)
def test_which_axis_is_what(tmp_path, shape, crops_shape) -> None:
    np.save(tmp_path / "s.npy", np.zeros(shape, np.int16))
    assert read_crops(tmp_path / "s.npy").read([0, 1, 2]).shape == crops_shape


def test_arrays_beside_the_crops_are_ids_and_columns(tmp_path) -> None:
    beside = {"ids": [7, 8, 9], "plate": ["p", "q", "p"], "n": [1.5, 2, 3], "other": np.eye(2)}
    np.savez(tmp_path / "s.npz", crops=STACK, more=np.zeros((1, 1, 1)), **beside)
    crops = read_crops(tmp_path / "s.npz")
    assert crops.ids.tolist() == ["7", "8", "9"]
    assert {name: values.tolist() for name, values in crops.columns.items()} == {
        "plate": ["p", "q", "p"],
        "n": [1.5, 2, 3],
    }
    np.savez(tmp_path / "t.npz", anything=STACK)
    assert read_crops(tmp_path / "t.npz").ids.tolist() == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("name", "arrays", "sentence"),
    [
        ("s.npz", {"a": STACK, "b": STACK}, "those of three axes or more are a, b"),
        ("s.npz", {"a": np.zeros(3)}, "are none"),
        ("s.npz", {"a": STACK, "ids": np.array(["x", "x", "y"])}, "2 of them different"),
        ("s.npz", {"a": STACK.astype(str)}, "type <U32 was found"),
        ("s.npy", np.zeros((2, 2)), r"shape \(2, 2\)"),
        ("s.npy", np.array([[[{}]]], object), "cannot be read as a stack of crops"),
        ("s.npy", None, "There is no file"),
        ("s.png", None, "no stack of crops by its name"),
    ],
)
def test_what_is_no_stack_of_crops_is_a_sentence(tmp_path, name, arrays, sentence) -> None:
    path = tmp_path / name
    if isinstance(arrays, dict):
        np.savez(path, **arrays)
    elif arrays is not None:
        np.save(path, arrays, allow_pickle=True)
    with pytest.raises(InputError, match=sentence):
        read_crops(path)


def volumes(n=3, shape=(4, 4, 4)):
    return np.random.default_rng(0).normal(size=(n, *shape)).astype(np.float32)


@pytest.mark.parametrize("space_group", [401, 1, 0])
def test_a_stack_of_volumes_by_its_header(tmp_path, space_group) -> None:
    """Some programs leave the space group out; mz tells the depth of a box all the same."""
    with mrcfile.new(tmp_path / "s.mrcs") as file:
        file.set_data(volumes())
        file.voxel_size = 2.5
        file.header.ispg = space_group
    crops = read_crops(tmp_path / "s.mrcs")
    assert crops.shape == (4, 4, 4)
    assert crops.pixel_size == 2.5
    assert isinstance(crops.array, np.memmap)
    np.testing.assert_array_equal(crops.read([2, 1])[:, 0], volumes()[[2, 1]])


def test_images_as_many_as_they_are_wide_are_no_volume(tmp_path) -> None:
    crops = read_crops(write_mrc(tmp_path / "s.mrcs", volumes(1)[0]))
    assert (len(crops), crops.shape) == (4, (4, 4))


def test_files_of_one_box_each(tmp_path) -> None:
    names = ["box_2.mrc", "box_10.mrc", "box_1.em"]
    for name, volume in zip(names, volumes(), strict=True):
        if name.endswith(".em"):
            emfile.write(tmp_path / name, volume)
        else:
            write_mrc(tmp_path / name, volume, 3.0)
    folder = read_crops(tmp_path)
    assert folder.ids.tolist() == ["box_1.em", "box_2.mrc", "box_10.mrc"]
    np.testing.assert_array_equal(folder.read([1, 2, 0])[:, 0], volumes())
    listed = read_crops([tmp_path / names[1], str(tmp_path / names[0])])
    assert listed.ids.tolist() == ["box_10.mrc", "box_2.mrc"]
    assert listed.pixel_size == 3
    assert read_crops(tmp_path / names[2]).shape == (4, 4, 4)


def test_boxes_of_mixed_size_are_named(tmp_path) -> None:
    for row in range(6):
        write_mrc(tmp_path / f"b{row}.mrc", np.zeros([4 + (row > 3)] * 3))
    write_mrc(tmp_path / "b9.mrc", np.zeros((4, 4, 8)))
    with pytest.raises(InputError) as error:
        read_crops(tmp_path)
    assert "differ in size: 4 have 4 x 4 x 4 voxels" in str(error.value)
    assert "b4.mrc, b5.mrc: 5 x 5 x 5; b9.mrc: 4 x 4 x 8" in str(error.value)


LIST = """
data_optics

loop_
_rlnOpticsGroup
_rlnImagePixelSize
1 5.0

data_particles

loop_
_rlnImageName
_rlnOpticsGroup
_rlnClassNumber
_rlnAngleRot
{rows}
"""


def particle_list(folder, *names):
    path = folder / "job" / "p.star"
    path.parent.mkdir(exist_ok=True)
    path.write_text(LIST.format(rows="\n".join(f"{n} 1 {row} 30.5" for row, n in enumerate(names))))
    return path


def test_a_particle_list_of_relions(tmp_path) -> None:
    """Names count from the project's folder, somewhere above the list."""
    (tmp_path / "sub").mkdir()
    with mrcfile.new(tmp_path / "sub" / "s.mrcs") as file:
        file.set_data(volumes())
    write_mrc(tmp_path / "job_single.mrc", volumes()[1])
    path = particle_list(tmp_path, "000003@sub/s.mrcs", "job_single.mrc", "000001@sub/s.mrcs")
    crops = read_crops(path)
    np.testing.assert_array_equal(crops.read([0, 1, 2])[:, 0], volumes()[[2, 1, 0]])
    assert crops.ids[0] == "000003@sub/s.mrcs"
    assert crops.pixel_size == 5
    assert crops.columns["class"].tolist() == ["", "1", "2"]
    assert crops.columns["rlnAngleRot"].tolist() == [30.5] * 3


def test_lists_that_do_not_fit(tmp_path) -> None:
    with pytest.raises(InputError, match=r"neither beside it nor below a folder above it"):
        read_crops(particle_list(tmp_path, "000001@none.mrcs"))
    write_mrc(tmp_path / "s.mrcs", STACK)
    with pytest.raises(InputError, match=r"s.mrcs holds 3 boxes, and number 4 is asked for"):
        read_crops(particle_list(tmp_path, "000004@s.mrcs"))
    path = tmp_path / "coordinates.star"
    path.write_text("data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n1 2\n")
    with pytest.raises(InputError, match="names no boxes"):
        read_crops(path)


def test_zarr_of_others(tmp_path) -> None:
    array = zarr.create_array(tmp_path / "a.zarr", data=volumes())
    array.attrs.update(pixel_size=4.0, wedge={"low": -60, "high": 50})
    crops = read_crops(tmp_path / "a.zarr")
    np.testing.assert_array_equal(crops.read([1])[0, 0], volumes()[1])
    assert crops.pixel_size == 4
    assert crops.wedge == MissingWedge(-60, 50)
    group = zarr.open_group(tmp_path / "b.zarr", mode="w")
    group.create_array("one", data=volumes())
    group.create_array("two", data=volumes())
    with pytest.raises(InputError, match=r"are one, two|are two, one"):
        read_crops(tmp_path / "b.zarr")
    with pytest.raises(InputError, match="is no Zarr store"):
        read_crops(tmp_path / "c.zarr")


def test_pixel_size_and_wedge_of_an_archive(tmp_path) -> None:
    np.savez(tmp_path / "s.npz", crops=volumes(), pixel_size=7.0, wedge=[-40, 40], wedge_axis="x")
    crops = read_crops(tmp_path / "s.npz")
    assert crops.pixel_size == 7
    assert crops.wedge == MissingWedge(-40, 40, "x")


def test_an_empty_folder(tmp_path) -> None:
    with pytest.raises(InputError, match="holds no boxes"):
        read_crops(tmp_path)
    with pytest.raises(InputError, match="no boxes to read"):
        read_crops([])


@pytest.mark.slow
def test_real_lists_and_boxes(shared_data) -> None:
    assert read_crops(shared_data / "formats/pytom/human_ribo_21A.em").shape == (32, 32, 32)

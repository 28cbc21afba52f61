from pathlib import Path

import numpy as np
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.cli._subtomo_inputs import parse_tilt, read_subtomograms, voxels, wedge_of
from napari_cryoml.cli._subtomo_labels import labelled_subtomograms, read_class_names
from napari_cryoml.data import ArrayCrops, MissingWedge, Picks, PicksTable
from napari_cryoml.io import write_crops, write_mrc, write_picks

PLACES = np.array([[8.0, 8, 8], [8, 8, 24], [8, 24, 8], [8, 24, 24]])


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    array = np.arange(4 * 6**3, dtype=np.float32).reshape(4, 6, 6, 6)
    kinds = np.array(["a", "b", "a", "b"])
    np.savez(tmp_path / "stack.npz", crops=array, ids=np.array(list("wxyz")), kind=kinds)
    return tmp_path / "stack.npz"


@pytest.fixture
def tomogram(tmp_path: Path) -> tuple[Path, Path]:
    volume = np.random.default_rng(0).normal(size=(16, 32, 32)).astype(np.float32)
    write_mrc(tmp_path / "t.mrc", volume, 10.0)
    picks = Picks("t.mrc", PLACES, pixel_size=10.0, columns={"class": np.array(list("abab"))})
    write_picks(PicksTable.of([picks]), tmp_path / "p.csv")
    return tmp_path / "t.mrc", tmp_path / "p.csv"


def test_a_stack_is_read_with_the_voxel_size_that_is_given(stack):
    crops = read_subtomograms([str(stack)], pixel_size=12.5)
    assert (len(crops), crops.shape, crops.pixel_size) == (4, (6, 6, 6), 12.5)
    assert np.array_equal(voxels(crops, [2])[0], crops.read([2])[0, 0])
    assert voxels(crops).shape == (4, 6, 6, 6)


def test_boxes_are_cut_out_of_tomograms(tomogram):
    volume, picks = tomogram
    crops = read_subtomograms([str(volume)], picks, box="80A")
    assert (len(crops), crops.shape) == (4, (8, 8, 8))
    assert crops.pixel_size == pytest.approx(10, rel=1e-3)
    assert voxels(crops, [3, 0]).shape == (2, 8, 8, 8)


@pytest.mark.filterwarnings("ignore:The picks of t.mrc tell")
def test_the_voxel_size_that_is_given_counts_for_tomograms_too(tomogram):
    volume, picks = tomogram
    with pytest.warns(InputWarning, match="tells of voxels of 10 angstrom, and 12.5 was given"):
        crops = read_subtomograms([str(volume)], picks, box="8", pixel_size=12.5)
    assert crops.pixel_size == 12.5


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((0, 1, 6, 6, 6)), "b.npz holds no subtomograms"),
        (np.ones((1, 1, 4, 6, 6)), "one volume of 4 x 6 x 6 voxels.*as --picks"),
        (np.full((3, 1, 6, 6, 6), np.nan), "show nothing"),
        (np.ones((3, 1, 6, 6, 6)), "show nothing"),
    ],
)
def test_what_shows_no_particles_is_refused(tmp_path, array, sentence):
    np.savez(tmp_path / "b.npz", crops=array)
    with pytest.raises(InputError, match=sentence):
        read_subtomograms([str(tmp_path / "b.npz")])


@pytest.mark.parametrize("shape", [(1, 6, 6), (1, 6, 6, 8), (2, 6, 6, 6)])
@pytest.mark.parametrize("command", ["align", "average", "discover"])
def test_what_is_aligned_are_cubes(shell, tmp_path, command, shape):
    array = np.random.default_rng(0).normal(size=(4, *shape))
    np.savez(tmp_path / "b.npz", crops=array)
    write_mrc(tmp_path / "r.mrc", np.ones((6, 6, 6)), 10.0)
    reference = ["--reference", tmp_path / "r.mrc"] if command == "align" else []
    out = tmp_path / ("o.star" if command == "align" else "o.mrc")
    said = shell("subtomo", command, tmp_path / "b.npz", *reference, "--out", out)
    assert said.code == 2
    assert "must be cubes of one channel" in said.sentences[-1]


def test_boxes_that_show_nothing_are_counted(tmp_path):
    array = np.random.default_rng(0).normal(size=(5, 1, 6, 6, 6))
    array[1], array[3] = np.nan, 7
    np.savez(tmp_path / "b.npz", crops=array)
    with pytest.warns(InputWarning, match="nothing to see in 2 of the 5"):
        crops = read_subtomograms([str(tmp_path / "b.npz")])
    assert len(crops) == 5


def test_volumes_without_their_list_have_the_voxel_size_of_the_header(tmp_path):
    stack = tmp_path / "b.mrcs"
    array = np.random.default_rng(0).normal(size=(3, 1, 6, 6, 6)).astype(np.float32)
    write_crops(stack, ArrayCrops.of(array, pixel_size=10.0))
    stack.with_suffix(".star").unlink()
    crops = read_subtomograms([str(stack)])
    assert (len(crops), crops.shape, crops.pixel_size) == (3, (6, 6, 6), 10.0)
    assert (crops.wedge, crops.images) == (None, None)


def test_the_tilt_range_that_is_given_belongs_to_the_crops(stack, tomogram):
    volume, picks = tomogram
    wedge = MissingWedge(-40, 60)
    assert read_subtomograms([str(volume)], picks, box="8", tilt="-40,60").wedge == wedge
    assert read_subtomograms([str(volume)], picks, box="8").wedge is None
    assert read_subtomograms([str(stack)], tilt="-40,60").wedge == wedge
    with pytest.raises(InputError, match="--tilt takes degrees"):
        read_subtomograms([str(stack)], tilt="much")


def test_what_is_mixed_up_is_said(stack):
    with pytest.raises(InputError, match="--box cuts boxes around picks"):
        read_subtomograms([str(stack)], box="8")
    with pytest.raises(InputError, match="One stack of boxes was expected"):
        read_subtomograms([str(stack), str(stack)])
    with pytest.raises(InputError, match="--pixel-size takes"):
        read_subtomograms([str(stack)], pixel_size=-1)


@pytest.mark.parametrize(
    ("text", "wedge"),
    [
        ("60", MissingWedge(-60, 60)),
        ("-60", MissingWedge(-60, 60)),
        ("-40, 60", MissingWedge(-40, 60)),
        ("-40,60,x", MissingWedge(-40, 60, "x")),
        ("50,X", MissingWedge(-50, 50, "x")),
    ],
)
def test_tilt_ranges(text, wedge):
    assert parse_tilt(text) == wedge


@pytest.mark.parametrize("text", ["", "much", "1,2,3", "60,-60", "nan", "-100,100"])
def test_what_is_no_tilt_range_is_refused(text):
    with pytest.raises(InputError):
        parse_tilt(text)


def test_what_is_typed_of_the_wedge_counts():
    cubes = ArrayCrops.of(np.zeros((1, 1, 4, 4, 4)), wedge=MissingWedge(-40, 40))
    assert wedge_of(cubes, None) == MissingWedge(-40, 40)
    assert wedge_of(cubes, "60") == MissingWedge(-60, 60)
    flat = ArrayCrops.of(np.zeros((1, 1, 4, 4)))
    assert wedge_of(flat, None) is None
    with pytest.raises(InputError, match="two axes"):
        wedge_of(flat, "60")


def test_classes_come_from_a_table_of_ids(stack, tmp_path):
    (tmp_path / "labels.csv").write_text("id,class,kind\nw,1,p\ny,2,q\nz,,\n")
    crops = read_subtomograms([str(stack)])
    assert read_class_names(tmp_path / "labels.csv", crops) == {"w": "1", "y": "2", "z": ""}
    assert read_class_names(tmp_path / "labels.csv", crops, "kind") == {"w": "p", "y": "q", "z": ""}
    with pytest.raises(InputError, match="no column 'sort' with classes; there are class, kind"):
        read_class_names(tmp_path / "labels.csv", crops, "sort")


def test_classes_come_from_the_stack(stack):
    crops = read_subtomograms([str(stack)])
    data = labelled_subtomograms(crops, None, "kind", None)
    assert (data.classes, data.labels.tolist()) == (("a", "b"), [0, 1, 0, 1])
    with pytest.raises(InputError, match="no column 'class' with classes; there are kind"):
        labelled_subtomograms(crops, None, None, None)


def test_classes_come_from_particles_a_little_beside(tomogram, tmp_path):
    volume, picks = tomogram
    crops = read_subtomograms([str(volume)], picks, box="8")
    kinds = np.array(["p", "q"])
    some = Picks("t.mrc", PLACES[[3, 1]] + 0.7, columns={"class": kinds})
    write_picks(PicksTable.of([some]), tmp_path / "labels.csv")
    assert read_class_names(tmp_path / "labels.csv", crops) == {
        crops.ids[3]: "p",
        crops.ids[1]: "q",
    }
    far = Picks("t.mrc", PLACES[[3, 1]] + 4, columns={"class": kinds})
    write_picks(PicksTable.of([far]), tmp_path / "labels.csv")
    with pytest.raises(InputError, match="2 of 2 labels in labels"):
        read_class_names(tmp_path / "labels.csv", crops)


def test_places_mean_nothing_for_a_stack(stack, tomogram):
    with pytest.raises(InputError, match="no column 'id'"):
        read_class_names(tomogram[1], read_subtomograms([str(stack)]))

import pickle
import threading

import mrcfile
import numpy as np
import pytest
import starfile
from scipy.spatial.transform import Rotation

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ArrayCrops, CropPlaces, MissingWedge
from napari_cryoml.io import read_crops, read_picks, stream_crops, write_crops, write_mrc
from napari_cryoml.jobs import Command

SHAPES = [(6, 5), (4, 5, 6)]
NAMES = ["b.mrcs", "b.zarr", "b.npz", "folder"]
WEDGE = MissingWedge(-50, 60, "x")


def crops(shape, n=5):
    rng = np.random.default_rng(0)
    array = rng.normal(size=(n, 1, *shape)).astype(np.float32)
    columns = {
        "class": np.array(["ribosome", "26S proteasome", "", "ribosome", "x#1"][:n]),
        "score": np.arange(n) / 4,
    }
    ids = [f"t.mrc@{row}.0,1.0" for row in range(n)]
    return ArrayCrops.of(array, ids, columns, pixel_size=13.5, wedge=WEDGE)


POSITIONS = np.array([[10.0, 20, 30], [11.4, 21, 31], [12, 22, 32]])
ROTATIONS = Rotation.random(3, rng=1).as_matrix()


def cut(shape=(4, 4, 4), images=("t.mrc", "t.mrc", "u.mrc"), box=8):
    """Return crops that know where they were cut, by whole voxels."""
    ndim = len(shape)
    offsets = (POSITIONS - np.floor(POSITIONS + 0.5))[:, -ndim:]
    places = CropPlaces(np.array(images), POSITIONS[:, -ndim:], offsets, box, 5.5)
    return ArrayCrops(
        crops(shape, 3).array,
        np.array(list("abc")),
        {
            "class": np.array(["x", "", "y"]),
            "confidence": np.array([0.75, np.nan, 1.0], np.float32),
            "score": np.array([0.5, 0.25, 1.0], np.float32),
        },
        13.5,
        rotations=ROTATIONS if ndim == 3 else None,
        places=places,
    )


def opened(files):
    """Return the crops in what was written: by the list, where the list has what is known."""
    first, *rest = files
    return read_crops(rest[0] if first.suffix == ".mrcs" else first)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read(tmp_path, shape, name):
    before = crops(shape)
    after = opened(write_crops(tmp_path / name, before))
    assert after.ids.tolist() == before.ids.tolist()
    assert after.shape == before.shape
    assert after.pixel_size == pytest.approx(13.5)
    assert after.wedge == WEDGE
    assert after.columns["class"].tolist() == before.columns["class"].tolist()
    np.testing.assert_allclose(after.columns["score"], before.columns["score"])
    np.testing.assert_array_equal(after.read([3, 1, 3]), before.read([3, 1, 3]))
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_lazily_is_pickled_without_pixels(tmp_path, name):
    after = opened(write_crops(tmp_path / name, crops((16, 16, 16))))
    if name != "b.npz":
        assert len(pickle.dumps(after)) < 16**3 * 4 or name == "b.mrcs"
    again = pickle.loads(pickle.dumps(after))  # noqa: S301
    np.testing.assert_array_equal(again.read([2]), after.read([2]))
    np.testing.assert_array_equal(after.array[1:3], after.read([1, 2]))
    np.testing.assert_array_equal(after.array[1], after.read([1])[0])
    np.testing.assert_array_equal(after.array[:, 0, 2], after.read(range(5))[:, 0, 2])
    np.testing.assert_array_equal(np.asarray(after.array), after.read(range(5)))
    np.testing.assert_array_equal(after.array[after.ids != ""][4], after.read([4])[0])


def test_the_header_is_that_of_a_volume_stack(tmp_path):
    write_crops(tmp_path / "b.mrcs", crops((4, 5, 6)))
    with mrcfile.open(tmp_path / "b.mrcs") as file:
        assert file.is_volume_stack()
        assert (file.header.ispg, file.header.mz, file.header.nz) == (401, 4, 20)
        assert file.data.shape == (5, 4, 5, 6)
        assert float(file.voxel_size.x) == pytest.approx(13.5)
    assert mrcfile.validate(tmp_path / "b.mrcs", print_file=open(tmp_path / "log", "w"))  # noqa: SIM115, PTH123


def test_a_folder_of_em_files(tmp_path):
    before = crops((4, 5, 6))
    folder, listing = write_crops(tmp_path / "em", before, boxes="em")
    assert sorted(p.name for p in folder.glob("*.em"))[0] == "box_000001.em"
    np.testing.assert_array_equal(read_crops(folder).read(range(5)), before.read(range(5)))
    listing.unlink()
    again = read_crops(folder)
    assert again.ids[0] == "box_000001.em"
    np.testing.assert_array_equal(again.read([4]), before.read([4]))


@pytest.mark.parametrize("name", NAMES)
def test_the_list_keeps_places_and_poses(tmp_path, name):
    files = write_crops(tmp_path / name, cut())
    picks = read_picks(files[1])
    assert picks.images == ["t", "u"]
    positions = np.concatenate([p.positions for p in picks])
    np.testing.assert_allclose(positions, POSITIONS, atol=1e-6)
    rotations = np.concatenate([p.rotations for p in picks])
    np.testing.assert_allclose(rotations, ROTATIONS, atol=1e-6)
    assert picks["t"].pixel_size == pytest.approx(6.75)
    assert picks["t"].columns["class"].tolist() == ["x", ""]
    frame = starfile.read(files[1])["particles"]
    # The box lies at whole voxels; the rest is the origin, in angstrom and subtracted.
    assert frame["rlnCoordinateZ"].tolist() == pytest.approx([10, 11, 12])
    assert frame["rlnOriginZAngst"].tolist() == pytest.approx([0, -0.4 * 6.75, 0])


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4)])
@pytest.mark.parametrize("name", NAMES)
def test_places_and_poses_come_back_with_the_boxes(tmp_path, name, shape):
    # In a list particles are grouped by tomogram, and keep their boxes.
    before = cut(shape, ["u.mrc", "t.mrc", "u.mrc"])
    after = opened(write_crops(tmp_path / name, before))
    found = {one: row for row, one in enumerate(after.ids.tolist())}
    order = [found[one] for one in before.ids.tolist()]
    assert after.images[order].tolist() == before.images.tolist()
    np.testing.assert_allclose(after.positions[order], before.positions, atol=1e-6)
    if len(shape) == 3:
        np.testing.assert_allclose(after.rotations[order], before.rotations, atol=1e-6)
        np.testing.assert_allclose(after.offsets[order], before.offsets, atol=1e-6)
    assert after.columns["class"][order].tolist() == ["x", "", "y"]
    np.testing.assert_array_equal(after.columns["confidence"][order], [0.75, np.nan, 1])
    assert after.columns["score"][order].tolist() == [0.5, 0.25, 1.0]
    np.testing.assert_array_equal(after.read(order), before.read([0, 1, 2]))
    assert (after.box, after.diameter) == (8, 5.5)
    assert after.image_pixel_size == pytest.approx(6.75)
    again = opened(write_crops(tmp_path / "again.mrcs", after))
    order = [again.ids.tolist().index(one) for one in before.ids.tolist()]
    np.testing.assert_allclose(again.positions[order], before.positions, atol=1e-6)
    np.testing.assert_array_equal(again.read(order), before.read([0, 1, 2]))


def test_a_list_of_relion_tells_places_and_how_far_boxes_are_binned(tmp_path):
    files = write_crops(tmp_path / "b.mrcs", cut(box=None))
    blocks = starfile.read(files[1])
    blocks["optics"] = blocks["optics"].drop(columns=["cryomlBoxSize", "cryomlDiameter"])
    blocks["optics"]["rlnTomoTiltSeriesPixelSize"] = 13.5 / 4
    blocks["particles"] = blocks["particles"].drop(columns=["cryomlImage", "cryomlId"])
    starfile.write(blocks, files[1], overwrite=True)
    after = read_crops(files[1])
    assert after.images.tolist() == ["t", "t", "u"]
    assert (after.box, after.diameter, after.image_pixel_size) == (16, None, 13.5 / 4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rlnTomoSubtomogramRot": 30.0}, "turned against their tomograms"),
        ({"rlnCoordinateX": "nan"}, "no number for a coordinate"),
    ],
)
def test_boxes_open_without_places_that_cannot_be_used(tmp_path, change, sentence):
    files = write_crops(tmp_path / "b.mrcs", cut())
    blocks = starfile.read(files[1])
    turned = dict.fromkeys(("rlnTomoSubtomogramTilt", "rlnTomoSubtomogramPsi"), 0.0)
    blocks["particles"] = blocks["particles"].assign(**turned, **change)
    starfile.write(blocks, files[1], overwrite=True)
    with pytest.warns(InputWarning, match=sentence):
        after = read_crops(files[1])
    assert (after.images, after.positions, len(after)) == (None, None, 3)


@pytest.mark.parametrize("name", NAMES)
def test_stopped_the_job_keeps_what_is_done(tmp_path, name):
    before = crops((4, 4, 4))
    job = stream_crops(tmp_path / name, before, batch=2)
    assert next(job).done == 2
    with pytest.raises(StopIteration) as stopped:
        job.send(Command.STOP)
    after = opened(stopped.value.value)
    assert after.ids.tolist() == before.ids[:2].tolist()
    np.testing.assert_array_equal(after.read([0, 1]), before.read([0, 1]))


@pytest.mark.parametrize("name", NAMES)
def test_a_second_time_replaces_the_first(tmp_path, name):
    write_crops(tmp_path / name, crops((4, 4, 4)))
    assert len(opened(write_crops(tmp_path / name, crops((4, 4, 4), 2)))) == 2


@pytest.mark.parametrize("name", ["b.mrcs", "b.zarr", "b.npz"])
def test_a_failure_leaves_nothing(tmp_path, name):
    class Broken(ArrayCrops):
        def read(self, rows):
            raise InputError("t.mrc has gone.")

    broken = Broken(crops((4, 4, 4)).array, crops((4, 4, 4)).ids)
    with pytest.raises(InputError, match="has gone"):
        write_crops(tmp_path / name, broken)
    assert list(tmp_path.iterdir()) == []


def test_boxes_without_pixels(tmp_path):
    array = crops((4, 4, 4)).array
    array[1] = np.nan
    with pytest.warns(InputWarning, match="1 of 5 boxes have no finite pixels"):
        write_crops(tmp_path / "b.mrcs", ArrayCrops.of(array))
    array[:] = np.nan
    with pytest.raises(InputError, match="None of the boxes has finite pixels"):
        write_crops(tmp_path / "c.mrcs", ArrayCrops.of(array))
    assert not (tmp_path / "c.mrcs").exists()


@pytest.mark.parametrize(
    ("name", "columns", "sentence"),
    [
        ("b.hdf", {}, "tells no kind of boxes"),
        ("b.npz", {"crops": np.zeros(5)}, "a column named 'crops'"),
        ("b.npz", {"n": np.zeros(4)}, r"shape \(4,\); 5 crops"),
    ],
)
def test_mistakes_are_sentences(tmp_path, name, columns, sentence):
    with pytest.raises(InputError, match=sentence):
        write_crops(tmp_path / name, crops((4, 4, 4)), columns=columns)


def test_channels_and_emptiness(tmp_path):
    colours = ArrayCrops.of(np.zeros((2, 3, 4, 4), np.float32) + 1)
    with pytest.raises(InputError, match="the crops have 3"):
        write_crops(tmp_path / "b.mrcs", colours)
    assert read_crops(write_crops(tmp_path / "b.zarr", colours)[0]).n_channels == 3
    with pytest.raises(InputError, match="no crops to write"):
        write_crops(tmp_path / "b.npz", ArrayCrops.of(np.zeros((0, 1, 4, 4))))


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds other files than boxes \(thesis.txt\)"):
        write_crops(tmp_path, crops((4, 4, 4)))
    (tmp_path / "b.zarr").mkdir()
    with pytest.raises(InputError, match="is no Zarr store"):
        write_crops(tmp_path / "b.zarr", crops((4, 4, 4)))


def test_zarr_is_read_by_threads(tmp_path):
    after = read_crops(write_crops(tmp_path / "b.zarr", crops((4, 4, 4)))[0])
    found = []
    threads = [threading.Thread(target=lambda: found.append(after.read([1]))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3


def test_boxes_of_several_pixel_sizes_have_none(tmp_path):
    for row, size in enumerate((10.0, 12.0)):
        write_mrc(tmp_path / f"{row}.mrc", np.zeros((4, 4, 4)), size)
    with pytest.warns(InputWarning, match="pixels of 10 to 12 angstrom"):
        after = read_crops(tmp_path)
    assert (len(after), after.pixel_size) == (2, None)

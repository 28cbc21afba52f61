import pickle

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops, CropPlaces, Crops


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_crops_of_an_array(shape) -> None:
    array = np.arange(7 * 2 * np.prod(shape)).reshape(7, 2, *shape)
    crops = ArrayCrops.of(array, columns={"plate": np.arange(7)})
    assert isinstance(crops, Crops)
    assert (len(crops), crops.n_channels, crops.shape) == (7, 2, shape)
    assert crops.ids.tolist() == ["0", "1", "2", "3", "4", "5", "6"]
    assert crops.images is None
    assert crops.positions is None
    assert [rows.tolist() for rows in crops.batches(3)] == [[0, 1, 2], [3, 4, 5], [6]]
    read = crops.read([5, 1])
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, array[[5, 1]])


@pytest.mark.parametrize("ndim", [2, 3])
def test_crops_may_know_where_they_were_cut(ndim) -> None:
    places = CropPlaces(np.array(["a", "b"]), np.arange(2 * ndim).reshape(2, ndim), box=8)
    crops = ArrayCrops.of(np.zeros((2, 1, *(4,) * ndim)), pixel_size=10.0, places=places)
    assert crops.images.tolist() == ["a", "b"]
    assert crops.positions.tolist() == np.arange(2.0 * ndim).reshape(2, ndim).tolist()
    assert not crops.offsets.any()
    assert (crops.box, crops.diameter, crops.image_pixel_size) == (8, None, 5.0)
    assert ArrayCrops.of(np.zeros((2, 1, *(4,) * ndim))).box == 4


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"rotations": np.eye(3)[None]}, "need rotations of shape"),
        ({"places": CropPlaces(np.array(["a"]), np.zeros((1, 3)))}, "need positions of shape"),
        ({"places": CropPlaces(np.array(["a"] * 2), np.zeros((2, 2)))}, "need positions of shape"),
    ],
)
def test_places_of_other_crops_are_a_sentence(known, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        ArrayCrops.of(np.zeros((2, 1, 4, 4, 4)), **known)


@pytest.mark.parametrize(
    ("images", "positions", "offsets"),
    [(["a"], (2, 3), None), (["a"], (1, 4), None), (["a"], (1, 3), (2, 3))],
)
def test_places_that_do_not_fit_each_other_are_a_sentence(images, positions, offsets) -> None:
    with pytest.raises(InputError, match="an image and a position"):
        CropPlaces(np.array(images), np.zeros(positions), offsets and np.zeros(offsets))


def test_no_crops_give_no_batches() -> None:
    crops = ArrayCrops.of(np.zeros((0, 1, 4, 4)))
    assert list(crops.batches(8)) == []
    assert crops.read([]).shape == (0, 1, 4, 4)


@pytest.mark.parametrize(
    ("shape", "ids", "sentence"),
    [
        ((3, 8, 8), None, r"\(n, channel, y, x\)"),
        ((3, 1, 8, 8), ["a", "b"], "2 were given"),
        ((3, 1, 8, 8), ["a", "b", "b"], "2 of them different"),
    ],
)
def test_what_is_no_crops_is_a_sentence(shape, ids, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        ArrayCrops.of(np.zeros(shape), ids)


def _cells(n: int = 5) -> ArrayCrops:
    array = np.arange(n * 2 * 3 * 4, dtype=np.float32).reshape(n, 2, 3, 4)
    return ArrayCrops.of(
        array,
        [f"c{row}" for row in range(n)],
        {"protein": np.array([f"p{row}" for row in range(n)])},
        pixel_size=2.0,
        places=CropPlaces(np.array(["a"] * n), np.arange(2.0 * n).reshape(n, 2), box=8),
        channels=["gfp", "rfp"],
        masks=array[:, 0] > 20,
    )


@pytest.mark.parametrize("rows", [[3, 0], np.array([True, False, False, True, False]), []])
def test_some_of_the_crops_keep_all_that_is_known(rows) -> None:
    cells = _cells()
    index = np.arange(5)[np.asarray(rows, bool if isinstance(rows, np.ndarray) else np.intp)]
    some = cells.take(rows)
    np.testing.assert_array_equal(some.array, cells.array[index])
    assert some.ids.tolist() == cells.ids[index].tolist()
    assert some.columns["protein"].tolist() == cells.columns["protein"][index].tolist()
    np.testing.assert_array_equal(some.positions, cells.positions[index])
    np.testing.assert_array_equal(some.masks, cells.masks[index])
    assert (some.channels, some.pixel_size, some.box) == (("gfp", "rfp"), 2.0, 8)


def test_some_of_mapped_crops_stay_on_disk(tmp_path) -> None:
    array = np.arange(6 * 8, dtype=np.float32).reshape(6, 2, 2, 2)
    np.save(tmp_path / "a.npy", array)
    crops = ArrayCrops.of(np.load(tmp_path / "a.npy", mmap_mode="r"), rotations=np.ones((6, 3, 3)))
    some = crops.take([4, 1, 3])
    assert not isinstance(some.array, np.ndarray)
    np.testing.assert_array_equal(some.read([2, 0]), array[[3, 4]])
    np.testing.assert_array_equal(some.take([2, 1]).read([0, 1]), array[[3, 1]])
    np.testing.assert_array_equal(np.asarray(some.array), array[[4, 1, 3]])
    assert (some.n_channels, some.shape, some.rotations.shape) == (2, (2, 2), (3, 3, 3))


def test_channels_and_masks_survive_a_child_process() -> None:
    cells = _cells()
    copy = pickle.loads(pickle.dumps(cells))  # noqa: S301
    assert copy.channels == ("gfp", "rfp")
    np.testing.assert_array_equal(copy.masks, cells.masks)


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"channels": ["gfp"]}, "2 channels need as many names; 1"),
        ({"masks": np.ones((5, 3, 3), bool)}, "Masks of these crops need the shape"),
    ],
)
def test_channels_and_masks_of_other_crops_are_a_sentence(known, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        ArrayCrops.of(np.zeros((5, 2, 3, 4)), **known)

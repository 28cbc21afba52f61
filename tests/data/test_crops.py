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

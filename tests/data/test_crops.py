import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops, Crops


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

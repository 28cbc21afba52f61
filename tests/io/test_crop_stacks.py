import numpy as np
import pytest

from napari_cryoml._errors import InputError
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

import copy
import pickle

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding

IDS = np.array(["a", "b", "c"])


def embedding(**parts) -> Embedding:
    return Embedding(**{"vectors": np.arange(6.0).reshape(3, 2), "ids": IDS} | parts)


def test_half_precision_stays_and_all_else_is_single() -> None:
    assert embedding(vectors=np.zeros((3, 2), np.float16)).vectors.dtype == np.float16
    assert embedding(vectors=np.zeros((3, 2), np.float64)).vectors.dtype == np.float32
    assert embedding(vectors=np.zeros((3, 2), np.int64)).vectors.dtype == np.float32


@pytest.mark.parametrize("ndim", [2, 3])
def test_rows_are_taken_with_all_that_is_known(ndim: int) -> None:
    whole = embedding(
        images=np.array(["m", "m", "n"]),
        positions=np.arange(3 * ndim).reshape(3, ndim),
        table={"score": [1.0, 2.0, 3.0]},
    )
    part = whole.take(np.array([2, 0]))
    assert part.ids.tolist() == ["c", "a"]
    assert part.vectors.tolist() == [[4, 5], [0, 1]]
    assert part.images.tolist() == ["n", "m"]
    assert part.positions[1].tolist() == list(range(ndim))
    assert part.table["score"].tolist() == [3, 1]
    assert len(whole.take(slice(0, 0))) == 0


def test_a_row_cannot_be_taken_twice() -> None:
    with pytest.raises(InputError, match="'a' stands for 2 rows"):
        embedding().take(np.array([0, 0, 1]))


def test_columns_are_added_and_replaced_in_a_new_embedding() -> None:
    first = embedding(table={"k": np.array([1, 2, 3])})
    second = first.with_columns(k=["x", "y", "z"], new=[True, False, True])
    assert first.table["k"].tolist() == [1, 2, 3]
    assert second.table["k"].tolist() == ["x", "y", "z"]
    assert second.table["new"].dtype == np.bool_
    assert second.ids is first.ids
    with pytest.raises(InputError, match="3 vectors need 3 values of 'short', not 2"):
        first.with_columns(short=[1, 2])


def test_objects_become_numbers_or_text() -> None:
    columns = {"n": np.array([1, 2.5, None], object), "f": np.array([1, 2.5, 3], object)}
    table = embedding(table=columns).table
    assert table["n"].tolist() == ["1", "2.5", ""]
    assert table["f"].tolist() == [1, 2.5, 3]


def test_which_vectors_are_whole() -> None:
    vectors = np.array([[0, 1], [np.nan, 1], [np.inf, 0]])
    assert embedding(vectors=vectors).finite.tolist() == [True, False, False]


def test_rows_are_found_by_their_ids() -> None:
    assert embedding().rows_of(["c", "x", "a", "c"]).tolist() == [2, -1, 0, 2]
    assert embedding().take(slice(0, 0)).rows_of(["a"]).tolist() == [-1]
    assert embedding().rows_of([]).tolist() == []


def test_copies_and_pickles_are_whole() -> None:
    for other in (copy.copy(embedding()), pickle.loads(pickle.dumps(embedding()))):  # noqa: S301
        assert other.ids.tolist() == IDS.tolist()
        assert other.n_features == 2


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"vectors": np.zeros(3)}, "n rows and d columns"),
        ({"vectors": np.array([["1"], ["2"], ["3"]])}, "must be numbers"),
        ({"ids": IDS[:2]}, "need 3 ids, not 2"),
        ({"ids": np.array(["a", "b", "b"])}, "'b' stands for 2 rows"),
        ({"images": IDS}, "images and positions both"),
        ({"images": IDS, "positions": np.zeros((3, 4))}, "yx or zyx"),
        ({"images": IDS, "positions": np.zeros((2, 2))}, "need 3 positions, not 2"),
        ({"table": {"k": [1]}}, "need 3 values of 'k', not 1"),
        ({"table": {"k": np.zeros((3, 2))}}, "column 'k' should hold a number"),
        ({"table": {"k": np.zeros(3, complex)}}, "type complex128 was given"),
    ],
)
def test_what_does_not_fit_together_is_a_sentence(parts, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        embedding(**parts)


def test_nothing_is_an_embedding_too() -> None:
    empty = Embedding(np.zeros((0, 5)), np.array([]))
    assert (len(empty), empty.n_features, empty.finite.tolist()) == (0, 5, [])

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.preprocess import dense_table


def test_row_i_is_label_i() -> None:
    table = dense_table(
        [7, 2],
        {
            "area": np.array([70, 20]),
            "focus": np.array([0.7, 0.2]),
            "empty": np.array([True, False]),
            "class": np.array(["ER", "nucleus"]),
        },
        image_name="plate1",
    )
    assert all(len(values) == 8 for values in table.values())
    assert table["label"].tolist() == table["index"].tolist() == list(range(8))
    assert table["roi_id"].tolist() == ["plate1"] * 8
    assert (table["area"][7], table["area"][2]) == (70, 20)
    assert np.isnan(table["area"][[0, 1, 3]]).all()
    assert np.isnan(table["focus"]).sum() == 6
    assert np.flatnonzero(table["empty"]).tolist() == [7]
    assert table["class"].tolist() == ["", "", "nucleus", "", "", "", "", "ER"]


def test_own_columns_win() -> None:
    table = dense_table([1], {"label": np.array([5]), "roi_id": np.array(["x"])}, image_name="a")
    assert table["label"].tolist() == [0, 1]
    assert table["roi_id"].tolist() == ["a", "a"]


@pytest.mark.parametrize(("n_labels", "n"), [(None, 1), (4, 5)])
def test_no_cells_leave_the_background(n_labels, n) -> None:
    table = dense_table([], {"area": np.empty(0)}, n_labels=n_labels)
    assert len(table["area"]) == n
    assert np.isnan(table["area"]).all()


def test_objects_become_texts() -> None:
    table = dense_table([1, 2], {"name": np.array(["a", None], object)})
    assert table["name"].tolist() == ["", "a", ""]


@pytest.mark.parametrize(
    ("labels", "columns", "sentence"),
    [
        ([0], {}, "above 0"),
        ([1, 1], {}, "none of them twice"),
        ([1.5], {}, "whole numbers"),
        ([[1]], {}, "one label a row"),
        ([10_000_000], {}, "would need as many rows"),
        ([1, 2], {"a": np.zeros(3)}, "Column 'a' has shape"),
    ],
)
def test_what_is_no_table_is_a_sentence(labels, columns, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        dense_table(labels, columns)

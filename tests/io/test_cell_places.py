import numpy as np
import pandas as pd
import pytest

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.io import read_places_table

IMAGES = np.array(["a.tif", "a.tif", "b.tif"])
PLACES = np.array([[10.0, 12.0], [30.2, 40.0], [10.4, 12.0]])
LABELS = np.array([1, 2, 1])


def _told(tmp_path, columns, images=IMAGES, reach=5.0):
    path = tmp_path / "t.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    n = len(images)
    return read_places_table(path, images, PLACES[:n], LABELS[:n], reach)


def test_places_find_cells(tmp_path) -> None:
    columns = {"image": ["b", "a", "a"], "y": [10, 31, 9], "x": [12, 41, 12]}
    with pytest.warns(InputWarning, match=r"^Of t\.csv, 'image' as file was taken\.$"):
        told = _told(tmp_path, columns | {"protein": ["P", "Q", "R"], "label": [8, 9, 9]})
    assert told["protein"].tolist() == ["R", "Q", "P"]
    assert set(told) == {"protein", "label"}
    assert told["label"].tolist() == [9, 9, 8]


def test_a_place_belongs_to_the_nearest_cell_in_reach(tmp_path) -> None:
    columns = {"Image Path": ["/x/a.tif"] * 4, "Center Y": [14, 11, 36, 30.2]}
    columns |= {"Center X": [12, 12, 40, 49], "Initial Label": ["far", "near", "out", "out"]}
    with pytest.warns(InputWarning) as said:
        told = _told(tmp_path, columns)
    assert told["class"].tolist() == ["near", "", ""]
    told_of = [str(one.message) for one in said]
    assert told_of[1].startswith("2 of 3 cells are not in t.csv")
    assert told_of[2].startswith("3 of 4 rows of t.csv were passed over")


def test_labels_find_cells_where_there_are_no_places(tmp_path) -> None:
    columns = {"file": ["b.tif", "a.tif", "a.tif"], "label": [1, 2, 1], "protein": list("PQR")}
    told = _told(tmp_path, columns)
    assert set(told) == {"protein"}
    assert told["protein"].tolist() == ["R", "Q", "P"]


def test_a_row_may_tell_of_all_cells_of_an_image(tmp_path) -> None:
    told = _told(tmp_path, {"file": ["b.tif", "a.tif"], "protein": ["P", "Q"], "plate": [1, 2]})
    assert told["protein"].tolist() == ["Q", "Q", "P"]
    assert told["plate"].tolist() == ["2", "2", "1"]
    with pytest.warns(InputWarning) as said:
        told = _told(tmp_path, {"file": ["b.tif", "b.tif"], "protein": ["P", "Q"]})
    assert told["protein"].tolist() == ["", "", "P"]
    assert "1 of 2 rows of t.csv were passed over" in str(said[1].message)


def test_numbers_of_images_are_classes(tmp_path) -> None:
    with pytest.warns(InputWarning, match="'label' as class"):
        told = _told(tmp_path, {"file": ["b.tif", "a.tif"], "label": [3, 3]})
    assert told["class"].tolist() == ["3", "3", "3"]


@pytest.mark.filterwarnings("ignore::napari_cryoml._errors.InputWarning")
def test_one_image_needs_no_name(tmp_path) -> None:
    told = _told(tmp_path, {"y": [30, 10], "x": [40, 12], "gene": ["P", "Q"]}, IMAGES[:2])
    assert told["protein"].tolist() == ["Q", "P"]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"y": [1], "x": [2], "gene": ["P"]}, "does not tell the image of each row"),
        ({"file": ["z"], "gene": ["P"]}, r"names in t.csv \('z'\) fit none of the images"),
        ({"file": ["a"], "y": [20], "x": [20], "gene": ["P"]}, "none of the 3 cells.*its places"),
        ({"file": ["a"], "label": [7], "gene": ["P"]}, "none of the 3 cells.*its labels"),
    ],
)
@pytest.mark.filterwarnings("ignore::napari_cryoml._errors.InputWarning")
def test_a_table_of_other_cells_is_a_sentence(tmp_path, columns, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        _told(tmp_path, columns)

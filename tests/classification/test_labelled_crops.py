import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.classification import LabelledCrops
from napari_cryoml.data import ArrayCrops, MissingWedge

CROPS = ArrayCrops.of(
    np.zeros((6, 1, 4, 4, 4), np.float32),
    list("abcdef"),
    {"kind": np.array(["x", "y", "", "x", "y", "x"]), "number": np.array([1, 2, 1, np.nan, 2, 2])},
    wedge=MissingWedge(-40, 40),
)


def test_classes_come_from_a_column():
    data = LabelledCrops.of(CROPS, "kind")
    assert data.classes == ("x", "y")
    assert data.labels.tolist() == [0, 1, -1, 0, 1, 0]
    assert data.labelled.tolist() == [0, 1, 3, 4, 5]
    assert data.counts.tolist() == [3, 2]
    assert data.wedge == CROPS.wedge


def test_numbers_of_a_table_are_names_too():
    data = LabelledCrops.of(CROPS, "number")
    assert data.classes == ("1", "2")
    assert data.labels.tolist() == [0, 1, 0, -1, 1, 1]


def test_classes_come_by_id_in_the_order_that_is_asked_for():
    names = {"a": "x", "f": "y", "b": "x", "c": "y"}
    data = LabelledCrops.of(CROPS, names, classes=["y", "x"], wedge=MissingWedge())
    assert data.labels.tolist() == [1, 1, 0, -1, -1, 0]
    assert data.wedge == MissingWedge()


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"a": "x", "b": "x"}, "only 'x' has labels"),
        ({}, "no crop is labelled"),
        ({"a": "x", "b": "x", "c": "y"}, "class 'y' has one label; it needs 2"),
        ({"a": "x", "b": "x", "h": "y"}, "1 of 3 labels belong to no crop, the first to 'h'"),
        ({"h": "x", "i": "y"}, "None of the 2 labels belongs to a crop: the first is of 'h'"),
        ("sort", "no column 'sort' with classes; there are kind, number"),
    ],
)
def test_what_cannot_be_trained_on_is_said(names, sentence):
    with pytest.raises(InputError, match=sentence):
        LabelledCrops.of(CROPS, names)


def test_labels_of_another_set_are_refused():
    with pytest.raises(InputError, match="6 crops need one class each, or -1; 5 were given"):
        LabelledCrops(CROPS, ("x", "y"), np.array([0, 1, 0, 1, 1]))
    with pytest.raises(InputError, match="numbered from 0 to 1, and -1"):
        LabelledCrops(CROPS, ("x", "y"), np.array([0, 1, 0, 1, 1, 2]))
    with pytest.raises(InputError, match="Two classes have one name"):
        LabelledCrops(CROPS, ("x", "x"), np.array([0, 1, 0, 1, 1, 0]))
    with pytest.raises(InputError, match="'z', which is no class: choose one of x, y"):
        LabelledCrops.of(CROPS, {"a": "x", "b": "z"}, classes=["x", "y"])


def test_a_class_that_nobody_labelled_is_named():
    with pytest.raises(InputError, match="class 'z' has no label"):
        LabelledCrops(CROPS, ("x", "y", "z"), np.array([0, 1, 0, 1, 1, 0]))

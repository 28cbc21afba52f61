import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.picking import labels_from_table, poses_from_table


def _table(*images: str, **columns: list) -> PicksTable:
    rows = {name: np.array(values) for name, values in columns.items()}
    return PicksTable.of(Picks(image, np.ones((2, 2)), columns=rows) for image in images)


def test_positions_are_particles_unless_a_column_says_otherwise() -> None:
    assert labels_from_table(_table("a.mrc"), ["a.mrc"])["a.mrc"].labels.tolist() == [1, 1]
    told = labels_from_table(_table("a.mrc", label=[0, 1]), ["a.mrc"])
    assert told["a.mrc"].labels.tolist() == [0, 1]


def test_names_match_and_parts_of_one_image_are_joined() -> None:
    labels = labels_from_table(_table("dir/a.mrc", "other.star", "dir/a.mrc"), ["a.mrc", "b.mrc"])
    assert list(labels) == ["a.mrc"]
    assert len(labels["a.mrc"]) == 4


def test_an_empty_table_and_one_of_other_images_are_sentences() -> None:
    with pytest.raises(InputError, match="holds no particles"):
        labels_from_table(PicksTable(()), ["a.mrc"])
    with pytest.raises(InputError, match=r"'z.mrc'.*'a.mrc'"):
        labels_from_table(_table("z.mrc"), ["a.mrc"])


def test_orientations_and_classes_are_joined_by_image() -> None:
    turned = Picks("dir/a.mrc", np.zeros((1, 3)), rotations=np.eye(3)[None])
    named = Picks("dir/a.mrc", np.ones((1, 3)), columns={"class": np.array(["x"]), "y": np.ones(1)})
    plain, other = Picks("b.mrc", np.zeros((1, 3))), Picks("c.mrc", np.zeros((1, 3)))
    known = poses_from_table(PicksTable.of([turned, named, plain, other]), ["a.mrc", "b.mrc"])
    assert list(known) == ["a.mrc"]
    assert known["a.mrc"].positions.tolist() == [[0.0] * 3, [1.0] * 3]
    assert {name: v.tolist() for name, v in known["a.mrc"].columns.items()} == {"class": ["", "x"]}
    assert np.array_equal(known["a.mrc"].rotations[0], np.eye(3))
    assert np.isnan(known["a.mrc"].rotations[1]).all()

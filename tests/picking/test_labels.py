import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.picking import labels_from_table


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

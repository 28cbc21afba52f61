import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks
from napari_cryoml.project import Project


def imported(ndim, rotations=None):
    columns = {"class": np.array(["ribosome", ""])}
    return Picks(
        "theirs", np.arange(2.0 * ndim).reshape(2, ndim), None, 1.0, 9.0, columns, rotations
    )


def test_imported_particles_come_back(project, project_path, shape):
    ndim = len(shape)
    turns = None if ndim == 2 else np.stack([np.eye(3)[[1, 2, 0]], np.full((3, 3), np.nan)])
    assert project.imported("a") is None
    project.set_imported("a", imported(ndim))
    project.set_imported("a", imported(ndim, turns))
    project.close()
    with Project.open(project_path) as again:
        back = again.imported("a")
    assert back.image == "a"
    assert np.array_equal(back.positions, imported(ndim).positions)
    assert back.columns["class"].tolist() == ["ribosome", ""]
    if turns is None:
        assert back.rotations is None
    else:
        assert np.array_equal(back.rotations, turns, equal_nan=True)


@pytest.mark.parametrize("column", ["positions", "columns"])
def test_damaged_lists_are_a_sentence(project, column):
    project.set_imported("b", imported(2))
    wrong = {"positions": b"xy", "columns": "[]"}
    project._store.write(
        "UPDATE imported_picks SET positions = coalesce(?, positions), "
        "columns = coalesce(?, columns)",
        wrong["positions"] if column == "positions" else None,
        wrong["columns"] if column == "columns" else None,
    )
    with pytest.raises(InputError, match=r"imported particles of 'b' .*is damaged"):
        project.imported("b")

import numpy as np
import pytest

from napari_cryoml import io
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.data import Annotations, Picks, PicksTable
from napari_cryoml.picking import poses_from_table
from napari_cryoml.project import Project

TURNS = np.stack([np.eye(3)[[1, 2, 0]], np.eye(3)[[2, 0, 1]]])
SHAPE = (20, 60, 60)


@pytest.fixture
def session(tmp_path):
    path = io.write_mrc(tmp_path / "t.mrc", np.zeros(SHAPE, np.float32), 5.0)
    with Project.create(tmp_path / "p.cryoml") as project:
        project.add_images(io.open_images(path))
        yield Session(project, {})


@pytest.mark.parametrize("suffix", [".star", ".tbl", ".em", ".csv"])
def test_orientations_and_classes_come_out_as_they_came_in(session, tmp_path, suffix):
    positions = np.array([[5.0, 10, 10], [12, 40, 30]])
    classes = np.array(["ribosome", ""])
    picks = Picks("t.mrc", positions, None, 5.0, None, {"class": classes}, TURNS)
    (path, *_) = io.write_picks(PicksTable.of([picks]), tmp_path / f"t{suffix}")
    table = io.read_picks(path)
    for name, known in poses_from_table(table, session.names).items():
        session.project.set_imported(name, known)
    session.set_diameter_in("t.mrc", 8.0)
    # One is found again, and one is a label; the third is new.
    session.project.set_picks("t.mrc", Picks("t.mrc", positions[1:] + 1, np.ones(1)))
    more = np.array([*positions[:1], [3.0, 50, 50]])
    session.project.annotate("t.mrc", add=Annotations.of_positives(more))
    final = session.final_table(0.0)
    (tmp_path / "out").mkdir()
    (out, *_) = io.write_picks(final, tmp_path / "out" / path.name, shapes=session.shapes())
    (back,) = io.read_picks(out)
    order = np.argsort(back.positions[:, 1])
    assert np.asarray(back.columns["class"])[order].tolist() == ["ribosome", "", ""]
    np.testing.assert_allclose(back.rotations[order][:2], TURNS, atol=1e-6)

"""A project that is open elsewhere is shown, and nothing in it can be changed."""

import shutil

import numpy as np
import pytest
from tests._widgets.conftest import said

from napari_cryoml import io
from napari_cryoml._widgets.picker import PickerController
from napari_cryoml.data import Picks
from napari_cryoml.project import Project


@pytest.fixture
def looking(opened, viewer, view, jobs, folder, qtbot):
    """A second Picker on the project of the first, which has labels and picks."""
    opened.labelling.take_drawn(20.0)
    opened.layers.layer("labels").add(np.array([10.0, 20.0]))
    picks = Picks("a.mrc", [[5.0, 5.0], [9.0, 9.0]], np.array([1.0, -1.0], np.float32))
    opened.session.project.add_model(b"weights", {"threshold": 0.0})
    opened.session.project.set_picks("a.mrc", picks, model=1)
    second = PickerController(type(viewer)(), view, start_job=jobs.start)
    second.open_paths([folder / "picker.cryoml"])
    qtbot.waitUntil(lambda: second.desk.shown is not None and not second.reading)
    yield second
    second.teardown()


def test_it_says_so_as_long_as_the_project_is_open(looking, view):
    sentences = [call.args[0] for call in view.show_notice.call_args_list]
    assert "nothing here can be changed" in sentences[-1]
    assert "open in another window or program" in sentences[-1]
    assert "only looked at" in view.show_saved.call_args.args[0]
    looking.files._leave_session()
    assert view.show_notice.call_args.args == ("",)


def test_labels_picks_images_and_threshold_can_be_looked_at(looking, view, qtbot, jobs):
    assert len(looking.layers.layer("labels").data) == 1
    looking.results.set_threshold(-2.0)
    assert looking.session.threshold == -2.0
    looking.choose("b.mrc")
    qtbot.waitUntil(lambda: looking.desk.shown == "b.mrc")
    assert looking.session.current == "b.mrc"
    assert not said(view)[1]
    assert jobs == []
    undo = view.show_labels.call_args.kwargs
    assert not undo["undo"]
    assert not undo["redo"]


@pytest.mark.parametrize(
    "change",
    [
        lambda picker: picker.labelling.take_drawn(30.0),
        lambda picker: picker.undo(),
        lambda picker: picker.train(),
        lambda picker: picker.pick_all(),
        lambda picker: picker.switch_live(True),
        lambda picker: picker.results.keep_options(),
    ],
)
def test_what_would_change_it_is_refused_in_one_sentence(looking, opened, view, jobs, change):
    before = opened.session.project.last_edit
    change(looking)
    sentences = [call.args[0] for call in view.show_message.call_args_list]
    assert any("open in another window or program" in sentence for sentence in sentences)
    assert jobs == []
    assert opened.session.project.last_edit == before


def test_a_click_is_taken_back(looking, opened, view):
    looking.layers.layer("labels").add(np.array([70.0, 70.0]))
    assert len(looking.layers.layer("labels").data) == 1
    assert "open in another window" in said(view)[0]
    assert opened.session.project.counts()["a.mrc"] == (1, 0)


def test_images_that_got_other_names_are_offered_and_found(
    opened, viewer, view, jobs, folder, qtbot, tmp_path
):
    opened.layers.layer("labels").add(np.array([10.0, 20.0]))
    project = opened.session.project
    qtbot.waitUntil(lambda: project.note_contents() == 0 and not opened.reading)
    pixels = io.open_image(folder / "a.mrc").read()
    opened.teardown()
    viewer.layers.clear()
    archive = tmp_path / "archive" / "deep"
    archive.mkdir(parents=True)
    for name in "abc":
        shutil.move(folder / f"{name}.mrc", archive / f"of-{name}.mrc")
    again = PickerController(viewer, view, start_job=jobs.start)
    again.open_paths([folder / "picker.cryoml"])
    qtbot.waitUntil(lambda: not again.reading)
    assert view.show_missing.call_args.args == (3,)
    assert "known by their content" in said(view)[0]
    again.files.find_missing(tmp_path / "archive")
    qtbot.waitUntil(lambda: again.desk.shown == "a.mrc" and not again.reading)
    assert view.show_missing.call_args.args == (0,)
    assert any("3 of 3" in call.args[0] for call in view.show_message.call_args_list)
    assert np.array_equal(again.session.sources["a.mrc"].read(), pixels)
    assert len(again.layers.layer("labels").data) == 1
    again.teardown()
    with Project.open(folder / "picker.cryoml") as kept:
        assert kept.locate("b.mrc") == archive / "of-b.mrc"

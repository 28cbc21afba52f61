import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests._widgets.conftest import PIXEL_SIZE, picked, said, step, trained

from napari_cryoml import checkpoint, io
from napari_cryoml._widgets.picker import PickerController, _work
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.project import Project


def add(controller, *positions):
    layer = controller.layers.layer("labels")
    for position in positions:
        layer.add(np.array(position, float))


def rows(view):
    return {row.name: row for row in view.show_images.call_args.args[0]}


def train(controller, jobs, qtbot, tmp_path, *events, **summary):
    """Run a whole training with a fake job."""
    controller.labelling.take_drawn(20.0)
    add(controller, (10, 20), (60, 60))
    controller.results.train()
    job = jobs[-1]
    job.say(*events)
    job.end(result=trained(tmp_path / "model.safetensors", **summary))
    qtbot.waitUntil(lambda: not controller.results.jobs.kind)
    return job


# Opening


def test_a_folder_becomes_a_project_beside_the_images(opened, view, folder):
    assert (folder / "picker.cryoml").exists()
    assert list(rows(view)) == ["a.mrc", "b.mrc", "c.mrc"]
    assert opened.layers.layer("image").data.shape == (120, 100)


def test_files_opened_later_join_the_project(opened, folder, idle, view):
    io.write_mrc(folder / "d.mrc", np.eye(50, dtype=np.float32), PIXEL_SIZE)
    opened.open_paths([folder / "d.mrc"])
    idle()
    assert list(rows(view)) == ["a.mrc", "b.mrc", "c.mrc", "d.mrc"]


@pytest.mark.parametrize("what", ["empty", "missing", "text", "damaged", "project"])
def test_what_cannot_be_opened_is_one_sentence(controller, view, idle, tmp_path, what):
    path = tmp_path / {"text": "a.txt", "damaged": "a.mrc", "project": "a.cryoml"}.get(what, what)
    if what == "empty":
        path.mkdir()
    elif what != "missing":
        path.write_bytes(b"no image")
    controller.open_paths([path])
    idle()
    sentence, error = said(view)
    assert error
    assert len(sentence) > 20
    assert "Traceback" not in sentence
    assert controller.session is None


def test_a_folder_that_cannot_be_written_to_keeps_its_project_elsewhere(
    controller, view, folder, idle, tmp_path, monkeypatch
):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: not str(path).startswith(str(folder)) and real(path, mode)
    )
    controller.open_paths([folder])
    idle()
    assert controller.session.project.path.parent == tmp_path / "napari-cryoml"


def test_images_open_in_napari_are_taken_from_their_layers(
    controller, viewer, idle, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    viewer.add_image(
        np.random.default_rng(0).normal(size=(60, 50)).astype(np.float32),
        name="my image",
        scale=(1.5, 1.5),
        units=("angstrom", "angstrom"),
    )
    controller.files.open_layers()
    idle()
    assert controller.session.names == ["my-image.mrc"]
    assert controller.session.entries["my-image.mrc"].pixel_size == pytest.approx(1.5)


def test_without_an_image_layer_it_says_so(controller, view):
    controller.files.open_layers()
    assert "No image is open in napari" in said(view)[0]


def test_a_project_is_the_same_after_it_was_closed(
    opened, jobs, qtbot, viewer, view, folder, tmp_path
):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    opened.results.set_threshold(0.5)
    opened.step("next")
    opened.step("previous")
    opened.teardown()
    viewer.layers.clear()
    again = PickerController(viewer, view, start_job=jobs.start)
    again.open_paths([folder / "picker.cryoml"])
    qtbot.waitUntil(lambda: again.desk.shown == "a.mrc" and not again.reading)
    assert again.layers.labels.annotations.positives.tolist() == [[10.0, 20.0], [60.0, 60.0]]
    assert again.session.diameter_px == 20.0
    assert again.session.threshold == 0.5
    assert len(again.layers.layer("picks").data) == 2
    assert again.session.project.current_model() is not None
    assert again.layers.layer("scores").data.shape == (15, 13)
    again.teardown()


def test_images_that_are_gone_are_named_and_their_labels_stay(
    opened, jobs, qtbot, viewer, view, folder
):
    add(opened, (10, 20))
    opened.teardown()
    viewer.layers.clear()
    (folder / "a.mrc").unlink()
    again = PickerController(viewer, view, start_job=jobs.start)
    again.open_paths([folder / "picker.cryoml"])
    qtbot.waitUntil(lambda: not again.reading)
    sentence, error = said(view)
    assert error
    assert "a.mrc" in sentence
    assert again.session.project.counts()["a.mrc"] == (1, 0)
    again.choose("b.mrc")
    qtbot.waitUntil(lambda: again.desk.shown == "b.mrc")
    again.teardown()


def test_images_that_were_moved_are_found_again(
    opened, jobs, qtbot, viewer, view, folder, tmp_path
):
    add(opened, (10, 20))
    opened.teardown()
    viewer.layers.clear()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("a.mrc", "b.mrc"):
        shutil.move(folder / name, elsewhere / name)
    io.write_mrc(elsewhere / "c.mrc", np.eye(30, dtype=np.float32), PIXEL_SIZE)
    (folder / "c.mrc").unlink()
    again = PickerController(viewer, view, start_job=jobs.start)
    again.open_paths([folder / "picker.cryoml"])
    qtbot.waitUntil(lambda: not again.reading)
    again.choose("b.mrc")
    assert "Find missing images" in said(view)[0]
    again.files.find_missing(folder)
    qtbot.waitUntil(lambda: not again.reading)
    assert said(view)[1]
    again.files.find_missing(elsewhere)
    qtbot.waitUntil(lambda: again.desk.shown is not None and not again.reading)
    # The third is another image of that name.
    assert any("2 of 3 missing" in call.args[0] for call in view.show_message.call_args_list)
    assert len(again.session.project.annotations("a.mrc")) == 1
    again.teardown()
    with Project.open(folder / "picker.cryoml") as project:
        assert project.locate("b.mrc") == elsewhere / "b.mrc"


# Images


def test_stepping_goes_through_the_images_and_stops_at_the_ends(opened, idle):
    names = []
    for direction in ("previous", "next", "next", "next", "previous"):
        opened.step(direction)
        idle()
        names.append(opened.desk.shown)
    assert names == ["a.mrc", "b.mrc", "c.mrc", "c.mrc", "b.mrc"]


def test_the_next_unlabelled_image_may_lie_before(opened, idle, view):
    opened.choose("b.mrc")
    idle()
    add(opened, (10, 10))
    opened.choose("c.mrc")
    idle()
    add(opened, (10, 10))
    opened.step("unlabelled")
    idle()
    assert opened.desk.shown == "a.mrc"
    add(opened, (10, 10))
    opened.step("unlabelled")
    assert said(view)[0] == "All images have labels."


def test_each_image_has_its_own_labels(opened, idle, view):
    add(opened, (10, 20), (30, 40))
    opened.choose("b.mrc")
    idle()
    assert len(opened.layers.layer("labels").data) == 0
    add(opened, (50, 50))
    assert (rows(view)["a.mrc"].positives, rows(view)["b.mrc"].positives) == (2, 1)
    opened.choose("a.mrc")
    idle()
    assert len(opened.layers.layer("labels").data) == 2


# Labels and diameter


def test_a_diameter_is_typed_in_angstrom_and_drawn_in_pixels(opened, view):
    opened.labelling.enter_diameter(50.0)
    assert opened.session.diameter_px == 25.0
    assert opened.layers.diameter_px == 25.0
    opened.labelling.take_drawn(30.0)
    assert view.show_diameter.call_args.args == (60.0, "Å")
    opened.undo()
    assert opened.session.diameter_px == 25.0


def test_a_diameter_beyond_the_image_is_refused(opened, view):
    opened.labelling.enter_diameter(5000.0)
    assert "larger than the image" in said(view)[0]
    assert opened.session.diameter_px == 0


def test_undo_and_redo_go_to_the_image_of_the_edit(opened, idle):
    add(opened, (10, 20))
    opened.choose("b.mrc")
    idle()
    opened.undo()
    idle()
    assert opened.desk.shown == "a.mrc"
    assert len(opened.layers.layer("labels").data) == 0
    opened.redo()
    idle()
    assert opened.layers.labels.annotations.positives.tolist() == [[10.0, 20.0]]


def test_every_edit_can_be_undone_to_the_start(opened, view):
    add(opened, (10, 20), (60, 60), (90, 30))
    layer = opened.layers.layer("labels")
    layer.selected_data = {1}
    layer.remove_selected()
    opened.layers.click_at(np.array([10, 20]) * PIXEL_SIZE, 0)
    for _ in range(5):
        opened.undo()
    assert len(opened.layers.labels.ids) == 0
    opened.undo()
    assert said(view)[0] == "There is nothing to undo."
    for _ in range(5):
        opened.redo()
    assert opened.layers.labels.annotations.positives.tolist() == [[90.0, 30.0]]
    assert opened.layers.labels.annotations.negatives.tolist() == [[10.0, 20.0]]


def test_positions_in_a_file_become_labels_in_one_go(opened, folder, idle, view):
    table = PicksTable.of(
        [
            Picks("a.mrc", np.array([[10.0, 20.0], [30.0, 40.0]]), pixel_size=PIXEL_SIZE),
            Picks("b.mrc", np.array([[5.0, 6.0]]), pixel_size=PIXEL_SIZE),
        ]
    )
    io.write_picks(table, folder / "labels.star")
    opened.labelling.import_file(str(folder / "labels.star"))
    idle()
    assert opened.session.project.counts()["a.mrc"] == (2, 0)
    assert len(opened.layers.layer("labels").data) == 2
    assert "3 labels of 2 images" in said(view)[0]


def test_classes_in_a_file_come_out_with_its_particles(opened, folder, idle):
    classes = np.array(["ribosome", ""])
    picks = Picks("a.mrc", np.array([[10.0, 20.0], [30.0, 40.0]]), columns={"class": classes})
    io.write_picks(PicksTable.of([picks]), folder / "labels.csv")
    opened.labelling.import_file(str(folder / "labels.csv"))
    idle()
    (written,) = opened.session.final_table(0.0)
    assert written.columns["class"].tolist() == ["ribosome", ""]


def test_positions_of_other_images_are_refused(opened, folder, idle, view):
    table = PicksTable.of([Picks("z.mrc", np.array([[10.0, 20.0]]), pixel_size=PIXEL_SIZE)])
    io.write_picks(table, folder / "labels.star")
    opened.labelling.import_file(str(folder / "labels.star"))
    idle()
    assert said(view)[1]
    assert not sum(map(sum, opened.session.project.counts().values()))


# Training and picking


def test_training_needs_images_a_diameter_and_labels(controller, folder, idle, view, jobs):
    controller.results.train()
    assert "no images" in said(view)[0]
    controller.open_paths([folder])
    idle()
    controller.results.train()
    assert "diameter" in said(view)[0]
    controller.labelling.take_drawn(20.0)
    controller.results.train()
    assert "labelled particles" in said(view)[0]
    assert jobs == []


def test_training_gets_the_labels_and_the_image_on_show(opened, jobs, idle):
    opened.labelling.take_drawn(20.0)
    add(opened, (10, 20))
    opened.choose("b.mrc")
    idle()
    opened.results.train()
    images, labels, config = jobs[0].args
    assert jobs[0].function is _work.train
    assert [image.name for image in images] == ["a.mrc", "b.mrc", "c.mrc"]
    assert {name: len(entry) for name, entry in labels.items()} == {"a.mrc": 1}
    assert (config.diameter, config.ndim) == (20.0, 2)
    assert jobs[0].kwargs["preview"].name == "b.mrc"


def test_training_ends_with_a_model_picks_and_a_heat_map(opened, jobs, qtbot, view, tmp_path):
    events = step(1), step(2, validation=0.7), picked("a.mrc")
    train(opened, jobs, qtbot, tmp_path, *events, validation_ap=0.8, images=3)
    assert [call.args[2] for call in view.add_step.call_args_list] == [None, 0.7]
    summary = opened.session.project.current_model().summary
    assert summary == {"validation_ap": 0.8, "images": 3, "step": 2, "loss": 1.0, "device": ""}
    assert len(opened.layers.layer("picks").data) == 2
    assert opened.layers.layer("scores").data.shape == (15, 13)
    assert rows(view)["a.mrc"].picks is not None
    assert not rows(view)["a.mrc"].stale
    assert "0.80" in view.end_job.call_args.args[0]


def test_labels_made_while_training_runs_are_kept_and_make_picks_stale(
    opened, jobs, qtbot, view, tmp_path
):
    opened.labelling.take_drawn(20.0)
    add(opened, (10, 20), (60, 60))
    opened.results.train()
    add(opened, (90, 90))
    jobs[0].say(picked("a.mrc"))
    jobs[0].end(result=trained(tmp_path / "m"))
    qtbot.waitUntil(lambda: not opened.results.jobs.kind)
    assert rows(view)["a.mrc"].positives == 3
    assert rows(view)["a.mrc"].stale
    assert "Old" in view.show_pick_counts.call_args.args[0]


def test_train_again_while_it_runs_stops_and_keeps(opened, jobs, view):
    opened.labelling.take_drawn(20.0)
    add(opened, (10, 20))
    opened.results.train()
    opened.results.train()
    assert len(jobs) == 1
    assert jobs[0].stopped
    assert view.show_job.call_args.args == ("stopping",)


def test_a_cancelled_training_leaves_the_model_from_before(opened, jobs, qtbot, view, tmp_path):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    before = opened.session.project.current_model().id
    opened.results.train()
    jobs[1].say(picked("a.mrc", scores=(9.0,)))
    opened.results.cancel()
    qtbot.waitUntil(lambda: not opened.results.jobs.kind)
    assert opened.session.project.current_model().id == before
    assert len(opened.layers.layer("picks").data) == 2
    assert "cancelled" in view.end_job.call_args.args[0]


def test_a_failed_training_is_one_sentence(opened, jobs, qtbot, view):
    opened.labelling.take_drawn(20.0)
    add(opened, (10, 20))
    opened.results.train()
    jobs[0].end("failed", error="The computer has run out of memory.")
    qtbot.waitUntil(lambda: not opened.results.jobs.kind)
    assert said(view) == ("The computer has run out of memory.", True)
    assert opened.session.project.counts()["a.mrc"] == (1, 0)


def test_a_new_model_goes_on_from_the_last_only_if_told_to(opened, jobs, qtbot, view, tmp_path):
    first = train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    assert first.kwargs["start"] is None
    view.goes_on.return_value = True
    opened.results.train()
    assert checkpoint.read_header(jobs[-1].kwargs["start"])["kind"] == "picker"


def test_picking_needs_a_model(opened, view, jobs):
    opened.results.pick_all()
    assert "no model" in said(view)[0]
    assert jobs == []


def test_all_images_are_picked_the_one_on_show_first(opened, jobs, qtbot, view, tmp_path, idle):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    opened.session.project.set_picks("b.mrc", picked("b.mrc").picks)
    opened.choose("b.mrc")
    idle()
    opened.results.pick_all()
    assert [image.name for image in jobs[-1].args[0]] == ["b.mrc", "a.mrc", "c.mrc"]
    jobs[-1].say(picked("b.mrc"), picked("a.mrc"), picked("c.mrc"))
    jobs[-1].end()
    qtbot.waitUntil(lambda: not opened.results.jobs.kind)
    assert {row.picks for row in rows(view).values()} == {2}
    assert opened.session.project.picks("c.mrc") is not None


def test_an_image_without_picks_is_picked_when_it_is_shown(opened, jobs, qtbot, tmp_path, idle):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    opened.step("next")
    idle()
    assert jobs[-1].function is _work.pick
    assert [image.name for image in jobs[-1].args[0]] == ["b.mrc"]


def test_picks_of_another_image_do_not_show_on_this_one(opened, jobs, qtbot, tmp_path):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    opened.results.pick_all()
    jobs[-1].say(picked("c.mrc", scores=(1.0,)))
    qtbot.waitUntil(lambda: opened.session.project.picks("c.mrc") is not None)
    assert len(opened.layers.layer("picks").data) == 2


def test_the_heat_map_is_live_while_training_runs(opened, jobs, qtbot, view, tmp_path):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    opened.results.train()
    jobs[1].say(picked("a.mrc", scores=(9.0,)))
    qtbot.waitUntil(lambda: len(opened.layers.layer("picks").data) == 1)
    add(opened, (90, 90))
    assert len(opened.layers.layer("picks").data) == 1
    assert rows(view)["a.mrc"].picks == 1
    assert len(opened.session.project.picks("a.mrc")) == 3
    jobs[1].end("failed", error="It broke.")
    qtbot.waitUntil(lambda: not opened.results.jobs.kind)
    assert len(opened.layers.layer("picks").data) == 2
    assert rows(view)["a.mrc"].picks == 2


# Threshold and export


def test_training_proposes_the_threshold_until_the_user_has_set_one(
    opened, jobs, qtbot, view, tmp_path
):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"), threshold=1.5)
    assert opened.session.threshold == 1.5
    assert len(opened.layers.layer("picks").data) == 1
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"), threshold=0.5)
    assert len(opened.layers.layer("picks").data) == 2
    opened.results.set_threshold(-2.0)
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"), threshold=1.5)
    assert opened.session.threshold == -2.0
    assert len(opened.layers.layer("picks").data) == 3


def test_without_a_proposal_the_threshold_is_as_likely_as_not(opened, jobs, qtbot, tmp_path):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"), threshold=None)
    assert opened.session.threshold == 0.0


def test_the_threshold_is_counted_while_it_moves_and_kept_when_let_go(
    opened, jobs, qtbot, view, tmp_path
):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    opened.results.move_threshold(1.5)
    assert view.show_pick_counts.call_args.args[0].startswith("1 picks here")
    assert opened.session.threshold != 1.5
    opened.results.set_threshold(1.5)
    assert opened.session.project.setting("threshold") == 1.5
    assert len(opened.layers.layer("picks").data) == 1


def test_a_negative_on_a_pick_rejects_it(opened, jobs, qtbot, view, tmp_path):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    opened.results.set_threshold(-5.0)
    opened.layers.click_at(np.array([30.0, 20.0]) * PIXEL_SIZE, 0)
    assert str(opened.layers.layer("picks").symbol[2]) == "x"
    # The pick beside it lies within half a diameter as well.
    assert rows(view)["a.mrc"].picks == 1
    opened.undo()
    assert str(opened.layers.layer("picks").symbol[2]) == "disc"
    assert rows(view)["a.mrc"].picks == 3


@pytest.mark.parametrize("suffix", [".star", ".csv", ".cbox", ".box"])
def test_picks_are_exported_with_labelled_particles_and_without_rejected_ones(
    opened, jobs, qtbot, view, tmp_path, idle, suffix
):
    train(opened, jobs, qtbot, tmp_path, picked("a.mrc"))
    opened.results.set_threshold(0.0)
    add(opened, (100, 80))
    view.ask_export_path.return_value = tmp_path / f"out{suffix}"
    opened.export.run()
    idle()
    table = io.read_picks(tmp_path / f"out{suffix}")
    positions = np.sort(table.picks[0].positions[:, 0])
    # Two picks above the threshold, and the labels that no pick is near: (60, 60), (100, 80).
    assert positions == pytest.approx([10, 20, 60, 100], abs=1)
    assert "4 particles of 1 images" in said(view)[0]


def test_with_nothing_to_export_it_says_so(opened, view):
    opened.export.run()
    assert "nothing to export" in said(view)[0]
    view.ask_export_path.assert_not_called()


def test_an_export_that_cannot_be_written_is_one_sentence(opened, view, idle, tmp_path):
    opened.labelling.take_drawn(20.0)
    add(opened, (10, 20))
    view.ask_export_path.return_value = tmp_path / "gone" / "deep" / "out.star"
    (tmp_path / "gone").write_bytes(b"")
    opened.export.run()
    idle()
    assert said(view)[1]


# The end


def test_teardown_gives_everything_back(opened, viewer, folder, jobs):
    opened.labelling.take_drawn(20.0)
    add(opened, (10, 20))
    opened.results.train()
    opened.teardown()
    opened.teardown()
    assert jobs[0].state == "cancelled"
    assert len(viewer.keymap) == 0
    assert len(viewer.mouse_drag_callbacks) == len(type(viewer)().mouse_drag_callbacks)
    with Project.open(folder / "picker.cryoml") as project:
        assert project.counts()["a.mrc"] == (1, 0)


def test_a_process_that_is_killed_loses_no_label(folder, tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from unittest.mock import MagicMock
import numpy as np
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
app = QApplication([])
from napari_cryoml._widgets.picker import PickerController, PickerView
view = MagicMock(spec=PickerView)
view.live, view.question = MagicMock(), MagicMock()
controller = PickerController(ViewerModel(), view)
controller.open_paths([Path({str(folder)!r})])
while controller.desk.shown is None:
    app.processEvents()
controller.layers.layer("labels").add(np.array([10.0, 20.0]))
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen")
    done = subprocess.run([sys.executable, "-c", code], env=environment, timeout=120)
    assert done.returncode == -9
    with Project.open(folder / "picker.cryoml") as project:
        assert project.annotations("a.mrc").positives.tolist() == [[10.0, 20.0]]


def test_a_project_that_moved_with_its_images_opens(opened, viewer, view, jobs, folder, qtbot):
    add(opened, (10, 20))
    opened.teardown()
    viewer.layers.clear()
    moved = folder.parent / "moved"
    shutil.move(folder, moved)
    again = PickerController(viewer, view, start_job=jobs.start)
    again.open_paths([moved / "picker.cryoml"])
    qtbot.waitUntil(lambda: again.desk.shown == "a.mrc")
    assert len(again.layers.layer("labels").data) == 1
    again.teardown()


def test_a_deleted_layer_is_made_again_after_a_while(opened, viewer, qtbot):
    add(opened, (10, 20))
    viewer.layers.remove(opened.layers.layer("labels"))
    assert opened.layers.layer("labels") is None
    qtbot.waitUntil(lambda: opened.layers.layer("labels") is not None)
    assert len(opened.layers.layer("labels").data) == 1

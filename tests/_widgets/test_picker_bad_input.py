"""Whatever comes in: one sentence in the dock, and labels and viewer stay."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from tests._widgets.conftest import PIXEL_SIZE, SHAPE, FakeJob, picked, said, trained

from napari_cryoml import io
from napari_cryoml._errors import InputError
from napari_cryoml._widgets.picker import PickerController
from napari_cryoml.data import Annotations
from napari_cryoml.jobs import ChildJob, run_inline
from napari_cryoml.picking import PickerConfig

QUICK = {"minutes": None, "steps": 2, "crops": 2, "crop_size": 48}


class InlineJob(FakeJob):
    """A job that is carried out, here and at once."""

    def __init__(self, function, *args, **kwargs):
        super().__init__(function, *args, **kwargs)
        events = []
        try:
            result = run_inline(function(*args, **kwargs), events.append)
        except InputError as error:
            self.end("failed", error=str(error))
        else:
            self.end(result=result)
        self.say(*events)


@pytest.fixture
def dock(qtbot, viewer, view, folder):
    """Return the Picker with three micrographs, whose jobs run here and at once."""
    view.config.side_effect = lambda **values: PickerConfig(
        training=QUICK, device="cpu", model="conv31", **values
    )
    made = PickerController(viewer, view, start_job=InlineJob)
    made.open_paths([folder])
    qtbot.waitUntil(lambda: made.desk.shown == "a.mrc" and not made.reading)
    made.labelling.take_drawn(20.0)
    yield made
    made.teardown()


def label(dock, *positions):
    for position in positions:
        dock.layers.layer("labels").add(np.array(position, float))


def settle(dock, qtbot):
    qtbot.waitUntil(lambda: not dock.busy, timeout=30_000)


def check_sentence(view, *words):
    sentence, error = said(view)
    assert error, sentence
    assert all(word in sentence for word in words), sentence
    assert sentence.endswith(".")
    assert "Traceback" not in sentence
    return sentence


def test_one_label_is_too_few(dock, view, qtbot):
    label(dock, (10, 20))
    dock.results.train()
    settle(dock, qtbot)
    check_sentence(view, "at least 2")
    assert dock.session.project.counts()["a.mrc"] == (1, 0)


def test_labels_outside_their_images_are_named(dock, view, qtbot):
    far = Annotations.of_positives([[900.0, 900.0], [950.0, 900.0]])
    dock.session.project.annotate("a.mrc", add=far)
    dock.results.train()
    settle(dock, qtbot)
    check_sentence(view, "outside")
    assert dock.session.project.counts()["a.mrc"] == (2, 0)


def test_a_model_of_another_diameter_is_not_gone_on_from(dock, view, qtbot):
    label(dock, (20, 20), (80, 60))
    dock.results.train()
    settle(dock, qtbot)
    assert dock.session.project.current_model() is not None, said(view)
    dock.labelling.take_drawn(40.0)
    view.goes_on.return_value = True
    dock.results.train()
    settle(dock, qtbot)
    check_sentence(view, "20", "40")
    assert len(dock.session.project.models()) == 1


@pytest.mark.parametrize("kind", ["truncated", "text"])
def test_a_damaged_file_among_good_ones_is_named(controller, view, folder, idle, kind):
    whole = (folder / "a.mrc").read_bytes()
    (folder / "d.mrc").write_bytes(whole[:3000] if kind == "truncated" else b"a list\n" * 300)
    controller.open_paths([folder])
    idle()
    assert "d.mrc" in " ".join(call.args[0] for call in view.show_message.call_args_list)
    if controller.session is not None:
        assert controller.session.names[:3] == ["a.mrc", "b.mrc", "c.mrc"]


@pytest.mark.parametrize("value", [np.nan, 7.0])
def test_an_image_without_contrast_is_shown_and_does_not_end_training(
    dock, view, folder, qtbot, value
):
    io.write_mrc(folder / "flat.mrc", np.full(SHAPE, value, np.float32), PIXEL_SIZE)
    label(dock, (20, 20), (80, 60))
    dock.open_paths([folder / "flat.mrc"])
    settle(dock, qtbot)
    dock.choose("flat.mrc")
    qtbot.waitUntil(lambda: dock.desk.shown == "flat.mrc")
    dock.results.train()
    settle(dock, qtbot)
    assert dock.session.project.counts()["a.mrc"] == (2, 0)
    if dock.session.project.current_model() is None:
        check_sentence(view, "flat.mrc")


def test_two_images_of_one_name_are_refused(dock, view, tmp_path, qtbot):
    label(dock, (20, 20))
    other = tmp_path / "other"
    other.mkdir()
    io.write_mrc(other / "a.mrc", np.eye(50, dtype=np.float32), PIXEL_SIZE)
    dock.open_paths([other])
    settle(dock, qtbot)
    check_sentence(view, "a.mrc")
    assert dock.session.names == ["a.mrc", "b.mrc", "c.mrc"]
    assert len(dock.layers.layer("labels").data) == 1


@pytest.mark.filterwarnings("ignore::napari_cryoml._errors.InputWarning")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("none.star", "data_particles\n\nloop_\n_rlnCoordinateX #1\n_rlnCoordinateY #2\n"),
        ("a.box", "10 20 thirty\n\x00\x01"),
        ("a.txt", "nothing of use"),
        ("gone.star", None),
    ],
)
def test_labels_that_cannot_be_read_are_refused(dock, view, folder, qtbot, name, content):
    label(dock, (20, 20))
    if content is not None:
        (folder / name).write_text(content)
    dock.labelling.import_file(str(folder / name))
    settle(dock, qtbot)
    check_sentence(view)
    assert dock.session.project.counts()["a.mrc"] == (1, 0)


def refuse(*_args, **_kwargs):
    raise InputError("The project cannot be written (disk full): make room.")


def test_on_a_full_disk_a_label_is_taken_back(dock, view, monkeypatch):
    label(dock, (20, 20))
    monkeypatch.setattr(dock.session.project, "annotate", refuse)
    label(dock, (80, 60))
    assert said(view)[0].startswith("The project cannot be written")
    assert len(dock.layers.layer("labels").data) == 1


def test_on_a_full_disk_a_trained_model_is_kept_elsewhere(
    opened, jobs, view, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened.labelling.take_drawn(20.0)
    label(opened, (20, 20), (80, 60))
    opened.results.train()
    monkeypatch.setattr(opened.session.project, "add_model", refuse)
    jobs[0].end(result=trained(tmp_path / "model.safetensors", threshold=1.0))
    settle(opened, qtbot)
    sentence = check_sentence(view, "disk full", "The trained model is in")
    assert Path(sentence.rsplit(" ", 1)[1][:-1]).exists()
    assert opened.session.project.counts()["a.mrc"] == (2, 0)


def test_on_a_full_disk_picking_ends_with_a_sentence(
    opened, jobs, view, qtbot, tmp_path, monkeypatch
):
    opened.session.project.add_model(trained(tmp_path / "m"), {})
    opened.labelling.take_drawn(20.0)
    opened.results.pick_all()
    monkeypatch.setattr(opened.session.project, "set_picks", refuse)
    jobs[0].say(picked("a.mrc"), picked("b.mrc"))
    settle(opened, qtbot)
    assert jobs[0].state == "cancelled"
    check_sentence(view, "disk full")
    assert opened.session.project.picks("a.mrc") is None


def test_a_killed_child_is_one_sentence_and_training_works_again(qtbot, viewer, view, folder):
    children = []

    def start(function, *args, **kwargs):
        children.append(ChildJob.start(function, *args, **kwargs))
        return children[-1]

    picker = PickerController(viewer, view, start_job=start)
    picker.open_paths([folder])
    qtbot.waitUntil(lambda: picker.desk.shown == "a.mrc")
    picker.labelling.take_drawn(20.0)
    label(picker, (20, 20), (80, 60))
    picker.results.train()
    os.kill(children[0].pid, signal.SIGKILL)
    settle(picker, qtbot)
    check_sentence(view, "killed")
    assert picker.session.project.counts()["a.mrc"] == (2, 0)
    picker.results.train()
    assert picker.results.jobs.kind == "training"
    picker.teardown()

"""Crops come to the Classify dock, get classes, and a classifier follows."""

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from tests._widgets.classify_rows import PLACES, fits, fitted, give_picks, note, write_boxes
from tests._widgets.explorer_rows import show

from napari_cryoml import io
from napari_cryoml._widgets.classes import classify_service
from napari_cryoml._widgets.classes._class_gallery import Show
from napari_cryoml._widgets.classify._boxes import open_boxes
from napari_cryoml._widgets.link import crop_service
from napari_cryoml._widgets.picker import pickers
from napari_cryoml.classification import LoadRequest, SaveRequest
from napari_cryoml.data import Embedding, MissingWedge, Picks
from napari_cryoml.preprocess import pick_id
from napari_cryoml.project import Project
from napari_cryoml.training import TrainingEvent


@pytest.fixture
def picked(viewer, opened):
    """Return the Picker with four picks an image, live picking off."""
    give_picks(opened)
    pickers.add(viewer, opened)
    yield opened
    pickers.remove(opened)


def wait(qtbot, controller):
    qtbot.waitUntil(lambda: not controller._background.busy, timeout=10_000)


def cut(qtbot, controller):
    controller.sources.cut()
    qtbot.waitUntil(lambda: controller.desk.state is not None, timeout=10_000)
    wait(qtbot, controller)
    return controller.desk.state


@pytest.fixture
def ready(qtbot, picked, classify):
    """Return the dock with the twelve picks of the Picker cut, and two classes."""
    cut(qtbot, classify)
    for name in ("ribosome", "junk"):
        classify.labelling.add()
        classify.labelling.rename(classify.desk.current, name)
    return classify


def note_of_cut(view):
    """Return all that was said, in one text."""
    return " ".join(str(call.args[0]) for call in view.show_message.call_args_list)


def label(controller, **rows):
    """Give rows their classes by name."""
    for name, numbers in rows.items():
        controller.labelling.choose(name)
        for row in numbers:
            controller.labelling.give_current(row)


def answer(qtbot, controller, service, reply):
    service.reply(reply)
    qtbot.waitUntil(lambda: controller.desk.state.fitted is reply, timeout=5_000)


def quick_of(services):
    return next(one for one in services if one.factory is classify_service)


class TestSources:
    def test_the_dock_tells_what_there_is_to_cut(self, picked, classify):
        text = "12 picks in 3 images."
        classify.view.source.show_source.assert_called_with(text, ndim=2, can_cut=True)

    def test_without_images_the_dock_says_what_to_do(self, classify):
        classify.sources.cut()
        assert "open the Picker" in note(classify.view)[0]
        assert note(classify.view)[1]

    def test_picks_are_cut_under_their_ids(self, qtbot, picked, classify, services):
        state = cut(qtbot, classify)
        assert len(state) == 12
        assert state.ids[0] == pick_id("a.mrc", PLACES[0])
        assert [one.factory for one in services] == [crop_service, classify_service]
        assert classify.keeping.choices()["cut"] is True

    def test_a_project_that_was_cut_before_is_cut_again(self, qtbot, picked, classify):
        picked.session.project.set_setting("classify", {"cut": True})
        classify.links.changed.emit()
        qtbot.waitUntil(lambda: classify.desk.state is not None, timeout=10_000)

    def test_stopping_leaves_what_was_there(self, qtbot, picked, classify):
        classify.sources.cut_or_stop()
        classify.sources.cut_or_stop()
        wait(qtbot, classify)
        assert classify.desk.state is None
        assert not classify.sources.running

    def test_boxes_from_a_file_need_no_images_and_keep_a_project(self, qtbot, classify, tmp_path):
        path = write_boxes(tmp_path / "boxes.npz")
        classify.sources.open_paths([path])
        qtbot.waitUntil(lambda: classify.desk.state is not None, timeout=10_000)
        assert classify.desk.state.ndim == 3
        assert classify.desk.state.crops.wedge == MissingWedge(-60, 60)
        assert (tmp_path / "boxes.npz.cryoml").exists()
        classify.labelling.add()
        classify.labelling.give_current(3)
        assert classify.desk.project.classes() == {"3": "class 1"}

    def test_boxes_of_a_file_travel_without_their_pixels(self, tmp_path):
        path = write_boxes(tmp_path / "boxes.npz")
        crops = open_boxes([path], MissingWedge(-50, 50))
        packed = pickle.dumps(crops)
        again = pickle.loads(packed)  # noqa: S301
        assert len(packed) < 1000 < crops.array.nbytes
        assert again.wedge == MissingWedge(-50, 50)
        assert np.array_equal(again.read([3]), crops.read([3]))

    def test_classes_in_a_file_are_taken_over_once(self, qtbot, classify, tmp_path):
        names = np.array(["a", "a", "b", "b", "", "", "", ""])
        path = write_boxes(tmp_path / "boxes.npz", **{"class": names})
        classify.sources.open_paths([path])
        qtbot.waitUntil(lambda: classify.desk.state is not None, timeout=10_000)
        assert classify.desk.state.classes.counts == {"a": 2, "b": 2}

    @pytest.mark.parametrize(
        ("make", "sentence"),
        [
            (lambda path: write_boxes(path, n=1), "holds one box: two or more"),
            (lambda path: write_boxes(path, side=4), "4 x 4 x 4 pixels: 8 or more"),
            (lambda path: path.write_bytes(b"nothing") and path, "boxes.npz"),
        ],
    )
    def test_a_bad_file_is_one_sentence(self, qtbot, classify, tmp_path, make, sentence):
        classify.sources.open_paths([make(tmp_path / "boxes.npz")])
        wait(qtbot, classify)
        assert sentence in note(classify.view)[0]
        assert note(classify.view)[1]
        assert classify.desk.state is None


class TestLabelling:
    def test_classes_have_colours_and_keys(self, ready):
        entries = ready.desk.entries()
        assert [(entry.name, entry.key) for entry in entries] == [("ribosome", "1"), ("junk", "2")]
        assert len({entry.colour for entry in entries}) == 2

    def test_a_digit_gives_a_class_and_0_takes_it(self, ready):
        ready.labelling.give_digit(2, 1)
        assert ready.desk.state.classes.counts == {"ribosome": 1}
        ready.labelling.give_digit(2, 0)
        assert ready.desk.state.classes.counts == {}
        assert ready.desk.project.classes() == {}

    def test_a_digit_without_a_class_is_explained(self, ready):
        ready.labelling.give_digit(2, 7)
        assert note(ready.view) == (
            "No class has the key 7: there are 2 so far. Add one [N].",
            True,
        )

    def test_a_second_click_takes_the_class_away(self, ready):
        label(ready, junk=[4, 4])
        assert not ready.desk.state.labelled.any()

    def test_undo_and_redo_reach_crops_and_gallery(self, ready):
        label(ready, junk=[4])
        ready.labelling.undo()
        assert not ready.desk.state.labelled.any()
        ready.labelling.redo()
        assert ready.desk.state.labelled[4]
        marks = ready.view.gallery.crops.set_marks
        assert marks.called

    def test_renaming_and_removing_reach_the_crops(self, ready):
        label(ready, junk=[4, 5])
        ready.labelling.rename("junk", "ice")
        assert ready.desk.state.classes.counts == {"ice": 2}
        ready.labelling.rename("ice", "ribosome")
        assert "already" in note(ready.view)[0]
        ready.labelling.remove("ice")
        assert not ready.desk.state.labelled.any()
        assert [entry.name for entry in ready.desk.entries()] == ["ribosome"]

    def test_a_class_of_another_dock_is_listed(self, ready, picked):
        state = ready.desk.state
        edit = picked.session.project.classify([state.ids[0]], "membrane")
        picked.desk.edited.emit(edit)
        assert state.classes.counts == {"membrane": 1}
        assert "membrane" in ready.desk.colours()

    def test_clicks_in_the_image_give_the_class_in_label_mode(self, ready, picked):
        ready.labelling.choose("junk")
        ready.links.clicked.emit(3, "replace")
        assert not ready.desk.state.labelled.any()
        ready.labelling.set_in_image(True)
        assert str(picked.layers.layer("labels").mode) == "pan_zoom"
        ready.links.clicked.emit(3, "replace")
        assert ready.desk.state.classes.texts[3] == "junk"
        ready.labelling.set_in_image(False)
        assert str(picked.layers.layer("labels").mode) == "add"

    def test_without_crops_label_mode_does_not_start(self, picked, classify):
        classify.labelling.set_in_image(True)
        assert not classify.labelling.in_image
        assert note(classify.view)[1]

    def test_without_a_project_no_class_can_be_added(self, classify):
        classify.labelling.add()
        assert "no project" in note(classify.view)[0]


class TestFewShot:
    def test_two_classes_of_two_labels_are_learnt_at_once(self, qtbot, ready, services):
        quick = quick_of(services)
        label(ready, ribosome=[0, 1], junk=[2])
        assert not fits(quick)
        label(ready, junk=[3])
        request = fits(quick)[-1]
        assert sorted(request.classes) == ["junk", "ribosome"]
        assert [request.classes[number] for number in request.labels[:4]] == [
            "ribosome",
            "ribosome",
            "junk",
            "junk",
        ]
        assert (request.labels[4:] == -1).all()
        assert quick.asked[-1][1] == "fit"

    def test_a_class_of_one_label_waits(self, ready, services):
        ready.labelling.add()
        label(ready, ribosome=[0, 1], junk=[2, 3], **{"class 1": [5]})
        assert sorted(fits(quick_of(services))[-1].classes) == ["junk", "ribosome"]

    def test_training_it_by_hand_is_refused_in_one_sentence(self, ready):
        ready.labelling.add()
        label(ready, ribosome=[0, 1], junk=[2, 3], **{"class 1": [5]})
        ready.training.train_or_stop()
        assert "'class 1' has one label" in note(ready.view)[0]

    def test_one_class_is_refused_in_one_sentence(self, ready):
        label(ready, ribosome=[0, 1])
        ready.training.train_or_stop()
        assert "only 'ribosome' has labels" in note(ready.view)[0]

    def test_the_answer_colours_picks_and_fills_the_result(self, qtbot, ready, picked, services):
        label(ready, ribosome=[0, 1], junk=[2, 3])
        reply = fitted(ready.desk.state, ("junk", "ribosome"))
        answer(qtbot, ready, quick_of(services), reply)
        border = picked.layers.layer("picks").border_color
        assert len(np.unique(border, axis=0)) == 2
        report, text, rows = ready.view.result.show_report.call_args.args
        assert report is reply.report
        assert "86 %" in text
        assert {row.name: row.labelled for row in rows} == {"ribosome": 2, "junk": 2}
        assert ready.view.gallery.show_rows.call_args.args[1] == "uncertain"

    def test_too_few_labels_to_hold_out_are_said(self, qtbot, ready, services):
        label(ready, ribosome=[0, 1], junk=[2, 3])
        reply = fitted(ready.desk.state, ("junk", "ribosome"), report=False)
        answer(qtbot, ready, quick_of(services), reply)
        assert "Too few labels" in ready.view.result.show_report.call_args.args[1]

    def test_taking_the_labels_away_takes_the_predictions_away(self, qtbot, ready, services):
        label(ready, ribosome=[0, 1], junk=[2, 3])
        answer(qtbot, ready, quick_of(services), fitted(ready.desk.state, ("junk", "ribosome")))
        label(ready, junk=[2])
        assert ready.desk.state.fitted is None

    def test_the_gallery_stays_put_under_the_mouse(self, qtbot, ready, services):
        ready.view.gallery.is_in_use = True
        label(ready, ribosome=[0, 1], junk=[2, 3])
        before = ready.view.gallery.show_rows.call_count
        answer(qtbot, ready, quick_of(services), fitted(ready.desk.state, ("junk", "ribosome")))
        assert ready.view.gallery.show_rows.call_count == before
        ready.browsing.catch_up(-1)
        assert ready.view.gallery.show_rows.call_count == before + 1

    def test_the_threshold_makes_crops_unsure(self, qtbot, ready, services):
        label(ready, ribosome=[0, 1], junk=[2, 3])
        answer(qtbot, ready, quick_of(services), fitted(ready.desk.state, ("junk", "ribosome")))
        ready.results.set_threshold(0.9)
        state = ready.desk.state
        assert set(state.verdicts(0.9)[4:].tolist()) == {""}
        assert "Sure from 90 %: 2 sure, 10 unsure." in str(ready.view.result.show_counts.call_args)
        ready.browsing.choose(Show("unsure"))
        assert ready.view.gallery.show_rows.call_args.args[2] == 8

    def test_a_cell_of_the_matrix_shows_the_crops_that_were_held_out(self, qtbot, ready, services):
        label(ready, ribosome=[0, 1], junk=[2, 3])
        reply = fitted(ready.desk.state, ("junk", "ribosome"))
        held_out = np.full(12, -1)
        held_out[[0, 1, 2, 3]] = [1, 0, 0, 0]
        answer(qtbot, ready, quick_of(services), replace(reply, held_out=held_out))
        ready.browsing.choose(Show("cell", "junk", "ribosome"))
        rows, _, total = ready.view.gallery.show_rows.call_args.args[:3]
        assert (rows.tolist(), total) == ([1], 1)

    def test_a_failed_fit_is_one_sentence(self, qtbot, ready, services):
        label(ready, ribosome=[0, 1], junk=[2, 3])
        quick_of(services).reply(error="The crops cannot be read.")
        qtbot.waitUntil(lambda: note(ready.view)[0] == "The crops cannot be read.", timeout=5_000)


class TestNetworks:
    @pytest.fixture
    def training(self, qtbot, ready, services):
        label(ready, ribosome=[0, 1], junk=[2, 3])
        reply = fitted(ready.desk.state, ("junk", "ribosome"))
        answer(qtbot, ready, quick_of(services), reply)
        ready.view.train.chosen = "dsrf3d"
        ready.training.choose("dsrf3d")
        ready.training.train_or_stop()
        return ready

    def test_a_network_is_trained_in_a_process_of_its_own(self, qtbot, training, services):
        slow = services[-1]
        assert slow is not quick_of(services)
        assert training.training.running
        slow.say(TrainingEvent(done=3, total=10, step=3, loss=0.5, validation=0.75))
        step = training.view.train.show_step
        qtbot.waitUntil(lambda: step.called, timeout=5_000)
        step.assert_called_with(3, 0.5, 0.75, None)
        assert training.desk.state.fitted.system.name == "few_shot"

    def test_its_answer_takes_over_and_is_kept(self, qtbot, training, services):
        slow = services[-1]
        reply = fitted(training.desk.state, ("junk", "ribosome"), "dsrf3d", token=5)
        answer(qtbot, training, slow, reply)
        assert not training.training.running
        request = slow.asked[-1][0]
        assert isinstance(request, SaveRequest)
        assert request.token == 5
        assert request.path.name.endswith("_classifier.safetensors")
        slow.reply(request.path)
        qtbot.waitUntil(
            lambda: training.keeping.choices().get("model") == request.path.name, timeout=5_000
        )

    def test_labels_that_come_later_leave_the_network_in_use(self, qtbot, training, services):
        slow = services[-1]
        answer(qtbot, training, slow, fitted(training.desk.state, ("junk", "ribosome"), "dsrf3d"))
        n_before = len(fits(quick_of(services)))
        label(training, junk=[7])
        assert len(fits(quick_of(services))) == n_before
        assert "train again" in training.view.train.show_model.call_args.args[0]

    def test_stop_keeps_what_is_there_and_the_second_stop_cancels(self, qtbot, training, services):
        slow = services[-1]
        training.training.train_or_stop()
        assert slow.stopped
        assert slow.state == "running"
        training.training.train_or_stop()
        assert slow.state == "closed"
        assert not training.training.running
        assert training.desk.state.fitted.system.name == "few_shot"

    def test_a_failure_leaves_the_classifier_from_before(self, qtbot, training, services):
        services[-1].reply(error="The memory is used up.")
        qtbot.waitUntil(lambda: not training.training.running, timeout=5_000)
        assert note(training.view) == ("The memory is used up.", True)
        assert training.desk.state.fitted.system.name == "few_shot"

    def test_a_network_from_a_file_stays_in_use_as_labels_come(
        self, qtbot, ready, services, tmp_path
    ):
        ready.view.train.chosen = "dsrf3d"
        ready.view.ask_load_model_path.return_value = tmp_path / "kept.safetensors"
        ready.training.ask_what_to_load()
        quick = quick_of(services)
        answer(qtbot, ready, quick, fitted(ready.desk.state, ("junk", "ribosome"), "dsrf3d"))
        label(ready, ribosome=[0, 1], junk=[2, 3])
        assert not fits(quick)
        assert ready.desk.state.fitted.system.name == "dsrf3d"

    def test_a_file_of_the_wrong_box_is_one_sentence(self, qtbot, ready, services, tmp_path):
        ready.view.ask_load_model_path.return_value = tmp_path / "other.safetensors"
        ready.training.ask_what_to_load()
        quick = quick_of(services)
        request = quick.asked[-1][0]
        assert isinstance(request, LoadRequest)
        assert request.path == tmp_path / "other.safetensors"
        sentence = "The classifier takes crops of 32 pixels; these have 24."
        quick.reply(error=sentence)
        qtbot.waitUntil(lambda: note(ready.view) == (sentence, True), timeout=5_000)


class TestComingAndGoing:
    def test_the_picker_closes_and_the_crops_stay(self, ready, picked):
        picked.desk.closing.emit()
        assert ready.desk.project is None
        assert ready.desk.state is not None
        assert "Picker was closed" in note(ready.view)[0]
        ready.labelling.give_digit(0, 1)
        assert note(ready.view)[1]

    def test_another_project_has_other_classes(self, qtbot, ready, picked, folder, tmp_path):
        label(ready, junk=[2, 3], ribosome=[0, 1])
        first, other = picked.session.project.path, tmp_path / "other.cryoml"
        with Project.create(other) as project:
            project.add_images(io.open_images([folder / "a.mrc"]))
        picked.open_paths([other])
        qtbot.waitUntil(lambda: ready.desk.state is None, timeout=10_000)
        assert ready.desk.project is picked.session.project
        assert ready.desk.entries() == []
        picked.open_paths([first])
        qtbot.waitUntil(lambda: ready.desk.state is not None, timeout=10_000)
        assert ready.desk.state.classes.counts == {"junk": 2, "ribosome": 2}

    def test_picks_outside_their_image_are_told(self, qtbot, picked, classify):
        places = np.vstack([PLACES, [[500.0, 20.0]]])
        picked.session.project.set_picks("a.mrc", Picks("a.mrc", places))
        cut(qtbot, classify)
        assert len(classify.desk.state) in (12, 13)
        assert "outside" in note_of_cut(classify.view)

    def test_deleted_layers_are_survived(self, qtbot, ready, viewer):
        viewer.layers.clear()
        ready.labelling.give_digit(0, 1)
        assert ready.desk.state.labelled[0]

    def test_the_explorer_and_the_dock_share_classes_and_colours(
        self, qtbot, ready, picked, explorer, services
    ):
        state = ready.desk.state
        crops = state.crops
        rows = Embedding(np.eye(12, 3), crops.ids, crops.images, crops.positions)
        explorer.linking.begin()
        there = show(explorer, rows)
        explorer.naming.classify_rows(np.array([2, 3]), "ice")
        assert state.classes.counts == {"ice": 2}
        ready.labelling.give_digit(5, 1)
        assert there.classes.texts[5] == "ribosome"
        ready.labelling.undo()
        assert there.classes.texts[5] == ""
        label(ready, ribosome=[0, 1])
        answer(qtbot, ready, quick_of(services), fitted(state, ("ice", "ribosome")))
        explorer.selecting.rows([0])
        explorer.selecting.clear()
        border = picked.layers.layer("picks").border_color
        assert len(np.unique(border, axis=0)) == 2

    def test_teardown_comes_twice(self, classify):
        classify.teardown()
        classify.teardown()


def test_opening_the_dock_loads_nothing_heavy():
    code = (
        "import sys, napari_cryoml._widgets.classify._widget as w; w.offers(); "
        "heavy = ('torch', 'sklearn', 'umap', 'matplotlib'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert said.strip() == "[]"

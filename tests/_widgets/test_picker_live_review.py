"""The review that certifies picks, and the places whose labels teach most."""

import json

import numpy as np
import pytest
from tests._widgets.conftest import PIXEL_SIZE, picked, said
from tests._widgets.test_picker_controller import add
from tests._widgets.test_picker_live import found, requests

from napari_cryoml import io
from napari_cryoml._widgets.picker._pool import PicksPool
from napari_cryoml._widgets.picker._review import certificate_of
from napari_cryoml.data import Picks

SHOWN = "a.mrc"


def circle(controller):
    """Return the centre of the yellow circle in image pixels, or None."""
    layer = controller.layers.layer("diameter")
    if layer is None or not layer.visible:
        return None
    return layer.data[0].mean(axis=0).tolist()


@pytest.fixture
def picked_all(live, qtbot):
    """Return the controller with 20 picks in each of two images, all but five above 0."""
    live.labelling.take_drawn(4.0)
    add(live, (110, 90))
    for name in (SHOWN, "b.mrc"):
        positions = np.stack([np.arange(20.0) * 5, np.full(20, 40.0)], axis=1)
        scores = np.linspace(3.0, -1.0, 20).astype(np.float32)
        done = found(name)
        edit = live.session.project.edit_number
        live.session.project.set_picks(
            name,
            Picks(name, positions, scores, PIXEL_SIZE, 4.0),
            edit=edit,
            score_map=done.score_map,
        )
        live.session.count_again(name)
    live.desk.show_picks()
    live.desk.refresh()
    return live


@pytest.fixture
def reviewing(picked_all, idle):
    picked_all.questions.certify()
    idle()
    assert picked_all.questions.review.is_open
    return picked_all


def answer_all(controller, idle, replies):
    """Answer every question; return the places that were asked about."""
    places = []
    for reply in replies:
        idle()
        course = controller.questions.review._course
        assert course is not None
        assert controller.desk.shown == course.pool.image(course.at)
        assert circle(controller) == pytest.approx(course.pool.positions[course.at, 1:].tolist())
        places.append(course.at)
        assert controller.questions.answer(reply)
    return places


# The review


def test_a_review_asks_about_thirty_picks_image_by_image(reviewing, idle, view, viewer):
    course = reviewing.questions.review._course
    assert len(course.order) == 30
    assert "1 of 30, in a.mrc" in view.question.ask.call_args.args[0]
    places = answer_all(reviewing, idle, ["yes"] * 30)
    names = [course.pool.image(place) for place in places]
    assert names == sorted(names)
    assert len(set(places)) == 30
    assert not reviewing.questions.review.is_open
    assert circle(reviewing) is None
    assert view.question.withdraw.called


def test_the_camera_goes_to_each_place_and_back(picked_all, idle, viewer):
    before = tuple(viewer.scene.camera.center), viewer.scene.camera.zoom
    picked_all.questions.certify()
    idle()
    course = picked_all.questions.review._course
    at = course.pool.positions[course.at, 1:] * PIXEL_SIZE
    assert tuple(viewer.scene.camera.center)[-2:] == pytest.approx(tuple(at))
    assert viewer.scene.camera.zoom * 4.0 * PIXEL_SIZE >= 60
    picked_all.questions.answer("stop")
    assert (tuple(viewer.scene.camera.center), viewer.scene.camera.zoom) == before


def test_what_the_answers_prove_is_said_and_kept(reviewing, idle, view):
    answer_all(reviewing, idle, ["yes"] * 30)
    certificate = certificate_of(reviewing.session)
    assert (certificate.n_reviewed, certificate.n_right, certificate.n_picks) == (30, 30, 30)
    sentence = view.show_certificate.call_args.args[0]
    assert "At least" in sentence
    assert "95% confidence" in sentence
    assert "export" in said(view)[0]


def test_a_certificate_goes_when_labels_change_and_comes_back_with_undo(reviewing, idle, view):
    answer_all(reviewing, idle, ["yes"] * 30)
    sentence = view.show_certificate.call_args.args[0]
    add(reviewing, (80, 80))
    assert view.show_certificate.call_args.args[0] == ""
    reviewing.undo()
    assert view.show_certificate.call_args.args[0] == sentence


def test_wrong_and_skipped_picks_count_against(reviewing, idle):
    answer_all(reviewing, idle, ["yes"] * 20 + ["no"] * 8 + ["skip"] * 2)
    certificate = certificate_of(reviewing.session)
    assert (certificate.n_right, certificate.n_skipped) == (20, 2)
    assert certificate.precision_bound < 0.9


def test_a_review_that_is_stopped_proves_nothing(reviewing, view):
    reviewing.questions.answer("yes")
    reviewing.questions.certify()
    assert not reviewing.questions.review.is_open
    assert certificate_of(reviewing.session) is None
    assert "proves nothing" in said(view)[0]


def test_a_label_ends_the_review_for_the_picks_change(reviewing, view):
    add(reviewing, (80, 80))
    assert not reviewing.questions.review.is_open
    assert "labels have changed" in said(view)[0]


def test_live_picking_rests_while_picks_are_reviewed(reviewing, idle, services):
    n = len(services[-1].asked)
    answer_all(reviewing, idle, ["yes"] * 29)
    assert reviewing.desk.shown == "b.mrc"
    assert len(services[-1].asked) == n
    reviewing.questions.answer("yes")
    assert requests(services)[-1].image == "b.mrc"
    assert len(services[-1].asked) == n + 1


def test_an_answer_needs_a_look_at_the_place(reviewing, idle):
    course = reviewing.questions.review._course
    reviewing.choose("c.mrc")
    idle()
    assert circle(reviewing) is None
    reviewing.questions.answer("yes")
    idle()
    assert course.answers == {}
    assert reviewing.desk.shown == course.pool.image(course.at)
    reviewing.questions.answer("yes")
    assert len(course.answers) == 1


def test_turning_live_picking_over_ends_the_review(reviewing):
    reviewing.switch_live(False)
    assert not reviewing.questions.review.is_open
    assert circle(reviewing) is None


def test_old_picks_are_not_reviewed(picked_all, idle, view):
    add(picked_all, (80, 80))
    picked_all.questions.certify()
    idle()
    assert "2 images are older than the labels" in said(view)[0]
    assert not picked_all.questions.review.is_open


def test_without_picks_there_is_nothing_to_review(live, idle, view):
    live.questions.certify()
    idle()
    sentence, error = said(view)
    assert error
    assert "no picks to review" in sentence


def test_a_threshold_above_all_picks_is_one_sentence(picked_all, idle, view):
    picked_all.results.set_threshold(50.0)
    picked_all.questions.certify()
    idle()
    assert "lower it" in said(view)[0]
    assert said(view)[1]


@pytest.mark.parametrize("suffix", [".star", ".csv"])
def test_the_certificate_is_exported_with_the_picks(reviewing, idle, view, tmp_path, suffix):
    answer_all(reviewing, idle, ["yes"] * 30)
    view.ask_export_path.return_value = tmp_path / f"particles{suffix}"
    reviewing.export.run()
    idle()
    beside = json.loads((tmp_path / "particles.certificate.json").read_text())
    sentence = certificate_of(reviewing.session).sentence
    assert beside["sentence"] == sentence
    text = (tmp_path / f"particles{suffix}").read_text()
    assert text.startswith(f"# {sentence}\n") == (suffix == ".star")
    assert io.read_picks(tmp_path / f"particles{suffix}").n_picks == 31
    assert "particles.certificate.json" in said(view)[0]


def test_a_certificate_of_other_picks_is_left_out(reviewing, idle, view, tmp_path):
    answer_all(reviewing, idle, ["yes"] * 30)
    reviewing.session.keep(picked("c.mrc"), None)
    reviewing.session.count_again("c.mrc")
    view.ask_export_path.return_value = tmp_path / "particles.star"
    reviewing.export.run()
    idle()
    assert not (tmp_path / "particles.certificate.json").exists()
    assert "picks have changed" in said(view)[0]


def test_picks_of_several_images_are_one_list():
    flat = Picks("flat", np.array([[1.0, 2.0]]), np.array([0.5], np.float32))
    deep = Picks("deep", np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.float32([1.5, 2.5]))
    unscored = Picks("unscored", np.array([[1.0, 2.0]]))
    pool = PicksPool.of([flat, unscored, deep])
    assert pool.places.tolist() == [[0, 0, 1, 2], [1, 1, 2, 3], [1, 4, 5, 6]]
    assert pool.scores.tolist() == [0.5, 1.5, 2.5]
    assert [pool.image(index) for index in range(3)] == ["flat", "deep", "deep"]
    assert PicksPool.of([]).places.shape == (0, 4)

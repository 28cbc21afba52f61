"""Live picking in the dock, against a service that answers what a test says."""

import numpy as np
import pytest
from tests._widgets.conftest import PIXEL_SIZE, picked, said, trained
from tests._widgets.test_picker_controller import add, rows

from napari_cryoml._widgets.picker import PickerController
from napari_cryoml._widgets.picker._live_words import status_text
from napari_cryoml.data import NEGATIVE, Picks, ScoreMap
from napari_cryoml.picking.live import Estimate, LiveAnswer

SHOWN = "a.mrc"


def found(image=SHOWN, scores=(2.0, 1.0, -1.0), threshold=0.0, **more):
    positions = np.array([[30.0 * (i + 1), 20.0] for i in range(len(scores))])
    values = {
        "seconds": {"features": 0.0, "fit": 0.02, "score": 0.03},
        "n_labels": 3,
        "prior": Estimate(120.0, 95.0, 150.0),
        "notes": (),
        "preview": False,
    }
    return LiveAnswer(
        image=image,
        picks=Picks(image, positions, np.array(scores, np.float32), PIXEL_SIZE, 20.0),
        score_map=ScoreMap(np.ones((15, 13), np.float32), np.array([8.0, 8.0]), np.zeros(2)),
        threshold=threshold,
        **values | more,
    )


@pytest.fixture
def answer(live, services, qtbot):
    """Return a function that answers the last request and waits until that has arrived."""

    def give(reply=None, **more):
        services[-1].reply(reply, **more)
        qtbot.waitUntil(lambda: not services[-1]._answers)

    return give


@pytest.fixture
def clicked(live):
    """Return the controller with a diameter and three labelled particles."""
    live.labelling.take_drawn(20.0)
    add(live, (10, 20), (60, 60), (90, 30))
    return live


def requests(services):
    return [request for request, _ in services[-1].asked]


def shown_picks(controller):
    return controller.layers.layer("picks").data


# What is asked, and when


def test_nothing_is_asked_before_there_is_a_diameter(live, services, view):
    assert "diameter" in view.live.show_status.call_args.args[0]
    add(live, (10, 20))
    assert not services


def test_the_service_gets_ready_before_the_first_click_and_says_nothing(
    live, services, view, answer
):
    live.labelling.take_drawn(20.0)
    assert [request.labels for request in requests(services)] == [{}]
    answer(error="There is no labelled particle to learn from: click on three or more.")
    assert "Click a particle" in view.live.show_status.call_args.args[0]
    assert view.live.show_notes.call_args.args == ((),)


def test_while_the_service_starts_it_says_so(live, services, view):
    live.labelling.take_drawn(20.0)
    services[-1].state = "starting"
    add(live, (10, 20))
    assert "starting" in view.live.show_status.call_args.args[0]


def test_without_labels_again_the_picks_go(clicked, answer, view):
    answer(found())
    for _ in range(3):
        clicked.undo()
    assert len(shown_picks(clicked)) == 0
    assert "Click a particle" in view.live.show_status.call_args.args[0]


def test_every_edit_asks_with_all_labels_for_the_image_on_show(clicked, services, idle):
    n = len(services[-1].asked)
    assert n == 4
    assert {replaces for _, replaces in services[-1].asked} == {"image"}
    last = requests(services)[-1]
    assert last.image == SHOWN
    assert len(last.labels[SHOWN]) == 3
    assert last.config.diameter == pytest.approx(20.0)
    clicked.layers.click_at((40.0 * PIXEL_SIZE, 40.0 * PIXEL_SIZE), NEGATIVE)
    clicked.undo()
    clicked.redo()
    clicked.labelling.take_drawn(30.0)
    assert len(services[-1].asked) == n + 4
    assert requests(services)[-1].config.diameter == pytest.approx(30.0)
    clicked.step("next")
    idle()
    add(clicked, (30, 30))
    assert len(services[-1].asked) == n + 6
    assert {name: len(labels) for name, labels in requests(services)[-1].labels.items()} == {
        SHOWN: 4,
        "b.mrc": 1,
    }


def test_nothing_is_asked_twice(clicked, services):
    n = len(services[-1].asked)
    clicked.desk.refresh()
    clicked.live.update()
    assert len(services[-1].asked) == n


def test_the_service_starts_once_and_again_when_images_come(clicked, services, folder, idle):
    assert len(services) == 1
    assert [source.name for source in services[0].args[0]] == ["a.mrc", "b.mrc", "c.mrc"]
    (folder / "d.mrc").write_bytes((folder / "a.mrc").read_bytes())
    clicked.open_paths([folder / "d.mrc"])
    idle()
    add(clicked, (30, 30))
    assert services[0].state == "closed"
    assert len(services[1].args[0]) == 4


def test_a_pinned_number_of_particles_is_asked_with(clicked, services, view):
    clicked.live.pin(80)
    assert requests(services)[-1].config.particles_per_image == 80
    clicked.live.pin(0)
    assert requests(services)[-1].config.particles_per_image is None
    assert view.live.show_particles.call_args.args == (0,)


# What is shown


def test_an_answer_shows_picks_heat_map_and_a_line(clicked, answer, view):
    answer(found(notes=("Two clicks contradict each other.",)))
    assert len(shown_picks(clicked)) == 2
    assert clicked.layers.layer("scores").data.shape == (15, 13)
    line = view.live.show_status.call_args.args[0]
    assert line.startswith("Live: ")
    assert "2 picks here, about 120 particles an image (95-150)" in line
    assert view.live.show_notes.call_args.args[0] == ("Two clicks contradict each other.",)
    assert rows(view)[SHOWN].picks == 2
    assert not rows(view)[SHOWN].stale


def test_the_threshold_is_the_proposed_one_until_the_user_moves_it(clicked, answer, view):
    answer(found(threshold=1.5))
    assert clicked.session.threshold == 1.5
    assert len(shown_picks(clicked)) == 1
    clicked.results.set_threshold(-2.0)
    add(clicked, (30, 50))
    answer(found(threshold=0.5))
    assert len(shown_picks(clicked)) == 3


def test_the_counts_say_how_many_picks_are_likely_particles(clicked, answer, view):
    answer(found(scores=(np.log(9.0), 0.0)))
    assert "About 70 % are particles." in view.show_pick_counts.call_args.args[0]
    clicked.results.move_threshold(1.0)
    assert "About 90 % are particles." in view.show_pick_counts.call_args.args[0]


def test_a_preview_is_shown_and_not_written(clicked, answer, qtbot):
    answer(found(preview=True))
    assert len(shown_picks(clicked)) == 2
    clicked.live.save()
    qtbot.waitUntil(lambda: not clicked.busy)
    assert clicked.session.project.picks(SHOWN) is None


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "Live: 84 ms, 1 pick here, about 120 particles an image (95-150)."),
        (
            {"prior": Estimate(80.0, 80.0, 80.0)},
            "Live: 84 ms, 1 pick here, about 80 particles an image.",
        ),
        ({"preview": True}, "Preview: 84 ms, 1 pick here."),
        (
            {"prior": Estimate(80.0, 30.0, float("inf"))},
            "Live: 84 ms, 1 pick here, about 80 particles an image (30 or more).",
        ),
    ],
)
def test_the_line_in_words(more, line):
    assert status_text(found(**more), 1, 0.0841) == line


def test_a_negative_on_a_pick_takes_it_away_at_once_and_asks_again(clicked, answer, services):
    answer(found())
    n = len(services[-1].asked)
    clicked.layers.click_at((60.0 * PIXEL_SIZE, 21.0 * PIXEL_SIZE), NEGATIVE)
    assert shown_picks(clicked).tolist() == [[30.0, 20.0]]
    assert len(services[-1].asked) == n + 1
    assert requests(services)[-1].labels[SHOWN].negatives.tolist() == [[60.0, 21.0]]


def test_the_answer_for_an_image_that_was_left_is_not_drawn_on_the_next(
    clicked, services, idle, qtbot
):
    first = len(services[-1].asked) - 1
    clicked.step("next")
    idle()
    services[-1].reply(found(), ticket=first)
    qtbot.waitUntil(lambda: not services[-1]._answers)
    assert [30.0, 20.0] not in shown_picks(clicked).tolist()
    services[-1].reply(found("b.mrc"))
    qtbot.waitUntil(lambda: len(shown_picks(clicked)) == 2)


def test_picks_that_come_before_their_image_is_there_are_shown_with_it(
    clicked, answer, services, idle
):
    clicked.choose("c.mrc")
    assert clicked.desk.shown == SHOWN
    assert requests(services)[-1].image == "c.mrc"
    services[-1].reply(found("c.mrc", scores=(3.0,)))
    clicked.live._line._watcher._poll()
    assert clicked.desk.shown == SHOWN
    idle()
    assert clicked.desk.shown == "c.mrc"
    assert len(shown_picks(clicked)) == 1


# Mistakes and ends


def test_an_error_is_a_line_and_the_service_goes_on(clicked, answer, services, view):
    answer(error="This image is constant: it holds no particles.")
    assert view.live.show_notes.call_args.args[0] == (
        "This image is constant: it holds no particles.",
    )
    add(clicked, (30, 50))
    answer(found())
    assert view.live.show_notes.call_args.args[0] == ()
    assert len(services) == 1


def test_a_service_that_died_is_started_again_by_the_next_edit(clicked, answer, services, view):
    services[0].state = "failed"
    answer(error="The background process was killed from outside.")
    assert "killed" in view.live.show_notes.call_args.args[0][0]
    add(clicked, (30, 50))
    assert len(services) == 2
    answer(found())
    assert len(shown_picks(clicked)) == 2


def test_a_superseded_answer_says_nothing(clicked, services, view, qtbot):
    before = view.live.show_status.call_count
    services[-1].reply(superseded=True)
    qtbot.waitUntil(lambda: not services[-1]._answers)
    assert view.live.show_status.call_count == before


def test_live_picks_are_written_when_the_user_pauses(clicked, answer, qtbot):
    answer(found())
    qtbot.waitUntil(lambda: clicked.session.project.picks(SHOWN) is not None)
    assert clicked.session.project.stale_images() == set()
    add(clicked, (30, 50))
    assert clicked.session.project.stale_images() == {SHOWN}


def test_the_list_counts_live_picks_of_the_images_before_but_no_previews(
    clicked, answer, view, idle
):
    answer(found(preview=True))
    clicked.step("next")
    idle()
    answer(found("b.mrc"))
    clicked.step("next")
    idle()
    answer(found("c.mrc", scores=(1.0,)))
    idle()
    assert {name: row.picks for name, row in rows(view).items()} == {
        SHOWN: None,
        "b.mrc": 2,
        "c.mrc": 1,
    }


def test_live_picks_are_there_when_the_project_is_opened_again(
    clicked, answer, viewer, view, jobs, services, folder, qtbot
):
    answer(found())
    clicked.teardown()
    assert services[-1].state == "closed"
    viewer.layers.clear()
    again = PickerController(viewer, view, start_job=jobs.start, start_service=services.start)
    again.open_paths([folder / "picker.cryoml"])
    qtbot.waitUntil(lambda: again.desk.shown == SHOWN and not again.reading)
    assert len(shown_picks(again)) == 2
    assert len(services) == 2
    again.teardown()


# Beside the trained model


def test_turned_off_it_asks_no_more_and_shows_what_was_written(clicked, answer, services, view):
    answer(found())
    clicked.live.toggle()
    assert view.live.show_state.call_args.args == (False,)
    n = len(services[-1].asked)
    add(clicked, (30, 50))
    assert len(services[-1].asked) == n
    clicked.live.toggle()
    assert len(services[-1].asked) == n + 1
    assert view.live.show_state.call_args.args == (True,)


def test_turning_it_over_says_what_becomes_of_the_other_images(clicked, answer, view, idle):
    clicked.live.toggle()
    clicked.live.toggle()
    assert said(view)[0] == ""
    answer(found())
    clicked.step("next")
    idle()
    clicked.live.toggle()
    assert "Other images keep their picks" in said(view)[0]


def test_picks_that_are_written_late_are_counted(clicked, answer, idle):
    """The note and the counts do not depend on how fast the disk is."""
    answer(found())
    slow, clicked.desk.background.run = [], lambda *work, **then: slow.append((work, then))
    clicked.live.toggle(False)
    session = clicked.session
    assert SHOWN not in session.book.counts(session.threshold)
    (((keep, *unsaved), then),) = slow
    then["on_done"](keep(*unsaved))
    assert session.book.counts(session.threshold)[SHOWN] > 0


def test_a_project_with_a_model_and_no_decision_is_not_live(live, services, tmp_path):
    live.session.project.add_model(trained(tmp_path / "m.safetensors"), {})
    live.labelling.take_drawn(20.0)
    add(live, (10, 20))
    assert not live.session.is_live
    assert not any(service.asked for service in services)


@pytest.mark.parametrize(
    ("beside", "offered"),
    [
        ({"live_validation_ap": 0.7, "better": "network"}, True),
        ({"live_validation_ap": 0.9, "better": "live"}, False),
        ({"live_validation_ap": None, "better": None}, True),
    ],
)
def test_training_leaves_live_picks_alone_and_the_better_picker_is_offered(
    clicked, answer, jobs, qtbot, view, tmp_path, beside, offered
):
    answer(found())
    clicked.train()
    assert jobs[-1].kwargs["live"].diameter == pytest.approx(20.0)
    jobs[-1].say(picked(SHOWN, scores=(5.0,) * 3))
    model = trained(tmp_path / "m.safetensors", validation_ap=0.8, **beside)
    jobs[-1].end(result=model)
    qtbot.waitUntil(lambda: not clicked.results.jobs.kind)
    assert len(shown_picks(clicked)) == 2
    assert clicked.session.is_live
    assert view.show_offer.call_args.args == (offered,)
    live_ap = beside["live_validation_ap"]
    figures = "validation AP 0.80" + (f" (live picking {live_ap:.2f})" if live_ap else "")
    assert figures in view.end_job.call_args.args[0]
    clicked.use_model()
    assert not clicked.session.is_live
    assert view.show_offer.call_args.args == (False,)
    assert jobs[-1].function.__name__ == "pick"
    jobs[-1].say(picked(SHOWN, scores=(5.0,) * 3))
    jobs[-1].end()
    qtbot.waitUntil(lambda: len(shown_picks(clicked)) == 3)


def test_pick_all_takes_blobs_as_long_as_nothing_is_labelled(live, jobs, qtbot, view):
    live.labelling.take_drawn(20.0)
    live.pick_all()
    job = jobs[-1]
    assert job.function.__name__ == "pick_blobs"
    assert [image.name for image in job.args[0]] == ["a.mrc", "b.mrc", "c.mrc"]
    assert job.args[1].diameter == pytest.approx(20.0)
    assert "blobs of the diameter" in view.show_message.call_args.args[0]
    job.say(picked(SHOWN, scores=(9.0, 3.0, -2.0)))
    job.end()
    qtbot.waitUntil(lambda: len(shown_picks(live)) == 2)
    assert "%" not in view.show_pick_counts.call_args.args[0]


def test_pick_all_goes_through_the_list_with_the_labels_of_the_moment(
    clicked, answer, jobs, qtbot, view
):
    answer(found())
    clicked.pick_all()
    job = jobs[-1]
    assert job.function.__name__ == "pick_live"
    assert [image.name for image in job.args[0]] == ["a.mrc", "b.mrc", "c.mrc"]
    assert len(job.args[1][SHOWN]) == 3
    job.say(picked("b.mrc"), picked("c.mrc", scores=(4.0,)))
    job.end()
    qtbot.waitUntil(lambda: not clicked.busy)
    assert {name: row.picks for name, row in rows(view).items()} == {
        SHOWN: 2,
        "b.mrc": 2,
        "c.mrc": 1,
    }
    assert clicked.session.project.stale_images() <= {SHOWN}
    add(clicked, (30, 50))
    assert rows(view)["b.mrc"].stale
    assert said(view)[1] is False


# The box in which every particle is labelled


def box_layer(controller):
    layer = controller.layers.layer("box")
    return None if layer is None or not layer.visible else layer.data[0]


def test_a_box_is_asked_with_kept_and_shown_on_its_image(clicked, services, view, idle):
    clicked.labelling.mark_box(True)
    assert clicked.labelling.mouse.drawing
    clicked.labelling.take_box(np.array([-5.0, 20.0]), np.array([70.0, 80.0]))
    box = requests(services)[-1].config.marked
    assert (box.image, box.low, box.high) == (SHOWN, (0.0, 20.0), (70.0, 80.0))
    assert box_layer(clicked).min(axis=0).tolist() == [0.0, 20.0]
    assert box_layer(clicked).max(axis=0).tolist() == [70.0, 80.0]
    assert view.live.show_box.call_args.args == (True,)
    clicked.step("next")
    idle()
    assert box_layer(clicked) is None
    assert requests(services)[-1].config.marked == box
    clicked.step("previous")
    assert box_layer(clicked) is not None
    clicked.labelling.mark_box(False)
    assert box_layer(clicked) is None
    assert requests(services)[-1].config.marked is None
    assert view.live.show_box.call_args.args == (False,)


def test_a_box_smaller_than_a_particle_is_refused(clicked, services, view):
    clicked.labelling.take_box(np.array([10.0, 20.0]), np.array([70.0, 25.0]))
    sentence, error = said(view)
    assert error
    assert "larger" in sentence
    assert requests(services)[-1].config.marked is None

"""The job that picks a list of images from labels."""

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ArrayImage
from napari_cryoml.evaluation import match
from napari_cryoml.jobs import Command, run_inline
from napari_cryoml.picking import ImagePicked
from napari_cryoml.picking.live import LiveConfig, LiveFigures, LivePicker, LiveRequest, pick_live

CONFIG = LiveConfig(diameter=14, encoder=False, device="cpu")


@pytest.fixture
def images(fields) -> list[ArrayImage]:
    return [image for image, _ in fields.values()]


@pytest.fixture
def labels(fields) -> dict[str, Annotations]:
    return {"a": Annotations.of_positives(fields["a"][1][:4])}


def test_every_image_is_picked_and_said(images, labels, fields):
    events = []
    table = run_inline(pick_live(images, labels, CONFIG), events.append)
    picked = [event for event in events if isinstance(event, ImagePicked)]
    assert [event.image for event in picked] == list("abcd")
    assert [event.done for event in picked] == [1, 2, 3, 4]
    assert {event.total for event in events} == {4}
    assert events[0].message == "Learning from the labels."
    for event in picked:
        centres = fields[event.image][1]
        assert (match(event.picks.positions[:16], centres, 4.0) >= 0).mean() > 0.9
        assert event.message == f"{event.image}: {len(event.picks)} picks."
        assert event.score_map.values.shape == (48, 48)
    assert len(table) == 4


def test_the_picks_are_those_of_the_window(images, labels, cache):
    events = []
    run_inline(pick_live(images, labels, CONFIG), events.append)
    for event in events:
        if isinstance(event, ImagePicked):
            answer = LivePicker.of(images, cache).answer(LiveRequest(labels, event.image, CONFIG))
            np.testing.assert_array_equal(event.picks.positions, answer.picks.positions)
            np.testing.assert_array_equal(event.picks.scores, answer.picks.scores)


def test_at_the_end_there_are_figures(images, labels):
    events = []
    run_inline(pick_live(images, labels, CONFIG), events.append)
    figures = events[-1]
    assert isinstance(figures, LiveFigures)
    assert (figures.done, figures.total) == (4, 4)
    assert set(figures.seconds) == {"features", "fit", "score"}
    assert all(seconds > 0 for seconds in figures.seconds.values())
    assert figures.prior.low <= figures.prior.value <= figures.prior.high
    assert figures.prior.value == pytest.approx(16, rel=0.2)
    assert np.isfinite(figures.threshold)


def test_an_image_that_shows_nothing_is_left_out_with_a_message(images, labels):
    flat = ArrayImage(np.ones((96, 96)), "flat")
    events = []
    table = run_inline(pick_live([images[0], flat, images[1]], labels, CONFIG), events.append)
    assert [event.image for event in events if isinstance(event, ImagePicked)] == ["a", "b"]
    (left_out,) = [event for event in events if event.message.startswith("Left out")]
    assert "flat" in left_out.message
    assert left_out.done == 2
    assert len(table) == 2


@pytest.mark.parametrize("n", [1, 2])
def test_stopping_keeps_what_is_done(images, labels, n):
    job, seen, result = pick_live(images, labels, CONFIG), [], None
    command = None
    try:
        while True:
            event = job.send(command)
            if isinstance(event, ImagePicked):
                seen.append(event.image)
            command = Command.STOP if len(seen) == n and command is None else None
    except StopIteration as end:
        result = end.value
    assert seen == list("abcd")[:n]
    assert len(result) == n


def test_stopped_before_it_has_begun_it_picks_nothing(images, labels):
    events = []
    table = run_inline(pick_live(images, labels, CONFIG), events.append, lambda: True)
    assert len(table) == 0
    assert len(events) == 1


def test_labelled_images_need_not_be_picked(images, labels):
    events = []
    table = run_inline(pick_live(images[2:], labels, CONFIG, labelled=images[:1]), events.append)
    assert [event.image for event in events if isinstance(event, ImagePicked)] == ["c", "d"]
    assert len(table) == 2


def test_features_are_kept_in_the_folder(images, labels, tmp_path, monkeypatch):
    first = run_inline(pick_live(images[:2], labels, CONFIG, folder=tmp_path))
    assert len(list(tmp_path.iterdir())) == 2

    def refuse(*_):
        raise AssertionError("features were made again")

    monkeypatch.setattr("napari_cryoml.picking.live._engine.live_features", refuse)
    again = run_inline(pick_live(images[:2], labels, CONFIG, folder=tmp_path))
    assert len(again) == len(first) == 2


@pytest.mark.parametrize("labels", [{}, {"a": Annotations.empty(2)}])
def test_without_labels_there_is_no_job(images, labels):
    with pytest.raises(InputError, match="no labelled particle"):
        run_inline(pick_live(images, labels, CONFIG))


def test_a_labelled_image_that_is_missing_is_named(images, labels):
    with pytest.raises(InputError, match="'a'"):
        run_inline(pick_live(images[1:], labels, CONFIG))


def test_if_no_image_can_be_picked_the_last_reason_is_said(images, labels):
    flat = ArrayImage(np.ones((96, 96)), "flat")
    with pytest.raises(InputError, match="flat"):
        run_inline(pick_live([flat], labels, CONFIG, labelled=images[:1]))


def test_no_images_are_an_empty_table(images, labels):
    table = run_inline(pick_live([], labels, CONFIG, labelled=images[:1]))
    assert len(table) == 0

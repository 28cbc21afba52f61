"""The places whose labels teach most, asked about one after the other."""

from typing import get_args

import numpy as np
import pytest
from tests._widgets.conftest import said
from tests._widgets.test_picker_live import clicked as clicked_three
from tests._widgets.test_picker_live import requests
from tests._widgets.test_picker_live_review import circle

from napari_cryoml._widgets.picker._asking import WHY
from napari_cryoml.picking.live import Suggestion
from napari_cryoml.picking.live._queue import Reason

SHOWN = "a.mrc"
clicked = clicked_three


def place(image, *position):
    return Suggestion(image, np.array(position, float), 0.5, "unsure")


@pytest.fixture
def suggest(clicked, services, qtbot):
    def give(*places):
        ticket = max(t for t, (_, key) in enumerate(services[-1].asked) if key == "suggest")
        services[-1].reply(places, ticket=ticket)
        qtbot.waitUntil(lambda: not services[-1]._answers)

    return give


def test_one_key_goes_to_the_place_and_asks(clicked, suggest, view):
    clicked.questions.ask()
    suggest(place(SHOWN, 50, 40), place("b.mrc", 30, 30))
    assert circle(clicked) == [50.0, 40.0]
    assert "particle?" in view.question.ask.call_args.args[0]
    assert "could be either" in view.question.ask.call_args.args[0]
    assert view.question.ask.call_args.args[1] == "Shift+N"


def test_answers_are_labels_and_the_next_place_follows_at_once(
    clicked,
    suggest,
    services,
    idle,
):
    clicked.questions.ask()
    suggest(place(SHOWN, 50, 40), place("b.mrc", 30, 30), place("b.mrc", 90, 70))
    assert clicked.questions.answer("yes")
    idle()
    assert clicked.session.labels(SHOWN).annotations.positives.tolist()[-1] == [50.0, 40.0]
    assert requests(services)[-1].labels[SHOWN].positives.tolist()[-1] == [50.0, 40.0]
    assert clicked.desk.shown == "b.mrc"
    assert circle(clicked) == [30.0, 30.0]
    clicked.questions.answer("no")
    assert clicked.session.labels("b.mrc").annotations.negatives.tolist() == [[30.0, 30.0]]
    assert circle(clicked) == [90.0, 70.0]


def test_a_click_on_the_particle_itself_is_an_answer(clicked, suggest, idle):
    clicked.questions.ask()
    suggest(place(SHOWN, 50, 40), place("b.mrc", 30, 30))
    layer = clicked.layers.layer("labels")
    layer.add([[53.0, 42.0]])
    idle()
    assert clicked.session.labels(SHOWN).annotations.positives.tolist()[-1] == [53.0, 42.0]
    assert circle(clicked) == [30.0, 30.0]


def test_a_label_elsewhere_answers_nothing(clicked, suggest, idle):
    clicked.questions.ask()
    suggest(place(SHOWN, 50, 40), place("b.mrc", 30, 30))
    clicked.layers.layer("labels").add([[110.0, 100.0]])
    idle()
    assert circle(clicked) == [50.0, 40.0]


@pytest.mark.parametrize("reason", get_args(Reason))
def test_each_reason_has_words(reason):
    assert WHY[reason].endswith(".")


def test_an_answer_needs_a_look_at_the_place(clicked, suggest, idle):
    clicked.questions.ask()
    suggest(place(SHOWN, 50, 40))
    clicked.choose("b.mrc")
    idle()
    before = clicked.session.project.edit_number
    assert clicked.questions.answer("yes")
    idle()
    assert clicked.session.project.edit_number == before
    assert circle(clicked) == [50.0, 40.0]


def test_skip_labels_nothing(clicked, suggest):
    clicked.questions.ask()
    suggest(place(SHOWN, 50, 40), place(SHOWN, 90, 70))
    before = clicked.session.project.edit_number
    clicked.questions.answer("skip")
    assert clicked.session.project.edit_number == before
    assert circle(clicked) == [90.0, 70.0]


def test_new_suggestions_take_the_place_of_those_that_wait(clicked, suggest):
    clicked.questions.ask()
    suggest(place(SHOWN, 50, 40), place(SHOWN, 90, 70))
    clicked.questions.answer("yes")
    suggest(place(SHOWN, 30, 80))
    assert circle(clicked) == [90.0, 70.0]
    clicked.questions.answer("yes")
    assert circle(clicked) == [30.0, 80.0]


def test_after_the_last_place_it_waits_for_more(clicked, suggest, view):
    clicked.questions.ask()
    suggest(place(SHOWN, 50, 40))
    clicked.questions.answer("yes")
    assert circle(clicked) is None
    suggest(place(SHOWN, 30, 80))
    assert circle(clicked) == [30.0, 80.0]
    clicked.questions.answer("yes")
    suggest()
    assert "nothing to ask" in said(view)[0]


def test_the_same_key_stops_it(clicked, suggest, view):
    clicked.questions.ask()
    suggest(place(SHOWN, 50, 40))
    clicked.questions.ask()
    assert circle(clicked) is None
    assert not clicked.questions.answer("yes")
    assert view.question.withdraw.called


def test_without_labels_it_says_what_it_needs(live, view):
    live.questions.ask()
    sentence, error = said(view)
    assert error
    assert "label a particle" in sentence
    live.questions.ask()
    assert said(view)[1]


def test_an_answer_without_a_question_is_none(clicked):
    assert not clicked.questions.answer("yes")

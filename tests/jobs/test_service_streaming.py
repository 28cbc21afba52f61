"""A service may answer with a job: its events are seen, its result is the reply."""

import time

import numpy as np
import pytest
import streaming_services

from napari_cryoml.jobs import Answer, ChildService, Event
from napari_cryoml.jobs._service import UNREAD_EVENTS
from napari_cryoml.jobs._stream import INTERVAL_S, EventStream

LONG = 60


@pytest.fixture
def stage():
    with ChildService.start(streaming_services.Stage) as service:
        yield service


def until(condition):
    """Wait for something that another process does; fail rather than hang."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def events_of(answers, ticket):
    return [answer.event for answer in answers if answer.ticket == ticket and answer.event]


def first_event(service, ticket, is_wanted=lambda event: True):
    """Poll until an event of a request has come, and return it."""
    seen = []

    def look():
        seen.extend(filter(is_wanted, events_of(service.poll(), ticket)))
        return seen

    until(look)
    return seen[0]


def test_result_of_a_job_is_the_reply_and_its_last_event_comes_before(stage):
    ticket = stage.ask(("count", 1000))
    answer = stage.wait(ticket, LONG)
    assert answer == Answer(ticket, 1000)
    assert answer.is_last
    events = events_of(stage.poll(), ticket)
    assert events[0].done == 1  # nothing was sent before it
    assert events[-1] == Event(done=1000, total=1000)
    assert len(events) < 1000  # a thousand in a moment are not all passed on


def test_events_and_replies_hold_arrays(stage):
    ticket = stage.ask(("move",))
    np.testing.assert_array_equal(stage.wait(ticket, LONG).reply, np.zeros((3, 2)))
    (event,) = events_of(stage.poll(), ticket)
    np.testing.assert_array_equal(event.layout, [[0, 1], [2, 3], [4, 5]])


def test_job_without_events_and_plain_replies_go_as_before(stage):
    tickets = [stage.ask(("count", 0)), stage.ask(("echo", "plain"))]
    assert stage.wait(tickets[1], LONG) == Answer(tickets[1], "plain")
    assert stage.poll() == [Answer(tickets[0], 0)]


def test_stop_reaches_the_job_in_hand_and_its_reply_comes(stage):
    ticket = stage.ask(("until_stopped",))
    first_event(stage, ticket)
    stage.stop(ticket)
    assert stage.wait(ticket, LONG).reply == "stopped"
    stage.stop(ticket)  # long answered
    other = stage.ask(("count", 3))
    assert stage.wait(other, LONG).reply == 3


def test_other_requests_wait_meanwhile_and_may_be_superseded_or_stopped(stage):
    ticket = stage.ask(("until_stopped",), replaces="job")
    first_event(stage, ticket)
    old = stage.ask(("echo", 1), replaces="job")
    new = stage.ask(("echo", 2), replaces="job")
    dropped = stage.ask(("count", 5))
    stage.stop(dropped)
    assert stage.wait(dropped, LONG) == Answer(dropped, superseded=True)
    assert stage.wait(old, LONG) == Answer(old, superseded=True)
    stage.stop(ticket)
    assert stage.wait(new, LONG).reply == 2
    assert [answer.ticket for answer in stage.poll() if answer.is_last] == [ticket]


def test_what_is_said_before_a_long_step_is_seen_while_it_lasts(stage, tmp_path):
    gate = tmp_path / "gate"
    ticket = stage.ask(("announce", gate))
    first_event(stage, ticket, lambda event: event.message == "a long step")
    assert gate.exists()
    gate.unlink()
    assert stage.wait(ticket, LONG).reply == "over"


def test_error_in_a_job_is_a_sentence_and_the_service_survives(stage):
    assert stage.wait(stage.ask(("refuse",)), LONG).error == "The map is upside down: turn it."
    assert "in our code" in stage.wait(stage.ask(("unpicklable",)), LONG).error
    assert stage.wait(stage.ask(("echo", 1)), LONG).reply == 1


def test_events_that_nobody_reads_do_not_pile_up(stage):
    ticket = stage.ask(("until_stopped",))
    first_event(stage, ticket, lambda event: event.done > 3)
    until(lambda: len(stage._answers) == UNREAD_EVENTS)
    oldest = stage._answers[0].event.done
    until(lambda: stage._answers[0].event.done > oldest)
    events = events_of(stage.poll(), ticket)
    assert len(events) == UNREAD_EVENTS
    assert [event.done for event in events] == sorted(event.done for event in events)


def test_closing_answers_a_job_that_runs(stage):
    ticket = stage.ask(("until_stopped",))
    first_event(stage, ticket)
    stage.close()
    assert "closed" in stage.wait(ticket, LONG).error


def test_stream_keeps_the_order_and_the_last_event_and_leaves_out_many():
    sent = []
    stream = EventStream(lambda event: sent.append(event.done))
    start, n = time.monotonic(), 0
    while time.monotonic() < start + 5 * INTERVAL_S:
        n += 1
        stream.put(Event(done=n, total=0))
    stream.close()
    assert (sent[0], sent[-1]) == (1, n)
    assert sent == sorted(set(sent))
    assert len(sent) <= (time.monotonic() - start) / INTERVAL_S + 2


def test_closed_stream_sends_nothing_more():
    sent = []
    stream = EventStream(sent.append)
    stream.put(Event(done=1, total=2))
    stream.put(Event(done=2, total=2))
    stream.close()
    assert len(sent) == 2
    time.sleep(2 * INTERVAL_S)
    stream.close()
    assert len(sent) == 2

import pytest

from napari_cryoml._widgets.jobs._service_line import ServiceLine
from napari_cryoml.jobs import Event


def make():
    """Stand for a factory of services."""


@pytest.fixture
def line(qtbot, services):
    made = ServiceLine(services.start)
    made.serve(make, 7)
    yield made
    made.close()


@pytest.fixture
def heard():
    return []


def ask(line, heard, request="question", **more):
    return line.ask(
        request,
        on_done=lambda reply: heard.append(("done", reply)),
        on_error=lambda sentence: heard.append(("error", sentence)),
        on_event=lambda event: heard.append(("event", event.done)),
        on_dropped=lambda: heard.append(("dropped",)),
        **more,
    )


def test_whoever_asks_hears_the_answer_and_what_comes_before_it(qtbot, line, services, heard):
    ask(line, heard)
    assert line.busy
    services[0].say(Event(done=1, total=2))
    services[0].reply("reply")
    qtbot.waitUntil(lambda: not line.busy)
    assert heard == [("event", 1), ("done", "reply")]
    assert services[0].args == (7,)


def test_an_error_is_a_sentence(qtbot, line, services, heard):
    ask(line, heard)
    services[0].reply(error="No.", traceback="Traceback")
    qtbot.waitUntil(lambda: not line.busy)
    assert heard == [("error", "No.")]


def test_a_request_that_gives_way_is_dropped(qtbot, line, services, heard):
    first = ask(line, heard, key="k")
    ask(line, heard, "newer", key="k")
    services[0].reply(ticket=first, superseded=True)
    services[0].reply("reply")
    qtbot.waitUntil(lambda: not line.busy)
    assert heard == [("dropped",), ("done", "reply")]
    assert [key for _, key in services[0].asked] == ["k", "k"]


def test_stopping_is_passed_on(line, services, heard):
    line.stop(ask(line, heard))
    assert services[0].stopped == [0]


def test_a_service_that_has_died_is_made_again(line, services, heard):
    services[0].state = "failed"
    ask(line, heard)
    assert len(services) == 2
    assert services[1].asked


def test_another_service_ends_the_one_before_and_its_answers(qtbot, line, services, heard):
    ask(line, heard)
    line.serve(make, 8)
    assert services[0].state == "closed"
    assert not line.busy
    services[0].reply("late")
    qtbot.wait(40)
    assert not heard


def test_without_a_service_there_is_nobody_to_ask(qtbot, services, heard):
    with pytest.raises(RuntimeError, match="no service"):
        ask(ServiceLine(services.start), heard)

import signal
import subprocess
import sys
import time
from pathlib import Path

import child_services
import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import Answer, ChildService

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
LONG = 60


def until(condition):
    """Wait for something that another process does; fail rather than hang."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def reply_to(service, *request):
    answer = service.wait(service.ask(request), LONG)
    assert answer.error is None
    return answer.reply


def held(service, path):
    """Ask for something that lasts until the file is removed; return when it has begun."""
    ticket = service.ask(("hold", path))
    until(path.exists)
    return ticket


@pytest.fixture
def desk():
    with ChildService.start(child_services.Desk) as service:
        yield service


def test_requests_are_answered_in_order_by_one_object(desk):
    tickets = [desk.ask(("echo", value)) for value in ("a", "b", "c")]
    assert desk.wait(tickets[-1], LONG).reply == "c"
    assert desk.poll() == [Answer(tickets[0], "a"), Answer(tickets[1], "b")]
    assert desk.poll() == []
    assert reply_to(desk, "history") == ["echo"] * 3 + ["history"]
    assert desk.state == "running"


def test_factory_gets_its_arguments_in_another_process():
    with ChildService.start(child_services.Desk, name="mine", threads=3) as service:
        assert service.state == "starting"
        assert reply_to(service, "whoami") == ("mine", "3", service.pid)


def test_replies_and_requests_may_be_larger_than_a_pipe(desk):
    array = np.arange(300_000.0)
    np.testing.assert_array_equal(reply_to(desk, "echo", array), array)


def test_newer_request_takes_the_place_of_one_that_waits(desk, tmp_path):
    gate = tmp_path / "gate"
    first = held(desk, gate)
    old, other, new = (
        desk.ask(("echo", 1), replaces="image"),
        desk.ask(("echo", 2), replaces="list"),
        desk.ask(("echo", 3), replaces="image"),
    )
    gate.unlink()
    assert desk.wait(new, LONG) == Answer(new, 3)
    answers = {answer.ticket: answer for answer in desk.poll()}
    assert set(answers) == {first, old, other}
    assert answers[old] == Answer(old, superseded=True)
    assert answers[other].reply == 2


def test_request_in_hand_is_not_replaced_nor_those_without_a_key(desk, tmp_path):
    gate = tmp_path / "gate"
    first = desk.ask(("hold", gate), replaces="image")
    until(gate.exists)
    tickets = [desk.ask(("echo", i)) for i in range(3)]
    last = desk.ask(("echo", 3), replaces="image")
    gate.unlink()
    assert desk.wait(last, LONG).reply == 3
    assert [answer.ticket for answer in desk.poll()] == [first, *tickets]


def test_errors_are_sentences_and_the_service_survives(desk):
    refused, stumbled, lost = (desk.ask((kind,)) for kind in ("refuse", "stumble", "unpicklable"))
    assert desk.wait(refused, LONG).error == "The image is upside down: turn it."
    answer = desk.wait(stumbled, LONG)
    assert answer.error == "Something went wrong in our code: KeyError: 'missing'."
    assert 'return {}["missing"]' in answer.traceback
    assert desk.wait(lost, LONG).error.startswith("Something went wrong in our code:")
    assert reply_to(desk, "echo", 1) == 1
    assert desk.error is None


def test_unpicklable_request_is_refused_here(desk):
    with pytest.raises(InputError, match="cannot be sent"):
        desk.ask(("echo", lambda: None))
    assert reply_to(desk, "echo", 1) == 1


def test_printing_and_reading_do_not_disturb_the_messages(desk):
    assert reply_to(desk, "talk") == ""
    until(lambda: "printed line" in desk.log)


@pytest.mark.parametrize(
    ("factory", "sentence"),
    [
        (child_services.refused_desk, "There is no desk: buy one."),
        (
            child_services.broken_desk,
            "Something went wrong in our code: ZeroDivisionError: no legs.",
        ),
    ],
)
def test_factory_that_fails_ends_the_service_with_a_sentence(factory, sentence):
    with ChildService.start(factory) as service:
        assert service.wait(service.ask(("echo", 1)), LONG).error == sentence
        assert (service.state, service.error) == ("failed", sentence)
        assert "_desk" in service.traceback


def test_lambda_is_refused():
    with pytest.raises(InputError, match="top level of a module"):
        ChildService.start(lambda: None)


def test_death_answers_what_is_open_and_what_comes_later(desk):
    tickets = [desk.ask(("leave", 3)), desk.ask(("echo", 1))]
    answers = [desk.wait(ticket, LONG) for ticket in tickets]
    assert desk.state == "failed"
    assert "exit code 3" in desk.error
    assert [answer.error for answer in answers] == [desk.error] * 2
    assert desk.wait(desk.ask(("echo", 2)), LONG).error == desk.error


@posix
def test_crash_is_named(desk):
    assert "SIGSEGV" in desk.wait(desk.ask(("die_by", signal.SIGSEGV)), LONG).error


def test_close_ends_the_process_and_answers_what_is_open(tmp_path):
    service = ChildService.start(child_services.Desk)
    ticket = held(service, tmp_path / "gate")
    service.close()
    assert service.state == "closed"
    assert "closed" in service.wait(ticket, LONG).error
    assert service._gone.wait(LONG)
    service.close()
    assert (service.state, service.error) == ("closed", None)
    assert service._process.poll() is not None


@posix
def test_close_kills_what_does_not_listen():
    with ChildService.start(child_services.DeafDesk) as service:
        reply_to(service, "echo", 1)
    assert service._gone.wait(LONG)
    assert service._process.poll() == -signal.SIGKILL


def test_idle_runs_until_there_is_no_more_and_again_after_a_request():
    with ChildService.start(child_services.IdleDesk, 3) as service:
        reply_to(service, "echo", 1)
        until(lambda: reply_to_after_quiet(service, "report")[0] >= 3)
        done, waited_s = reply_to(service, "report")
    assert done % 3 == 0
    assert min(waited_s) >= 0.25


def reply_to_after_quiet(service, *request):
    time.sleep(0.5)
    return reply_to(service, *request)


def test_idle_that_raises_is_logged_and_not_asked_again():
    with ChildService.start(child_services.BrokenIdleDesk, 3) as service:
        reply_to(service, "echo", 1)
        until(lambda: "no background today" in service.log)
        time.sleep(0.1)
        assert reply_to(service, "report")[0] == 1
        assert service.state == "running"


def test_wait_that_is_in_vain_says_so(desk, tmp_path):
    gate = tmp_path / "gate"
    ticket = held(desk, gate)
    with pytest.raises(TimeoutError, match="not answered"):
        desk.wait(ticket, 0.01)
    gate.unlink()
    assert desk.wait(ticket, LONG).error is None
    with pytest.raises(KeyError, match="was taken"):
        desk.wait(ticket, LONG)
    with pytest.raises(KeyError, match="never sent"):
        desk.wait(ticket + 100, LONG)


@pytest.mark.parametrize("number", [0, 9])
def test_child_ends_when_its_parent_has_gone(tmp_path, number):
    beats = tmp_path / "beats"
    here = str(Path(child_services.__file__).parent)
    code = f"import sys; sys.path.insert(0, {here!r}); import child_services; "
    code += f"child_services.start_and_vanish({str(beats)!r})"
    if number:
        code = code.replace("start_and_vanish(", "ChildService.start(child_services.BeatingDesk, ")
        code += "; import time; time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: beats.exists() or parent.poll())
    if number:
        parent.kill()
    parent.wait(LONG)
    assert beats.stat().st_size > 0
    until(lambda: goes_quiet(beats))


def goes_quiet(path):
    """Whether a file that a live process keeps writing to has stopped growing."""
    size = path.stat().st_size
    time.sleep(0.3)
    return path.stat().st_size == size

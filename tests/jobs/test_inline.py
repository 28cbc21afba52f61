import child_jobs
import pytest

from napari_cryoml.jobs import Command, Event, run_inline


def test_events_come_in_order_and_the_result_is_returned():
    seen = []
    assert run_inline(child_jobs.count(3), seen.append) == 3
    assert [event.done for event in seen] == [1, 2, 3]


def test_job_without_events_returns_its_result():
    assert run_inline(child_jobs.count(0)) == 0


def test_stop_is_sent_once_and_the_last_events_still_arrive():
    seen = []
    result = run_inline(child_jobs.count(100), seen.append, lambda: len(seen) >= 2)
    assert result == 2
    assert [event.message for event in seen] == ["", "", "stopped"]


def test_stop_is_sent_only_once_to_a_job_that_takes_its_time():
    commands = []

    def job():
        for i in range(5):
            commands.append((yield Event(done=i, total=5)))
        return "late"

    assert run_inline(job(), should_stop=lambda: True) == "late"
    assert commands == [Command.STOP, None, None, None, None]


def test_exception_of_a_callback_closes_the_job():
    closed = []

    def job():
        try:
            yield Event(done=0, total=1)
        finally:
            closed.append(True)

    with pytest.raises(ZeroDivisionError):
        run_inline(job(), lambda event: 1 / 0)
    assert closed == [True]


def test_exception_of_the_job_comes_through():
    with pytest.raises(KeyError, match="missing"):
        run_inline(child_jobs.stumble())

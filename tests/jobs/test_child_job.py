import signal
import subprocess
import sys
import time
from pathlib import Path

import child_jobs
import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import (
    ChildJob,
    _child_job,
    _child_process,
    default_threads,
    waited_for_threads,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
LONG = 60


def until(condition):
    """Wait for something that another process does; fail rather than hang."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def first_event(job):
    found = []
    until(lambda: found.extend(job.poll()) or found or job.state != "running")
    return found[0]


def goes_quiet(path):
    """Whether a file that a live process keeps writing to has stopped growing."""
    size = path.stat().st_size
    time.sleep(0.3)
    return path.stat().st_size == size


def test_events_come_in_order_and_then_the_result():
    with ChildJob.start(child_jobs.count, 50) as job:
        assert job.wait(LONG) == "done"
        assert [event.done for event in job.poll()] == list(range(1, 51))
    assert job.result == 50
    assert job.error is None
    assert job.poll() == []


def test_arguments_and_events_may_be_larger_than_a_pipe():
    array = np.ones(1_000_000)
    with (
        ChildJob.start(child_jobs.total_of, array=array) as total,
        ChildJob.start(child_jobs.send_arrays, [10, 300_000, 0]) as arrays,
    ):
        assert total.wait(LONG) == arrays.wait(LONG) == "done"
        sizes = [len(event.values) for event in arrays.poll()]
    assert total.result == 1_000_000
    assert sizes == [10, 300_000, 0]


def test_result_is_refused_while_the_job_runs():
    with ChildJob.start(child_jobs.count, 10_000, pause=0.01) as job:
        with pytest.raises(RuntimeError, match="running"):
            _ = job.result
        assert job.wait(0.05) == "running"
    assert job.state == "cancelled"


def test_stop_keeps_what_was_reached():
    with ChildJob.start(child_jobs.count, 100_000, pause=0.01) as job:
        first_event(job)
        job.stop()
        assert job.wait(LONG) == "done"
        assert job.poll()[-1].message == "stopped"
    assert 1 <= job.result < 100_000


def test_stop_before_the_first_event_is_heard():
    with ChildJob.start(child_jobs.count, 100_000, pause=0.01) as job:
        job.stop()
        assert job.wait(LONG) == "done"
    assert job.result < 100_000


def test_unread_events_make_the_child_wait_and_none_is_lost(monkeypatch):
    monkeypatch.setattr(_child_job, "UNREAD_LIMIT", 3)
    with ChildJob.start(child_jobs.send_arrays, [20_000] * 40) as job:
        until(lambda: len(job._inbox) == 3)
        time.sleep(0.2)
        assert len(job._inbox) == 3
        assert job.state == "running"
        assert job.wait(LONG) == "done"
        assert [event.done for event in job.poll()] == list(range(1, 41))


def test_cancel_ends_the_process_and_holds():
    job = ChildJob.start(child_jobs.count, 100_000, pause=0.01)
    first_event(job)
    job.cancel()
    assert job.state == "cancelled"
    assert job.wait(LONG) == "cancelled"
    assert job._process.poll() is not None
    job.cancel()
    job.stop()
    assert job.error is None


@posix
def test_cancel_kills_what_does_not_listen():
    job = ChildJob.start(child_jobs.be_deaf)
    first_event(job)
    job.cancel()
    assert job.wait(LONG) == "cancelled"
    assert job._process.poll() == -signal.SIGKILL


def test_cancel_after_the_end_keeps_the_result():
    job = ChildJob.start(child_jobs.count, 2)
    job.wait(LONG)
    job.cancel()
    assert (job.state, job.result) == ("done", 2)


def test_input_error_is_passed_on_as_its_sentence():
    with ChildJob.start(child_jobs.refuse) as job:
        assert job.wait(LONG) == "failed"
    assert job.error == "The image is upside down: turn it."


def test_other_exceptions_become_one_sentence_with_the_traceback_kept():
    with (
        ChildJob.start(child_jobs.stumble) as stumble,
        ChildJob.start(child_jobs.run_out_of_memory) as memory,
    ):
        assert stumble.wait(LONG) == memory.wait(LONG) == "failed"
    assert stumble.error == "Something went wrong in our code: KeyError: 'missing'."
    assert 'return {}["missing"]' in stumble.traceback
    assert "ran out of memory" in memory.error
    with pytest.raises(RuntimeError, match="failed"):
        _ = stumble.result


@pytest.mark.parametrize(
    "function", [child_jobs.return_unpicklable, child_jobs.return_unreadable, child_jobs.not_a_job]
)
def test_results_that_cannot_travel_fail_with_a_sentence(function):
    with ChildJob.start(function) as job:
        assert job.wait(LONG) == "failed"
    assert job.error.startswith("Something went wrong in our code")


def test_exit_in_the_midst_is_a_sentence_with_the_code():
    with ChildJob.start(child_jobs.leave, 7) as job:
        assert job.wait(LONG) == "failed"
        assert len(job.poll()) == 1
    assert "exit code 7" in job.error
    assert "I am off" in job.log


@posix
@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGKILL, "out of memory"), (signal.SIGSEGV, "SIGSEGV")]
)
def test_death_by_a_signal_is_named(number, words):
    with ChildJob.start(child_jobs.die_by, number) as job:
        assert job.wait(LONG) == "failed"
    assert words in job.error
    if number == signal.SIGSEGV:
        assert "die_by" in job.log


@posix
def test_crash_takes_along_what_the_job_had_started(tmp_path):
    beats = tmp_path / "beats"
    with ChildJob.start(child_jobs.beat_in_grandchild, beats) as job:
        assert job.wait(LONG) == "failed"
    until(lambda: goes_quiet(beats))


@pytest.mark.parametrize("number", [0, 9])
def test_child_ends_when_its_parent_has_gone(tmp_path, number):
    beats = tmp_path / "beats"
    here = str(Path(child_jobs.__file__).parent)
    code = f"import sys; sys.path.insert(0, {here!r}); import child_jobs; "
    code += f"child_jobs.start_and_vanish({str(beats)!r})"
    if number:
        code = code.replace("start_and_vanish(", "ChildJob.start(child_jobs.beat, ")
        code += "; import time; time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: beats.exists() or parent.poll())
    if number:
        parent.kill()
    parent.wait(LONG)
    assert beats.stat().st_size > 0
    until(lambda: goes_quiet(beats))


def test_printing_and_reading_do_not_disturb_the_messages():
    with ChildJob.start(child_jobs.talk) as job:
        assert job.wait(LONG) == "done"
    assert job.result == ""
    assert job.log.endswith("last words\n")
    assert len(job.log.encode()) <= 2 * _child_process.LOG_BYTES
    assert "printed line" not in job.log


def test_child_has_our_import_path_but_not_our_main_module(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    with (
        ChildJob.start(child_jobs.surroundings) as usual,
        ChildJob.start(child_jobs.surroundings, threads=3) as chosen,
    ):
        assert usual.wait(LONG) == chosen.wait(LONG) == "done"
    assert usual.result["omp"] == "5"
    assert chosen.result["omp"] == "3"
    assert usual.result["path"] == [str(Path(entry).absolute()) for entry in sys.path]
    assert usual.result["main"] is None
    assert not {"torch", "napari", "pytest"} & set(usual.result["modules"])


def test_threads_are_the_cores_less_one(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with ChildJob.start(child_jobs.surroundings) as job:
        assert job.wait(LONG) == "done"
    assert job.result["omp"] == str(default_threads())
    assert default_threads() >= 1


def test_who_waits_gets_all_cores_unless_the_user_has_decided(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("napari_cryoml.jobs._process._cores", lambda: 1)
    assert (waited_for_threads(), default_threads()) == (1, 1)
    monkeypatch.setattr("napari_cryoml.jobs._process._cores", lambda: 4)
    assert (waited_for_threads(), default_threads()) == (4, 3)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert waited_for_threads() is None


@pytest.mark.parametrize(("ours", "wanted"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_that_wait_leave_their_core_unless_the_user_wants_otherwise(
    monkeypatch, ours, wanted
):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if ours is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", ours)
    with ChildJob.start(child_jobs.surroundings) as job:
        assert job.wait(LONG) == "done"
    assert job.result["waiting"] == wanted


def test_functions_without_an_importable_name_are_refused():
    def local():
        yield

    for function in (local, lambda: None):
        with pytest.raises(InputError, match="top level of a module"):
            ChildJob.start(function)
    local.__qualname__, local.__module__ = "local", "__main__"
    with pytest.raises(InputError, match="__main__"):
        ChildJob.start(local)


def test_arguments_that_cannot_be_pickled_are_refused():
    with pytest.raises(InputError, match="cannot be sent"):
        ChildJob.start(child_jobs.count, lambda: None)


def test_interpreter_that_cannot_be_started_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(InputError, match="could not be started"):
        ChildJob.start(child_jobs.count, 1)

import threading

import pytest
from tests._widgets.conftest import FakeJob

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.jobs import Background, JobPanel, JobWatcher
from napari_cryoml._widgets.jobs._panel import remaining
from napari_cryoml.jobs import Event


@pytest.fixture
def background(qapp):
    made = Background()
    yield made
    made.close()


def test_results_are_handed_over_in_order_on_the_gui_s_thread(background, qtbot):
    done = []
    for number in range(5):
        background.run(
            lambda value: (value, threading.current_thread()),
            number,
            on_done=lambda result: done.append((*result, threading.current_thread())),
            on_error=pytest.fail,
        )
    qtbot.waitUntil(lambda: not background.busy)
    assert [value for value, _, _ in done] == [0, 1, 2, 3, 4]
    main = threading.main_thread()
    assert all(worker is not main and receiver is main for _, worker, receiver in done)


@pytest.mark.parametrize(
    ("error", "part"), [(InputError("No such file."), "No such file."), (KeyError("x"), "x")]
)
def test_errors_become_sentences(background, qtbot, error, part):
    def fail():
        raise error

    said = []
    background.run(fail, on_done=pytest.fail, on_error=said.append)
    qtbot.waitUntil(lambda: not background.busy)
    assert part in said[0]


def test_nothing_comes_after_the_end(background, qtbot):
    background.run(lambda: 1, on_done=pytest.fail, on_error=pytest.fail)
    background.close()
    qtbot.wait(60)
    assert not background.busy


def test_all_events_come_before_the_end(qtbot):
    watcher, heard = JobWatcher(), []
    watcher.received.connect(heard.append)
    watcher.ended.connect(lambda job: heard.append(job.state))
    job = FakeJob(None)
    job.say(*[Event(done=number, total=3) for number in range(3)])
    job.end()
    watcher.watch(job)
    qtbot.waitUntil(lambda: not watcher.running)
    assert [getattr(entry, "done", entry) for entry in heard] == [0, 1, 2, "done"]


def test_a_flood_of_events_leaves_the_gui_awake(qtbot):
    watcher, heard = JobWatcher(), []

    def slow(event):
        heard.append(event)
        threading.Event().wait(0.02)

    watcher.received.connect(slow)
    job = FakeJob(None)
    job.say(*[Event(done=number, total=30) for number in range(30)])
    job.end()
    watcher.watch(job)
    watcher._poll()
    assert 0 < len(heard) < 30
    qtbot.waitUntil(lambda: not watcher.running)
    assert len(heard) == 30


def test_one_job_at_a_time(qapp):
    watcher, job = JobWatcher(), FakeJob(None)
    watcher.watch(job)
    with pytest.raises(RuntimeError, match="running"):
        watcher.watch(FakeJob(None))
    watcher.close()
    assert job.state == "cancelled"
    assert not watcher.running


def test_the_panel_hides_when_there_is_nothing_to_say(qtbot):
    panel = JobPanel()
    qtbot.addWidget(panel)
    panel.begin("Starting…")
    assert panel.isVisible()
    panel.progress(3, 10, "Image 3.")
    assert panel.text == "Image 3."
    panel.end("")
    assert not panel.isVisible()


@pytest.mark.parametrize(
    ("done", "total", "elapsed", "text"),
    [
        (0, 10, 60, ""),
        (5, 0, 60, ""),
        (10, 10, 60, ""),
        (1, 10, 0.5, ""),
        (5, 10, 20, "About 20 s left."),
        (1, 11, 60, "About 10 min left."),
    ],
)
def test_the_time_left_is_told_once_it_is_known(done, total, elapsed, text):
    assert remaining(done, total, elapsed) == text

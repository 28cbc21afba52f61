"""Workers that pick all images: what the dock asks, and what comes back."""

import pytest
from tests._widgets.conftest import picked, said, trained

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.picker import PickerController, _work
from napari_cryoml.jobs import ChildJob, ClusterConfig
from napari_cryoml.picking import PickerConfig


@pytest.fixture
def ready(opened, tmp_path):
    """Return the Picker with a model."""
    opened.session.project.add_model(trained(tmp_path / "m.safetensors", threshold=0.0), {})
    return opened


def found(view):
    call = view.show_workers_found.call_args
    return call.args[0], call.kwargs.get("looking", False)


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("", ClusterConfig()),
        (" 0 ", ClusterConfig()),
        ("2", ClusterConfig(workers=2)),
        (" tcp://node7:8786", ClusterConfig(scheduler="tcp://node7:8786")),
        ("scheduler.json", ClusterConfig(scheduler="scheduler.json")),
    ],
)
def test_one_line_names_the_workers(text, config):
    assert ClusterConfig.of_text(text) == config


@pytest.mark.parametrize("text", ["-2", "two workers"])
def test_what_names_none_is_refused(text):
    with pytest.raises(InputError, match="a number of processes on this computer"):
        ClusterConfig.of_text(text)


def test_all_images_go_to_the_workers_and_the_one_on_show_does_not(ready, jobs):
    ready.workers.enter("2")
    ready.pick_all()
    assert jobs[-1].kwargs["cluster"] == ClusterConfig(workers=2)
    assert jobs[-1].args[1].parent.name.startswith("cryoml-")
    jobs[-1].end()
    ready.results.jobs.close()
    ready.results.pick_shown(again=True)
    assert jobs[-1].kwargs["cluster"] is None


def test_a_scheduler_finds_the_model_beside_the_project(ready, jobs, folder):
    ready.workers.enter("tcp://node7:8786")
    ready.pick_all()
    assert jobs[-1].args[1].parent.parent == folder
    assert jobs[-1].args[1].exists()
    ready.results.jobs.close()
    assert not list(folder.glob(".cryoml-*"))


def test_live_picks_and_blobs_go_there_too(live, jobs):
    live.workers.enter("2")
    live.labelling.take_drawn(20.0)
    live.pick_all()
    assert jobs[-1].function.__name__ == "pick_blobs"
    assert jobs[-1].args[2] == ClusterConfig(workers=2)
    live.results.jobs.close()
    for y in (20, 50, 80):
        live.layers.layer("labels").add([float(y), 40.0])
    live.pick_all()
    assert jobs[-1].function.__name__ == "pick_live"
    assert jobs[-1].args[3] == ClusterConfig(workers=2)


def test_nonsense_is_told_and_picks_nothing(ready, jobs, view):
    n_jobs = len(jobs)
    ready.workers.enter("two workers")
    assert said(view)[1]
    ready.pick_all()
    assert said(view)[1]
    assert len(jobs) == n_jobs


def test_the_project_keeps_them(opened, view, viewer, jobs, services, folder, qtbot):
    opened.workers.enter("3")
    opened.teardown()
    viewer.layers.clear()
    again = PickerController(viewer, view, start_job=jobs.start, start_service=services.start)
    again.open_paths([folder])
    qtbot.waitUntil(lambda: again.desk.shown is not None and not again.reading)
    view.show_workers.assert_called_with("3")
    assert again.workers.config() == ClusterConfig(workers=3)
    again.teardown()


def test_looking_says_what_there_is(opened, jobs, view, qtbot):
    opened.workers.look()
    assert found(view) == ("All images are picked by this computer, in one process.", False)
    opened.workers.enter("2")
    opened.workers.look()
    job = jobs[-1]
    assert (job.function, job.args) == (_work.look_at_workers, (ClusterConfig(workers=2),))
    assert found(view) == ("Looking…", True)
    opened.workers.look()
    assert jobs[-1] is job, "one look at a time"
    job.end(result="2 workers, 2 at a time, at tcp://x.")
    qtbot.waitUntil(lambda: not opened.workers.looking)
    assert found(view) == ("2 workers, 2 at a time, at tcp://x.", False)
    opened.workers.look()
    jobs[-1].end(state="failed", error="No Dask scheduler answered.")
    qtbot.waitUntil(lambda: not opened.workers.looking)
    assert found(view) == ("No Dask scheduler answered.", False)


def test_a_scheduler_that_is_lost_is_told_and_what_came_back_stays(ready, jobs, view, qtbot):
    ready.workers.enter("tcp://node7:8786")
    ready.pick_all()
    jobs[-1].say(picked("b.mrc"))
    sentence = "The connection to the Dask scheduler was lost; what came back before is kept."
    jobs[-1].end(state="failed", error=sentence)
    qtbot.waitUntil(lambda: not ready.busy)
    assert said(view) == (sentence, True)
    assert len(ready.session.project.picks("b.mrc")) == 3


@pytest.mark.slow
def test_two_workers_pick_all_images(viewer, view, services, folder, qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    view.config.side_effect = lambda **given: PickerConfig(**given)
    picker = PickerController(viewer, view, start_job=ChildJob.start, start_service=services.start)
    picker.open_paths([folder])
    qtbot.waitUntil(lambda: picker.desk.shown == "a.mrc" and not picker.reading)
    picker.labelling.take_drawn(20.0)
    picker.workers.enter("2")
    picker.workers.look()
    qtbot.waitUntil(lambda: not picker.workers.looking, timeout=120_000)
    assert found(view)[0].startswith("2 workers, 2 at a time, at tcp://127.0.0.1:")
    picker.pick_all()
    qtbot.waitUntil(lambda: not picker.busy, timeout=120_000)
    there = {name: picker.session.project.picks(name) for name in picker.session.names}
    assert all(len(picks) for picks in there.values())
    told = [call.args[2] for call in view.show_progress.call_args_list]
    assert any(text.startswith("2 workers") for text in told)
    picker.workers.enter("")
    picker.pick_all()
    qtbot.waitUntil(lambda: not picker.busy, timeout=120_000)
    for name, picks in there.items():
        alone = picker.session.project.picks(name)
        assert alone.positions.tolist() == picks.positions.tolist()
        assert alone.scores.tolist() == picks.scores.tolist()
    picker.teardown()

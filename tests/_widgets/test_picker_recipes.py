"""Recipes of the Picker: what the dock shows, the shell finds, and the other way round."""

import numpy as np
import pytest
from tests._widgets.conftest import PIXEL_SIZE, said, trained

from napari_cryoml import io
from napari_cryoml._widgets.picker import PickerController, _work
from napari_cryoml.data import PicksTable
from napari_cryoml.jobs import run_inline
from napari_cryoml.picking import ImagePicked, PickerConfig, final_picks
from napari_cryoml.picking.live import LiveConfig, MarkedBox
from napari_cryoml.recipes import Recipe, with_settings

LIVE = {"encoder": False, "separation": 0.7, "seed": 3}
TRAINING = {"minutes": None, "steps": 12, "crops": 4, "crop_size": 48}


@pytest.fixture
def spots(folder):
    """Draw the same nine spots into each micrograph; return where they are."""
    axis = np.array([20.0, 48.0, 76.0])
    centres = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    for number, path in enumerate(sorted(folder.glob("*.mrc"))):
        y, x = np.indices((120, 100))
        away = (y - centres[:, 0, None, None]) ** 2 + (x - centres[:, 1, None, None]) ** 2
        noise = np.random.default_rng(number).normal(size=(120, 100))
        image = 0.5 * noise - 3 * np.exp(-away / 50).sum(axis=0)
        io.write_mrc(path, image.astype(np.float32), PIXEL_SIZE)
    return centres


@pytest.fixture
def labelled(spots, live, view, monkeypatch, tmp_path):
    """Return the Picker with a diameter and labels of both kinds in two images."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    view.live_config.side_effect = lambda **given: LiveConfig(**(LIVE | given))
    live.labelling.take_drawn(70 / 3)
    layer = live.layers.layer("labels")
    for place in spots[:5] + 1 / 7:
        layer.add(place)
    live.layers.label_at(np.array([34.1, 34.0]), 0)
    return live


def saved(controller, view, idle, place, what="picking"):
    view.ask_recipe_path.return_value = place
    getattr(controller.recipes, f"save_{what}")()
    idle()
    assert not said(view)[1], said(view)
    return Recipe.read(place)


def carried_out(job, session, edit=None, model=None):
    """Carry out a job that the dock has asked for, and keep what it finds."""
    work = getattr(_work, job.function.__name__)
    events = []
    result = run_inline(work(*job.args, **job.kwargs), events.append)
    for event in events:
        if isinstance(event, ImagePicked):
            session.keep(event, model, edit)
    return result


def from_shell(shell, recipe, out):
    done = shell("run", recipe, "--", "--out", out)
    assert done.code == 0, done.err
    return {picks.image: picks for picks in io.read_picks(out)}


def same(found, expected):
    assert set(found) == set(expected)
    for name, picks in expected.items():
        np.testing.assert_array_equal(found[name].positions, picks.positions)
        np.testing.assert_array_equal(np.float32(found[name].scores), np.float32(picks.scores))


def test_the_shell_finds_what_live_picking_shows(labelled, jobs, view, idle, shell, tmp_path):
    session = labelled.session
    session.mark(MarkedBox(image="a.mrc", low=(1.5, 2.0), high=(60.1, 90.0)))
    session.set_threshold(-0.25)
    recipe = saved(labelled, view, idle, tmp_path / "pick.yaml")
    assert recipe.command == "pick live"
    assert (recipe.options["labels"], recipe.options["out"]) == ("pick.labels.csv", "pick.star")
    labelled.pick_all()
    carried_out(jobs[-1], session, edit=session.project.edit_number)
    shown = PicksTable.of(
        final_picks(
            session.project.picks(name),
            session.project.annotations(name),
            session.threshold,
            session.diameter_in(name),
        )
        for name in session.names
    )
    assert shown.n_picks > 9
    found = from_shell(shell, tmp_path / "pick.yaml", tmp_path / "p.csv")
    same(found, {picks.image: picks for picks in shown if len(picks)})
    written = {each.image: each for each in session.final_table(session.threshold)}
    same(found, {name: each for name, each in written.items() if len(each)})


def test_the_shell_trains_and_picks_as_the_dock_does(labelled, jobs, view, idle, shell, tmp_path):
    session = labelled.session
    labelled.live.toggle(False)
    view.config.side_effect = lambda **given: PickerConfig(training=TRAINING, device="cpu", **given)
    recipe = saved(labelled, view, idle, tmp_path / "train.yaml", "training")
    assert recipe.command == "pick train"
    done = shell("run", tmp_path / "train.yaml")
    assert done.code == 0, done.err
    labelled.train()
    model = carried_out(jobs[-1], session)
    theirs = tmp_path / "train.safetensors"
    session.project.add_model(model, {})
    labelled.results.jobs.close()
    labelled.results.pick_all()
    carried_out(jobs[-1], session, model=session.project.current_model().id)
    shown = [session.project.picks(name) for name in session.names]
    session.set_threshold(float(np.median(np.concatenate([each.scores for each in shown]))))
    shown = [each.take(each.scores >= session.threshold) for each in shown]
    expected = {each.image: each for each in shown if len(each)}
    assert expected
    recipe = saved(labelled, view, idle, tmp_path / "run.yaml")
    assert recipe.command == "pick run"
    same(from_shell(shell, tmp_path / "run.yaml", tmp_path / "p.csv"), expected)
    again = shell(
        "run", tmp_path / "run.yaml", "--", "--model", theirs, "--out", tmp_path / "q.csv"
    )
    assert again.code == 0, again.err
    same({picks.image: picks for picks in io.read_picks(tmp_path / "q.csv")}, expected)


def test_a_recipe_of_live_picking_fills_the_dock_again(
    labelled, view, viewer, jobs, services, idle, folder, qtbot, tmp_path
):
    session = labelled.session
    session.mark(MarkedBox(image="a.mrc", low=(1.5, 2.0), high=(60.1, 90.0)))
    labelled.live.pin(9)
    recipe = saved(labelled, view, idle, tmp_path / "pick.yaml")
    was = session.project.annotations("a.mrc")
    diameter, config = session.diameter_px, labelled.live.config(session)
    labelled.teardown()
    viewer.layers.clear()
    (folder / "picker.cryoml").unlink()
    again = PickerController(viewer, view, start_job=jobs.start, start_service=services.start)
    again.recipes.open(tmp_path / "pick.yaml")
    qtbot.waitUntil(lambda: again.desk.shown == "a.mrc" and not again.reading)
    assert not said(view)[1], said(view)
    now = again.session.project.annotations("a.mrc")
    np.testing.assert_array_equal(now.positions, was.positions)
    np.testing.assert_array_equal(now.labels, was.labels)
    assert again.session.diameter_px == diameter
    assert again.session.is_live
    shown = view.set_live_options.call_args.args[0]
    assert {name: shown[name] for name in LIVE} == LIVE
    assert again.live.config(again.session) == config
    again.recipes.open(tmp_path / "pick.yaml")
    qtbot.waitUntil(lambda: not again.reading)
    assert len(again.session.project.annotations("a.mrc")) == len(was), "none of them twice"
    assert (
        saved(
            again, view, lambda: qtbot.waitUntil(lambda: not again.reading), tmp_path / "again.yaml"
        ).options["set"]
        == recipe.options["set"]
    )
    again.teardown()


def test_a_recipe_of_training_from_the_shell_fills_the_forms(opened, view, idle, folder, tmp_path):
    (tmp_path / "l.csv").write_text("image_name,x_coord,y_coord\na.mrc,20,10\n")
    options = {"images": str(folder / "*.mrc"), "labels": "l.csv", "diameter": "41A"}
    options |= {"steps": 30, "seed": 2, "set": ["training.crop_size=96"]}
    opened.recipes.open(Recipe("pick train", options).write(tmp_path / "t.yaml"))
    idle()
    assert not said(view)[1], said(view)
    shown = view.set_options.call_args.args[0]
    assert shown["training"]["steps"] == 30
    assert shown["training"]["minutes"] is None
    assert shown["training"]["crop_size"] == 96
    assert opened.session.diameter_px == 20.5
    assert opened.session.project.annotations("a.mrc").positives.tolist() == [[10.0, 20.0]]


def test_a_recipe_of_a_trained_model_brings_the_model(live, view, jobs, idle, folder, tmp_path):
    model = trained(tmp_path / "m.safetensors", threshold=1.5)
    options = {"images": [str(folder / "b.mrc"), str(folder / "c.mrc")], "model": model.name}
    recipe = Recipe("pick run", options | {"threshold": -0.5, "device": "cpu"})
    live.recipes.open(recipe.write(tmp_path / "r.yaml"))
    idle()
    assert not said(view)[1], said(view)
    session = live.session
    kept = session.project.export_model(session.project.current_model().id, tmp_path / "kept")
    assert kept.read_bytes() == model.read_bytes()
    assert session.threshold == -0.5
    assert not session.is_live
    view.set_options.assert_called_with({"device": "cpu"})
    assert jobs[-1].function.__name__ == "pick", "the image on show is picked with it"


def test_a_recipe_of_a_model_that_is_gone_is_one_sentence(live, view, idle, folder, tmp_path):
    options = {"images": str(folder), "model": "gone.safetensors"}
    live.recipes.open(Recipe("pick run", options).write(tmp_path / "r.yaml"))
    idle()
    sentence, error = said(view)
    assert error
    assert "gone.safetensors" in sentence
    assert live.session.project.current_model() is None


@pytest.mark.parametrize("what", ["picking", "training"])
def test_without_labels_there_is_no_recipe(live, view, what):
    live.labelling.take_drawn(20.0)
    getattr(live.recipes, f"save_{what}")()
    assert said(view)[1]
    view.ask_recipe_path.assert_not_called()


def test_a_recipe_with_a_wrong_option_is_one_sentence(opened, view, idle, folder, tmp_path):
    options = {"images": str(folder), "diameter": "20", "set": ["reach=2"]}
    opened.recipes.open(Recipe("pick live", options).write(tmp_path / "r.yaml"))
    idle()
    sentence, error = said(view)
    assert error
    assert "reach" in sentence
    assert opened.session.diameter_px == 0


def test_all_options_travel(labelled, view, idle, tmp_path):
    recipe = saved(labelled, view, idle, tmp_path / "pick.yaml")
    config = labelled.live.config(labelled.session)
    plain = LiveConfig(diameter=recipe.options["diameter"])
    assert with_settings(plain, recipe.options["set"]) == config

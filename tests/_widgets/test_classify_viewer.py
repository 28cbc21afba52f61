"""The Classify dock beside the Picker in a real window, with real processes, on a tomogram."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from tests._widgets.test_picker_viewer import GAP_LIMIT_S, Gaps

from napari_cryoml import io
from napari_cryoml._widgets.classes._class_gallery import Show
from napari_cryoml._widgets.classify import ClassifyWidget
from napari_cryoml.classification import systems
from napari_cryoml.simulate import TomogramConfig, procedural_maps, simulate_tomogram

pytestmark = pytest.mark.viewer

SIDE, N_LABELS = 20, 5
NAMES = ("ribosome", "proteasome", "junk")


@pytest.fixture(scope="module")
def tomogram():
    config = TomogramConfig(
        shape=(28, 144, 144), n_particles=36, snr=2.0, box=SIDE, pixel_size=10.0, tilt_step=4
    )
    maps = procedural_maps(len(NAMES), config.box, config.pixel_size)
    return simulate_tomogram(maps, config, seed=0, name="tomogram.mrc")


@pytest.fixture
def picked(make_napari_viewer, qtbot, tmp_path, monkeypatch, tomogram) -> Iterator:
    """Return a window with the Picker, and the particles of a tomogram as its picks."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "tomograms"
    folder.mkdir()
    io.write_mrc(folder / "tomogram.mrc", tomogram.image, tomogram.pixel_size)
    viewer = make_napari_viewer()
    picker = open_dock(viewer, "Picker")
    picker.open_paths([folder])
    qtbot.waitUntil(lambda: picker.desk.shown == "tomogram.mrc", timeout=20_000)
    picker.live.toggle(False)
    picker.labelling.enter_diameter(130.0)
    picker.session.project.set_picks("tomogram.mrc", tomogram.picks)
    picker.session.count_again("tomogram.mrc")
    picker.desk.show_picks(0.0)
    picker.desk.refresh()
    yield viewer, picker
    picker.teardown()


def open_dock(viewer, name):
    return viewer.window.add_plugin_dock_widget("napari-cryoml", name)[1].controller


def settle(qtbot, dock, timeout=120_000):
    qtbot.waitUntil(lambda: not dock.busy, timeout=timeout)


def true_names(dock, tomogram):
    """Return what each crop is, in words of ours."""
    places, kinds = tomogram.picks.positions, tomogram.picks.columns["class"]
    known = dict(zip(sorted(set(kinds.tolist())), NAMES, strict=True))
    gaps = np.linalg.norm(dock.desk.state.crops.positions[:, None] - places, axis=2)
    return np.array([known[kind] for kind in kinds[gaps.argmin(axis=1)].tolist()])


def add_classes(dock):
    for name in NAMES:
        dock.view.classes.add.click()
        dock.labelling.rename(dock.desk.current, name)


def label_by_digit(qtbot, dock, truth):
    """Give five crops of each class their class by the keys of the gallery."""
    grid = dock.view.gallery.crops.grid
    for number, name in enumerate(NAMES, 1):
        for row in np.flatnonzero(truth == name)[:N_LABELS].tolist():
            grid._current = grid.rows.tolist().index(row)
            qtbot.keyClick(grid, getattr(Qt.Key, f"Key_{number}"))
            assert row == grid.rows[-1] or grid.current != row  # the next one follows
    grid.clearFocus()


def tiny(name):
    """Return a system that is trained in a few seconds."""
    system = systems.create(name)
    training = system.training.model_copy(update={"epochs": 2, "minutes": 1.0})
    return system.model_copy(update={"training": training, "least_steps": 0})


def test_from_picks_to_classes_averages_and_lists(picked, qtbot, tmp_path, tomogram):
    viewer, picker = picked
    dock = open_dock(viewer, "Classify")
    view = dock.view
    viewer.window._qt_viewer.canvas.native.hide()
    qtbot.wait(300)
    gaps = Gaps()
    view.source.cut.click()
    qtbot.waitUntil(lambda: dock.desk.state is not None, timeout=20_000)
    settle(qtbot, dock)
    state = dock.desk.state
    assert len(state) == len(tomogram.picks)
    assert "tomogram" in view.source.text.text()

    add_classes(dock)
    truth = true_names(dock, tomogram)
    label_by_digit(qtbot, dock, truth)
    assert state.classes.counts == dict.fromkeys(sorted(NAMES), N_LABELS)
    qtbot.waitUntil(lambda: state.fitted is not None, timeout=60_000)
    settle(qtbot, dock)
    assert (state.predicted == truth).mean() > 0.8
    assert len(np.unique(picker.layers.layer("picks").border_color, axis=0)) == len(NAMES)
    assert view.result.matrix.classes == tuple(sorted(NAMES))
    gaps.stop()
    assert max(gaps.worked) < GAP_LIMIT_S
    viewer.window._qt_viewer.canvas.native.show()

    view.train.show_system("dsrf3d")
    dock.training.choose("dsrf3d")
    view.train.config = lambda: tiny("dsrf3d")
    view.train.train.click()
    qtbot.waitUntil(lambda: state.fitted.system.name == "dsrf3d", timeout=180_000)
    settle(qtbot, dock)
    kept = dock.keeping.model()
    assert kept is not None
    true, given = view.result.matrix.classes[:2]
    view.result.matrix.cell_clicked.emit(true, given)
    assert view.gallery.shown == Show("cell", given, true)

    dock.looking.look(0)
    qtbot.waitUntil(lambda: view.look.viewer.isEnabled(), timeout=60_000)
    view.look.viewer.click()
    layer = next(one for one in viewer.layers if "looks at" in one.name)
    assert layer.ndim == 3
    assert layer.visible
    assert np.allclose(layer.scale, tomogram.pixel_size)
    inside = np.array(layer.extent.world)
    place = state.crops.positions[0] * tomogram.pixel_size
    assert (inside[0] - 1 <= place).all()
    assert (place <= inside[1] + 1).all()

    view.average.of.setCurrentIndex(view.average.of.findData("labelled"))
    view.average.of_class.setCurrentIndex(0)
    view.average.config = lambda ndim: quick_average()
    view.average.average.click()
    qtbot.waitUntil(lambda: not dock.averaging.running, timeout=180_000)
    assert view.average.panel.save.isEnabled()

    view.ask_lists_path = lambda folder: tmp_path / "classes.star"
    view.export.lists.click()
    settle(qtbot, dock)
    found = io.read_picks(tmp_path / "classes.star")
    assert found.n_picks == len(state)
    settle(qtbot, dock)
    project = picker.session.project.path
    dock.teardown()
    assert "looks at" not in " ".join(one.name for one in viewer.layers)
    assert len(np.unique(picker.layers.layer("picks").border_color, axis=0)) == 1
    assert project.exists()


def quick_average():
    from napari_cryoml.averaging import AlignConfig, RefineConfig

    align = AlignConfig(angular_step=30.0)
    return RefineConfig(iterations=1, starts=1, align=align)


def test_a_click_on_a_pick_in_a_slice_gives_the_class_and_no_label(picked, qtbot):
    viewer, picker = picked
    dock = open_dock(viewer, "Classify")
    dock.sources.cut()
    qtbot.waitUntil(lambda: dock.desk.state is not None, timeout=20_000)
    add_classes(dock)
    dock.labelling.choose("proteasome")
    dock.view.classes.label.click()
    row, link = 4, dock.links.link
    dock.linking.look_at(row)
    there = link.to_world(dock.desk.state.crops.positions[row])
    press(link._mouse, there)
    qtbot.waitUntil(lambda: dock.desk.state.labelled.any(), timeout=5_000)
    assert dock.desk.state.classes.texts[row] == "proteasome"
    assert picker.session.project.counts().get("tomogram.mrc", (0, 0)) == (0, 0)
    dock.view.classes.label.click()
    assert str(picker.layers.layer("labels").mode) == "add"
    dock.teardown()


def press(mouse, world):
    """Press and release the left button at a place of the world, as napari tells of it."""
    event = SimpleNamespace(
        type="mouse_press", position=tuple(world), button=1, pos=np.zeros(2), modifiers=()
    )
    steps = mouse._on_press(None, event)
    next(steps)
    event.type = "mouse_release"
    next(steps, None)


def test_opened_again_classes_and_predictions_are_there(picked, qtbot, tomogram):
    viewer, picker = picked
    first = open_dock(viewer, "Classify")
    first.sources.cut()
    qtbot.waitUntil(lambda: first.desk.state is not None, timeout=20_000)
    add_classes(first)
    truth = true_names(first, tomogram)
    state = first.desk.state
    for name in NAMES[:2]:
        rows = np.flatnonzero(truth == name)[:2]
        picker.session.project.classify([state.ids[row] for row in rows], name)
    project = picker.session.project.path
    first.teardown()
    viewer.window.remove_dock_widget("all")
    again = open_dock(viewer, "Picker")
    again.open_paths([project])
    dock = open_dock(viewer, "Classify")
    qtbot.waitUntil(
        lambda: dock.desk.state is not None and dock.desk.state.fitted is not None, timeout=60_000
    )
    assert dock.desk.state.labelled.sum() == 4
    assert [entry.name for entry in dock.desk.entries()] == list(NAMES)
    settle(qtbot, dock)
    dock.teardown()
    again.teardown()


def test_a_second_dock_says_that_the_first_is_open(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    dock = open_dock(viewer, "Classify")
    second = ClassifyWidget(viewer)
    assert second.controller is None
    second.deleteLater()
    qtbot.wait(20)
    dock.teardown()

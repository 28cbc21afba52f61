"""The Explorer beside the Picker in a real window, with real processes."""

from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QLabel
from tests._widgets.test_picker_viewer import GAP_LIMIT_S, Gaps

from napari_cryoml import io
from napari_cryoml._widgets.embedding import ExplorerWidget
from napari_cryoml.data import Picks

pytestmark = pytest.mark.viewer

SIZE, N_SPOTS = 320, 7


def micrograph(seed):
    """Return noise with discs, or rings where there is junk; places, and which are junk."""
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(SIZE, SIZE)).astype(np.float32)
    steps = (np.arange(N_SPOTS) + 0.5) * SIZE / N_SPOTS
    places = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2).round()
    junk = rng.random(len(places)) < 0.3
    y, x = np.indices(image.shape)
    for (row, column), is_junk in zip(places, junk, strict=True):
        distance = np.hypot(y - row, x - column)
        image[(distance < 12) & (distance > 8) if is_junk else distance < 8] -= 3
    return image, places, junk


@pytest.fixture
def picked(make_napari_viewer, qtbot, tmp_path, monkeypatch) -> Iterator:
    """Return a window with the Picker, picks of two micrographs, and which of them are junk."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder, table, marks = tmp_path / "images", {}, []
    folder.mkdir()
    for seed, name in enumerate(("a.mrc", "b.mrc")):
        image, places, junk = micrograph(seed)
        io.write_mrc(folder / name, image, 2.0)
        table[name] = places
        marks.append(junk)
    viewer = make_napari_viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Picker")
    picker = widget.controller
    picker.open_paths([folder])
    qtbot.waitUntil(lambda: picker.desk.shown == "a.mrc", timeout=20_000)
    picker.live.toggle(False)
    picker.labelling.enter_diameter(48.0)
    for name, places in table.items():
        scores = np.linspace(2, 1, len(places), dtype=np.float32)
        picker.session.project.set_picks(name, Picks(name, places, scores))
        picker.session.count_again(name)
    picker.desk.show_picks(0.0)
    yield viewer, picker, np.concatenate(marks)
    picker.teardown()


def open_explorer(viewer):
    dock, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Explorer")
    return dock, widget.controller


def settle(qtbot, explorer):
    qtbot.waitUntil(lambda: not explorer.busy, timeout=120_000)


def drag_around(qtbot, explorer, rows):
    """Draw a lasso with the mouse along the hull of rows, a little outside."""
    from scipy.spatial import ConvexHull

    canvas = explorer.view.canvas
    places = canvas.scene.view.to_screen(explorer.desk.state.layout[rows])
    hull = places[ConvexHull(places).vertices]
    middle = hull.mean(axis=0)
    corners = [QPoint(*np.round(middle + 1.05 * (one - middle)).astype(int)) for one in hull]
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=corners[0])
    for corner in [*corners[1:], corners[0]]:
        qtbot.mouseMove(canvas, corner)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=corners[0])


def test_a_lasso_over_an_island_of_junk_becomes_negatives(picked, qtbot, tmp_path):
    viewer, picker, junk = picked
    dock, explorer = open_explorer(viewer)
    dock.raise_()
    view = explorer.view
    view.source.encoder.setCurrentText("rings")
    explorer.choose_method("pca")
    view.source.method.setCurrentText("pca")
    viewer.window._qt_viewer.canvas.native.hide()
    qtbot.wait(500)
    gaps = Gaps()
    view.source.map.click()
    qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=120_000)
    settle(qtbot, explorer)
    state = explorer.desk.state
    assert len(state) == len(junk)
    assert state.method == "pca"

    island = np.flatnonzero(junk)
    drag_around(qtbot, explorer, island)
    chosen = state.selection
    assert chosen[junk].mean() >= 0.8
    assert chosen[~junk].mean() <= 0.05
    settle(qtbot, explorer)
    assert len(view.gallery.rows) == chosen.sum()
    assert "Å" in view.average.text.text()

    view.selection.negatives.click()
    counts = picker.session.project.counts()
    assert sum(n for _, n in counts.values()) == chosen.sum()
    explorer.selecting.undo()
    assert sum(n for _, n in picker.session.project.counts().values()) == 0
    assert explorer.desk.state.selection.sum() == chosen.sum()
    settle(qtbot, explorer)
    gaps.stop()
    viewer.window._qt_viewer.canvas.native.show()
    assert max(gaps.worked) < GAP_LIMIT_S

    path = picker.session.project.path
    explorer.teardown()
    (entry,) = picker.session.project.embeddings()
    assert {"PCA0", "PCA1"} <= set(entry.columns)
    assert path.exists()
    viewer.window.screenshot(str(tmp_path / "explorer.png"), canvas_only=False, flash=False)


def test_opened_again_the_map_of_the_project_is_there(picked, qtbot):
    viewer, picker, _ = picked
    rng = np.random.default_rng(0)
    rows = np.arange(4)
    from napari_cryoml.data import Embedding

    places = picker.session.project.picks("a.mrc").positions[:4]
    kept = Embedding(
        rng.normal(size=(4, 3)), rows.astype(str), np.full(4, "a.mrc"), places, {"kind": rows}
    )
    number = picker.session.project.add_embedding("kept", kept)
    columns = {"UMAP0": rows.astype(np.float32), "UMAP1": rows.astype(np.float32)}
    picker.session.project.set_embedding_columns(number, columns)
    picker.session.project.set_setting("explorer_shown", number)
    _, explorer = open_explorer(viewer)
    qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=20_000)
    assert explorer.desk.state.method == "umap"
    explorer.selecting.rows([1])
    shown = picker.layers.layer("picks").border_color
    assert len(np.unique(shown, axis=0)) > 1
    explorer.teardown()
    assert len(np.unique(picker.layers.layer("picks").border_color, axis=0)) == 1


def test_a_second_explorer_says_that_the_first_is_open(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    _, explorer = open_explorer(viewer)
    second = ExplorerWidget(viewer)
    assert second.controller is None
    assert "open in this window already" in second.findChild(QLabel).text()
    second.deleteLater()
    qtbot.wait(20)
    explorer.teardown()


def test_closing_the_dock_ends_its_processes_and_it_opens_again(picked, qtbot):
    viewer, picker, _ = picked
    dock, first = open_explorer(viewer)
    first.view.source.encoder.setCurrentText("rings")
    first.map_or_stop()
    qtbot.waitUntil(lambda: first.desk.state is not None, timeout=120_000)
    process = first._line._watcher._service
    viewer.window.remove_dock_widget(dock)
    assert process.state == "closed"
    assert first.desk.link is None
    _, again = open_explorer(viewer)
    assert again is not first
    qtbot.waitUntil(lambda: again.desk.state is not None, timeout=20_000)
    assert len(again.desk.state) == len(picker.session.project.picks("a.mrc").positions) * 2
    again.teardown()


def test_floating_the_dock_leaves_the_map(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    dock, explorer = open_explorer(viewer)
    for floating in (True, False):
        dock.setFloating(floating)
        qtbot.wait(50)
    assert explorer.desk.view is explorer.view
    assert not explorer._closed
    explorer.teardown()


def test_deleting_the_layers_of_the_picker_while_linked_leaves_the_map(picked, qtbot):
    viewer, picker, _ = picked
    rng = np.random.default_rng(0)
    from napari_cryoml.data import Embedding

    places = picker.session.project.picks("a.mrc").positions[:4]
    kept = Embedding(rng.normal(size=(4, 3)), list("abcd"), np.full(4, "a.mrc"), places)
    picker.session.project.set_setting(
        "explorer_shown", picker.session.project.add_embedding("kept", kept)
    )
    _, explorer = open_explorer(viewer)
    qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=20_000)
    viewer.layers.clear()
    assert "the map goes on" in explorer.view.message.text()
    explorer.selecting.rows([1])
    assert explorer.desk.state.selected.tolist() == [1]
    qtbot.wait(500)
    assert picker.layers.layer("picks") is not None
    explorer.teardown()

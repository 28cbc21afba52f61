"""The Cells dock in a real window, with real processes: from an image to classes and a map."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from tests._widgets.test_picker_viewer import GAP_LIMIT_S, Gaps

from napari_cryoml._widgets.cells import CellsWidget
from napari_cryoml._widgets.classes import Show
from napari_cryoml._widgets.embedding import explorers
from napari_cryoml.classification import systems
from napari_cryoml.simulate import CellFieldsConfig, simulate_cell_fields

pytestmark = pytest.mark.viewer

PLACES = ("nucleus", "cell periphery", "mitochondrion")
N_LABELS = 5


@pytest.fixture(scope="module")
def simulated():
    config = CellFieldsConfig(
        n_proteins=9,
        n_fields=1,
        cells_per_field=60,
        proteins_per_field=9,
        classes=PLACES,
        crowding=0.3,
        photons=200.0,
        shape=(384, 384),
        dead=0.0,
    )
    return simulate_cell_fields(config, seed=1).fields[0]


@pytest.fixture
def window(make_napari_viewer, monkeypatch, tmp_path, simulated) -> Iterator:
    """Return a window with an image of cells, and the dock."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path / "home")
    viewer = make_napari_viewer()
    protein, marker = simulated.image.astype(np.float32)
    viewer.add_image(marker, name="marker")
    viewer.add_image(protein, name="protein")
    dock = viewer.window.add_plugin_dock_widget("napari-cryoml", "Cells")[1].controller
    yield viewer, dock
    dock.teardown()


def settle(qtbot, dock, timeout=120_000):
    qtbot.waitUntil(lambda: not dock.busy, timeout=timeout)


def truth_of(dock, simulated):
    """Return where the protein of each cell that was found truly is."""
    gaps = np.linalg.norm(dock.desk.cells.places.positions[:, None] - simulated.positions, axis=2)
    return simulated.columns["class"].astype(str)[gaps.argmin(axis=1)]


def label_by_digit(qtbot, dock, truth):
    """Give cells of each class theirs by the keys of the gallery."""
    grid = dock.view.gallery.crops.grid
    for number, name in enumerate(PLACES, 1):
        for row in np.flatnonzero(truth == name)[:N_LABELS].tolist():
            assert grid.point_to(row)
            qtbot.keyClick(grid, getattr(Qt.Key, f"Key_{number}"))
    grid.clearFocus()


def click_cell(dock, number):
    """Click a cell in the image, as the mouse of the viewer does."""
    dock.linking.cells.mouse.clicked.emit(number, "replace")


def tiny(name):
    """Return a system that is trained in a few seconds."""
    system = systems.create(name, network_options={"width": 0.125})
    training = system.training.model_copy(update={"epochs": 2, "minutes": 1.0})
    update = {"training": training, "least_steps": 0, "seeds": 1, "learning_rates": ()}
    return system.model_copy(update={k: v for k, v in update.items() if hasattr(system, k)})


def test_segment_label_train_predict_correct_and_export(window, qtbot, tmp_path, simulated):
    viewer, dock = window
    view = dock.view
    viewer.window._qt_viewer.canvas.native.hide()
    qtbot.wait(300)
    view.source.segment.click()
    qtbot.waitUntil(lambda: dock.desk.state is not None, timeout=30_000)
    settle(qtbot, dock)
    gaps = Gaps()  # from here on: napari compiles for its first Labels layer
    cells = dock.desk.cells
    assert len(simulated) * 0.8 < len(cells) < len(simulated) * 1.3

    for name in PLACES:
        view.classes.add.click()
        dock.labelling.rename(dock.desk.current, name)
    view.suggest.click()
    qtbot.waitUntil(lambda: cells.show.kind == "rows", timeout=60_000)
    assert view.gallery.shown.words == "20 to label next"
    dock.browsing.choose(Show())
    truth = truth_of(dock, simulated)
    label_by_digit(qtbot, dock, truth)
    assert cells.classes.counts == dict.fromkeys(sorted(PLACES), N_LABELS)
    qtbot.waitUntil(lambda: cells.fitted is not None, timeout=60_000)
    settle(qtbot, dock)
    assert cells.fitted.system.name == "measurements"
    assert (cells.predicted == truth).mean() > 0.7
    gaps.stop()
    assert max(gaps.worked) < GAP_LIMIT_S
    viewer.window._qt_viewer.canvas.native.show()

    # Correct one in the image; classes are a layer, and columns of the cells.
    wrong = int(np.flatnonzero(~cells.labelled)[0])
    number = int(cells.numbers_in_image[wrong])
    dock.labelling.choose(truth[wrong])
    view.classes.label.click()
    click_cell(dock, number)
    assert cells.classes.texts[wrong] == truth[wrong]
    assert view.gallery.crops.grid.current == wrong
    settle(qtbot, dock)
    qtbot.waitUntil(lambda: "margin" in viewer.layers["Cells"].features, timeout=10_000)
    layer = viewer.layers["Classes of cells"]
    place = cells.places.positions[wrong].round().astype(int)
    assert layer.data[tuple(place)] == PLACES.index(truth[wrong]) + 1
    assert viewer.layers["Cells"].features["labelled"][number] == truth[wrong]

    true, given = view.result.matrix.classes[:2]
    view.result.matrix.cell_clicked.emit(true, given)
    assert view.gallery.shown == Show("cell", given, true)
    view.check.find.click()
    qtbot.waitUntil(lambda: "labels" in view.check.text.text(), timeout=60_000)

    path = tmp_path / "cells.csv"
    view.ask_table_path = lambda folder: path
    view.export.table.click()
    qtbot.waitUntil(path.exists, timeout=10_000)
    settle(qtbot, dock)
    table = pd.read_csv(path, keep_default_na=False)
    assert (table["labelled"] != "").sum() == 3 * N_LABELS + 1
    assert set(table["predicted"]) <= set(PLACES)

    view.train.show_system("deeploc")
    dock.training.choose("deeploc")
    view.train.config = lambda: tiny("deeploc")
    view.train.train.click()
    qtbot.waitUntil(lambda: cells.fitted.system.name == "deeploc", timeout=240_000)
    settle(qtbot, dock)
    assert dock.keeping.model() is not None
    assert view.train.curve.losses


def test_cells_and_proteins_are_mapped_in_the_explorer(window, qtbot, simulated):
    viewer, dock = window
    layer = viewer.add_labels(simulated.labels, name="truth")
    proteins = simulated.columns["protein"].astype(str)
    layer.features = pd.DataFrame({"protein": np.array(["", *proteins])})
    dock.view.source.cut.click()
    qtbot.waitUntil(lambda: dock.desk.state is not None, timeout=30_000)
    settle(qtbot, dock)
    dock.view.show_tab("Map")
    encoder = dock.view.map.encoder
    encoder.setCurrentIndex(encoder.findData("rings"))
    assert dock.view.map.chosen == ("protein", "rings")
    dock.view.map.map.click()
    explorer = explorers.of(viewer)
    qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=120_000)
    settle(qtbot, explorer)
    assert set(explorer.desk.state.embedding.ids.tolist()) == set(proteins.tolist())
    explorer.proteins.go(0)
    qtbot.waitUntil(lambda: len(explorer.view.gallery.rows) > 0, timeout=10_000)
    row = int(explorer.view.gallery.rows[0])
    explorer.view.gallery.double_clicked.emit(row)
    place = dock.desk.cells.places.positions[row]
    assert np.allclose(viewer.scene.camera.center[1:], place)
    assert layer.selected_label == dock.desk.cells.numbers_in_image[row]
    click_cell(dock, int(dock.desk.cells.numbers_in_image[row]))
    ringed = explorer.view.canvas._painting.rings
    assert explorer.desk.state.embedding.ids[ringed].tolist() == [
        str(dock.desk.cells.proteins[row])
    ]
    explorer.teardown()


def test_a_second_dock_says_that_the_first_is_open(window, qtbot):
    viewer, dock = window
    second = CellsWidget(viewer)
    qtbot.addWidget(second)
    assert second.controller is None
    dock.teardown()
    assert not viewer.mouse_move_callbacks

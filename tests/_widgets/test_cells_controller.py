"""Cells come to the Cells dock from layers and files, get classes, and a classifier follows."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tests._widgets.cells_rows import N_CELLS, add_classes, add_field, crops, field
from tests._widgets.classify_rows import fits, fitted, note

from napari_cryoml._widgets.cells import _controller as controller_module
from napari_cryoml._widgets.cells._columns import columns_of
from napari_cryoml._widgets.cells._exporting import write_table
from napari_cryoml._widgets.cells._state import CellState
from napari_cryoml._widgets.classes import Show, classify_service
from napari_cryoml.classification import DoubtRequest, LabelErrors, NextCells, SuggestRequest
from napari_cryoml.data import Standard
from napari_cryoml.training import TrainingEvent


def wait(qtbot, dock):
    qtbot.waitUntil(lambda: not dock._background.busy, timeout=10_000)


def cut(qtbot, dock):
    before = dock.desk.state
    dock.sources.cut()
    qtbot.waitUntil(lambda: dock.desk.state is not before, timeout=10_000)
    wait(qtbot, dock)
    return dock.desk.cells


@pytest.fixture
def ready(qtbot, viewer, cells):
    """Return the dock with a field cut, and two classes."""
    add_field(viewer)
    cut(qtbot, cells)
    add_classes(cells, "spot", "ring")
    return cells


def quick_of(services):
    return [one for one in services if one.factory is classify_service][-1]


def label(dock, rows=range(4)):
    for row in rows:
        dock.labelling.give_digit(row, 1 if row % 2 == 0 else 2)


def answer(qtbot, dock, services, **kwargs):
    reply = fitted(dock.desk.state, ("ring", "spot"), **kwargs)
    quick_of(services).reply(reply, ticket=fits_tickets(quick_of(services))[-1])
    qtbot.waitUntil(lambda: dock.desk.state.fitted is reply, timeout=5_000)
    return reply


def fits_tickets(service):
    return [at for at, (request, _) in enumerate(service.asked) if request in fits(service)]


class TestSources:
    def test_likely_roles_are_offered(self, viewer, cells):
        add_field(viewer)
        channels, labels, roles = cells.view.source.offer.call_args.args
        assert [one.name for one in channels] == ["yeast GFP", "yeast RFP"]
        assert [one.name for one in labels] == ["nuclei"]
        assert [roles.protein, roles.marker] == [one.key for one in channels]
        cells.view.source.show_source.assert_called_with(
            "Choose the channels and the labels, and cut.", can_cut=True, can_segment=True
        )

    def test_without_an_image_the_dock_says_what_to_do(self, cells):
        cells.sources.cut()
        assert note(cells.view) == (
            "There is no image of cells: open one, or drop it on the canvas.",
            True,
        )

    def test_cells_are_cut_by_their_labels(self, qtbot, viewer, cells):
        add_field(viewer)
        found = cut(qtbot, cells)
        assert len(found) == N_CELLS
        assert found.crops.shape == (16, 16)
        assert found.crops.n_channels == 2
        assert found.numbers_in_image.tolist() == list(range(1, N_CELLS + 1))
        assert found.row_at(3) == 2
        assert found.row_at(0) == found.row_at(N_CELLS + 1) == -1
        assert found.title_of(2) == "Cell 3 of yeast GFP"

    def test_channels_of_one_layer_are_found(self, qtbot, viewer, cells):
        image, labels, _ = field()
        viewer.add_image(image, name="stack")
        viewer.add_labels(labels)
        channels = cells.view.source.offer.call_args.args[0]
        assert [one.name for one in channels] == ["stack [0]", "stack [1]"]
        assert cut(qtbot, cells).crops.n_channels == 2

    def test_segmenting_makes_one_layer_and_cuts_it(self, qtbot, viewer, cells):
        image, _, _ = field()
        for name, channel in zip(("GFP", "RFP"), image, strict=True):
            viewer.add_image(channel, name=name, scale=(2, 2))
        for _ in range(2):
            before = cells.desk.state
            cells.sources.segment()
            qtbot.waitUntil(lambda before=before: cells.desk.state not in (None, before))
            wait(qtbot, cells)
        found = [layer for layer in viewer.layers if layer.name.startswith("Cells")]
        assert len(found) == 1
        assert found[0].data.max() == len(cells.desk.state) == N_CELLS
        assert found[0].scale.tolist() == [2, 2]

    def test_labels_of_another_shape_are_refused(self, qtbot, viewer, cells):
        image, labels, _ = field()
        viewer.add_image(image[0], name="GFP")
        viewer.add_labels(labels[:-5])
        cells.sources.cut()
        wait(qtbot, cells)
        assert note(cells.view)[1]
        assert "120" in note(cells.view)[0]
        assert cells.desk.state is None

    def test_empty_labels_are_refused(self, qtbot, viewer, cells):
        image, labels, _ = field()
        viewer.add_image(image[0], name="GFP")
        viewer.add_labels(np.zeros_like(labels))
        cells.sources.cut()
        wait(qtbot, cells)
        assert "hold no cell" in note(cells.view)[0]

    def test_an_even_marker_has_no_cells(self, qtbot, viewer, cells):
        viewer.add_image(np.full((50, 50), 3.0, np.float32), name="GFP")
        cells.sources.segment()
        wait(qtbot, cells)
        assert "No cells were found in GFP" in note(cells.view)[0]

    def test_stopping_leaves_what_was_there(self, qtbot, viewer, cells):
        add_field(viewer)
        cells.sources.cut_or_stop()
        cells.sources.cut_or_stop()
        wait(qtbot, cells)
        assert cells.desk.state is None
        assert not cells.sources.running

    def test_other_options_cut_anew(self, qtbot, ready):
        before = ready.desk.state
        ready.view.source.changed.connect.call_args_list[1].args[0]()  # as the view would
        qtbot.waitUntil(lambda: ready.desk.state is not before, timeout=5_000)
        assert len(ready.desk.state) == N_CELLS

    def test_changed_labels_are_told(self, viewer, ready):
        layer = viewer.layers["nuclei"]
        layer.data = np.where(layer.data == 1, 0, layer.data)
        assert "cut again [U]" in note(ready.view)[0]

    def test_columns_of_the_layer_are_known(self, qtbot, viewer, cells):
        layer = add_field(viewer)
        names = np.array(["", *(f"P{number % 3}" for number in range(N_CELLS))])
        layer.features = pd.DataFrame({"protein": names})
        found = cut(qtbot, cells)
        assert found.proteins.tolist() == names[1:].tolist()
        assert "P0" in found.title_of(0)
        cells.view.map.show_source.assert_called_with(f"{N_CELLS} cells of 3 proteins.", 3)


class TestFiles:
    def write(self, folder, **columns):
        found = crops(**columns)
        np.savez(folder / "cells.npz", crops=found.array, ids=found.ids)
        pd.DataFrame({"id": found.ids, **found.columns}).to_csv(folder / "cells.csv", index=False)
        return [folder / "cells.npz", folder / "cells.csv"]

    def open(self, qtbot, dock, paths):
        dock.sources.open_paths(paths)
        wait(qtbot, dock)

    def test_crops_and_their_table_keep_a_project(self, qtbot, cells, tmp_path):
        paths = self.write(tmp_path, protein=[f"P{i % 4}" for i in range(12)])
        self.open(qtbot, cells, paths)
        assert len(cells.desk.state) == 12
        assert len(set(cells.desk.cells.proteins.tolist())) == 4
        assert (tmp_path / "cells.npz.cryoml").exists()
        assert not cells.desk.cells.in_image
        add_classes(cells, "a")
        cells.labelling.set_in_image(True)
        assert "lie in no image" in note(cells.view)[0]
        cells.linking.look_at(0)
        assert "come from files" in note(cells.view)[0]

    def test_classes_of_the_table_are_taken_over(self, qtbot, cells, tmp_path):
        paths = self.write(tmp_path, **{"class": ["a"] * 5 + ["b"] * 5 + [""] * 2})
        self.open(qtbot, cells, paths)
        assert cells.desk.state.classes.counts == {"a": 5, "b": 5}

    def test_folders_are_taken_for_proteins(self, qtbot, cells, tmp_path):
        pixels = crops(4).array
        for name, own in (("AAC1", pixels[:2]), ("AAP1", pixels[2:])):
            (tmp_path / "crops" / name).mkdir(parents=True)
            for number, crop in enumerate(own):
                np.save(tmp_path / "crops" / name / f"{number}.npy", crop)
        self.open(qtbot, cells, [tmp_path / "crops"])
        assert cells.desk.cells.proteins.tolist() == ["AAC1", "AAC1", "AAP1", "AAP1"]
        assert "taken for those of proteins" in note(cells.view)[0]

    def test_a_bad_file_is_one_sentence(self, qtbot, cells, tmp_path):
        (tmp_path / "cells.npz").write_bytes(b"nothing")
        self.open(qtbot, cells, [tmp_path / "cells.npz"])
        assert "cells.npz" in note(cells.view)[0]
        assert note(cells.view)[1]


class TestLabels:
    def test_labels_survive_another_segmentation(self, qtbot, viewer, ready):
        label(ready)
        _, labels, _ = field(shift=1)
        viewer.layers["nuclei"].data = np.where(labels, labels.max() + 1 - labels, 0)
        found = cut(qtbot, ready)
        kept = {found.title_of(row): text for row, text in enumerate(found.classes.texts) if text}
        assert kept == {
            f"Cell {N_CELLS - row} of yeast GFP": ("ring" if row % 2 else "spot")
            for row in range(4)
        }

    def test_labels_are_there_when_the_dock_is_opened_again(
        self, qtbot, viewer, ready, cells_view, services, home
    ):
        label(ready)
        ready.teardown()
        again = controller_module.CellsController(viewer, cells_view, start_service=services.start)
        assert cut(qtbot, again).classes.counts == {"ring": 2, "spot": 2}
        assert [path.suffix for path in (home / "napari-cryoml").iterdir()] == [".cryoml"]
        again.teardown()

    def test_undo_and_redo(self, ready):
        label(ready, [0])
        ready.labelling.undo()
        assert not ready.desk.state.labelled.any()
        ready.labelling.redo()
        assert ready.desk.state.labelled[0]

    def test_clicks_give_the_class_in_label_mode_and_point_otherwise(self, ready):
        grid = ready.view.gallery.crops.grid
        ready.linking._on_click(5, "replace")
        grid.point_to.assert_called_with(4)
        assert not ready.desk.state.labelled.any()
        ready.labelling.choose("ring")
        ready.labelling.set_in_image(True)
        ready.linking._on_click(5, "replace")
        assert ready.desk.state.classes.texts[4] == "ring"
        ready.linking._on_click(N_CELLS + 7, "replace")  # a number that is no cell of ours
        assert ready.desk.state.classes.counts == {"ring": 1}

    def test_a_click_on_a_hidden_crop_shows_all(self, ready):
        ready.browsing.choose(Show("labelled"))
        ready.view.gallery.crops.grid.point_to.return_value = False
        ready.linking._on_click(5, "replace")
        assert ready.desk.state.show == Show()


class TestTraining:
    def test_labels_are_followed(self, qtbot, ready, services):
        label(ready)
        request = fits(quick_of(services))[-1]
        assert request.classes == ("ring", "spot")
        assert request.labels[:5].tolist() == [1, 0, 1, 0, -1]
        answer(qtbot, ready, services)
        assert (ready.desk.state.predicted != "").all()

    def test_labels_are_not_followed_where_nobody_wants_it(self, ready, services):
        ready.view.train.follows = False
        label(ready)
        assert fits(quick_of(services)) == []
        ready.training.train_or_stop()
        assert len(fits(quick_of(services))) == 1

    def test_the_next_cells_are_proposed(self, qtbot, ready, services):
        service = quick_of(services)
        label(ready)
        ready.suggesting.suggest()
        request = service.asked[-1][0]
        assert isinstance(request, SuggestRequest)
        assert request.n == 20
        assert (request.labels >= 0).sum() == 4
        service.reply(NextCells(np.array([9, 7, 8]), "They stand for groups."))
        qtbot.waitUntil(lambda: ready.desk.state.show.kind == "rows")
        assert ready.view.gallery.show_rows.call_args.args[0].tolist() == [9, 7, 8]
        assert note(ready.view)[0] == "They stand for groups."

    def test_likely_errors_are_listed_and_taken(self, qtbot, ready, services):
        label(ready)
        service = quick_of(services)
        ready.checking.find()
        request = service.asked[-1][0]
        assert isinstance(request, DoubtRequest)
        errors = LabelErrors(
            np.array([2]), np.array([1]), np.array([0]), np.array([0.1]), np.array([-0.8]), 4
        )
        service.reply(errors)
        shown = ready.view.check.show_doubts
        qtbot.waitUntil(lambda: len(shown.call_args.args[0]) == 1)
        (doubt,), text = shown.call_args.args
        assert (doubt.row, doubt.label, doubt.better) == (2, "spot", "ring")
        assert text.startswith("1 of 4 labels")
        ready.checking.show_all()
        assert ready.desk.state.show.rows == (2,)
        ready.checking.take(2, "ring")
        assert ready.desk.state.classes.texts[2] == "ring"
        assert len(shown.call_args.args[0]) == 0  # it is no error any more

    def test_a_network_is_measured_by_a_standard(self, qtbot, viewer, cells, services):
        layer = add_field(viewer)
        names = np.array(["", *(f"P{number % 3}" for number in range(N_CELLS))])
        layer.features = pd.DataFrame({"protein": names})
        cut(qtbot, cells)
        cells.view.show_standard.assert_called_with("", can_ask=True)
        add_classes(cells, "spot", "ring")
        label(cells)
        assert cells.watching.watch() is None
        cells.watching._take(Standard("places", {"nucleus": frozenset({"P0", "P1"})}))
        cells.view.show_standard.assert_called_with("places", can_ask=True)
        cells.view.train.chosen = "deeploc"
        cells.training.train_or_stop()
        (request,) = fits(services[-1])
        assert request.system.name == "deeploc"
        assert request.watch.proteins.tolist() == names[1:].tolist()
        figures = {"accuracy": 0.6, "places f05_at_q": 0.25}
        for found in ({}, figures):
            event = TrainingEvent(done=1, total=9, step=1, loss=2.0, validation=-1.6, figures=found)
            services[-1].say(event)
        shown = cells.view.train.show_step
        qtbot.waitUntil(lambda: shown.call_count == 2)
        # What the epoch is chosen by is no accuracy here.
        assert [call.args[2:] for call in shown.call_args_list] == [(None, None), (0.6, 0.25)]

    def test_too_few_labels_for_errors_are_explained(self, ready):
        label(ready, [0])
        ready.checking.find()
        assert "Two classes of two labels" in note(ready.view)[0]


class TestImage:
    def test_classes_are_a_layer_of_few_values(self, qtbot, viewer, ready, services):
        label(ready)
        ready.showing.paint()
        layer = next(one for one in viewer.layers if one.name == "Classes of cells")
        labels = viewer.layers["nuclei"].data
        assert layer.data.dtype == np.uint8
        assert set(np.unique(layer.data)) == {0, 1, 2}
        assert (layer.data[labels == 1] == 1).all()
        assert (layer.data[labels == 2] == 2).all()
        assert (layer.data[labels > 4] == 0).all()
        before = layer.data
        answer(qtbot, ready, services)
        ready.showing.paint()
        assert layer.data is before  # updated in place
        assert (layer.data[labels > 4] > 0).all()
        ready.results.choose_colour("nothing")
        ready.showing.paint()
        assert not layer.visible

    def test_unsure_cells_are_grey(self, qtbot, viewer, ready, services):
        label(ready)
        answer(qtbot, ready, services)
        ready.results.set_threshold(0.9)
        ready.showing.paint()
        layer = next(one for one in viewer.layers if one.name == "Classes of cells")
        assert (layer.data[viewer.layers["nuclei"].data == N_CELLS] == 3).all()

    def test_row_i_of_the_features_is_label_i(self, qtbot, viewer, ready, services):
        label(ready)
        answer(qtbot, ready, services)
        ready.showing.write()
        table = viewer.layers["nuclei"].features
        assert len(table) == N_CELLS + 1
        assert table["label"].tolist() == table["index"].tolist() == list(range(N_CELLS + 1))
        assert table["labelled"].tolist()[:4] == ["", "spot", "ring", "spot"]
        assert set(table["predicted"][1:]) == {"ring", "spot"}
        assert {"probability", "margin", "probability_ring", "area", "roi_id"} <= set(table)

    def test_a_layer_that_was_deleted_comes_back(self, viewer, ready):
        label(ready)
        ready.showing.paint()
        viewer.layers.remove("Classes of cells")
        ready.showing.paint()
        assert "Classes of cells" in [layer.name for layer in viewer.layers]

    def test_deleting_the_labels_is_survived(self, viewer, ready):
        label(ready)
        viewer.layers.remove("nuclei")
        ready.showing.paint()
        ready.showing.write()
        ready.linking.look_at(0)
        ready.sources.cut()
        assert "No labels are chosen" in note(ready.view)[0]

    def test_a_crop_brings_its_cell_to_the_middle(self, viewer, ready):
        ready.linking.look_at(7)
        place = ready.desk.cells.places.positions[7]
        assert np.allclose(viewer.scene.camera.center[1:], place)
        assert viewer.layers["nuclei"].selected_label == 8


class TestWayOut:
    @pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
    def test_tables_hold_a_line_a_cell(self, qtbot, ready, services, tmp_path, suffix):
        label(ready)
        answer(qtbot, ready, services)
        path = tmp_path / f"cells{suffix}"
        ready.view.ask_table_path.return_value = path
        ready.exporting.table()
        wait(qtbot, ready)
        read = {
            ".csv": pd.read_csv,
            ".tsv": lambda one: pd.read_csv(one, sep="\t"),
            ".parquet": pd.read_parquet,
        }
        table = read[suffix](path)
        assert len(table) == N_CELLS
        assert table["id"].tolist() == ready.desk.state.ids
        assert {"image", "y", "x", "labelled", "predicted", "margin"} <= set(table)

    def test_another_suffix_is_refused(self, ready, tmp_path):
        with pytest.raises(Exception, match=r"\.parquet; cells\.txt was given"):
            write_table({"id": np.array(["a"])}, tmp_path / "cells.txt")

    def test_there_is_no_matrix_before_there_is_a_report(self, ready):
        ready.exporting.matrix()
        assert "no confusion matrix" in note(ready.view)[0]

    def test_without_a_window_the_explorer_is_asked_for(self, ready):
        ready.mapping.run()
        assert "Explorer is not open" in note(ready.view)[0]

    @pytest.mark.parametrize("by", ["cell", "protein"])
    def test_cells_are_sent_to_the_explorer(self, viewer, ready, by, monkeypatch):
        sent = {}
        explorer = SimpleNamespace(
            map_cells=lambda *args: sent.update(cell=args),
            map_proteins=lambda *args: sent.update(protein=args),
            desk=SimpleNamespace(state=None),
        )
        monkeypatch.setattr(
            "napari_cryoml._widgets.cells._mapping.open_explorer", lambda _: explorer
        )
        ready.view.map.chosen = (by, "rings")
        ready.mapping.run()
        sent_crops, config, look_at = sent[by]
        assert sent_crops.ids.tolist() == ready.desk.state.ids
        assert config.name == "rings"
        look_at(7)
        assert viewer.layers["nuclei"].selected_label == 8
        look_at = partial(look_at.func, ["gone"])
        look_at(0)
        assert "on the map alone" in note(ready.view)[0]


def test_the_margin_is_the_lead_of_the_first_class():
    cells = CellState(crops(4), {})
    assert np.isnan(cells.margin).all()
    cells.fitted = fitted(cells, ("a", "b", "c"), chances=[0.8, 0.7, 0.6, 0.5])
    assert cells.margin == pytest.approx([0.7, 0.55, 0.4, 0.25])
    assert columns_of(cells)["margin"] == pytest.approx(cells.margin)

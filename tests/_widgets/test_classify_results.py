"""Crops are looked at, averaged and written, and what goes wrong there is one sentence."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests._widgets.classify_rows import fitted, give_picks, note, write_boxes
from tests._widgets.explorer_rows import show
from tests._widgets.test_classify_controller import answer, cut, label, quick_of, wait

from napari_cryoml import io
from napari_cryoml._napari._attention_layer import AttentionLayer
from napari_cryoml._widgets.classes._class_gallery import Show
from napari_cryoml._widgets.classify import _work
from napari_cryoml._widgets.classify._look_tab import NO_ATTENTION, NO_DRAWING
from napari_cryoml._widgets.classify._looking import placed
from napari_cryoml._widgets.picker import pickers
from napari_cryoml.averaging import AverageConfig, class_average
from napari_cryoml.classification import Attention, AttentionRequest, ReconstructRequest
from napari_cryoml.data import ArrayImage, Embedding, Picks, PicksTable
from napari_cryoml.jobs import run_inline
from napari_cryoml.preprocess import CropsConfig


@pytest.fixture
def ready(qtbot, viewer, opened, classify, services):
    """Return the dock with twelve picks, two classes, and a few-shot classifier."""
    give_picks(opened)
    pickers.add(viewer, opened)
    cut(qtbot, classify)
    for name in ("ribosome", "junk"):
        classify.labelling.add()
        classify.labelling.rename(classify.desk.current, name)
    label(classify, ribosome=[0, 1], junk=[2, 3])
    reply = fitted(classify.desk.state, ("junk", "ribosome"))
    answer(qtbot, classify, quick_of(services), reply)
    yield classify
    pickers.remove(opened)


@pytest.fixture
def trained(qtbot, ready, services):
    """Return the same with a network."""
    ready.view.train.chosen = "autoencoding"
    ready.training.train_or_stop()
    reply = fitted(ready.desk.state, ("junk", "ribosome"), "autoencoding", token=3)
    answer(qtbot, ready, services[-1], reply)
    return ready, services[-1]


class TestLooking:
    def test_few_shot_shows_the_crop_and_says_that_it_has_no_map(self, qtbot, ready):
        ready.looking.look(3)
        wait(qtbot, ready)
        crop, text = ready.view.look.show_crop.call_args.args
        assert np.array_equal(crop, ready.desk.state.crops.read([3])[0, 0])
        assert "labelled junk" in text
        ready.view.look.show_attention.assert_called_with(None, NO_ATTENTION)
        ready.view.look.show_reconstruction.assert_called_with(None, NO_DRAWING)

    def test_a_network_is_asked_and_the_layer_lies_on_the_pick(self, qtbot, trained, viewer):
        dock, service = trained
        dock.looking.look(0)
        wait(qtbot, dock)
        requests = [request for request, _ in service.asked[-2:]]
        assert isinstance(requests[0], AttentionRequest)
        assert requests[0].token == 3
        assert isinstance(requests[1], ReconstructRequest)
        shape = dock.desk.state.crops.shape
        seen = np.random.default_rng(0).random(shape, np.float32)
        found = Attention(0, 1, "ribosome", np.zeros(shape, np.float32), seen)
        service.reply(found, ticket=len(service.asked) - 2)
        shown = dock.view.look.show_attention
        qtbot.waitUntil(lambda: shown.call_args.args[0] is seen, timeout=5_000)
        dock.looking.set_in_viewer(True)
        layer = dock.looking._layer.layer
        world = dock.links.link.to_world(dock.desk.state.crops.positions[0])
        middle = layer.data_to_world(np.array(shape) // 2)
        assert np.allclose(np.array(middle), world)
        dock.looking.set_in_viewer(False)
        assert not layer.visible
        viewer.layers.remove(layer)
        dock.looking.set_in_viewer(True)
        assert dock.looking._layer.layer is not None

    def test_what_lies_beyond_the_border_is_left_out(self, ready):
        state = ready.desk.state
        shape = state.crops.shape
        places = replace_positions(state.places, 0, [2.0, 2.0])
        found = Attention(0, 0, "junk", np.zeros(shape), np.ones(shape, np.float32))
        seen, first, step = placed(state, places, found)
        assert (first >= 0).all()
        assert (first < step).all()
        assert all(a < b for a, b in zip(seen.shape, shape, strict=True))

    def test_the_layer_is_made_once_and_updated(self, viewer):
        shown = AttentionLayer(viewer)
        viewer.add_image(np.zeros((9, 9, 9)), scale=(2, 2, 2))
        shown.show(np.zeros((4, 4, 4), np.float32), (1, 2, 3), (2, 2, 2))
        layer = shown.layer
        layer.name = "mine"
        shown.show(np.ones((3, 4, 4), np.float32), (3, 2, 3), (2, 2, 2))
        assert shown.layer is layer
        assert layer.data.shape == (3, 4, 4)
        assert layer.translate.tolist() == [3, 2, 3]
        assert viewer.layers.selection.active is not layer
        shown.close()
        assert shown.layer is None
        shown.close()


def replace_positions(places, row, position):
    """Return places of which one is another."""
    positions = places.positions.copy()
    positions[row] = position
    return type(places)(places.images, positions, places.ids)


class TestAveraging:
    def test_crops_of_a_class_are_averaged_in_a_process(self, qtbot, ready, jobs):
        ready.view.average.chosen = ("labelled", "junk")
        ready.averaging.run_or_stop()
        job = jobs[-1]
        assert job.function is _work.average
        assert job.args[1].tolist() == [2, 3]
        assert isinstance(job.args[2], AverageConfig)
        made = class_average(ready.desk.state.crops.read([2, 3])[:, 0])
        job.end(result=made)
        panel = ready.view.average.panel
        qtbot.waitUntil(lambda: panel.show_average.called, timeout=5_000)
        panel.show_average.assert_called_with(made)

    def test_stop_keeps_the_last_round_and_the_second_stop_cancels(self, ready, jobs):
        ready.view.average.chosen = ("predicted", "junk")
        ready.averaging.run_or_stop()
        ready.averaging.run_or_stop()
        assert jobs[-1].stopped
        ready.averaging.run_or_stop()
        assert jobs[-1].state == "cancelled"

    def test_the_explorers_selection_is_averaged(self, viewer, ready, explorer, jobs):
        from napari_cryoml._widgets.embedding import explorers

        crops = ready.desk.state.crops
        show(explorer, Embedding(np.eye(12, 3), crops.ids, crops.images, crops.positions))
        explorers.add(viewer, explorer)
        explorer.selecting.rows([4, 7])
        ready.view.average.chosen = ("explorer", "")
        ready.averaging.run_or_stop()
        explorers.remove(explorer)
        assert jobs[-1].args[1].tolist() == [4, 7]

    @pytest.mark.parametrize(
        ("chosen", "sentence"),
        [
            (("labelled", "ice"), "0 crops are meant: an average needs 2"),
            (("explorer", ""), "No map is open in the Explorer"),
        ],
    )
    def test_too_little_is_one_sentence(self, ready, jobs, chosen, sentence):
        ready.view.average.chosen = chosen
        ready.averaging.run_or_stop()
        assert not jobs
        assert sentence in note(ready.view)[0]

    @pytest.mark.parametrize("ndim", [2, 3])
    def test_the_job_averages_images_and_volumes(self, ndim):
        from tests._widgets.classify_rows import boxes

        from napari_cryoml.averaging import AlignConfig, RefineConfig

        config = AverageConfig(iterations=1, starts=1)
        if ndim == 3:
            config = RefineConfig(iterations=1, starts=1, align=AlignConfig(angular_step=30))
        found = run_inline(_work.average(boxes(6, 12, ndim), np.arange(1, 5), config))
        assert found.average.shape == (12,) * ndim
        assert len(found.used) == 4


class TestExporting:
    def test_one_list_has_labels_before_sure_predictions(self, qtbot, ready, tmp_path):
        ready.results.set_threshold(0.9)
        ready.view.ask_lists_path.return_value = tmp_path / "all.star"
        ready.exporting.lists()
        wait(qtbot, ready)
        table = io.read_picks(tmp_path / "all.star")
        found = {
            (picks.image, tuple(place)): name
            for picks in table
            for place, name in zip(
                picks.positions.round().tolist(), picks.columns["class"], strict=True
            )
        }
        state = ready.desk.state
        assert table.n_picks == 4
        assert sorted(found.values()) == ["junk", "junk", "ribosome", "ribosome"]
        assert len(state) == 12

    def test_each_class_has_a_list_of_its_own(self, qtbot, ready, tmp_path):
        ready.view.export.chosen = ("labelled", "each")
        ready.view.ask_lists_path.return_value = tmp_path / "list.csv"
        ready.exporting.lists()
        wait(qtbot, ready)
        assert {path.name for path in tmp_path.glob("list_*.csv")} == {
            "list_junk.csv",
            "list_ribosome.csv",
        }

    def test_the_matrix_is_a_table(self, qtbot, ready, tmp_path):
        ready.view.ask_matrix_path.return_value = tmp_path / "confusion.csv"
        ready.exporting.matrix()
        wait(qtbot, ready)
        lines = (tmp_path / "confusion.csv").read_text().splitlines()
        assert lines == ["labelled \\ given,junk,ribosome", "junk,3,1", "ribosome,0,3"]

    def test_boxes_that_were_cut_keep_places_and_poses(self, qtbot, classify, tmp_path):
        rng = np.random.default_rng(0)
        voxels = rng.normal(size=(20, 30, 30)).astype(np.float32)
        tomogram = ArrayImage(voxels, "t.mrc", 10.0)
        places, turns = np.array([[9.0, 12, 14], [10, 16, 15]]), Rotation.random(2, rng=2)
        picks = Picks("t.mrc", places, pixel_size=10.0, rotations=turns.as_matrix())
        cut_out = CropsConfig(box=8).cut([tomogram], PicksTable.of([picks]))
        io.write_crops(tmp_path / "boxes.mrcs", cut_out)
        classify.sources.open_paths([tmp_path / "boxes.star"])
        qtbot.waitUntil(lambda: classify.desk.state is not None, timeout=10_000)
        classify.labelling.add()
        classify.labelling.give_current(1)
        classify.view.ask_lists_path.return_value = tmp_path / "classes.star"
        classify.exporting.lists()
        wait(qtbot, classify)
        (found,) = io.read_picks(tmp_path / "classes.star")
        assert found.image == "t"
        np.testing.assert_allclose(found.positions, places[1:], atol=1e-6)
        np.testing.assert_allclose(found.rotations, picks.rotations[1:], atol=1e-6)
        assert found.columns["confidence"].tolist() == [1.0]

    def test_boxes_without_places_go_to_a_table_only(self, qtbot, classify, tmp_path):
        classify.sources.open_paths([write_boxes(tmp_path / "boxes.npz")])
        qtbot.waitUntil(lambda: classify.desk.state is not None, timeout=10_000)
        classify.labelling.add()
        classify.labelling.give_current(1)
        for name, sentence in (
            ("a.star", "choose a table"),
            ("a.csv", "The classes of 1 box were"),
        ):
            classify.view.ask_lists_path.return_value = tmp_path / name
            classify.exporting.lists()
            wait(qtbot, classify)
            assert sentence in note(classify.view)[0]

    def test_nothing_to_write_is_one_sentence(self, qtbot, viewer, opened, classify):
        classify.exporting.lists()
        assert "no crops yet" in note(classify.view)[0]


def test_a_gallery_of_one_class_and_orders(ready):
    shown = ready.view.gallery.show_rows
    ready.browsing.choose(Show("predicted", given="junk"))
    assert shown.call_args.args[0].tolist() == [10, 8, 6, 4, 2, 0]
    ready.browsing.order("confidence")
    assert shown.call_args.args[0].tolist() == [0, 2, 4, 6, 8, 10]
    ready.browsing.order("file")
    assert shown.call_args.args[0].tolist() == [0, 2, 4, 6, 8, 10]


def test_colours_by_confidence_and_none(ready, opened):
    layer = opened.layers.layer("picks")
    ready.results.choose_colour("confidence")
    assert len(np.unique(layer.border_color, axis=0)) == 4
    ready.results.choose_colour("nothing")
    assert len(np.unique(layer.border_color, axis=0)) == 1
    assert ready.keeping.choices()["colour_by"] == "nothing"


def test_held_out_is_told_apart_from_predicted(ready):
    state = ready.desk.state
    assert np.array_equal(state.given, state.predicted)
    state.fitted = replace(state.fitted, held_out=np.full(12, -1))
    assert set(state.given.tolist()) == {""}

"""Groups, novelty, likeness, spread classes, crops, averages and files."""

from dataclasses import replace

import numpy as np
import pytest
from tests._widgets.explorer_rows import N, embedding, found, layout, made_map, note, show

from napari_cryoml import io
from napari_cryoml._widgets.crops import write_average
from napari_cryoml._widgets.embedding._browsing import MOST_SHOWN, marks_of, row_text
from napari_cryoml._widgets.embedding._columns import state_of
from napari_cryoml._widgets.embedding._exporting import picks_of, whole_embedding
from napari_cryoml._widgets.embedding._finding import known_classes, known_negatives
from napari_cryoml._widgets.embedding._grouping import groups_text
from napari_cryoml.averaging import AverageConfig, Thumbnails, class_average
from napari_cryoml.data import NEGATIVE, POSITIVE, ArrayCrops
from napari_cryoml.embedding import Clusters
from napari_cryoml.jobs import Event


def answer(qtbot, service, reply=None, **more):
    service.reply(reply, **more)
    qtbot.waitUntil(lambda: not service._answers)


@pytest.fixture
def mapped(qtbot, explorer, services):
    """Return the Explorer with rows that have crops, and a map."""
    rng = np.random.default_rng(0)
    rows = embedding()
    crops = ArrayCrops.of(rng.normal(size=(N, 1, 16, 16)).astype(np.float32), rows.ids[::-1])
    show(explorer, rows, crops)
    answer(qtbot, services[0], made_map())
    answer(qtbot, services[0], made_map())
    return explorer


def selected(explorer):
    return explorer.desk.state.selected.tolist()


class TestGroups:
    def test_groups_are_made_of_the_vectors_and_colour_the_map(self, qtbot, mapped, services):
        mapped.grouping.run()
        request = services[0].asked[-1][0]
        assert type(request).__name__ == "ClusterRequest"
        labels = np.array([0] * 6 + [1] * 5 + [-1], np.int32)
        answer(qtbot, services[0], Clusters(labels, np.array([6, 5]), 0.4, ("A note.",)))
        assert mapped.desk.state.colour == "cluster"
        sizes, text, n_rest = mapped.view.show_groups.call_args.args
        assert sizes.tolist() == [6, 5]
        assert text == "2 groups of 5 to 6 rows. 1 rows are in none. Silhouette 0.40. A note."
        assert n_rest == 1
        mapped.selecting.group(1)
        assert selected(mapped) == [6, 7, 8, 9, 10]

    def test_pressing_again_stops(self, qtbot, mapped, services):
        mapped.grouping.run()
        mapped.grouping.run()
        assert services[0].stopped == [2]
        answer(qtbot, services[0], superseded=True)
        mapped.view.groups.show_running.assert_called_with(False)

    def test_progress_is_shown(self, qtbot, mapped, services):
        mapped.grouping.run()
        services[0].say(Event(done=2, total=9, message="Moving centres."))
        qtbot.waitUntil(lambda: mapped.view.groups.show_text.call_args is not None)
        mapped.view.groups.show_text.assert_called_with("Moving centres. 2 of 9.")

    def test_what_fails_is_said(self, qtbot, mapped, services):
        mapped.grouping.run()
        answer(qtbot, services[0], error="Leiden needs igraph.")
        assert note(mapped.view) == ("Leiden needs igraph.", True)
        mapped.view.groups.show_running.assert_called_with(False)

    def test_groups_that_the_rows_bring_are_shown(self, explorer):
        show(explorer, cluster=np.array([0] * 8 + [1] * 4))
        assert explorer.view.show_groups.call_args.args[0].tolist() == [8, 4]

    def test_a_group_that_does_not_exist_is_said(self, mapped):
        mapped.selecting.group(3)
        assert "no column 'cluster'" in note(mapped.view)[0]

    def test_no_groups_are_no_groups(self):
        assert groups_text([], 5, float("nan"), ("Why.",)) == "No groups were found. Why."


class TestMoreLikeThese:
    def test_three_rows_are_enough_and_the_others_are_selected(self, qtbot, mapped, services):
        mapped.selecting.rows([0, 1, 2])
        mapped.finding.more()
        request = services[0].asked[-1][0]
        assert request.rows.tolist() == [0, 1, 2]
        proposed = np.array([7, 9])
        answer(qtbot, services[0], found(probability=np.linspace(0, 1, N), proposed=proposed))
        assert selected(mapped) == [0, 1, 2, 7, 9]
        assert mapped.desk.state.colour == "similarity"
        assert "2 other rows" in mapped.view.new.show_result.call_args.args[0]
        mapped.selecting.undo()
        assert selected(mapped) == [0, 1, 2]

    def test_two_rows_are_too_few(self, mapped):
        mapped.selecting.rows([0, 1])
        mapped.finding.more()
        assert note(mapped.view) == (
            "2 rows are too few: select three or more that match.",
            True,
        )

    def test_what_has_another_class_counts_as_unlike(self, mapped, services):
        mapped.selecting.rows([4, 5])
        mapped.naming.classify("ice")
        mapped.selecting.rows([0, 1, 2])
        mapped.finding.more()
        assert services[0].asked[-1][0].negatives.tolist() == [4, 5]

    def test_what_has_the_same_class_does_not(self):
        state = state_of(embedding())
        state.classes.put(np.array([0, 1, 5]), "ice")
        assert not known_negatives(state, np.array([0, 1, 2])).any()


class TestNovelty:
    def test_known_rows_are_needed(self, mapped):
        mapped.finding.novelty()
        sentence, is_error = note(mapped.view)
        assert is_error
        assert sentence.startswith("No row has a class or label")

    def test_labels_count_as_classes_and_classes_go_first(self):
        state = state_of(embedding())
        state.labels = np.array([POSITIVE, NEGATIVE] + [-1] * 10)
        state.classes.put(np.array([1]), "ice")
        assert known_classes(state).tolist()[:3] == ["particle", "ice", ""]

    def test_scores_colour_the_map_and_the_skill_is_said(self, qtbot, mapped, services):
        mapped.selecting.rows([0, 1])
        mapped.naming.classify("ice")
        mapped.finding.novelty()
        assert services[0].asked[-1][0].classes.tolist()[:3] == ["ice", "ice", ""]
        scores = np.arange(N, dtype=np.float32)
        reply = found(scores=scores, is_new=scores > 8, threshold=8.0, mean_auroc=0.9)
        answer(qtbot, services[0], reply)
        assert mapped.desk.state.colour == "novelty"
        text = mapped.view.new.show_result.call_args.args[0]
        assert text.startswith("3 rows are more unlike")
        assert "AUROC 0.90" in text

    def test_without_a_class_to_leave_out_no_skill_is_claimed(self, qtbot, mapped, services):
        mapped.selecting.rows([0])
        mapped.naming.classify("ice")
        mapped.finding.novelty()
        none = {"scores": np.zeros(N), "is_new": np.zeros(N, bool), "mean_auroc": float("nan")}
        answer(qtbot, services[0], found(**none, threshold=float("nan")))
        text = mapped.view.new.show_result.call_args.args[0]
        assert "AUROC" not in text
        assert "more unlike" not in text  # without a threshold, nothing is said to be new


class TestSpreading:
    def spread(self, qtbot, mapped, services):
        mapped.selecting.rows([0])
        mapped.naming.classify("ice")
        mapped.selecting.rows([1])
        mapped.naming.classify("carbon")
        mapped.finding.spread()
        classes = np.array(["ice", "carbon", *["ice"] * 4, *[""] * 6])
        reply = found(classes=classes, confidence=np.ones(N), accuracy=0.75)
        answer(qtbot, services[0], reply)

    def test_one_class_alone_is_not_spread(self, mapped):
        mapped.selecting.rows([0])
        mapped.naming.classify("ice")
        mapped.finding.spread()
        assert "one class only" in note(mapped.view)[0]

    def test_nothing_is_written_before_it_is_taken(self, qtbot, mapped, services):
        self.spread(qtbot, mapped, services)
        assert mapped.desk.state.classes.counts == {"carbon": 1, "ice": 1}
        mapped.view.new.show_spread.assert_called_with(4)
        text = mapped.view.new.show_result.call_args.args[0]
        assert text == "4 rows would get a class. Of held-out rows 75 % got their own."
        mapped.finding.take_spread()
        assert mapped.desk.state.classes.counts == {"carbon": 1, "ice": 5}
        mapped.view.new.show_spread.assert_called_with(0)

    def test_it_is_taken_once(self, qtbot, mapped, services):
        self.spread(qtbot, mapped, services)
        mapped.finding.take_spread()
        mapped.naming.classify("")
        mapped.finding.take_spread()
        assert mapped.desk.state.classes.counts == {"ice": 5}

    def test_what_fails_is_said(self, qtbot, mapped, services):
        mapped.selecting.rows([0, 1, 2])
        mapped.finding.more()
        answer(qtbot, services[0], error="None of them has a vector.")
        assert note(mapped.view) == ("None of them has a vector.", True)


class TestGallery:
    def test_the_selection_is_shown_and_thumbnails_come_by_row(self, qtbot, mapped, services):
        mapped.selecting.rows([0, 3])
        rows, order, total = mapped.view.gallery.set_rows.call_args.args
        assert sorted(rows.tolist()) == [0, 3]
        assert (order, total) == ("centrality", 2)
        mapped.browsing.need([0, 3])
        crops = services[1]
        assert crops.asked[-1][0].rows.tolist() == [11, 8]
        pictures = np.zeros((2, 64, 64), np.uint8)
        answer(qtbot, crops, Thumbnails(np.array([11, 8]), pictures))
        shown, images = mapped.view.gallery.set_thumbnails.call_args.args
        assert shown.tolist() == [0, 3]
        assert images is pictures

    def test_an_image_that_is_gone_is_said(self, qtbot, mapped, services):
        mapped.browsing.need([0])
        pictures = np.zeros((1, 64, 64), np.uint8)
        answer(qtbot, services[1], Thumbnails(np.array([11]), pictures, ("a.mrc is gone.",)))
        assert note(mapped.view) == ("a.mrc is gone.", True)

    def test_a_point_under_the_mouse_gets_its_crop(self, qtbot, mapped, services):
        mapped.browsing.hover(2)
        mapped.view.show_hover_text.assert_called_with("row 2")
        picture = np.ones((1, 64, 64), np.uint8)
        answer(qtbot, services[1], Thumbnails(np.array([9]), picture))
        row, image = mapped.view.show_thumbnail.call_args.args
        assert row == 2
        assert image.all()
        mapped.browsing.hover(-1)

    def test_another_order_is_shown_at_once(self, mapped):
        mapped.selecting.rows([0, 3])
        mapped.browsing.sort("random")
        assert mapped.view.gallery.set_rows.call_args.args[1] == "random"

    def test_of_a_huge_selection_a_draw_is_shown(self, qtbot, explorer, services):
        n = MOST_SHOWN + 100
        rows = embedding(n)
        show(explorer, rows, ArrayCrops.of(np.zeros((n, 1, 8, 8), np.float32), rows.ids))
        explorer.selecting.rows(np.arange(n))
        shown, _, total = explorer.view.gallery.set_rows.call_args.args
        assert (len(shown), total) == (MOST_SHOWN, n)

    def test_without_crops_the_gallery_says_why(self, explorer):
        show(explorer)
        assert "images are not open" in explorer.view.gallery.set_empty_text.call_args.args[0]
        explorer.selecting.rows([0])
        assert len(explorer.view.gallery.set_rows.call_args.args[0]) == 0
        explorer.browsing.need([0])
        explorer.browsing.hover(0)

    def test_labels_and_classes_mark_the_crops(self):
        state = state_of(embedding())
        state.labels = np.array([POSITIVE, NEGATIVE] + [-1] * 10)
        state.classes.put(np.array([1]), "ice")
        marks = marks_of(state, np.arange(3), {"ice": "#102030"})
        assert marks[0].kind == "positive"
        assert (marks[1].kind, marks[1].name, marks[1].colour) == ("class", "ice", (16, 32, 48))
        assert 2 not in marks

    def test_what_is_known_of_a_row_is_said(self):
        state = state_of(embedding(score=np.full(N, 1.5)))
        state.labels = np.array([NEGATIVE] + [-1] * 11)
        state.classes.put(np.array([0]), "ice")
        assert row_text(state, 0) == "row 0 · score 1.50 · not a particle · ice"
        assert row_text(state, 1) == "row 1 · score 1.50"


class TestAverage:
    @pytest.fixture
    def average(self):
        rng = np.random.default_rng(0)
        config = AverageConfig(starts=1, iterations=1)
        return class_average(rng.normal(size=(4, 16, 16)), config, pixel_size=2.0)

    def test_it_is_made_once_the_selection_stays(self, qtbot, mapped, services, average):
        mapped.selecting.rows([0])
        mapped.selecting.rows([0, 1])
        assert not services[1].asked
        qtbot.waitUntil(lambda: len(services[1].asked) == 1, timeout=2000)
        assert services[1].asked[0][0].rows.tolist() == [11, 10]
        mapped.view.average.show_busy.assert_called_with(2)
        answer(qtbot, services[1], average)
        mapped.view.average.show_average.assert_called_with(average)

    def test_another_selection_stops_it_and_what_comes_late_is_passed_by(
        self, qtbot, mapped, services, average
    ):
        mapped.selecting.rows([0, 1])
        qtbot.waitUntil(lambda: len(services[1].asked) == 1, timeout=2000)
        mapped.selecting.rows([2])
        assert services[1].stopped == [0]
        answer(qtbot, services[1], average)
        mapped.view.average.show_average.assert_not_called()

    def test_nothing_selected_is_no_average(self, mapped):
        mapped.selecting.rows([0])
        mapped.selecting.clear()
        mapped.view.average.clear.assert_called()

    def test_its_rounds_are_shown(self, qtbot, mapped, services):
        mapped.selecting.rows([0, 1])
        qtbot.waitUntil(lambda: len(services[1].asked) == 1, timeout=2000)
        services[1].say(Event(done=3, total=9))
        qtbot.waitUntil(lambda: mapped.view.average.show_busy.call_args.args == (2, 3, 9))

    def test_it_is_written_with_its_halves(self, tmp_path, average):
        sentence = write_average(average, tmp_path / "class.mrc")
        names = ["class.mrc", "class_half1.mrc", "class_half2.mrc"]
        assert all(name in sentence for name in names)
        (image,) = io.open_images([tmp_path / "class.mrc"])
        assert image.pixel_size == pytest.approx(2.0)
        assert np.allclose(image.read(), average.average)


class TestExport:
    def test_picks_of_the_selection_are_written(self, qtbot, mapped, tmp_path):
        mapped.selecting.rows([0, 1, 4])
        mapped.view.ask_picks_path.return_value = tmp_path / "picks.star"
        mapped.exporting.run("picks")
        qtbot.waitUntil(lambda: not mapped._background.busy, timeout=5000)
        table = io.read_picks(tmp_path / "picks.star")
        assert table.n_picks == 3
        assert note(mapped.view)[0].startswith("3 picks of 2 images were written to")

    def test_nothing_selected_is_said(self, mapped):
        mapped.exporting.run("picks")
        assert "Nothing is selected" in note(mapped.view)[0]

    def test_each_class_gets_a_file(self, qtbot, mapped, tmp_path):
        mapped.desk.state.classes.put(np.array([0, 1]), "good/ones")
        mapped.desk.state.classes.put(np.array([2]), "ice")
        mapped.view.ask_picks_path.return_value = tmp_path / "picks.star"
        mapped.exporting.run("classes")
        qtbot.waitUntil(lambda: not mapped._background.busy, timeout=5000)
        assert io.read_picks(tmp_path / "picks_good-ones.star").n_picks == 2
        assert io.read_picks(tmp_path / "picks_ice.star").n_picks == 1

    def test_without_classes_it_is_said(self, mapped):
        mapped.exporting.run("classes")
        assert note(mapped.view) == ("No row has a class: give some rows one first.", True)

    def test_the_embedding_takes_everything_along(self, qtbot, mapped, tmp_path):
        mapped.desk.state.classes.put(np.array([0]), "ice")
        mapped.desk.state.columns["cluster"] = np.arange(N)
        mapped.view.ask_embedding_path.return_value = tmp_path / "rows.csv"
        mapped.exporting.run("embedding")
        qtbot.waitUntil(lambda: not mapped._background.busy, timeout=5000)
        again = state_of(io.read_embedding(tmp_path / "rows.csv"))
        assert set(again.layouts) == {"pca", "umap"}
        assert np.array_equal(again.layouts["umap"], layout())
        assert again.classes.counts == {"ice": 1}
        assert again.column("cluster").tolist() == list(range(N))

    def test_the_map_is_written_as_it_is_on_show(self, mapped, tmp_path):
        mapped.view.ask_figure_path.return_value = tmp_path / "map.png"
        mapped.view.export_figure.return_value = tmp_path / "map.png"
        mapped.exporting.run("figure")
        mapped.view.export_figure.assert_called_with(tmp_path / "map.png")

    @pytest.mark.parametrize("what", ["picks", "embedding", "figure"])
    def test_who_thinks_better_of_it_writes_nothing(self, mapped, what):
        mapped.selecting.rows([0])
        for name in ("picks", "embedding", "figure"):
            getattr(mapped.view, f"ask_{name}_path").return_value = None
        mapped.exporting.run(what)
        mapped.view.export_figure.assert_not_called()
        assert not mapped._background.busy

    def test_rows_without_images_are_no_picks(self):
        state = state_of(embedding(images=None))
        from napari_cryoml._errors import InputError

        with pytest.raises(InputError, match="lie in no images"):
            picks_of(state, np.array([0]), {})

    def test_picks_have_the_classes_and_orientations_that_are_known(self):
        turns = np.tile(np.eye(3)[[1, 2, 0]], (N, 1, 1))
        rows = embedding()
        deep = np.column_stack([np.zeros(N), rows.positions])
        state = state_of(replace(rows, positions=deep, table=io.pose_columns(turns)))
        state.classes.put(np.array([1]), "ice")
        found = picks_of(state, np.array([0, 1]), {})
        for picks in found:
            np.testing.assert_allclose(picks.rotations, turns[: len(picks)], atol=1e-12)
        assert sorted(c for p in found for c in p.columns["class"].tolist()) == ["", "ice"]
        assert all(not p.columns for p in picks_of(state_of(rows), np.array([0, 1]), {}))

    def test_labels_are_a_column(self):
        state = state_of(embedding())
        state.labels = np.array([POSITIVE] + [-1] * 11)
        assert whole_embedding(state).table["label"][0] == "particle"

"""Rows come from picks, from files and from projects, and what is made of them is kept."""

import numpy as np
import pytest
from tests._widgets.explorer_rows import N, embedding, made_map, mask, note, show

from napari_cryoml import io
from napari_cryoml._widgets.embedding import ExplorerController, _work
from napari_cryoml._widgets.embedding._columns import state_of
from napari_cryoml._widgets.embedding._keeping import MOST
from napari_cryoml._widgets.link import crop_service
from napari_cryoml._widgets.picker import pickers
from napari_cryoml.data import Picks
from napari_cryoml.embedding import Extracted
from napari_cryoml.preprocess import pick_id
from napari_cryoml.project import Project

PLACES = np.array([[20.0, 20], [40, 40], [60, 60], [80, 80]])


@pytest.fixture
def picked(viewer, opened):
    """Return the Picker with four picks an image, live picking off."""
    session = opened.session
    session.set_diameter_in("a.mrc", 16)
    for name in ("a.mrc", "b.mrc", "c.mrc"):
        scores = np.array([4.0, 3, 2, 1], np.float32)
        session.project.set_picks(name, Picks(name, PLACES, scores))
        session.count_again(name)
    opened.desk.show_picks(0.0)
    pickers.add(viewer, opened)
    yield opened
    pickers.remove(opened)


@pytest.fixture
def ready(qtbot, picked, explorer):
    """Return the Explorer beside the Picker with picks."""
    return explorer


def vectors_of(crops):
    """Return what a job that embeds these crops ends with."""
    rng = np.random.default_rng(0)
    return embedding(len(crops)).__class__(
        rng.normal(size=(len(crops), 4)),
        crops.ids,
        crops.images,
        crops.positions,
        dict(crops.columns),
        {"encoder": "rings", "box": crops.box, "notes": []},
    )


def wait(qtbot, explorer):
    qtbot.waitUntil(
        lambda: not (explorer._background.busy or explorer.keeping.busy), timeout=10_000
    )


def map_picks(qtbot, explorer, jobs):
    """Have the picks embedded, and return their crops."""
    explorer.map_or_stop()
    qtbot.waitUntil(lambda: len(jobs) > 0, timeout=10_000)
    crops = jobs[-1].args[0]
    jobs[-1].end(result=vectors_of(crops))
    qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=10_000)
    wait(qtbot, explorer)
    return crops


class TestPicks:
    def test_all_picks_of_the_picker_are_embedded_in_a_process(self, qtbot, ready, jobs):
        ready.map_or_stop()
        ready.view.begin_job.assert_called_with("embedding", "Collecting the picks.")
        qtbot.waitUntil(lambda: len(jobs) == 1, timeout=10_000)
        job = jobs[0]
        assert job.function is _work.embed
        assert len(job.args[0]) == 12
        assert job.args[0].ids[0] == pick_id("a.mrc", PLACES[0])
        assert job.args[0].box == 24
        assert job.args[1].name == "rings"

    def test_a_class_stays_with_a_particle_whose_pick_has_moved(self, qtbot, ready, picked, jobs):
        map_picks(qtbot, ready, jobs)
        ready.selecting.rows([1])
        ready.naming.classify("ice")
        wait(qtbot, ready)
        moved = Picks("a.mrc", PLACES + np.array([1.5, -1.0]), np.array([4.0, 3, 2, 1], np.float32))
        picked.session.project.set_picks("a.mrc", moved)
        ready.sources.map_picks()
        qtbot.waitUntil(lambda: len(jobs) == 2, timeout=10_000)
        before = ready.desk.state
        jobs[-1].end(result=vectors_of(jobs[-1].args[0]))
        qtbot.waitUntil(lambda: ready.desk.state is not before, timeout=10_000)
        assert np.flatnonzero(ready.desk.state.column("class") == "ice").tolist() == [1]
        assert (
            ready.desk.state.embedding.positions[1].tolist()
            == (PLACES[1] + np.array([1.5, -1.0])).tolist()
        )

    def test_progress_is_counted(self, qtbot, ready, jobs):
        ready.map_or_stop()
        qtbot.waitUntil(lambda: len(jobs) == 1, timeout=10_000)
        jobs[0].say(Extracted(done=3, total=12, rate=40.0))
        text = "3 of 12 picks have a vector. 40 a second."
        qtbot.waitUntil(
            lambda: (
                ready.view.show_progress.call_args is not None
                and ready.view.show_progress.call_args.args == (3, 12, text)
            )
        )

    def test_what_comes_is_on_the_map_with_its_crops_and_is_kept(
        self, qtbot, ready, picked, jobs, services
    ):
        map_picks(qtbot, ready, jobs)
        assert len(ready.desk.state) == 12
        assert "score" in ready.desk.state.names
        assert [service.factory for service in services] == [
            _work.map_service,
            crop_service,
        ]
        kept = picked.session.project.embeddings()
        assert [(entry.name, entry.n_rows) for entry in kept] == [("12 picks, rings", 12)]
        ready.view.show_kept.assert_called()

    def test_labels_of_the_picker_colour_the_map(self, qtbot, ready, picked, jobs):
        picked.edits.label_places({"b.mrc": PLACES[:1]}, 0)
        map_picks(qtbot, ready, jobs)
        state = ready.desk.state
        assert state.column("label").tolist().count("not a particle") == 1

    def test_a_lasso_over_junk_becomes_negatives_of_the_picker(self, qtbot, ready, picked, jobs):
        map_picks(qtbot, ready, jobs)
        ready.selecting.take(mask(0, 4, 5, 8), "replace")
        ready.naming.negatives()
        assert picked.session.project.counts() == {
            "a.mrc": (0, 1),
            "b.mrc": (0, 2),
            "c.mrc": (0, 1),
        }
        ready.selecting.undo()
        assert sum(n for _, n in picked.session.project.counts().values()) == 0
        assert ready.desk.state.labels.max() == -1

    def test_undo_in_the_picker_is_seen_on_the_map(self, qtbot, ready, picked, jobs):
        map_picks(qtbot, ready, jobs)
        ready.selecting.take(mask(0, 1), "replace")
        ready.naming.negatives()
        assert (ready.desk.state.labels == 0).sum() == 2
        picked.undo()
        assert (ready.desk.state.labels == 0).sum() == 0

    def test_a_label_made_in_the_picker_is_seen_on_the_map(self, qtbot, ready, picked, jobs):
        map_picks(qtbot, ready, jobs)
        picked.layers.label_at(PLACES[0], 1)
        qtbot.waitUntil(lambda: int((ready.desk.state.labels == 1).sum()) == 1)

    def test_no_picks_yet_is_said(self, qtbot, viewer, opened, explorer, jobs):
        pickers.add(viewer, opened)
        explorer.map_or_stop()
        qtbot.waitUntil(lambda: not explorer.sources.running, timeout=10_000)
        sentence, is_error = note(explorer.view)
        assert is_error
        assert sentence.startswith("There are no picks yet")
        assert not jobs
        pickers.remove(opened)

    def test_without_images_it_is_said_what_to_open(self, explorer, jobs):
        explorer.map_or_stop()
        sentence, is_error = note(explorer.view)
        assert is_error
        assert "open the Picker" in sentence

    def test_points_over_an_image_can_be_mapped_without_the_picker(
        self, qtbot, viewer, explorer, jobs
    ):
        viewer.add_image(np.random.default_rng(0).normal(size=(120, 100)), name="cells")
        viewer.add_points(PLACES, size=16)
        explorer.map_or_stop()
        qtbot.waitUntil(lambda: len(jobs) == 1, timeout=10_000)
        assert len(jobs[0].args[0]) == 4

    def test_a_failing_job_is_said_and_the_button_comes_back(self, qtbot, ready, jobs):
        ready.map_or_stop()
        qtbot.waitUntil(lambda: len(jobs) == 1, timeout=10_000)
        jobs[0].end("failed", error="a.mrc is gone.")
        qtbot.waitUntil(lambda: not ready.sources.running)
        assert note(ready.view) == ("a.mrc is gone.", True)
        ready.view.end_job.assert_called()
        assert ready.desk.state is None

    def test_stopping_keeps_what_is_done(self, qtbot, ready, jobs):
        ready.map_or_stop()
        qtbot.waitUntil(lambda: len(jobs) == 1, timeout=10_000)
        ready.map_or_stop()
        assert jobs[0].stopped
        ready.view.show_running.assert_called_with("stopping")
        whole = vectors_of(jobs[0].args[0])
        jobs[0].end(result=whole.take(np.arange(5)))
        qtbot.waitUntil(lambda: ready.desk.state is not None, timeout=10_000)
        assert len(ready.desk.state) == 5

    def test_stopping_a_second_time_takes_nothing(self, qtbot, ready, jobs):
        ready.map_or_stop()
        qtbot.waitUntil(lambda: len(jobs) == 1, timeout=10_000)
        ready.map_or_stop()
        ready.map_or_stop()
        qtbot.waitUntil(lambda: not ready.sources.running)
        assert jobs[0].state == "cancelled"
        assert note(ready.view)[0] == "Embedding was cancelled."

    def test_nothing_done_is_nothing_to_show(self, qtbot, ready, jobs):
        ready.map_or_stop()
        qtbot.waitUntil(lambda: len(jobs) == 1, timeout=10_000)
        jobs[0].end(result=vectors_of(jobs[0].args[0]).take(np.arange(0)))
        qtbot.waitUntil(lambda: not ready.sources.running)
        assert note(ready.view)[0] == "Stopped before any pick had a vector."

    def test_rows_without_a_vector_and_equal_ones_are_said(self, qtbot, ready, jobs):
        ready.map_or_stop()
        qtbot.waitUntil(lambda: len(jobs) == 1, timeout=10_000)
        made = vectors_of(jobs[0].args[0])
        made.vectors[0] = np.nan
        made.vectors[3] = made.vectors[2]
        jobs[0].end(result=made)
        qtbot.waitUntil(lambda: ready.desk.state is not None, timeout=10_000)
        sentence = note(ready.view)[0]
        assert (
            f"1 of 12 rows have no whole vector (NaN), the first of them {made.ids[0]}" in sentence
        )
        assert "1 rows have the same vector as another one." in sentence


class TestFiles:
    @pytest.mark.parametrize("suffix", [".parquet", ".h5ad", ".csv"])
    def test_vectors_are_read_from_a_file(self, qtbot, explorer, tmp_path, suffix):
        path = io.write_embedding(embedding(), tmp_path / f"rows{suffix}")
        explorer.open_paths([path])
        qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=20_000)
        assert len(explorer.desk.state) == N

    def test_a_file_gets_a_project_of_its_own_beside_it(self, qtbot, explorer, tmp_path, services):
        path = io.write_embedding(embedding(), tmp_path / "rows.parquet")
        explorer.open_paths([path])
        qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=20_000)
        explorer.selecting.take(mask(1), "replace")
        explorer.naming.classify("ice")
        services[0].reply(made_map())
        qtbot.waitUntil(lambda: not explorer.maps.running or len(services[0].asked) == 2)
        wait(qtbot, explorer)
        explorer.keeping.leave()
        with Project.open(tmp_path / "rows.parquet.cryoml") as project:
            assert project.classes() == {"row 1": "ice"}
            (entry,) = project.embeddings()
            assert {"PCA0", "PCA1"} <= set(entry.columns)

    def test_opened_again_the_map_is_there_at_once(
        self, qtbot, viewer, map_view, explorer, tmp_path, jobs, services
    ):
        path = io.write_embedding(embedding(), tmp_path / "rows.parquet")
        explorer.open_paths([path])
        qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=20_000)
        for _ in range(2):
            services[0].reply(made_map())
            qtbot.waitUntil(lambda: not services[0]._answers)
        explorer.selecting.take(mask(1), "replace")
        explorer.naming.classify("ice")
        explorer.teardown()
        again = ExplorerController(
            viewer, map_view, start_job=jobs.start, start_service=services.start
        )
        again.open_paths([path])
        qtbot.waitUntil(lambda: again.desk.state is not None, timeout=20_000)
        state = again.desk.state
        assert set(state.layouts) == {"pca", "umap"}
        assert state.method == "umap"
        assert state.classes.counts == {"ice": 1}
        assert not services[-1].asked
        again.teardown()

    def test_a_file_that_has_changed_is_read_anew(self, qtbot, explorer, tmp_path):
        path = io.write_embedding(embedding(), tmp_path / "rows.csv")
        explorer.open_paths([path])
        qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=20_000)
        wait(qtbot, explorer)
        io.write_embedding(embedding(6), path)
        explorer.open_paths([path])
        qtbot.waitUntil(lambda: len(explorer.desk.state) == 6, timeout=20_000)

    def test_a_file_that_is_no_embedding_is_said(self, explorer, tmp_path):
        explorer.open_paths([tmp_path / "image.mrc"])
        sentence, is_error = note(explorer.view)
        assert is_error
        assert sentence.startswith("image.mrc holds no vectors")

    def test_a_file_that_cannot_be_read_is_said(self, qtbot, explorer, tmp_path):
        path = tmp_path / "rows.parquet"
        path.write_bytes(b"nothing")
        explorer.open_paths([path])
        qtbot.waitUntil(lambda: note(explorer.view)[1], timeout=10_000)
        assert "rows.parquet" in note(explorer.view)[0]
        assert explorer.desk.state is None

    def test_rows_of_other_images_are_said_how_many(self, qtbot, ready, tmp_path):
        other = embedding(images=("a.mrc", "x.mrc", "y.mrc"))
        ready.open_paths([io.write_embedding(other, tmp_path / "rows.parquet")])
        qtbot.waitUntil(lambda: ready.desk.state is not None, timeout=20_000)
        assert "4 of 12 rows lie in the images that are open in Picker" in note(ready.view)[0]

    def test_a_file_opened_beside_a_picker_is_kept_in_its_project(
        self, qtbot, ready, picked, tmp_path
    ):
        ready.open_paths([io.write_embedding(embedding(), tmp_path / "rows.parquet")])
        qtbot.waitUntil(lambda: ready.desk.state is not None, timeout=20_000)
        wait(qtbot, ready)
        assert [one.name for one in picked.session.project.embeddings()] == ["rows.parquet"]
        assert not (tmp_path / "rows.parquet.cryoml").exists()

    def test_one_cannot_open_a_file_while_picks_are_embedded(self, qtbot, ready, jobs, tmp_path):
        ready.map_or_stop()
        ready.open_paths([tmp_path / "rows.parquet"])
        assert "stop that first" in note(ready.view)[0]

    def test_a_project_that_is_open_elsewhere_is_said_and_nothing_is_kept(
        self, qtbot, explorer, tmp_path
    ):
        path = io.write_embedding(embedding(), tmp_path / "rows.parquet")
        (tmp_path / "rows.parquet.cryoml").write_bytes(b"no project" * 100)
        explorer.open_paths([path])
        qtbot.waitUntil(lambda: explorer.desk.state is not None, timeout=20_000)
        assert note(explorer.view)[0].startswith("Nothing is kept.")
        assert explorer.keeping.project is None


class TestMovedPicks:
    def test_a_pick_that_live_picking_moved_a_little_is_still_its_row(
        self, qtbot, ready, picked, jobs
    ):
        map_picks(qtbot, ready, jobs)
        ready.selecting.take(mask(0), "replace")
        moved = Picks("a.mrc", PLACES + np.array([1.5, -1.5]), np.array([4.0, 3, 2, 1], np.float32))
        picked.session.project.set_picks("a.mrc", moved)
        picked.desk.show_picks()
        colours = picked.layers.layer("picks").border_color
        assert not np.allclose(colours[0], colours[1])


class TestProjects:
    def test_only_the_latest_maps_are_kept(self, qtbot, ready, picked):
        project = picked.session.project
        for number in range(MOST + 2):
            ready.keeping.add(f"map {number}", embedding())
        wait(qtbot, ready)
        names = [entry.name for entry in project.embeddings()]
        assert names == [f"map {number}" for number in range(2, MOST + 2)]

    def test_a_project_with_a_map_shows_it_when_the_explorer_opens(
        self, qtbot, viewer, map_view, picked, jobs, services
    ):
        project = picked.session.project
        number = project.add_embedding("kept", embedding())
        columns = {"UMAP0": np.arange(N, dtype=np.float32), "UMAP1": np.zeros(N, np.float32)}
        project.set_embedding_columns(number, columns)
        project.set_setting("explorer_shown", number)
        made = ExplorerController(
            viewer, map_view, start_job=jobs.start, start_service=services.start
        )
        qtbot.waitUntil(lambda: made.desk.state is not None, timeout=10_000)
        assert made.desk.state.method == "umap"
        made.teardown()

    def test_crops_come_once_the_images_are_open(self, qtbot, ready, picked, services):
        session = picked.session
        sources, session.sources = session.sources, {}
        ids = [pick_id("a.mrc", place) for place in PLACES]
        rows = embedding(4).__class__(
            np.zeros((4, 3)), ids, np.full(4, "a.mrc"), PLACES, {}, {"box": 24}
        )
        ready.sources.open_kept(session.project.add_embedding("kept", rows))
        qtbot.waitUntil(lambda: ready.desk.state is not None, timeout=10_000)
        wait(qtbot, ready)
        assert not ready._crops.open
        session.sources = sources
        picked.desk.refresh()
        qtbot.waitUntil(lambda: ready._crops.open, timeout=10_000)
        ready.browsing.need([0, 1, 2, 3])
        assert services[-1].asked[-1][0].rows.tolist() == [0, 1, 2, 3]
        wait(qtbot, ready)

    def test_what_is_kept_can_be_chosen(self, qtbot, ready, picked):
        number = picked.session.project.add_embedding("kept", embedding(6))
        ready.sources.open_kept(number)
        qtbot.waitUntil(lambda: ready.desk.state is not None, timeout=10_000)
        assert len(ready.desk.state) == 6
        wait(qtbot, ready)

    def test_the_colour_and_the_method_come_back(self, qtbot, ready, picked, jobs):
        map_picks(qtbot, ready, jobs)
        ready.choose_colour("score")
        number = ready.keeping.last
        ready.sources.open_kept(number)
        before = ready.desk.state
        qtbot.waitUntil(lambda: ready.desk.state is not before, timeout=10_000)
        assert ready.desk.state.colour == "score"
        wait(qtbot, ready)

    def test_another_project_in_the_picker_leaves_the_map_and_keeps_nothing_in_it(
        self, qtbot, ready, picked, jobs, tmp_path
    ):
        map_picks(qtbot, ready, jobs)
        other = tmp_path / "other" / "o.cryoml"
        other.parent.mkdir()
        Project.create(other).close()
        picked.open_paths([other])
        qtbot.waitUntil(lambda: ready.keeping.project is picked.session.project)
        assert len(ready.desk.state) == 12
        ready.keeping.columns({"cluster": np.zeros(12, int)})
        wait(qtbot, ready)
        assert picked.session.project.embeddings() == []
        assert "Another project" in note(ready.view)[0]

    def test_the_same_project_opened_again_keeps_on_with_its_map(
        self, qtbot, ready, picked, jobs, folder
    ):
        map_picks(qtbot, ready, jobs)
        before = ready.desk.state
        picked.open_paths([picked.session.project.path])
        qtbot.waitUntil(lambda: ready.keeping.project is picked.session.project, timeout=10_000)
        assert not picked.session.project.read_only
        assert ready.desk.state is before
        ready.keeping.columns({"cluster": np.zeros(12, int)})
        wait(qtbot, ready)
        (entry,) = picked.session.project.embeddings()
        assert "cluster" in entry.columns

    def test_the_picker_closes_and_the_map_goes_on(self, qtbot, ready, picked, jobs):
        map_picks(qtbot, ready, jobs)
        picked.teardown()
        assert ready.desk.link is None
        assert ready.keeping.project is None
        ready.selecting.take(mask(1, 2), "replace")
        assert len(ready.desk.state.selected) == 2

    def test_a_picker_that_opens_later_is_linked_to(self, qtbot, viewer, explorer, opened):
        show(explorer)
        pickers.add(viewer, opened)
        assert explorer.desk.picker is not None
        assert explorer.desk.link.images == ["a.mrc", "b.mrc", "c.mrc"]
        pickers.remove(opened)

    def test_closing_ends_everything_and_gives_the_viewer_back(
        self, qtbot, viewer, ready, picked, jobs, services
    ):
        n_callbacks = len(viewer.mouse_move_callbacks)
        map_picks(qtbot, ready, jobs)
        ready.teardown()
        assert [service.state for service in services[-2:]] == ["closed", "closed"]
        assert len(viewer.mouse_move_callbacks) < n_callbacks
        assert picked.session.project.embeddings()
        ready.teardown()


def test_rows_keep_what_their_column_says_of_classes():
    assert state_of(embedding(**{"class": np.full(N, "ice")})).classes.counts == {"ice": N}

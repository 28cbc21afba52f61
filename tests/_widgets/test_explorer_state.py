import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.embedding._history import MOST_STEPS, SelectionHistory
from napari_cryoml._widgets.embedding._state import DENSITY, MapState
from napari_cryoml.data import NEGATIVE, POSITIVE, Embedding


def mask(n, *rows):
    chosen = np.zeros(n, bool)
    chosen[list(rows)] = True
    return chosen


@pytest.fixture
def embedding():
    return Embedding(
        np.arange(10.0).reshape(5, 2),
        np.array(list("abcde")),
        images=np.array(["x.mrc", "x.mrc", "y.mrc", "y.mrc", "y.mrc"]),
        positions=np.zeros((5, 2)),
        table={"score": np.arange(5.0), "path": np.array(["p", "q", "r", "s", "t"])},
    )


@pytest.fixture
def state(embedding):
    return MapState(embedding)


class TestHistory:
    def test_nothing_is_selected_at_first(self):
        history = SelectionHistory(3)
        assert not history.mask.any()
        assert history.mask.shape == (3,)
        assert not history.can_undo
        assert not history.undo()
        assert not history.redo()

    def test_undo_and_redo_go_through_the_selections(self):
        history = SelectionHistory(9)
        history.select(mask(9, 1))
        history.select(mask(9, 1, 8))
        assert history.undo()
        assert history.mask.tolist() == mask(9, 1).tolist()
        assert history.redo()
        assert history.mask.tolist() == mask(9, 1, 8).tolist()

    def test_a_new_selection_forgets_what_was_undone(self):
        history = SelectionHistory(4)
        history.select(mask(4, 0))
        history.undo()
        history.select(mask(4, 2))
        assert not history.can_redo

    def test_the_same_selection_again_is_no_step(self):
        history = SelectionHistory(4)
        assert history.select(mask(4, 0))
        assert not history.select(mask(4, 0))
        history.undo()
        assert not history.can_undo

    def test_only_so_many_steps_are_kept(self):
        history = SelectionHistory(1000)
        for row in range(MOST_STEPS + 50):
            history.select(mask(1000, row))
        steps = 0
        while history.undo():
            steps += 1
        assert steps == MOST_STEPS - 1

    def test_an_edit_that_is_younger_than_the_selection_is_undone_first(self):
        history = SelectionHistory(4)
        history.select(mask(4, 0), edit=7)
        assert history.comes_before(8)
        assert not history.comes_before(7)

    def test_a_selection_comes_back_after_the_edits_it_followed(self):
        history = SelectionHistory(4)
        history.select(mask(4, 0), edit=7)
        history.undo()
        assert history.waits_for(6)
        assert not history.waits_for(7)


class TestState:
    def test_without_a_map_no_row_has_a_place(self, state):
        assert state.layout.shape == (5, 2)
        assert not state.placed.any()

    def test_a_map_of_some_rows_leaves_the_others_without_a_place(self, state):
        state.set_layout("umap", np.zeros((2, 2), np.float32), np.array([1, 3]))
        state.method = "umap"
        assert state.placed.tolist() == [False, True, False, True, False]

    def test_a_map_of_another_number_of_rows_is_refused(self, state):
        with pytest.raises(InputError, match="5 rows"):
            state.set_layout("umap", np.zeros((4, 2)))

    def test_the_last_map_that_was_made_is_on_show(self, embedding):
        layouts = {"pca": np.zeros((5, 2)), "tsne": np.ones((5, 2))}
        assert MapState(embedding, layouts=layouts).method == "tsne"

    def test_one_can_colour_by_what_there_is(self, state):
        assert state.names == [DENSITY, "score", "image"]
        state.labels = np.array([POSITIVE, -1, -1, -1, -1])
        state.classes.put(np.array([1]), "ice")
        assert state.names[:4] == [DENSITY, "label", "class", "score"]

    def test_text_that_differs_in_every_row_is_no_colour_but_can_be_read(self, state):
        assert "path" not in state.names
        assert state.column("path").tolist() == list("pqrst")

    def test_labels_are_words(self, state):
        state.labels = np.array([POSITIVE, NEGATIVE, -1, -1, -1])
        expected = ["particle", "not a particle", "", "", ""]
        assert state.column("label").tolist() == expected

    def test_an_unknown_column_is_said(self, state):
        with pytest.raises(InputError, match="no column 'mass'"):
            state.column("mass")

    @pytest.mark.parametrize(
        ("mode", "expected"), [("replace", [2]), ("add", [0, 2]), ("subtract", [0])]
    )
    def test_a_lasso_replaces_adds_or_takes_away(self, state, mode, expected):
        state.history.select(mask(5, 0))
        assert np.flatnonzero(state.combine(mask(5, 2), mode)).tolist() == expected

    def test_taking_away_what_is_selected_leaves_the_rest(self, state):
        state.history.select(mask(5, 0, 2))
        assert np.flatnonzero(state.combine(mask(5, 2), "subtract")).tolist() == [0]

    def test_asking_for_a_selection_that_is_empty_says_what_to_do(self, state):
        with pytest.raises(InputError, match="draw a lasso"):
            state.need_selected("to label them")

    def test_images_of_rows_are_counted(self, state):
        assert state.images_of(np.array([0, 1])) == 1
        assert state.images_of(np.array([0, 4])) == 2

    def test_rows_without_images_lie_in_none(self):
        plain = MapState(Embedding(np.zeros((2, 3)), np.array(["a", "b"])))
        assert plain.images_of(np.array([0, 1])) == 0

import numpy as np
import pytest
from tests._widgets.explorer_rows import embedding

from napari_cryoml._widgets.embedding._colouring import colouring, palette_of
from napari_cryoml._widgets.embedding._columns import layout_columns, state_of, title_of
from napari_cryoml._widgets.embedding._orders import most_typical, ordered
from napari_cryoml._widgets.embedding._scratch import MANY_BYTES, Scratch
from napari_cryoml._widgets.embedding._state import CLASS, LABEL
from napari_cryoml._widgets.link import RowClasses, factorised
from napari_cryoml.data import NEGATIVE, POSITIVE


class TestClasses:
    def test_texts_become_numbers_and_texts_again(self):
        classes = RowClasses.of(np.array(["ice", "", "carbon", "ice"]))
        assert classes.codes.tolist() == [0, -1, 1, 0]
        assert classes.texts.tolist() == ["ice", "", "carbon", "ice"]
        assert classes.counts == {"carbon": 1, "ice": 2}

    def test_no_rows_have_no_classes(self):
        classes = RowClasses.of(np.empty(0, "U1"))
        assert len(classes) == 0
        assert classes.counts == {}

    def test_a_class_is_given_and_taken_away(self):
        classes = RowClasses.none(3)
        classes.put(np.array([0, 2]), "ice")
        classes.put(np.array([2]), "")
        assert classes.texts.tolist() == ["ice", "", ""]

    def test_each_row_may_get_its_own(self):
        classes = RowClasses.none(3)
        classes.put(np.array([0, 2]), ["ice", "carbon"])
        assert classes.texts.tolist() == ["ice", "", "carbon"]

    def test_what_is_known_by_id_wins_over_what_was_there(self):
        classes = RowClasses.of(np.array(["ice", "ice"]))
        classes.put_known({"b": "carbon", "elsewhere": "x"}, ["a", "b"])
        assert classes.texts.tolist() == ["ice", "carbon"]

    def test_a_class_that_nobody_has_any_more_is_not_counted(self):
        classes = RowClasses.of(np.array(["ice", "carbon"]))
        classes.put(np.array([0]), "carbon")
        assert classes.counts == {"carbon": 2}

    def test_missing_values_are_no_texts(self):
        codes, names = factorised(np.array(["b", "nan", "", "a", "b"]))
        assert codes.tolist() == [0, -1, -1, 1, 0]
        assert names == ["b", "a"]


class TestMapsInColumns:
    @pytest.mark.parametrize(
        "names",
        [("UMAP0", "UMAP1"), ("umap_1", "umap_2"), ("UMAP 0", "UMAP 1"), ("umap-0", "umap-1")],
    )
    def test_a_map_is_found_however_its_columns_are_called(self, names):
        table = {names[0]: np.arange(12.0), names[1]: np.zeros(12)}
        state = state_of(embedding(**table))
        assert list(state.layouts) == ["umap"]
        assert state.layouts["umap"][:, 0].tolist() == list(range(12))
        assert not set(names) & set(state.names)

    def test_tsne_may_have_a_hyphen(self):
        table = {"t-SNE 0": np.zeros(12), "t-SNE 1": np.zeros(12)}
        assert list(state_of(embedding(**table)).layouts) == ["tsne"]

    def test_one_axis_alone_is_a_column_like_others(self):
        state = state_of(embedding(UMAP0=np.arange(12.0)))
        assert not state.layouts
        assert "UMAP0" in state.names

    def test_text_is_no_map(self):
        table = {"UMAP0": np.full(12, "a"), "UMAP1": np.full(12, "b")}
        assert not state_of(embedding(**table)).layouts

    def test_columns_of_a_map_are_found_again(self):
        state = state_of(embedding())
        places = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
        columns = layout_columns("tsne", places)
        assert list(columns) == ["tSNE0", "tSNE1"]
        again = state_of(state.embedding.with_columns(**columns))
        assert np.array_equal(again.layouts["tsne"], places)

    def test_maps_of_other_kinds_keep_their_name(self):
        assert title_of("phate") == "phate"

    def test_classes_come_from_the_column_and_from_the_project(self):
        known = np.array(["ice"] * 6 + [""] * 6)
        state = state_of(embedding(**{"class": known}), {"row 0": "carbon", "row 11": "ice"})
        assert state.classes.texts.tolist() == ["carbon", *["ice"] * 5, *[""] * 5, "ice"]
        assert state.names.count("class") == 1


class TestColours:
    def test_density_has_neither_categories_nor_values(self):
        found = colouring(state_of(embedding()))
        assert found.codes is None
        assert found.values is None

    def test_floats_are_values(self):
        state = state_of(embedding(score=np.arange(12.0)))
        state.colour = "score"
        assert colouring(state).values.tolist() == list(range(12))

    def test_few_whole_numbers_are_categories_in_their_order(self):
        state = state_of(embedding(cluster=np.array([2, 0, 0, 7, -1, 2, 2, 2, 0, 0, 0, 0])))
        state.colour = "cluster"
        found = colouring(state)
        assert found.names == ("0", "2", "7")
        assert found.codes.tolist() == [1, 0, 0, 2, -1, 1, 1, 1, 0, 0, 0, 0]
        assert found.counts == (6, 4, 1)

    def test_many_whole_numbers_are_values(self):
        state = state_of(embedding(n=200, mass=np.arange(200)))
        state.colour = "mass"
        assert colouring(state).values is not None

    def test_only_negative_numbers_are_no_category(self):
        state = state_of(embedding(cluster=np.full(12, -1)))
        state.colour = "cluster"
        assert colouring(state).codes.tolist() == [-1] * 12

    def test_texts_come_by_falling_number(self):
        state = state_of(embedding(kind=np.array(["b"] * 7 + ["a"] * 4 + [""])))
        state.colour = "kind"
        found = colouring(state)
        assert found.names == ("b", "a")
        assert found.codes.tolist() == [0] * 7 + [1] * 4 + [-1]

    def test_labels_have_the_colours_they_have_everywhere(self):
        state = state_of(embedding())
        state.labels = np.array([POSITIVE] * 2 + [NEGATIVE] + [-1] * 9)
        state.colour = LABEL
        found = colouring(state)
        assert [found.fixed[found.names.index(n)] for n in ("particle", "not a particle")] == [
            "#009E73",
            "#D55E00",
        ]

    def test_a_class_keeps_its_colour_as_others_grow(self):
        state = state_of(embedding())
        state.colour = CLASS
        state.classes.put(np.arange(3), "a")
        state.classes.put(np.arange(3, 4), "b")
        own = palette_of(["a", "b"])
        before = colouring(state, own)
        state.classes.put(np.arange(4, 12), "b")
        after = colouring(state, own)
        for name in ("a", "b"):
            colours = [one.fixed[one.names.index(name)] for one in (before, after)]
            assert colours[0] == colours[1]


class TestOrders:
    def test_the_most_typical_row_is_that_nearest_to_the_mean(self):
        vectors = np.array([[0.0], [10.0], [4.0], [5.0]])
        assert most_typical(vectors, np.array([0, 1, 2, 3])).tolist()[:2] == [3, 2]

    def test_a_row_without_a_vector_is_last(self):
        vectors = np.array([[np.nan], [1.0], [2.0], [9.0]])
        assert most_typical(vectors, np.array([0, 1, 2, 3])).tolist()[-1] == 0

    def test_rows_without_any_vector_stay_as_they_are(self):
        assert most_typical(np.full((3, 2), np.nan), np.array([2, 0])).tolist() == [2, 0]

    def test_scores_fall_and_missing_ones_are_last(self):
        state = state_of(embedding(score=np.array([1, 3, np.nan, 2] + [0.0] * 8)))
        assert ordered(state, np.arange(4), "score").tolist() == [1, 3, 0, 2]

    def test_along_the_map_means_along_its_longer_side(self):
        state = state_of(embedding())
        places = np.array([[0, 3.0], [0.1, 1], [0, 2], [np.nan, np.nan]] + [[0, 0]] * 8)
        state.set_layout("pca", places)
        state.method = "pca"
        order = ordered(state, np.arange(4), "map").tolist()
        assert order in ([1, 2, 0, 3], [0, 2, 1, 3])

    def test_an_order_without_its_column_is_that_of_the_typical_ones(self):
        state = state_of(embedding())
        rows = np.arange(12)
        assert (
            ordered(state, rows, "novelty").tolist() == ordered(state, rows, "centrality").tolist()
        )

    def test_random_is_a_permutation(self):
        state = state_of(embedding())
        assert sorted(ordered(state, np.arange(12), "random").tolist()) == list(range(12))


class TestScratch:
    def test_few_vectors_are_handed_over_as_they_are(self):
        vectors = np.zeros((3, 2))
        scratch = Scratch()
        assert scratch.lay_down(vectors) is vectors
        scratch.close()

    def test_many_go_by_a_file_that_is_taken_away(self):
        vectors = np.zeros((MANY_BYTES // 16, 2), np.float64)
        scratch = Scratch()
        first, second = scratch.lay_down(vectors), scratch.lay_down(vectors)
        assert first != second
        assert np.load(first).shape == vectors.shape
        scratch.close()
        assert not first.exists()

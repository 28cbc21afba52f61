import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.embedding import all_correlated, arrows, condition_vectors, most_correlated

NAMES = ["a"] * 4 + ["b"] * 4 + ["once"] * 2
CONDITIONS = list("wwkkwkkkww")


def cells(**columns):
    vectors = np.arange(20.0).reshape(10, 2)
    table = {"protein": NAMES, "condition": CONDITIONS} | columns
    return Embedding(vectors, [f"c{row}" for row in range(10)], table=table)


def test_each_protein_has_a_vector_in_each_condition():
    found = condition_vectors(cells(plate=["p"] * 10), pair=("w", "k"))
    assert found.ids.tolist() == ["a (k)", "a (w)", "b (k)", "b (w)"]
    np.testing.assert_allclose(found.vectors[:, 0], [5, 1, 12, 8])
    assert found.table["protein"].tolist() == ["a", "a", "b", "b"]
    assert found.table["condition"].tolist() == ["k", "w", "k", "w"]
    assert found.table["n_cells"].tolist() == [2, 2, 3, 1]
    assert found.provenance["grouped"]["pair"] == ["w", "k"]
    assert found.provenance["grouped"]["by"] == "protein"


def test_a_protein_needs_enough_cells_on_either_side():
    assert set(condition_vectors(cells(), least=2).table["protein"]) == {"a"}
    with pytest.raises(InputError, match="has 3 cells in both 'k' and 'w': ask for fewer"):
        condition_vectors(cells(), least=3)


def test_arrows_lead_from_before_to_after():
    found = condition_vectors(cells(), pair=("w", "k"))
    layout = np.array([[1.0, 1], [0, 0], [5, 5], [4, 4]])
    drawn = arrows(layout, found)
    assert drawn.names.tolist() == ["a", "b"]
    np.testing.assert_array_equal(drawn.start, [[0, 0], [4, 4]])
    np.testing.assert_array_equal(drawn.end, [[1, 1], [5, 5]])
    np.testing.assert_array_equal(arrows(layout, found, ("k", "w")).start, drawn.end)
    assert drawn.take(["b"]).names.tolist() == ["b"]
    layout[3] = np.nan
    assert arrows(layout, found).names.tolist() == ["a"]
    with pytest.raises(InputError, match="4 rows needs as many places; 3"):
        arrows(layout[:3], found)


def test_the_most_correlated_come_first():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 8))
    vectors[7] = 3 * vectors[3] + 2
    vectors[9], vectors[11] = np.nan, 1.0
    given = Embedding(vectors, [f"p{row}" for row in range(50)])
    found = most_correlated(given, "p3", 5)
    r = np.array(
        [np.corrcoef(given.vectors[3], row)[0, 1] if row.std() else np.nan for row in given.vectors]
    )
    r[3] = np.nan
    order = np.argsort(-r)[:5]
    assert found.rows.tolist() == order.tolist() and found.ids[0] == "p7"
    np.testing.assert_allclose(found.correlation, r[order], rtol=1e-5)
    everything = most_correlated(given, "p3", 500)
    assert len(everything) == 47 and not {3, 9, 11} & set(everything.rows.tolist())


def test_all_at_once_agree_with_one_by_one():
    vectors = np.random.default_rng(1).normal(size=(40, 6))
    vectors[5], vectors[6] = np.nan, 2.0
    given = Embedding(vectors, [f"p{row}" for row in range(40)])
    found = all_correlated(given, 4)
    assert sorted(found) == [row for row in range(40) if row not in (5, 6)]
    for row, near in found.items():
        alone = most_correlated(given, f"p{row}", 4)
        assert [other for other, _ in near] == alone.rows.tolist()
        np.testing.assert_allclose([r for _, r in near], alone.correlation, rtol=1e-4)
    assert all_correlated(given.take(slice(5, 8))) == {}
    assert len(all_correlated(given.take(slice(0, 3)), 10)[0]) == 2


@pytest.mark.parametrize(("name", "words"), [("p9", "no row 'p9'"), ("flat", "is constant")])
def test_what_has_no_neighbours_is_refused(name, words):
    given = Embedding(np.array([[1.0, 2], [3, 3]]), ["p", "flat"])
    with pytest.raises(InputError, match=words):
        most_correlated(given, name)

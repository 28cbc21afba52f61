import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.embedding import central_members, group_vectors


def _cells(vectors, **columns):
    ids = [f"c{row}" for row in range(len(vectors))]
    return Embedding(np.asarray(vectors, float), ids, table=columns, provenance={"encoder": "e"})


TWO = _cells(
    [[0, 0, 3], [2, 0, 3], [1, 1, 1], [5, 5, 5]],
    protein=["b", "b", "a", ""],
)


def test_a_protein_is_the_mean_of_its_cells():
    found = group_vectors(TWO)
    assert found.ids.tolist() == ["a", "b"]
    np.testing.assert_allclose(found.vectors, [[1, 1, 1], [1, 0, 3]])
    assert found.table["n_cells"].tolist() == [1, 2]
    np.testing.assert_allclose(found.table["spread"], [np.nan, 1])
    assert found.images is None and "protein" not in found.table
    assert found.provenance["encoder"] == "e"
    assert found.provenance["grouped"] == {
        "by": "protein",
        "centre": "mean",
        "least": 1,
        "cells": 3,
    }
    assert found.provenance["notes"] == [
        "Left out, cells without a value in the column 'protein': 1."
    ]


def test_equal_to_a_plain_loop():
    rng = np.random.default_rng(0)
    vectors, names = rng.normal(size=(60, 5)), rng.choice(["x", "y", "z"], 60)
    found = group_vectors(_cells(vectors, protein=names))
    for row, name in enumerate(["x", "y", "z"]):
        own = vectors[names == name].astype(np.float32).astype(float)
        np.testing.assert_allclose(found.vectors[row], own.mean(axis=0), rtol=1e-6)
        spread = np.mean([np.linalg.norm(cell - own.mean(axis=0)) for cell in own])
        alike = [
            np.corrcoef(cell, np.delete(own, at, axis=0).mean(axis=0))[0, 1]
            for at, cell in enumerate(own)
        ]
        assert found.table["spread"][row] == pytest.approx(spread)
        assert found.table["consistency"][row] == pytest.approx(np.mean(alike))


@pytest.mark.parametrize("rows", [[0, 2], np.array([True, False, True, False])])
def test_only_asked_cells_count(rows):
    found = group_vectors(TWO, rows=rows)
    np.testing.assert_allclose(found.vectors, [[1, 1, 1], [0, 0, 3]])


def test_cells_without_a_finite_vector_are_counted_and_left_out():
    cells = _cells([[1, 0], [np.nan, 0], [3, 0], [np.inf, 0]], protein=["a", "a", "a", "b"])
    found = group_vectors(cells)
    assert found.ids.tolist() == ["a"]
    np.testing.assert_allclose(found.vectors, [[2, 0]])
    assert found.table["n_cells"].tolist() == [2] and found.table["n_left_out"].tolist() == [1]
    assert found.provenance["notes"] == [
        "Left out, cells without a finite vector: 2.",
        "Left out, groups of fewer than 1 cells: 1.",
    ]


def test_small_proteins_are_left_out_where_asked():
    assert group_vectors(TWO, least=2).ids.tolist() == ["b"]


@pytest.mark.parametrize(("centre", "expected"), [("mean", 10.9), ("median", 1), ("trimmed", 1)])
def test_an_odd_cell_moves_a_robust_centre_less(centre, expected):
    cells = _cells([[1.0]] * 9 + [[100.0]], protein=["a"] * 10)
    assert group_vectors(cells, centre=centre).vectors[0, 0] == pytest.approx(expected)


def test_cells_that_are_alike_are_consistent():
    rng = np.random.default_rng(1)
    pattern = rng.normal(size=20)
    alike = pattern + 0.01 * rng.normal(size=(8, 20))
    apart = rng.normal(size=(8, 20))
    cells = _cells(np.concatenate([alike, apart]), protein=["alike"] * 8 + ["apart"] * 8)
    consistency = group_vectors(cells).table["consistency"]
    assert consistency[0] > 0.99 and abs(consistency[1]) < 0.3


def test_constant_vectors_have_no_consistency():
    assert np.isnan(group_vectors(_cells(np.ones((3, 4)), protein=["a"] * 3)).table["consistency"])


def test_other_columns_are_summed_up():
    cells = _cells(
        np.eye(5),
        protein=["a", "a", "a", "b", "b"],
        place=["ER", "ER", "Golgi", "", "ER"],
        plate=["p1", "p1", "p1", "p2", "p2"],
        area=[1.0, 2.0, np.nan, 4.0, 6.0],
        label=[1, 2, 3, 4, 5],
        dose=[7, 7, 7, 9, 9],
        crop=["v", "w", "x", "y", "z"],
        alive=[True, True, False, True, True],
        UMAP0=[0.0, 1.0, 2.0, 3.0, 4.0],
    )
    table = group_vectors(cells).table
    assert table["place"].tolist() == ["ER", "ER"]
    np.testing.assert_allclose(table["place share"], [2 / 3, 1])
    assert table["plate"].tolist() == ["p1", "p2"] and "plate share" not in table
    np.testing.assert_allclose(table["area"], [1.5, 5])
    assert table["dose"].tolist() == [7, 9]
    assert table["alive"].tolist() == [True, True]
    assert not {"label", "crop", "UMAP0", "label share", "crop share"} & set(table)


def test_ties_go_to_the_first_in_the_alphabet_and_nothing_stays_nothing():
    cells = _cells(np.eye(4), protein=list("aabb"), place=["x", "b", "", ""])
    found = group_vectors(cells).table
    assert "place" not in found  # no two cells agree
    cells = _cells(np.eye(6), protein=list("aaaabb"), place=["x", "b", "x", "b", "", ""])
    found = group_vectors(cells).table
    assert found["place"].tolist() == ["b", ""]
    np.testing.assert_allclose(found["place share"], [0.5, np.nan])


def test_a_protein_leads_to_its_cells_the_most_central_first():
    cells = _cells(
        [[0.0], [9.0], [4.0], [np.nan], [5.0]], protein=["a", "a", "a", "a", "b"]
    )  # the mean of a is 13 / 3
    assert central_members(cells, "a").tolist() == [2, 0, 1, 3]
    assert central_members(cells, "a", rows=[1, 0, 4]).tolist() == [1, 0]
    with pytest.raises(InputError, match="No cell has 'q' in the column 'protein'"):
        central_members(cells, "q")


def test_what_cannot_be_grouped_is_refused():
    with pytest.raises(InputError, match=r"no column 'gene'.*the columns are protein"):
        group_vectors(TWO, "gene")
    with pytest.raises(InputError, match="None of the 2 groups by 'protein' has 9 cells"):
        group_vectors(TWO, least=9)
    with pytest.raises(InputError, match="nothing to group"):
        group_vectors(_cells(np.eye(2), protein=["", ""]))

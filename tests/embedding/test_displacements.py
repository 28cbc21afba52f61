"""Displacements are found where they were planted, and as seldom as promised where none was."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kstest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.embedding import DisplacementConfig, displacements
from napari_cryoml.embedding._shift_test import TwoConditions, p_value
from napari_cryoml.jobs import Command, run_inline

QUICK = DisplacementConfig(n_permutations=400)


def cells(vectors, protein, condition, **columns):
    table = {"protein": protein, "condition": condition} | columns
    ids = [f"c{row}" for row in range(len(vectors))]
    return Embedding(np.asarray(vectors), ids, table=table, provenance={"encoder": "e"})


def proteome(n=120, per=12, d=4, *, moved=0, by=1.5, plates=0.0, seed=0):
    """Return cells of proteins in two conditions on two plates; the first `moved` of them move.

    The plates differ by `plates`, and three quarters of the cells of a condition lie on one.
    """
    rng = np.random.default_rng(seed)
    protein = np.repeat(np.arange(n), 2 * per)
    after = np.tile(np.repeat([False, True], per), n)
    plate = (np.tile(np.arange(per) % 4 == 0, 2 * n)) ^ after
    vectors = rng.normal(size=(len(protein), d)) + 10 * rng.normal(size=(n, d))[protein]
    vectors[:, 0] += plates * plate
    vectors[:, 1] += by * ((protein < moved) & after)
    names = np.char.add("P", np.char.zfill(protein.astype(str), 4))
    conditions = np.where(after, "treated", "control")
    return cells(vectors, names, conditions, plate=np.where(plate, "p2", "p1"))


def found(embedding, config=QUICK, **options):
    return run_inline(displacements(embedding, config=config, **options))


def test_a_displacement_is_the_difference_of_the_means():
    given = cells([[0.0, 0], [2, 0], [4, 3], [6, 3]], ["a"] * 4, ["x", "x", "y", "y"])
    result = found(given, DisplacementConfig(least=2))
    np.testing.assert_allclose(result.vectors, [[4, 3]])
    table = result.table
    assert table["displacement"].tolist() == [5]
    assert (table["n_before"].tolist(), table["n_after"].tolist()) == ([2], [2])
    # scatter 2 per cell; noise explains 2 (1/2 + 1/2) of the square, 25
    assert table["effect"][0] == pytest.approx(np.sqrt((25 - 2) / 2))
    assert result.provenance["encoder"] == "e"
    assert result.provenance["displacements"]["pair"] == ["x", "y"]
    backwards = found(given, DisplacementConfig(least=2), pair=("y", "x"))
    np.testing.assert_allclose(backwards.vectors, [[-4, -3]])


def test_plates_are_compared_each_with_itself():
    vectors = [[0.0], [1.0], [10.0], [10.0], [13.0], [99.0]]
    given = cells(vectors, ["a"] * 6, list("xyxxyx"), plate=list("ppqqqr"))
    result = found(given)
    # plate p: 1 with weight 1/2; plate q: 3 with weight 2/3; plate r holds one condition
    expected = (1 * 1 / 2 + 3 * 2 / 3) / (1 / 2 + 2 / 3)
    np.testing.assert_allclose(result.vectors, [[expected]], rtol=1e-6)
    assert result.table["n_blocks"].tolist() == [2]


def test_p_agrees_with_all_permutations():
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(9, 3)) + np.repeat([[0.0], [0.9]], [4, 5], axis=0)
    after = np.arange(9) >= 4

    def length(those):
        return np.linalg.norm(vectors[those].mean(axis=0) - vectors[~those].mean(axis=0))

    dealt = [np.isin(np.arange(9), rows) for rows in combinations(range(9), 5)]
    exact = np.mean([length(those) >= length(after) - 1e-9 for those in dealt])
    own = TwoConditions(vectors, after, np.zeros(9, np.intp))
    p = np.mean([p_value(own, 20_000, np.random.default_rng(seed)) for seed in range(30)])
    assert p == pytest.approx(exact, rel=0.1)


def test_more_features_than_cells_or_fewer_make_no_difference():
    rng = np.random.default_rng(0)
    vectors = np.zeros((20, 40))
    vectors[:, :2] = rng.normal(size=(20, 2))
    found_p = []
    for d in (2, 40):
        own = TwoConditions(vectors[:, :d], np.arange(20) % 2 > 0, np.arange(20) // 10)
        found_p.append(p_value(own, 500, np.random.default_rng(3)))
    assert found_p[0] == found_p[1] and 0 < found_p[0] <= 1


def test_nothing_is_found_where_nothing_moved():
    p = found(proteome(300, 8)).table["p"]
    assert kstest(p, "uniform").pvalue > 0.01
    assert (found(proteome(300, 8)).table["q"] < 0.1).sum() == 0


def test_plates_that_differ_are_no_displacement():
    given = proteome(plates=4.0)
    assert (found(given).table["q"] < 0.1).mean() < 0.02
    without = DisplacementConfig(n_permutations=400, block="")
    assert (found(given, without).table["q"] < 0.1).mean() > 0.5


def test_planted_displacements_are_found_at_the_promised_rate():
    shares, power = [], []
    for seed in range(5):
        table = found(proteome(100, 12, moved=30, by=2.5, plates=2.0, seed=seed)).table
        is_found, is_true = table["q"] < 0.1, np.arange(100) < 30
        shares.append((is_found & ~is_true).sum() / max(is_found.sum(), 1))
        power.append((is_found & is_true).sum() / 30)
        assert np.median(table["effect"][is_true]) > 3 * np.median(table["effect"][~is_true])
    assert np.mean(shares) < 0.1 and np.mean(power) > 0.8


def test_what_all_proteins_share_can_be_taken_away():
    given = proteome(60, moved=60, by=3.0, seed=1)
    table = dict(given.table)
    given = cells(given.vectors, table["protein"], table["condition"])  # plates are not known
    assert (found(given).table["q"] < 0.05).mean() > 0.9
    config = DisplacementConfig(n_permutations=400, remove_shared=True)
    rest = found(given, config)
    assert (rest.table["q"] < 0.05).mean() < 0.05
    assert np.abs(np.median(rest.vectors, axis=0)).max() < 1e-6


def test_the_seed_gives_the_same_and_the_order_of_rows_changes_nothing():
    given = proteome(10, moved=3)
    again = found(given).table
    order = np.random.default_rng(0).permutation(len(given))
    shuffled = found(given.take(order)).table
    np.testing.assert_array_equal(found(given).table["p"], again["p"])
    np.testing.assert_allclose(shuffled["displacement"], again["displacement"])
    assert np.corrcoef(shuffled["p"], again["p"])[0, 1] > 0.9
    other = found(given, DisplacementConfig(n_permutations=400, seed=1)).table
    assert (other["p"] != again["p"]).any()


def test_what_is_not_tested_is_said():
    names = ["few"] * 2 + ["apart"] * 6 + ["once"] * 2 + ["whole"] * 6
    conditions = list("xy") + list("xxxyyy") + list("xx") + list("xxxyyy")
    plates = list("pp") + list("pppqqq") + list("pp") + list("pppppp")
    vectors = np.random.default_rng(0).normal(size=(16, 3))
    vectors[8] = np.nan
    result = found(cells(vectors, names, conditions, plate=plates))
    assert result.ids.tolist() == ["apart", "few", "whole"]
    assert np.isnan(result.table["p"]).tolist() == [True, True, False]
    assert np.isfinite(result.vectors).all()
    said = " ".join(result.provenance["notes"])
    assert "one condition only: 1" in said
    assert "no plate holds both conditions: 1 of 3" in said
    assert "fewer than 3 cells to compare in a condition: 1" in said


def test_no_plates_are_said():
    given = cells(np.eye(6), ["a"] * 6, list("xxxyyy"))
    assert found(given).provenance["notes"] == [
        "There is no column 'plate': cells were compared without regard to plates."
    ]
    assert found(given, DisplacementConfig(block="")).provenance["notes"] == []


def test_cells_that_are_all_equal_have_not_moved():
    table = found(cells(np.ones((6, 2)), ["a"] * 6, list("xxxyyy"))).table
    assert (table["displacement"][0], table["effect"][0], table["p"][0]) == (0, 0, 1)


def test_it_stops_when_told():
    job = displacements(proteome(5), config=QUICK)
    event = next(job)
    assert (event.done, event.total) == (1, 5) and event.message.startswith("P0000: p = ")
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    result = end.value.value
    assert np.isfinite(result.table["p"]).sum() == np.isfinite(result.table["q"]).sum() == 1
    assert result.provenance["notes"] == ["Stopped before these had their turn: 4."]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"condition": "drug"}, "no column 'drug'"),
        ({"pair": ("x", "z")}, "No cell has the condition 'z'; .* holds 'x', 'y'"),
        ({"pair": ("x", "x")}, "Two different conditions"),
        ({"condition": "three"}, "should hold two conditions, but it holds 3"),
        ({"condition": "apart"}, "nothing to compare"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, words):
    given = cells(np.eye(4), list("aabb"), list("xyxy"), three=list("klmm"), apart=list("rrss"))
    with pytest.raises(InputError, match=words):
        found(given, **options)

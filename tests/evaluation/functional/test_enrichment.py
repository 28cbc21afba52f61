from math import comb

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Standard
from napari_cryoml.evaluation.functional import enrichment

UNIVERSE = [f"P{k}" for k in range(20)]
STANDARD = Standard(
    "toy",
    {
        "low": UNIVERSE[:5],
        "mixed": [*UNIVERSE[3:9], "absent"],
        "high": UNIVERSE[12:18],
        "lone": UNIVERSE[:1],
    },
    {"low": "Low numbers"},
)


def plain_p(k, group, n, universe):
    ways = [comb(n, m) * comb(universe - n, group - m) for m in range(k, min(n, group) + 1)]
    return sum(ways) / comb(universe, group)


def plain_q(p):
    order = np.argsort(p)
    q = np.array(p)[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.minimum.accumulate(q[::-1])[::-1]
    return dict(zip(order.tolist(), np.minimum(q, 1), strict=True))


def test_rows_are_those_of_the_formulas() -> None:
    rows = enrichment(UNIVERSE[:4], UNIVERSE, STANDARD)
    assert [row.term for row in rows] == ["low", "mixed"]
    low, mixed = rows
    assert (low.k, low.n_group, low.n, low.n_universe) == (4, 4, 5, 20)
    assert (low.title, low.members) == ("Low numbers", ("P0", "P1", "P2", "P3"))
    assert (mixed.k, mixed.n) == (1, 6)
    p = [plain_p(4, 4, 5, 20), plain_p(1, 4, 6, 20), 1.0]  # the third term has no member
    assert [low.p, mixed.p] == pytest.approx(p[:2])
    q = plain_q(p)
    assert [low.q, mixed.q] == pytest.approx([q[0], q[1]])
    assert low.fold == pytest.approx((4 / 4) / (5 / 20))


def test_sizes_are_chosen() -> None:
    terms = [row.term for row in enrichment(["P0"], UNIVERSE, STANDARD, least=1)]
    assert set(terms) == {"low", "lone"}
    assert enrichment(["P0"], UNIVERSE, STANDARD, most=4, least=2) == []


def test_everything_is_enriched_in_nothing() -> None:
    assert all(row.p == pytest.approx(1) for row in enrichment(UNIVERSE, UNIVERSE, STANDARD))


def test_proteins_outside_the_standard_count_in_the_universe() -> None:
    wide = enrichment(UNIVERSE[:4], [*UNIVERSE, *(f"X{k}" for k in range(100))], STANDARD)
    assert wide[0].p < enrichment(UNIVERSE[:4], UNIVERSE, STANDARD)[0].p


def test_groups_must_be_within_the_universe() -> None:
    with pytest.raises(InputError, match="No proteins are selected"):
        enrichment([], UNIVERSE, STANDARD)
    with pytest.raises(InputError, match=r"1 of the proteins selected \(X\) are not"):
        enrichment(["P0", "X"], UNIVERSE, STANDARD)

import numpy as np
import pytest

from napari_cryoml.classification import FunctionalWatch
from napari_cryoml.data import Standard
from napari_cryoml.evaluation.functional import functional_score

STANDARD = Standard("known", {"one": frozenset("abc"), "two": frozenset("def")})
PROTEINS = np.array([*"abcdef", *"abcdef", ""])


class Vectors:
    """The vectors of 13 cells, of which the first six and the last are the test part."""

    test, validation = np.array([0, 1, 2, 3, 4, 5, 12]), np.arange(6, 12)

    def __init__(self):
        rng = np.random.default_rng(0)
        self.table = rng.normal(size=(13, 8)).astype(np.float32)
        self.table[:6, :4] += 5 * (np.arange(6) < 3)[:, None]  # the test part tells the terms
        self.asked = []

    def __call__(self, rows):
        self.asked.append(rows.tolist())
        return self.table[rows]


def test_figures_are_those_of_the_mean_vectors():
    vectors = Vectors()
    found = FunctionalWatch(PROTEINS, (STANDARD,))(3, vectors)
    expected = functional_score(vectors.table[:6], list("abcdef"), STANDARD)
    assert next(iter(found)) == "known f05_at_q"
    for metric in ("f05_at_q", "ap_pooled", "ami"):
        if np.isfinite(expected[metric]):
            assert found[f"known {metric}"] == pytest.approx(expected[metric])
    assert vectors.asked == [[0, 1, 2, 3, 4, 5]]  # the cell of no protein is left out


def test_the_part_is_chosen_and_cells_are_averaged():
    vectors = Vectors()
    vectors.validation = np.arange(12)
    found = FunctionalWatch(PROTEINS, (STANDARD,), part="validation")(0, vectors)
    means = (vectors.table[:6] + vectors.table[6:12]) / 2
    expected = functional_score(means, list("abcdef"), STANDARD)["ap_pooled"]
    assert found["known ap_pooled"] == pytest.approx(expected)


def test_cells_of_no_known_protein_give_no_figure():
    vectors = Vectors()
    vectors.test = np.array([12])
    found = FunctionalWatch(PROTEINS, (STANDARD,))(0, vectors)
    assert list(found) == ["known f05_at_q", "known ap_pooled", "known ami"]
    assert np.isnan(list(found.values())).all()

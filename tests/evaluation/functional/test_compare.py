from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.functional.test_evaluate import QUICK, evaluated, proteins

from napari_cryoml._errors import InputError
from napari_cryoml.evaluation.functional import TITLES, compare


@pytest.fixture(scope="module")
def reports():
    vectors, names, standard = proteins(1.5)
    noise = np.random.default_rng(5).normal(size=vectors.shape)
    weaker = vectors + 1.5 * noise
    return evaluated(vectors, names, standard), evaluated(weaker, names, standard)


def test_folds_have_intervals(reports) -> None:
    found = compare(*reports)
    assert set(found.folds) == set(TITLES)
    fold = found.folds["ap_pooled"]
    assert fold.fold == pytest.approx(reports[0]["ap_pooled"] / reports[1]["ap_pooled"])
    assert 1 < fold.fold_low < fold.fold < fold.fold_high
    assert 0 < fold.difference_low < fold.difference < fold.difference_high
    assert fold.above > 0.9
    assert len(found.rows()) == len(TITLES)


def test_vectors_beside_themselves(reports) -> None:
    fold = compare(reports[0], reports[0]).folds["map_protein"]
    assert fold.fold == fold.fold_low == fold.fold_high == 1
    assert (fold.difference, fold.above) == (0, 0)


def test_draws_are_shared_so_that_the_ratio_is_sharper(reports) -> None:
    one, two = reports
    shared = compare(one, two).folds["ap_pooled"]
    draws = {name: values[::-1] for name, values in two.draws.items()}
    apart = compare(one, replace(two, draws=draws)).folds["ap_pooled"]
    assert shared.fold == apart.fold
    assert shared.difference_high - shared.difference_low < (
        apart.difference_high - apart.difference_low
    )


def test_nothing_is_so_many_times_zero(reports) -> None:
    none = evaluated(*proteins(0.0))
    fold = compare(reports[0], none).folds["ami"]
    assert np.isnan(fold.fold)
    assert fold.difference_low > 0


def test_reports_that_cannot_be_compared(reports) -> None:
    one, two = reports
    with pytest.raises(InputError, match="different standards"):
        compare(one, replace(two, standard="other"))
    with pytest.raises(InputError, match="different specifications"):
        compare(one, replace(two, spec=QUICK.model_copy(update={"q": 0.2})))
    with pytest.raises(InputError, match="different proteins"):
        compare(one, replace(two, proteins=two.proteins[1:]))
    with pytest.raises(InputError, match="different orders"):
        compare(one, replace(two, proteins=two.proteins[::-1]))

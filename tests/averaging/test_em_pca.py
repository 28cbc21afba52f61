import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import weighted_components


def low_rank(n=30, f=12, rank=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, rank)) * (4, 2, 1) @ rng.normal(size=(rank, f)) + rng.normal(size=f)


def test_without_missing_data_it_is_the_singular_value_decomposition():
    data = low_rank() + 0.1 * np.random.default_rng(1).normal(size=(30, 12))
    found = weighted_components(data, np.ones_like(data), 3)
    left, values, right = np.linalg.svd(data - data.mean(axis=0), full_matrices=False)
    assert np.abs(found.scores) == pytest.approx(
        np.abs(left[:, :3] * values[:3]), rel=1e-3, abs=1e-3
    )
    assert np.abs(found.directions @ right[:3].T) == pytest.approx(np.eye(3), abs=1e-3)
    assert found.mean == pytest.approx(data.mean(axis=0))


def test_missing_values_are_told_by_the_others():
    data = low_rank()
    missing = np.random.default_rng(2).random(data.shape) < 0.2
    holes = np.where(missing, np.nan, data)
    found = weighted_components(holes, ~missing, 3, rounds=200)
    restored = found.scores @ found.directions + found.mean
    assert np.abs(restored - data)[missing].max() < 0.05 * data.std()
    filled = np.where(missing, 0, data)
    plain = weighted_components(filled, np.ones_like(data), 3)
    worse = plain.scores @ plain.directions + plain.mean
    assert np.abs(worse - data)[missing].max() > 0.5 * data.std()


def test_directions_are_orthonormal_and_scores_do_not_correlate():
    data = low_rank(seed=3)
    weights = np.random.default_rng(3).random(data.shape)
    found = weighted_components(data, weights, 3)
    assert found.directions @ found.directions.T == pytest.approx(np.eye(3), abs=1e-9)
    products = found.scores.T @ found.scores
    assert products == pytest.approx(np.diag(np.diag(products)), abs=1e-6 * products.max())
    assert (np.diff(np.diag(products)) <= 0).all()


def test_there_are_no_more_components_than_the_data_has():
    data = np.random.default_rng(0).normal(size=(4, 9))
    assert weighted_components(data, np.ones_like(data), 50).scores.shape == (4, 3)


def test_what_nobody_measured_does_no_harm():
    data = low_rank()
    weights = np.ones_like(data)
    weights[:, 5] = 0
    found = weighted_components(data, weights, 2)
    assert np.isfinite(found.scores).all()
    assert found.mean[5] == 0


def test_data_without_weights_are_refused():
    with pytest.raises(InputError, match="a weight for each value"):
        weighted_components(np.zeros((3, 4)), np.zeros((3, 5)), 2)

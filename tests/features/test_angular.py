"""Angular harmonics form an orthogonal basis, and their radial transform is the Fourier one."""

import numpy as np
import pytest

from napari_cryoml.features._angular import angular_harmonics, radial_transform


def directions(ndim: int, n: int = 200) -> list[np.ndarray]:
    vectors = np.random.default_rng(0).normal(size=(n, ndim))
    vectors[: 2 * ndim] = np.concatenate([np.eye(ndim), -np.eye(ndim)])  # poles and axes too
    return list((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).T)


def sphere(ndim: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return nodes on the circle or the sphere, and weights that sum to 1."""
    turns = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    if ndim == 2:
        return [np.sin(turns), np.cos(turns)], np.full(32, 1 / 32)
    z, weights = np.polynomial.legendre.leggauss(16)
    z, turns = (part.ravel() for part in np.meshgrid(z, turns, indexing="ij"))
    across = np.sqrt(1 - z**2)
    return [z, across * np.sin(turns), across * np.cos(turns)], np.repeat(weights, 32) / 64


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 6])
@pytest.mark.parametrize("ndim", [2, 3])
def test_the_sum_of_squares_is_one_in_every_direction(ndim, order):
    basis = angular_harmonics(directions(ndim), order)
    assert len(basis) == (1 if order == 0 else 2 if ndim == 2 else 2 * order + 1)
    np.testing.assert_allclose(np.square(basis).sum(axis=0), 1, atol=1e-12)


@pytest.mark.parametrize("ndim", [2, 3])
def test_all_harmonics_are_orthogonal(ndim):
    nodes, weights = sphere(ndim)
    orders = [order for order in range(7) for _ in angular_harmonics(nodes, order)]
    waves = np.array([part for order in range(7) for part in angular_harmonics(nodes, order)])
    size = np.array([1 if m == 0 else 0.5 if ndim == 2 else 1 / (2 * m + 1) for m in orders])
    np.testing.assert_allclose((waves * weights) @ waves.T, np.diag(size), atol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("ndim", [2, 3])
def test_the_opposite_direction_has_the_parity_of_the_order(ndim, order):
    there = directions(ndim)
    back = angular_harmonics([-part for part in there], order)
    plain = (-1) ** order * np.array(angular_harmonics(there, order))
    np.testing.assert_allclose(back, plain, atol=1e-12)


def test_order_one_in_space_is_the_direction_itself():
    there = directions(3)
    found = angular_harmonics(there, 1)
    for part in there:
        overlap = max(abs(np.dot(part, other)) / np.dot(part, part) for other in found)
        assert overlap == pytest.approx(1)


def test_components_are_broadcast():
    y, x = np.array([[0.6], [0.8]]), np.array([[0.8, 0.6, 0.0]])
    assert [part.shape for part in angular_harmonics([y, x], 2)] == [(2, 3), (2, 3)]
    assert angular_harmonics([y, x], 0)[0].shape == (2, 3)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("ndim", [2, 3])
def test_the_radial_transform_is_that_of_the_whole_kernel(ndim, order):
    """The transform of g(r) Y is (-i)^order H(k) Y: summed plainly over a grid of pixels."""
    radius = np.linspace(0, 11, 400)
    frequency = np.array([0.0, 0.05, 0.11, 0.2])
    found = radial_transform(np.exp(-((radius - 4) ** 2) / 4), radius, frequency, order, ndim)

    along = np.random.default_rng(1).normal(size=ndim)
    along /= np.linalg.norm(along)
    axes = np.indices((25,) * ndim).reshape(ndim, -1) - 12.0
    distance = np.linalg.norm(axes, axis=0)
    profile = np.exp(-((distance - 4) ** 2) / 4)
    unit = axes / np.maximum(distance, 1e-9)
    unit[:, distance == 0] = along[:, None]
    for part, value in zip(
        angular_harmonics(list(unit), order), angular_harmonics(list(along), order), strict=True
    ):
        waves = np.exp(-2j * np.pi * np.outer(frequency, along @ axes))
        plain = (waves * part * profile).sum(axis=1)
        scale = np.abs(found).max()
        np.testing.assert_allclose(plain, (-1j) ** order * found * value, atol=0.01 * scale)


@pytest.mark.parametrize("ndim", [2, 3])
def test_at_frequency_zero_order_zero_is_the_integral_and_others_vanish(ndim):
    radius = np.linspace(0, 20, 2000)
    profile = np.exp(-(radius**2) / (2 * 2.5**2))
    whole = (2 * np.pi * 2.5**2) ** (ndim / 2)
    assert radial_transform(profile, radius, np.zeros(1), 0, ndim) == pytest.approx(whole, rel=1e-3)
    assert radial_transform(profile, radius, np.zeros(1), 2, ndim) == pytest.approx(0, abs=1e-12)

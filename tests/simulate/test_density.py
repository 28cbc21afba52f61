import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.simulate import Complex, random_complex, random_rotations
from napari_cryoml.simulate._density import point_group, render

SYMMETRIES = {"C1": 1, "C3": 3, "D1": 2, "D2": 4, "D7": 14}


@pytest.mark.parametrize("shape", [(30, 34), (20, 22, 24)])
def test_rendering_equals_the_sum_of_gaussians(shape):
    centres = np.random.default_rng(0).uniform(8, 12, (5, len(shape)))
    grid = np.moveaxis(np.indices(shape), 0, -1)
    expected = sum(np.exp(-((grid - centre) ** 2).sum(-1) / (2 * 1.5**2)) for centre in centres) / (
        1.5 * np.sqrt(2 * np.pi)
    ) ** len(shape)
    np.testing.assert_allclose(render(centres, 1.5, shape), expected, atol=1e-12)
    assert render(centres, 1.5, shape).sum() == pytest.approx(5, rel=1e-6)


def test_a_projection_is_the_density_summed_along_z():
    species = random_complex(16, "C2", seed=1)
    rotation = random_rotations(1, np.random.default_rng(0))[0]
    turned = Complex(species.centres @ rotation.T, species.sigma, species.mass)
    volume = turned.density((24, 25, 26), (11.5, 12.0, 13.0))
    projection = species.projection((25, 26), (12.0, 13.0), rotation)
    np.testing.assert_allclose(volume.sum(axis=0), projection, atol=1e-3 * projection.max())


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_the_complex_fills_its_diameter_and_is_centred(symmetry):
    species = random_complex(60, symmetry, seed=3)
    reach = np.linalg.norm(species.centres, axis=1).max() + species.sigma
    assert reach == pytest.approx(30)
    np.testing.assert_allclose(species.centres.mean(axis=0), 0, atol=1e-9)
    assert species.mass * len(species.centres) == pytest.approx(np.pi * 30**2)


@pytest.mark.parametrize(("symmetry", "order"), SYMMETRIES.items())
def test_the_point_group_maps_the_complex_onto_itself(symmetry, order):
    operations = point_group(symmetry)
    assert len(operations) == order
    species = random_complex(60, symmetry, seed=3)
    volume = species.density((8, 8, 8), np.full(3, 3.5))
    for operation in operations:
        assert np.linalg.det(operation) == pytest.approx(1)
        turned = Complex(species.centres @ operation.T, species.sigma, species.mass)
        np.testing.assert_allclose(turned.density((8, 8, 8), np.full(3, 3.5)), volume, atol=1e-9)


def test_cyclic_symmetry_is_about_z():
    for operation in point_group("C4"):
        np.testing.assert_allclose(operation @ [1, 0, 0], [1, 0, 0], atol=1e-12)


def test_same_seed_same_structure_at_any_diameter():
    small, large = (random_complex(d, "D2", seed=5) for d in (20, 60))
    np.testing.assert_allclose(3 * small.centres, large.centres)
    assert not np.allclose(random_complex(60, "D2", seed=6).centres, large.centres)


@pytest.mark.parametrize("symmetry", ["", "C0", "X2", "d2", "C-1"])
def test_an_unknown_symmetry_is_refused(symmetry):
    with pytest.raises(InputError, match="symmetry"):
        random_complex(60, symmetry, seed=0)


def test_random_rotations_are_proper_and_even():
    rotations = random_rotations(2000, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.det(rotations), 1)
    np.testing.assert_allclose(rotations.mean(axis=0), 0, atol=0.06)
    assert random_rotations(0, np.random.default_rng(0)).shape == (0, 3, 3)

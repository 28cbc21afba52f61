import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_cryoml.features import rotation_invariant

SIDE = 24


def _phantom(matrix: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Return a few blobs, turned by a matrix of as many axes."""
    ndim = len(matrix)
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(*[np.arange(side) - side // 2.0] * ndim, indexing="ij"), -1)
    image = np.zeros(grid.shape[:-1])
    for _ in range(8):
        centre, width = rng.uniform(-0.25 * side, 0.25 * side, ndim), rng.uniform(1.5, 2.5)
        image += np.exp(-((grid - matrix @ centre) ** 2).sum(-1) / 2 / width**2)
    return image


def _turns(ndim: int) -> list[np.ndarray]:
    if ndim == 2:
        angles = (0.3, 2.0, 4.4)
        return [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in angles]
    return list(Rotation.random(3, random_state=0).as_matrix())


@pytest.mark.parametrize("across", [0, 3])
@pytest.mark.parametrize("ndim", [2, 3])
def test_a_turned_phantom_has_the_same_features(ndim: int, across: int) -> None:
    still = rotation_invariant(_phantom(np.eye(ndim))[None], 10, 8, across)[0]
    other = rotation_invariant(_phantom(np.eye(ndim))[None] ** 2, 10, 8, across)[0]

    def cosine(features: np.ndarray) -> float:
        return float(features @ still / np.linalg.norm(features) / np.linalg.norm(still))

    turned = [rotation_invariant(_phantom(turn)[None], 10, 8, across)[0] for turn in _turns(ndim)]
    assert min(cosine(features) for features in turned) > (0.995 if across else 0.999)
    assert cosine(other) < 0.99


@pytest.mark.parametrize("shape", [(15, 15), (16, 14), (12, 13, 14)])
def test_shape_and_contrast(shape: tuple[int, ...]) -> None:
    crops = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    features = rotation_invariant(crops, 5, 4)
    assert features.shape == (3, 25)
    assert features.dtype == np.float32
    assert np.allclose(rotation_invariant(7 * crops - 3, 5, 4), features, atol=1e-3)


def test_degree_0_is_the_mean_of_a_shell_with_its_sign() -> None:
    distance = np.linalg.norm(np.indices((21, 21, 21)) - 10, axis=0)
    bright = rotation_invariant((distance < 4).astype(float)[None], 5, 3)[0]
    dark = rotation_invariant(-(distance < 4).astype(float)[None], 5, 3)[0]
    assert bright[0] > 0 > bright[4]
    assert np.allclose(bright[:5], -dark[:5], atol=1e-4)
    # A ball has nothing of higher degree but what the grid brings in.
    assert np.abs(bright[5:]).max() < 0.15 * np.abs(bright[:5]).max()


def test_shells_that_are_turned_against_each_other_differ_in_their_products_alone() -> None:
    near, far = np.zeros((2, 25, 25, 25))
    near[12, 12, 16] = 1
    far[12, 12, 22] = 1
    along, across = near + far, near + far.swapaxes(1, 2)
    power = rotation_invariant(np.stack([along, across]), 5, 2)
    np.testing.assert_allclose(power[0], power[1], atol=1e-3)
    products = rotation_invariant(np.stack([along, across]), 5, 2, 4)[:, power.shape[1] :]
    assert products.shape == (2, 2 * 10)
    assert np.abs(products[0] - products[1]).max() > 1


def test_noise_has_power_but_no_products_of_shells_that_lie_apart() -> None:
    noise = np.random.default_rng(0).normal(size=(200, 17, 17, 17)).astype(np.float32)
    found = rotation_invariant(noise, 6, 3, 5)
    power, products = found[:, :24], found[:, 24:].reshape(200, 15, 3)
    pairs = [(a, b) for a in range(6) for b in range(a + 1, 6)]
    apart = [number for number, (a, b) in enumerate(pairs) if b - a > 1]
    assert power[:, 6:].mean() > 0.8
    assert np.abs((np.sign(products) * products**2).mean(axis=0)[apart]).max() < 0.3


def test_what_is_not_finite_has_no_features_and_a_flat_crop_none_of_note() -> None:
    crops = np.ones((2, 9, 9, 9), np.float32)
    crops[0, 4, 4, 4] = np.nan
    features = rotation_invariant(crops, 3, 2)
    assert np.isnan(features[0]).all()
    assert not features[1].any()


def test_no_crops_have_no_features() -> None:
    assert rotation_invariant(np.zeros((0, 8, 8, 8), np.float32), 3, 2).shape == (0, 9)

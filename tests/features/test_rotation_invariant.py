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


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_turned_phantom_has_the_same_features(ndim: int) -> None:
    still = rotation_invariant(_phantom(np.eye(ndim))[None], 10, 8)[0]
    other = rotation_invariant(_phantom(np.eye(ndim))[None] ** 2, 10, 8)[0]

    def cosine(features: np.ndarray) -> float:
        return float(features @ still / np.linalg.norm(features) / np.linalg.norm(still))

    turned = [rotation_invariant(_phantom(turn)[None], 10, 8)[0] for turn in _turns(ndim)]
    assert min(cosine(features) for features in turned) > 0.999
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


def test_what_is_not_finite_has_no_features_and_a_flat_crop_none_of_note() -> None:
    crops = np.ones((2, 9, 9, 9), np.float32)
    crops[0, 4, 4, 4] = np.nan
    features = rotation_invariant(crops, 3, 2)
    assert np.isnan(features[0]).all()
    assert not features[1].any()


def test_no_crops_have_no_features() -> None:
    assert rotation_invariant(np.zeros((0, 8, 8, 8), np.float32), 3, 2).shape == (0, 9)

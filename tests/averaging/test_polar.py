import numpy as np
import pytest

from napari_cryoml.averaging._mask import soft_mask
from napari_cryoml.averaging._polar import PolarGrid, whole_circle
from napari_cryoml.averaging._poses import Poses, placed, turns


def smooth_images(n, shape=(40, 40), seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.indices(shape)
    images = np.zeros((n, *shape))
    for image in images:
        for _ in range(6):
            cy, cx = np.array(shape) / 2 + rng.uniform(-7, 7, 2)
            image += rng.normal() * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 8)
    return (images * soft_mask(shape)).astype(np.float32)


def plain_samples(images, grid):
    """Return the Fourier sums one by one."""
    ky, kx = grid.frequencies
    y, x = (np.arange(size) - size // 2 for size in images.shape[1:])
    out = np.zeros((len(images), *ky.shape), complex)
    for place in np.ndindex(ky.shape):
        wave = np.exp(-2j * np.pi * (ky[place] * y[:, None] + kx[place] * x[None]))
        out[:, place[0], place[1]] = (images * wave).sum(axis=(1, 2))
    return out


@pytest.mark.parametrize("shape", [(40, 40), (39, 39), (40, 52)])
def test_samples_are_those_of_the_plain_sum(shape):
    grid = PolarGrid(min(shape), 6, 24)
    images = smooth_images(2, shape)
    expected = plain_samples(images, grid)
    assert grid.samples(images) == pytest.approx(expected, abs=2e-3 * float(np.abs(expected).max()))


def test_the_other_half_of_the_circle_is_the_complex_conjugate():
    grid = PolarGrid(40, 5, 16)
    images = smooth_images(1)
    opposite = images[:, ::-1, ::-1]
    opposite = np.roll(opposite, (1, 1), axis=(1, 2))  # about pixel 20, the centre
    whole = whole_circle(grid.samples(images))
    turned = whole_circle(grid.samples(np.ascontiguousarray(opposite)))
    assert np.roll(whole, 8, axis=2) == pytest.approx(
        turned, abs=0.005 * float(np.abs(whole).max())
    )


def test_a_turn_by_one_sample_is_a_roll_by_one():
    grid = PolarGrid(40, 5, 24)
    images = smooth_images(1)
    turned = placed(images, Poses(turns([grid.step_rad]), np.zeros((1, 2))))
    whole, other = (whole_circle(grid.samples(each)) for each in (images, turned))
    assert np.roll(whole, 1, axis=2) == pytest.approx(other, abs=0.03 * float(np.abs(whole).max()))


def test_a_shift_is_a_phase():
    grid = PolarGrid(40, 6, 24)
    images = smooth_images(1)
    moved = np.roll(images, (2, -3), axis=(1, 2))
    expected = grid.samples(images) * grid.phases(np.array([[2.0, -3.0]]))[0]
    found = grid.samples(moved)
    assert found == pytest.approx(expected, abs=0.02 * float(np.abs(expected).max()))


def test_weights_count_the_coefficients_of_half_the_plane():
    grid = PolarGrid(64, 10, 60)
    area = np.pi * 10.5**2 / 2
    assert (grid.weights * 30).sum() == pytest.approx(area, rel=0.02)

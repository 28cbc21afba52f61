"""A diameter far from that of what was clicked is noticed; a plausible one is left alone."""

import warnings
from functools import cache

import numpy as np
import pytest

from napari_cryoml.picking.live._scale import propose_diameter
from napari_cryoml.simulate import MicrographConfig, simulate_micrograph

DIAMETER = 24.0


@cache
def balls(shape: tuple[int, ...], seed: int = 0, contrast: float = -1.5):
    """Return dark balls of diameter 24, thinner outside, in noise of deviation 1; their centres."""
    rng = np.random.default_rng(seed)
    grids = [np.arange(30, size - 29, 60) for size in shape]
    centres = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1).reshape(-1, len(shape))
    centres = rng.permutation(centres)[: max(len(centres) // 2, 3)]
    ball = sum(axis**2 for axis in np.ogrid[(slice(-13, 14),) * len(shape)])
    image = rng.standard_normal(shape)
    for centre in centres:
        box = tuple(slice(c - 13, c + 14) for c in centre)
        image[box] += contrast * np.maximum(1 - 4 * ball / DIAMETER**2, 0)
    return image.astype(np.float32), centres.astype(float)


@pytest.mark.parametrize("shape", [(480, 480), (180, 180, 180)])
@pytest.mark.parametrize("factor", [1 / 5, 1 / 4, 4])
def test_a_diameter_far_off_is_noticed(shape, factor):
    image, centres = balls(shape)
    found = propose_diameter(image, centres, DIAMETER * factor)
    assert found is not None
    assert DIAMETER / 1.6 < found < DIAMETER * 1.6


@pytest.mark.parametrize("shape", [(480, 480), (180, 180, 180)])
@pytest.mark.parametrize("factor", [1 / 1.5, 0.8, 1, 1.25, 1.8])
def test_a_plausible_diameter_is_left_alone(shape, factor):
    image, centres = balls(shape)
    assert propose_diameter(image, centres, DIAMETER * factor) is None


def test_bright_particles_are_as_good_as_dark_ones():
    image, centres = balls((480, 480))
    dark = propose_diameter(image, centres, 5 * DIAMETER)
    assert dark == propose_diameter(-image, centres, 5 * DIAMETER)


def test_offset_and_scale_of_intensities_do_not_matter():
    image, centres = balls((480, 480))
    counts = (1000 + 50 * image.astype(np.float64)).astype(np.float32)
    expected = propose_diameter(image, centres, 5 * DIAMETER)
    assert propose_diameter(counts, centres, 5 * DIAMETER) == expected


@pytest.mark.parametrize("factor", [0.2, 1, 5])
def test_clicks_on_noise_are_no_evidence(factor):
    image, _ = balls((480, 480), contrast=0)
    clicks = np.random.default_rng(1).uniform(0, 479, (6, 2))
    assert propose_diameter(image, clicks, DIAMETER * factor) is None


def test_clicks_outside_and_too_few_clicks_are_no_evidence():
    image, centres = balls((480, 480))
    outside = centres[:8] + np.array([480, 0])
    assert propose_diameter(image, centres[:2], 5 * DIAMETER) is None
    assert propose_diameter(image, np.concatenate([centres[:2], outside]), 5 * DIAMETER) is None
    assert propose_diameter(image, np.empty((0, 2)), 5 * DIAMETER) is None
    assert propose_diameter(image, np.full((5, 2), np.nan), 5 * DIAMETER) is None


def test_some_broken_pixels_do_not_hide_the_size():
    image, centres = balls((480, 480))
    image, rng = image.copy(), np.random.default_rng(2)
    image[tuple(rng.integers(0, 480, (2, 30)))] = np.nan
    image[tuple(rng.integers(0, 480, (2, 30)))] = 1e6
    found = propose_diameter(image, centres, 5 * DIAMETER)
    assert found is not None
    assert DIAMETER / 1.6 < found < DIAMETER * 1.6


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_image_of_one_value_is_no_evidence(value):
    image = np.full((200, 200), value, np.float32)
    clicks = np.random.default_rng(0).uniform(20, 180, (5, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert propose_diameter(image, clicks, 30.0) is None


@pytest.mark.parametrize("shape", [(9, 9), (1, 200), (2, 60, 60)])
def test_an_image_that_allows_no_ladder_is_no_evidence(shape):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert propose_diameter(image, np.zeros((4, len(shape))), 5.0) is None


def clicked_micrograph(seed: int, snr: float = 0.05):
    """Return pixels, three clicks near particles, and the diameter."""
    rng = np.random.default_rng(seed)
    diameter = float(rng.uniform(20, 60))
    config = MicrographConfig(
        shape=(420, 420),
        diameter=diameter,
        pixel_size=float(rng.uniform(80, 320)) / diameter,
        n_particles=12,
        snr=snr,
        symmetry=str(rng.choice(["C1", "C2", "D2", "C4", "D7"])),
        structure=seed,
    )
    micrograph = simulate_micrograph(config, seed)
    clicks = rng.permutation(micrograph.picks.positions)[:3]
    return micrograph.image, clicks + rng.normal(0, 0.08 * diameter, clicks.shape), diameter


@pytest.mark.parametrize("seed", range(10))
def test_faint_micrographs_give_no_false_alarm(seed):
    image, clicks, diameter = clicked_micrograph(seed)
    assert propose_diameter(image, clicks, diameter) is None


@pytest.mark.slow
def test_false_alarms_are_rare():
    alarms = 0
    for seed in range(200):
        image, clicks, diameter = clicked_micrograph(seed)
        alarms += propose_diameter(image, clicks, diameter) is not None
    assert alarms <= 4

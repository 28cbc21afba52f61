import numpy as np
import pytest
from tests.averaging.phantoms import SIDE, particle

from napari_cryoml.averaging import masked_correlation, shell_correlation
from napari_cryoml.averaging._mask import soft_mask
from napari_cryoml.averaging._masked_correlation import _randomised

TIGHT = soft_mask((SIDE,) * 3, 8)


def halves(noise, seed=0):
    rng = np.random.default_rng(seed)
    return [particle() + noise * rng.normal(size=(SIDE,) * 3).astype(np.float32) for _ in range(2)]


def test_random_phases_leave_amplitudes_and_what_is_coarse_as_they_were():
    box = np.random.default_rng(0).normal(size=(1, SIDE, SIDE, SIDE)).astype(np.float32)
    found = np.fft.rfftn(_randomised(box, 0.2, 0)[0])
    was = np.fft.rfftn(box[0])
    z, y = np.meshgrid(*[np.fft.fftfreq(SIDE)] * 2, indexing="ij")
    x = np.fft.rfftfreq(SIDE)
    radius = np.sqrt(z[..., None] ** 2 + y[..., None] ** 2 + x**2)
    assert found[radius < 0.19] == pytest.approx(was[radius < 0.19], abs=1e-2)
    inside = (radius > 0.21) & (x > 0) & (x < 0.5)
    assert np.abs(found[inside]) == pytest.approx(np.abs(was[inside]), abs=1e-2)
    assert np.abs(np.angle(found[inside] / was[inside])).mean() > 1


def test_a_sharp_mask_makes_noise_agree_and_the_correction_takes_that_away():
    sharp = (TIGHT > 0.5).astype(np.float32)
    found = masked_correlation(*halves(0.1), sharp)
    far = slice(max(found.first + 2, 6), None)
    plain, corrected = found.masked.values[far], found.corrected.values[far]
    assert found.randomised.values[far].mean() > 0.1
    assert corrected.mean() < plain.mean() - 0.1


def test_below_the_first_random_shell_nothing_is_corrected():
    found = masked_correlation(*halves(0.3), soft_mask((SIDE,) * 3), pixel_size=2.0)
    upto = found.first + 2
    assert (found.corrected.values[:upto] == found.masked.values[:upto]).all()
    by_mask = np.maximum(found.randomised.values[upto:], 0)
    expected = (found.masked.values[upto:] - by_mask) / (1 - by_mask)
    assert found.corrected.values[upto:] == pytest.approx(expected)
    plain = shell_correlation(*halves(0.3), mask=np.ones((SIDE,) * 3), pixel_size=2.0)
    assert found.unmasked.values == pytest.approx(plain.values)
    assert found.corrected.pixel_size == 2.0


def test_halves_that_agree_on_all_shells_need_no_correction():
    box = particle() + np.random.default_rng(0).normal(size=(SIDE,) * 3).astype(np.float32)
    found = masked_correlation(box, box, TIGHT)
    assert found.corrected.values == pytest.approx(np.ones(SIDE // 2 + 1))


def test_the_same_seed_gives_the_same_curve():
    one, two = (masked_correlation(*halves(0.3), TIGHT, seed=3) for _ in range(2))
    assert (one.corrected.values == two.corrected.values).all()

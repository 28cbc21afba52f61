import numpy as np
import pytest
from scipy import fft

from napari_cryoml.simulate import ctf
from napari_cryoml.simulate._optics import coloured_noise, electron_wavelength, transfer


@pytest.mark.parametrize(
    ("kilovolts", "angstrom"), [(100, 0.03701), (200, 0.02508), (300, 0.01969)]
)
def test_wavelengths_are_those_of_the_tables(kilovolts, angstrom):
    assert electron_wavelength(kilovolts) == pytest.approx(angstrom, rel=1e-3)


def test_zero_frequency_shows_amplitude_contrast_alone_and_matter_is_dark():
    assert ctf((16, 16), 2.0, 1.5, amplitude_contrast=0.07)[0, 0] == pytest.approx(-0.07)
    assert ctf((256, 256), 2.0, 1.5)[0, :20].max() < 0


def test_the_first_zero_lies_where_the_phase_shift_is_pi():
    defocus_angstrom, wavelength, size, pixel = 2e4, electron_wavelength(300), 4096, 1.0
    row = ctf((4, size), pixel, 2.0, amplitude_contrast=0.0, cs_mm=0.0)[0]
    first = np.flatnonzero(np.diff(np.sign(row[1:])))[0] + 1
    frequency = 1 / np.sqrt(wavelength * defocus_angstrom)
    assert first / (size * pixel) == pytest.approx(frequency, abs=1.5 / size)


def test_spherical_aberration_works_against_underfocus():
    wavelength, k = electron_wavelength(300), 0.2
    size = 20
    expected = -np.sin(np.pi * wavelength * 1e4 * k**2 - np.pi / 2 * 2.7e7 * wavelength**3 * k**4)
    row = ctf((4, size), 1.0, 1.0, cs_mm=2.7, amplitude_contrast=0.0)[0]
    assert row[round(k * size)] == pytest.approx(expected, abs=1e-9)


def test_the_envelope_damps():
    plain, damped = (ctf((32, 32), 2.0, 1.5, b_factor=b) for b in (0.0, 100.0))
    k2 = fft.rfftfreq(32)[-1] ** 2 / 4
    assert damped[0, -1] / plain[0, -1] == pytest.approx(np.exp(-100 * k2 / 4))


@pytest.mark.parametrize("shape", [(16, 16), (15, 18), (16, 17)])
def test_transfer_by_one_changes_nothing(shape):
    image = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_allclose(transfer(image, np.ones((shape[0], shape[1] // 2 + 1))), image)


def test_coloured_noise_is_standard_and_smooth():
    noise = coloured_noise((128, 130), 5.0, np.random.default_rng(0))
    assert noise.mean() == pytest.approx(0, abs=1e-9)
    assert noise.std() == pytest.approx(1)
    neighbours = np.mean(noise[:, 1:] * noise[:, :-1])
    assert neighbours > 0.5
    white = coloured_noise((128, 130), 0.0, np.random.default_rng(0))
    assert abs(np.mean(white[:, 1:] * white[:, :-1])) < 0.05

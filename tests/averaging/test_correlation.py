import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import ShellCorrelation, shell_correlation

SHAPES = [(32, 32), (24, 36), (33, 33), (16, 16, 16), (12, 14, 16)]


def plain_ring_correlation(a, b, ring):
    """Return the correlation of the coefficients nearest to one ring, without any weights."""
    fa, fb = np.fft.fft2(a - a.mean()), np.fft.fft2(b - b.mean())
    y, x = np.meshgrid(np.fft.fftfreq(a.shape[0]), np.fft.fftfreq(a.shape[1]), indexing="ij")
    on = np.abs(np.hypot(y, x) * a.shape[0] - ring) < 1e-9
    return (fa[on] * fb[on].conj()).sum().real / np.sqrt(
        (np.abs(fa[on]) ** 2).sum() * (np.abs(fb[on]) ** 2).sum()
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_an_image_correlates_fully_with_itself_and_against_its_negative(shape):
    image = np.random.default_rng(0).normal(size=shape) + 100
    assert shell_correlation(image, image).values == pytest.approx(1, abs=1e-6)
    other = shell_correlation(image, 3 - 2 * image)
    assert other.values[1:] == pytest.approx(-1, abs=1e-6)


@pytest.mark.parametrize("shape", [(128, 128), (32, 32, 32)])
def test_independent_noise_correlates_by_nothing(shape):
    rng = np.random.default_rng(1)
    found = shell_correlation(rng.normal(size=shape), rng.normal(size=shape))
    outer = found.n > 40
    assert outer.any()
    assert abs(found.values[outer].mean()) < 0.05
    assert np.abs(found.values[outer]).max() < 5 / np.sqrt(found.n[outer].min())


@pytest.mark.parametrize("snr", [0.5, 1.0, 4.0])
def test_signal_in_noise_correlates_by_its_share_of_the_power(snr):
    rng = np.random.default_rng(2)
    signal = np.sqrt(snr) * rng.normal(size=(256, 256))
    a, b = (signal + rng.normal(size=signal.shape) for _ in range(2))
    found = shell_correlation(a, b)
    outer = found.n > 100
    expected = snr / (1 + snr)
    assert found.values[outer].mean() == pytest.approx(expected, abs=0.02)


def test_the_innermost_ring_is_that_of_a_plain_sum_where_no_others_weigh_in():
    # Between the first ring and the second there is a coefficient, (1, 1): without it.
    rng = np.random.default_rng(3)
    spectrum = np.zeros((2, 16, 16), complex)
    for image in spectrum:
        for place in ((0, 1), (1, 0)):
            image[place] = rng.normal() + 1j * rng.normal()
            image[tuple(-np.array(place))] = image[place].conj()
    a, b = np.fft.ifft2(spectrum).real
    found = shell_correlation(a, b, mask=np.ones((16, 16)))
    assert found.values[1] == pytest.approx(plain_ring_correlation(a, b, 1), abs=1e-5)


def test_what_lies_outside_the_mask_does_not_count():
    rng = np.random.default_rng(4)
    a = rng.normal(size=(32, 32))
    b = a.copy()
    b[:3] += 50 * rng.normal(size=(3, 32))
    mask = np.zeros((32, 32))
    mask[5:27, 5:27] = 1
    assert shell_correlation(a, b, mask=mask).values == pytest.approx(1, abs=1e-6)
    assert shell_correlation(a, b, mask=np.ones_like(mask)).values[8:].max() < 0.9


def test_even_images_have_no_shells_that_agree():
    found = shell_correlation(np.ones((16, 16)), np.ones((16, 16)))
    assert found.values[0] == 1
    assert not found.values[1:].any()


@pytest.mark.parametrize("shape", [(8, 8), (9, 9), (8, 8, 8)])
def test_each_pair_of_mirrored_coefficients_is_counted_once(shape):
    n = shell_correlation(np.zeros(shape), np.zeros(shape)).n
    assert n[0] == 1
    assert n[1] >= len(shape)
    assert n.sum() <= np.prod(shape) // 2 + len(n)


class TestResolution:
    @pytest.fixture
    def falling(self):
        frequency = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5])
        values = np.array([1, 0.9, 0.7, 0.3, 0.1, 0.6])
        return ShellCorrelation(frequency, values, np.ones(6, int))

    def test_is_interpolated_between_shells(self, falling):
        assert falling.resolution(0.5) == pytest.approx(1 / 0.25)
        assert falling.resolution(0.2) == pytest.approx(1 / 0.35)

    def test_is_that_of_the_first_fall_though_the_curve_rises_again(self, falling):
        assert falling.resolution() == pytest.approx(1 / (0.3 + 0.1 * (0.3 - 0.143) / 0.2))

    def test_is_in_angstrom_with_a_pixel_size(self, falling):
        scaled = ShellCorrelation(falling.frequency, falling.values, falling.n, pixel_size=2.5)
        assert scaled.resolution(0.5) == pytest.approx(10)
        assert scaled.in_words(0.5) == "10.0 Å"
        assert falling.in_words(0.5) == "4.0 px"

    def test_is_none_for_curves_that_stay_above_or_below(self, falling):
        assert falling.resolution(0.05) is None
        assert falling.in_words(0.05) == "finer than 2.0 px"
        assert falling.resolution(0.95) is None
        assert falling.in_words(0.95) == "none"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.zeros((8, 8)), np.zeros((8, 9))),
        (np.zeros(8), np.zeros(8)),
        (np.zeros((2, 2)), np.zeros((2, 2))),
        (np.zeros((8, 8, 8, 8)), np.zeros((8, 8, 8, 8))),
    ],
)
def test_shapes_that_do_not_fit_are_named(a, b):
    with pytest.raises(InputError, match="one shape"):
        shell_correlation(a, b)


def test_pixels_that_are_no_numbers_are_refused():
    image = np.zeros((8, 8))
    image[3, 3] = np.nan
    with pytest.raises(InputError, match="no numbers"):
        shell_correlation(image, np.zeros((8, 8)))

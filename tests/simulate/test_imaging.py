import numpy as np
import pytest
from scipy import fft

from napari_cryoml.data import MissingWedge, grid_frequencies
from napari_cryoml.simulate import random_rotations
from napari_cryoml.simulate._central_slices import PADDING, SlicedMap, tilt_planes
from napari_cryoml.simulate._density import render
from napari_cryoml.simulate._density_maps import boxed
from napari_cryoml.simulate._imaging import Imaging, Poses
from napari_cryoml.simulate._inversion import FourierInversion, cubic_taps
from napari_cryoml.simulate._tilt_series import TiltSeriesConfig

BOX = 24
PLAIN = TiltSeriesConfig(snr=None, ctf=False, mtf=False)
UNTURNED = np.eye(3)
OFFSETS = np.array([[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, -3.0, 4.0]])


def blobs(rotation=UNTURNED, shift=(0.0, 0.0, 0.0), sigma=1.5):
    """Four Gaussians that no turn brings onto each other."""
    centres = OFFSETS @ np.transpose(rotation) + BOX // 2 + np.asarray(shift)
    return render(centres, sigma, (BOX,) * 3).astype(np.float32)


def correlation(first, second):
    return np.corrcoef(first.ravel(), second.ravel())[0, 1]


def test_a_slice_of_the_spectrum_is_the_projection_of_the_turned_blob():
    rng = np.random.default_rng(0)
    rotation, shift = random_rotations(1, rng), np.array([[1.5, -2.0, 0.7]])
    tilts = np.array([-50.0, 0.0, 35.0])
    spectra = SlicedMap(blobs()).projections(rotation, shift, tilts)[0]
    images = fft.fftshift(fft.irfft2(spectra), axes=(1, 2))
    size = PADDING * BOX
    for image, plane in zip(images, tilt_planes(tilts), strict=True):
        # What lies at p in the specimen is seen at the yx of plane^T p.
        places = (OFFSETS @ rotation[0].T + shift) @ plane
        expected = render(places[:, 1:] + size // 2, 1.5, (size, size))
        np.testing.assert_allclose(image, expected, atol=0.02 * expected.max())


def test_a_positive_tilt_brings_positive_x_to_positive_z():
    plane = tilt_planes(np.array([90.0]))[0]
    np.testing.assert_allclose(plane @ [0, 0, 1], [1, 0, 0], atol=1e-12)
    k = tilt_planes(np.array([30.0]))[0] @ [0, 0.1, 0.2]
    assert MissingWedge(29.9, 30.1).measured(k)
    assert not MissingWedge(-31, -29).measured(k)


@pytest.mark.parametrize(("low", "high"), [(-60.0, 60.0), (-20.0, 70.0)])
@pytest.mark.parametrize("rotate", [False, True])
def test_the_reconstruction_is_the_turned_blob_without_the_wedge(rotate, low, high):
    rotation = random_rotations(1, np.random.default_rng(1)) if rotate else UNTURNED[None]
    shift = np.array([[1.0, -2.0, 2.0]])
    config = PLAIN.model_copy(update={"tilt_min": low, "tilt_max": high, "tilt_step": 2.0})
    made = Imaging([blobs()], config, BOX)
    box = made.boxes(Poses(np.zeros(1, int), rotation, shift), np.zeros(1, int), 1, [])[0]
    field = boxed(blobs(rotation[0], shift[0]), 2 * BOX)
    seen = fft.ifftn(fft.fftn(field) * config.wedge.mask(field.shape)).real
    assert correlation(box, boxed(seen, BOX)) > 0.99


@pytest.mark.parametrize(("low", "high"), [(-60.0, 60.0), (-30.0, 60.0)])
def test_the_missing_wedge_is_empty_and_the_rest_is_not(low, high):
    config = PLAIN.model_copy(update={"tilt_min": low, "tilt_max": high})
    size = PADDING * BOX
    inversion = FourierInversion(size, config.tilts)
    filled = (np.abs(inversion.operator).sum(axis=1) > 0).reshape(size, -1)
    measured = config.wedge.mask((size, 1, size))[:, 0, : size // 2 + 1]
    z, x = np.meshgrid(fft.fftfreq(size), fft.rfftfreq(size), indexing="ij")
    inside = np.hypot(z, x) <= 0.5 - 1 / size
    np.testing.assert_array_equal(filled, measured & inside)
    noise = np.random.default_rng(0).standard_normal((4, len(config.tilts), size, size))
    boxes = inversion.volumes(fft.rfft2(noise), BOX)
    power = (np.abs(fft.fftn(boxes, axes=(1, 2, 3))) ** 2).mean(axis=0)
    k = np.linalg.norm(grid_frequencies(boxes.shape[1:]), axis=-1)
    band = (k > 0.15) & (k < 0.45)
    wedge = config.wedge.mask(boxes.shape[1:])
    assert power[band & ~wedge].mean() < 0.1 * power[band & wedge].mean()


def test_noise_is_even_over_the_box():
    size = PADDING * BOX
    config = PLAIN
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((20, len(config.tilts), size, size), dtype=np.float32)
    boxes = FourierInversion(size, config.tilts).volumes(fft.rfft2(noise), BOX)
    for axis in (1, 2, 3):
        others = tuple({0, 1, 2, 3} - {axis})
        np.testing.assert_allclose(boxes.var(axis=others), boxes.var(), rtol=0.12)


def test_the_tilts_run_from_end_to_end():
    config = TiltSeriesConfig(tilt_max=40, tilt_step=3)
    assert (config.tilts[0], config.tilts[-1], len(config.tilts)) == (-40, 40, 28)
    assert config.wedge == MissingWedge(-40, 40)
    with pytest.raises(ValueError, match="tilt_min must be less"):
        TiltSeriesConfig(tilt_min=50, tilt_max=40)


def test_cubic_convolution_keeps_samples_and_parabolas():
    np.testing.assert_allclose(cubic_taps(np.array([0.0])), [[0, 1, 0, 0]], atol=1e-12)
    beyond = np.linspace(0, 1, 5)
    parabola = (np.arange(4.0) - 1) ** 2
    np.testing.assert_allclose(cubic_taps(beyond) @ parabola, beyond**2, atol=1e-12)


def test_dark_turns_the_sign_and_nothing_else():
    pose = Poses(np.zeros(1, int), np.eye(3)[None], np.zeros((1, 3)))
    bright, dark = (
        Imaging([blobs()], TiltSeriesConfig(snr=None, dark=dark), BOX).boxes(
            pose, np.zeros(1, int), 1, []
        )
        for dark in (False, True)
    )
    np.testing.assert_allclose(bright, -dark, atol=1e-5)
    assert bright[0, BOX // 2, BOX // 2, BOX // 2] > 0

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from tests.averaging.phantoms import SIDE, WEDGE, particle

from napari_cryoml.averaging._band import Band
from napari_cryoml.averaging._transform import Transforms, turned, waves

CPU = torch.device("cpu")


def tensor(array):
    return torch.as_tensor(np.asarray(array, np.float32))


@pytest.mark.parametrize("side", [16, 17])
def test_at_whole_frequencies_it_is_the_discrete_transform(side):
    box = np.random.default_rng(0).normal(size=(side,) * 3)
    band = Band(side, 0.5, side // 2 - 1, None, CPU)
    centred = np.fft.fftn(np.fft.ifftshift(box))
    z, y, x = band.frequencies.numpy().astype(int).T
    assert np.abs(band.spectra(box[None])[0].numpy() - centred[z, y, x]).max() < 1e-3
    smooth = particle(side=side)
    expected = np.fft.fftn(np.fft.ifftshift(smooth))[z, y, x]
    found = Transforms(tensor(smooth[None]), band.high).at(band.frequencies[None])[0].numpy()
    assert np.abs(found - expected).max() < 0.05 * np.abs(expected).max()


def test_a_turned_and_moved_particle_has_the_turned_and_moved_transform():
    rotations = Rotation.random(3, random_state=1).as_matrix()
    shifts = np.array([[0, 0, 0], [1.5, 0, -1], [0.3, 2, 1]])
    boxes = [particle(*pose) for pose in zip(rotations, shifts, strict=True)]
    band = Band(SIDE, 0.5, 6, None, CPU)
    expected = band.spectra(np.array(boxes))
    reference = Transforms(tensor(particle()[None]), 6.0)
    found = reference.at(turned(band.frequencies, tensor(rotations)))
    found = found * waves(band.frequencies, tensor(shifts), SIDE)
    assert (found - expected).abs().max() < 0.03 * expected.abs().max()


def test_many_volumes_are_each_asked_at_their_own_frequencies():
    boxes = tensor([particle(), particle(blobs="bent")])
    places = tensor(np.random.default_rng(0).uniform(-5, 5, (2, 7, 3)))
    both = Transforms(boxes, 6.0).at(places)
    for row in range(2):
        alone = Transforms(boxes[row : row + 1], 6.0).at(places[row : row + 1])
        assert torch.allclose(both[row : row + 1], alone, atol=1e-4)


def test_a_band_holds_one_of_each_pair_and_only_what_was_measured():
    band = Band(16, 1.5, 5, WEDGE, CPU)
    k = band.frequencies.numpy()
    radius = np.linalg.norm(k, axis=1)
    assert radius.min() >= 1.5
    assert radius.max() <= 5
    assert WEDGE.measured(k).all()
    pairs = {tuple(row) for row in k} | {tuple(-row) for row in k}
    assert len(pairs) == 2 * len(k)
    mask = WEDGE.mask((16, 16, 16))
    shells = np.linalg.norm(np.stack(np.meshgrid(*[np.fft.fftfreq(16, 1 / 16)] * 3), -1), axis=-1)
    assert len(pairs) == (mask & (shells >= 1.5) & (shells <= 5)).sum()


def test_means_over_shells():
    band = Band(16, 0.5, 5, None, CPU)
    radius = band.frequencies.norm(dim=1).round()[None]
    assert band.by_shell(radius).numpy() == pytest.approx(np.arange(1, 6)[None])

import numpy as np
import pytest

from napari_cryoml.averaging._alignment import whitened
from napari_cryoml.averaging._likelihood import (
    Reference,
    Search,
    improved,
    likeliest,
    random_reference,
    reference_of,
)
from napari_cryoml.averaging._polar import PolarGrid, whole_circle

GRID = PolarGrid(24, 4, 12)


def search(mirror=False, max_shift=3.0, share=0.5):
    return Search.within(GRID, max_shift, mirror=mirror, share=share)


def random_spectra(n, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n, GRID.n_rings, GRID.n_angles // 2)
    return ((rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)).astype(
        np.complex64
    )


def as_shown(spectrum, turn, shift, mirrored=False):
    """Return what an image (n_rings, n_angles / 2) shows of a reference on the whole circle."""
    if mirrored:
        spectrum = np.roll(spectrum[:, ::-1], 1, axis=1)
    turned = np.roll(spectrum, turn, axis=1)[:, : GRID.n_angles // 2]
    return turned * GRID.phases(np.array([shift]))[0]


def plain_round(spectra, reference, search):
    """Return the next spectrum before its filter, one image and one way after the other."""
    total = np.zeros((GRID.n_rings, GRID.n_angles), complex)
    for image in spectra:
        ways = []
        for mirrored in (False, True) if search.mirror else (False,):
            for turn in range(GRID.n_angles):
                for shift, prior in zip(search.shifts, search.log_prior, strict=True):
                    shown = as_shown(reference.spectrum, turn, shift, mirrored)
                    square = np.abs(image - shown) ** 2
                    weights = (GRID.weights / reference.variance)[:, None]
                    log = prior - search.share * (weights * square).sum()
                    back = whole_circle(image * GRID.phases(-shift[None])[0])
                    back = np.roll(back, -turn, axis=1)
                    ways.append((log, np.roll(back[:, ::-1], 1, axis=1) if mirrored else back))
        logs = np.array([log for log, _ in ways])
        share = np.exp(logs - logs.max())
        for weight, (_, back) in zip(share / share.sum(), ways, strict=True):
            total += weight * back
    return total / len(spectra)


@pytest.mark.parametrize("mirror", [False, True])
def test_a_round_is_that_of_the_plain_sums(mirror):
    spectra = random_spectra(3)
    ways = search(mirror)
    start = Reference(whole_circle(random_spectra(1, 9)[0] / 4), np.array([1.0, 0.8, 0.6, 0.9]))
    expected = plain_round(spectra, start, ways)
    found = improved(spectra, start, ways)
    power = np.square(np.abs(expected)).mean(axis=1)
    kept = np.maximum(1 - found.variance / 3 / power, 0)
    assert found.spectrum == pytest.approx(expected * kept[:, None], abs=1e-3)


def test_rounds_raise_the_likelihood_and_explain_the_signal():
    truth = whole_circle(random_spectra(1, 1)[0])
    rng = np.random.default_rng(2)
    spectra = np.stack([as_shown(truth, turn, (0, 0)) for turn in rng.integers(0, 12, 30)])
    spectra = whitened(spectra + random_spectra(30, 3))
    ways = search(share=1.0)
    reference = random_reference(spectra, ways, rng)
    found = []
    for _ in range(8):
        reference = improved(spectra, reference, ways)
        found.append(reference.log_likelihood)
    assert (np.diff(found) > 0).all()
    assert reference.variance == pytest.approx(0.5, abs=0.2)  # half of the power is noise


@pytest.mark.parametrize("mirror", [False, True])
def test_the_likeliest_way_is_the_true_one(mirror):
    truth = whole_circle(random_spectra(1, 4)[0])
    ways = search(mirror)
    shift = ways.shifts[2]
    image = as_shown(truth, 5, shift, mirror)
    turn, found = likeliest(image[None], Reference(truth, np.full(4, 0.1)), ways)
    assert turn[0] == (12 + 5 if mirror else 5)
    assert found[0] == pytest.approx(shift)


def test_the_mean_of_known_ways_is_the_reference():
    truth = whole_circle(random_spectra(1, 5)[0])
    ways = search(mirror=True)
    poses = [(3, (1.5, 0.0), False), (11, (0.0, -1.5), True), (0, (0.0, 0.0), False)]
    spectra = np.stack([as_shown(truth, *each) for each in poses])
    turn = np.array([each[0] + 12 * each[2] for each in poses])
    shift = np.array([each[1] for each in poses])
    assert reference_of(spectra, ways, turn, shift).spectrum == pytest.approx(truth, abs=1e-4)


def test_pure_noise_leaves_a_faint_reference():
    spectra = whitened(random_spectra(40, 6))
    reference = random_reference(spectra, search(), np.random.default_rng(0))
    for _ in range(5):
        reference = improved(spectra, reference, search())
    assert np.square(np.abs(reference.spectrum)).mean() < 0.4


def test_shifts_stay_within_reach_and_no_reach_is_one_place():
    far = search(max_shift=4.0)
    assert np.linalg.norm(far.shifts, axis=1).max() <= 4.0
    assert far.log_prior.max() == 0
    assert len(search(max_shift=0.0).shifts) == 1

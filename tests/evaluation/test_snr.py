import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import MissingWedge
from napari_cryoml.evaluation import posed_signal_to_noise, signal_to_noise
from napari_cryoml.jobs import run_inline
from napari_cryoml.simulate import (
    SubtomogramConfig,
    procedural_maps,
    random_rotations,
    simulate_subtomograms,
)


def pairs(shape, snr, n=40, seed=0):
    rng = np.random.default_rng(seed)
    signal = np.sqrt(snr) * rng.standard_normal((n, *shape))
    return signal + rng.standard_normal(signal.shape), signal + rng.standard_normal(signal.shape)


@pytest.mark.parametrize("shape", [(40, 42), (12, 13, 14)])
@pytest.mark.parametrize("snr", [1.0, 0.1])
def test_the_ratio_of_white_signal_in_white_noise(shape, snr):
    made = signal_to_noise(*pairs(shape, snr))
    assert made.low < snr < made.high
    assert made.value == pytest.approx(snr, rel=0.1)
    assert made.value == pytest.approx(made.pairs.mean())
    assert made.high - made.low < snr


def test_the_ratio_follows_from_the_correlation():
    first, second = pairs((10, 10), 1.0, n=1)
    rho = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert signal_to_noise(first, second).value == pytest.approx(rho / (1 - rho))


def test_only_the_region_counts():
    first, second = pairs((30, 30), 1.0)
    first[:, :15] = 7.0
    region = np.zeros((30, 30), bool)
    region[15:] = True
    assert signal_to_noise(first, second, region=region).value == pytest.approx(1, rel=0.15)
    assert signal_to_noise(first, second).value < 0.3


def test_what_only_one_has_measured_is_left_out():
    """Noise of another strength in the wedge must not tell."""
    first, second = pairs((14, 14, 14), 0.5)
    wedge = MissingWedge(-60, 60).mask((14, 14, 14))
    spoilt = np.fft.fftn(first, axes=(1, 2, 3)) * np.where(wedge, 1, 20)
    first = np.fft.ifftn(spoilt, axes=(1, 2, 3)).real
    made = signal_to_noise(first, second, measured=wedge)
    assert made.value == pytest.approx(0.5, rel=0.1)
    assert signal_to_noise(first, second).value < 0.3


def test_equal_images_have_no_noise_and_flat_ones_no_signal():
    first, second = pairs((8, 8), 1.0, n=2)
    assert signal_to_noise(first, first).value > 1e6
    assert signal_to_noise(first, np.zeros_like(second)).value == 0


def test_pairs_must_be_pairs():
    with pytest.raises(InputError, match=r"\(0, 4, 4\)"):
        signal_to_noise(np.empty((0, 4, 4)), np.empty((0, 4, 4)))
    with pytest.raises(InputError, match="two arrays of one shape"):
        signal_to_noise(np.ones((2, 4, 4)), np.ones((2, 4, 5)))


@pytest.mark.parametrize("snr", [0.5, 0.1, 0.05])
def test_simulated_subtomograms_have_the_wanted_ratio(snr):
    config = SubtomogramConfig(box=24, snr=snr)
    made = run_inline(simulate_subtomograms(procedural_maps(2, 24, 10.0), 40, config, seed=1))
    found = posed_signal_to_noise(
        made.crops.array[:, 0], made.rotations, made.shifts, made.wedge, labels=made.labels
    )
    assert len(found.pairs) == 40
    assert found.value == pytest.approx(snr, rel=0.2)


def test_turned_boxes_without_noise_are_alike_where_both_wedges_lie():
    config = SubtomogramConfig(box=24, snr=None)
    made = run_inline(simulate_subtomograms(procedural_maps(1, 24, 10.0), 8, config, seed=1))
    poses = made.rotations, made.shifts
    found = posed_signal_to_noise(made.crops.array[:, 0], *poses, made.wedge)
    assert found.pairs.min() > 5
    blind = posed_signal_to_noise(made.crops.array[:, 0], *poses, None)
    assert blind.value < found.value / 4


def test_nothing_agrees_under_wrong_poses():
    config = SubtomogramConfig(box=24, snr=1.0)
    made = run_inline(simulate_subtomograms(procedural_maps(1, 24, 10.0), 20, config, seed=1))
    wrong = random_rotations(20, np.random.default_rng(9))
    found = posed_signal_to_noise(made.crops.array[:, 0], wrong, made.shifts, made.wedge)
    assert found.value < 0.5


def test_a_class_needs_two():
    boxes = np.zeros((2, 8, 8, 8))
    poses = np.stack([np.eye(3)] * 2), np.zeros((2, 3))
    with pytest.raises(InputError, match="two subtomograms of one class"):
        posed_signal_to_noise(boxes, *poses, labels=[0, 1])
    with pytest.raises(InputError, match="a rotation"):
        posed_signal_to_noise(boxes, poses[0], np.zeros((3, 3)))

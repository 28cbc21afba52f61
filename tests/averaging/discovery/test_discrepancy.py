import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.averaging.phantoms import particle

from napari_cryoml.averaging import AlignConfig, ShellCorrelation, degrees_between
from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.averaging.discovery import Discrepancy, structural_discrepancy

QUICK = AlignConfig(angular_step=24, high=6)


def test_a_structure_agrees_with_itself_however_it_lies():
    turn = Rotation.from_rotvec([0.7, -0.4, 1.1]).as_matrix()
    moved = particle(turn, (1.0, -0.5, 0.5))
    found = structural_discrepancy(moved, particle(), pixel_size=10.0, config=QUICK)
    assert degrees_between(found.pose.rotations, turn[None])[0] < 6
    assert found.size < 50


def test_another_structure_differs_in_larger_features():
    same = structural_discrepancy(particle(), particle(), pixel_size=10.0, config=QUICK)
    shell = np.linalg.norm(np.indices(particle().shape) - 10, axis=0)
    hollow = np.exp(-np.square(shell - 6)).astype(np.float32)
    other = structural_discrepancy(hollow, particle(), pixel_size=10.0, config=QUICK)
    assert same.size == pytest.approx(20)
    assert other.size > 60


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ([1, 1, 1, 1, 1], 20.0),
        ([1, -1, 1, 1, 1], 20.0),
        ([1, 1, 0.1, 0.1, 0.1], float("inf")),
        ([1, 1, 0.9, 0.1, 0.1], 10.0 / 0.3125),
    ],
)
def test_the_size_is_where_the_correlation_falls(values, size):
    frequency = np.linspace(0, 0.5, 5)
    curve = ShellCorrelation(frequency, np.array(values, float), np.ones(5, np.int64), 10.0)
    assert Discrepancy(curve, RigidPoses.unmoved(1)).size == pytest.approx(size)

import numpy as np
import pytest

from napari_cryoml.averaging import ShellCorrelation
from napari_cryoml.cli._resolution import resolution_figures

FREQUENCY = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5])


@pytest.mark.parametrize(
    ("values", "pixel_size", "told"),
    [
        ([1, 0.9, 0.243, 0.043, 0, 0], None, (4.0, False, "px")),
        ([1, 0.9, 0.9, 0.8, 0.7, 0.6], 10.0, (20.0, True, "Å")),
        ([1, 0.1, 0.1, 0.1, 0, 0], 10.0, (None, False, "Å")),
    ],
)
def test_tells_a_resolution_its_bound_or_none(values, pixel_size, told):
    curve = ShellCorrelation(FREQUENCY, np.array(values), np.ones(6, int), pixel_size)
    found = resolution_figures(curve)
    assert (found["resolution"], found["resolution_is_bound"], found["unit"]) == pytest.approx(told)


def test_tells_nothing_without_halves():
    assert resolution_figures(None) == {"resolution": None, "resolution_is_bound": False}

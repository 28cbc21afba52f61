"""References that are as strong in each shell as it can be trusted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._volume import SubtomogramAverage

_LEAST_SHARE = 0.05
"""What is left of a shell on which the halves do not agree: none of it would leave no reference."""

Volume = npt.NDArray[np.float32]


def damped_halves(current: SubtomogramAverage) -> list[Volume]:
    """Return the halves of an average, each shell as strong as the halves agree on it."""
    if current.halves is None or current.fsc is None:
        return [current.average] * 2
    share = np.clip(current.fsc.values, _LEAST_SHARE, 1)
    return [_damped(half, current.fsc.frequency, share) for half in current.halves]


def damped(current: SubtomogramAverage) -> Volume:
    """Return an average, each shell as strong as its halves would have it correlate with truth."""
    if current.fsc is None:
        return current.average
    share = np.clip(current.fsc.values, _LEAST_SHARE, 1)
    # The average of both holds twice the particles of either: Rosenthal and Henderson 2003.
    return _damped(current.average, current.fsc.frequency, 2 * share / (1 + share))


def _damped(
    volume: Volume, frequency: npt.NDArray[np.float64], share: npt.NDArray[np.float64]
) -> Volume:
    axes = [np.fft.fftfreq(size) for size in volume.shape[:-1]]
    grid = np.meshgrid(*axes, np.fft.rfftfreq(volume.shape[-1]), indexing="ij", sparse=True)
    gain = np.interp(np.sqrt(sum(np.square(axis) for axis in grid)), frequency, share)
    spectrum = np.fft.rfftn(volume) * gain
    return np.asarray(np.fft.irfftn(spectrum, volume.shape, axes=(0, 1, 2)), np.float32)

"""Down to which detail a found structure agrees with a known one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._align import align_crops
from napari_cryoml.averaging._align_config import AlignConfig
from napari_cryoml.averaging._correlation import HALF, ShellCorrelation, shell_correlation
from napari_cryoml.averaging._mask import soft_mask
from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.averaging._subtomogram_average import average_subtomograms
from napari_cryoml.jobs import run_inline

Volume = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Discrepancy:
    """How a structure compares with another.

    Parameters
    ----------
    curve : ShellCorrelation
        Of the two, once they lie on each other.
    pose : RigidPoses
        One pose: how the reference lies in the volume.
    """

    curve: ShellCorrelation
    pose: RigidPoses

    @property
    def size(self) -> float:
        """Size of the features in which they differ: angstrom, or voxels without a voxel size.

        The period at which the correlation first falls below 0.5; infinite if it never reaches
        that, and twice the voxel size if it never falls below. Waves as long as the box do not
        count: they hold the background and the mask rather than the particle.
        """
        inner = _without_first_shell(self.curve)
        found = inner.resolution(HALF)
        if found is not None:
            return found
        return inner.period(0.5) if inner.holds(HALF) else float("inf")


def _without_first_shell(curve: ShellCorrelation) -> ShellCorrelation:
    kept = np.arange(len(curve.values)) != 1
    return replace(
        curve, frequency=curve.frequency[kept], values=curve.values[kept], n=curve.n[kept]
    )


def structural_discrepancy(
    volume: npt.ArrayLike,
    reference: npt.ArrayLike,
    *,
    pixel_size: float | None = None,
    config: AlignConfig | None = None,
) -> Discrepancy:
    """Lay a volume on a reference, and tell down to which detail they agree.

    Parameters
    ----------
    volume : array of shape (z, y, x)
        An average.
    reference : array of the same shape
        Of the same voxel size.
    pixel_size : float, optional
        Angstrom.
    config : AlignConfig, optional

    Returns
    -------
    Discrepancy

    Raises
    ------
    InputError
        If the two are no cubes of one size.

    References
    ----------
    Xu et al. 2017, Bioinformatics 33:i13, section 3.3: a structure counts as recovered if the
    discrepancy is at most 7 nm.
    """
    volumes = np.asarray(volume, np.float32)[None]
    return discrepancies(volumes, reference, pixel_size=pixel_size, config=config)[0]


def discrepancies(
    volumes: npt.NDArray[np.float32],
    reference: npt.ArrayLike,
    *,
    pixel_size: float | None = None,
    config: AlignConfig | None = None,
) -> list[Discrepancy]:
    """Return the discrepancy of each of some volumes (n, z, y, x) with one reference."""
    config = AlignConfig() if config is None else config
    options = config.model_copy(update={"full_size": True})
    poses = run_inline(align_crops(volumes, reference, None, options, pixel_size=pixel_size)).poses
    wanted = np.asarray(reference, np.float32)
    mask = soft_mask(wanted.shape, config.diameter)
    found = []
    for row, volume in enumerate(volumes):
        pose = poses.take(slice(row, row + 1))
        laid = average_subtomograms(volume[None], pose).average
        curve = shell_correlation(laid, wanted, mask=mask, pixel_size=pixel_size)
        found.append(Discrepancy(curve, pose))
    return found

"""The averages of 3-D crops, as those of 2-D ones are told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging._align_config import AlignConfig
from napari_cryoml.averaging._config import AverageConfig
from napari_cryoml.averaging._refine_config import RefineConfig
from napari_cryoml.averaging._rotations import degrees_between
from napari_cryoml.averaging._volume import SubtomogramAverage
from napari_cryoml.data import MissingWedge
from napari_cryoml.jobs import Job

_MOST_ROUNDS = 6
_LEAST_STEP = 15.0
"""Degrees between rotations that are screened: finer steps of the plane would be too many."""
_DETAIL = 135.0

Images = npt.NDArray[np.float32]


def aligned_volumes(
    images: Images,
    config: AverageConfig,
    *,
    wedge: MissingWedge | None,
    pixel_size: float | None,
) -> Job[SubtomogramAverage]:
    """Align and average cubes (n, z, y, x) in a few rounds: a job."""
    # Loaded here because it brings torch along.
    from napari_cryoml.averaging._refine import refine

    return refine(images, wedge, _few_rounds(config), pixel_size=pixel_size)


def laid_by(found: SubtomogramAverage) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return by how many degrees each crop is turned to lie on the average, and then moved.

    Returns
    -------
    angles : array of shape (n,)
    shifts : array of shape (n, 3)
        Voxels zyx.
    """
    rotations, shifts = found.poses.rotations, found.poses.shifts
    return degrees_between(rotations, np.eye(3)), -np.einsum("nji,nj->ni", rotations, shifts)


def _few_rounds(config: AverageConfig) -> RefineConfig:
    step = max(config.angular_step, _LEAST_STEP)
    align = AlignConfig(
        angular_step=step,
        high=_DETAIL / step,
        max_shift=config.max_shift,
        diameter=config.diameter,
    )
    rounds = min(config.iterations, _MOST_ROUNDS)
    return RefineConfig(iterations=rounds, starts=1, seed=config.seed, align=align)

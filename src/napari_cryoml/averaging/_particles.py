"""Particles that are aligned and averaged again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from napari_cryoml.averaging._align import align_crops, compute_device
from napari_cryoml.averaging._align_config import AlignConfig
from napari_cryoml.averaging._progress import Progress
from napari_cryoml.averaging._rigid import Alignment, RigidPoses
from napari_cryoml.averaging._subtomogram_average import summed
from napari_cryoml.averaging._sums import FourierSums
from napari_cryoml.data import MissingWedge
from napari_cryoml.jobs import Job

Rows = npt.NDArray[np.intp]
Volume = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Particles:
    """Boxes, what is known of how they were made, and how far the work on them has come.

    Parameters
    ----------
    boxes : array of shape (n, z, y, x)
    wedge : MissingWedge or None
    progress : Progress
        Each particle that is aligned is a unit.
    symmetry : str
    pixel_size : float or None
        Angstrom.
    device : str
    """

    boxes: npt.NDArray[Any]
    wedge: MissingWedge | None
    progress: Progress
    symmetry: str = "C1"
    pixel_size: float | None = None
    device: str = "auto"

    @property
    def side(self) -> int:
        """Of the boxes, voxels."""
        return int(self.boxes.shape[1])

    def align(
        self, rows: Rows, references: npt.NDArray[Any], config: AlignConfig
    ) -> Job[Alignment]:
        """Align some rows to references (k, z, y, x), as a part of the work."""
        job = align_crops(
            self.boxes[rows],
            references,
            self.wedge,
            config,
            pixel_size=self.pixel_size,
            device=self.device,
        )
        return (yield from self.progress.part(job, len(rows), "aligning"))

    def sums(
        self, poses: RigidPoses, half: npt.NDArray[np.int8]
    ) -> tuple[FourierSums, FourierSums]:
        """Return the sums over either half."""
        device = compute_device(self.device)
        return summed(self.boxes, poses, half, self.wedge, self.symmetry, device)

    def average(self, rows: Rows, poses: RigidPoses) -> Volume:
        """Return the average of some rows in poses of their own."""
        known = np.isfinite(poses.shifts).all(axis=1)
        half = np.where(known, 0, -1).astype(np.int8)
        device = compute_device(self.device)
        boxes = self.boxes[rows]
        return summed(boxes, poses, half, self.wedge, self.symmetry, device)[0].average()


def random_poses(n: int, rng: np.random.Generator) -> RigidPoses:
    """Return n poses in random orientations, in the centre."""
    seed = int(rng.integers(2**31))
    return RigidPoses(Rotation.random(n, random_state=seed).as_matrix(), np.zeros((n, 3)))

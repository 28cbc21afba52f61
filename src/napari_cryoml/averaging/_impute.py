"""What the wedge took from subtomograms, filled in from their reference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from napari_cryoml.averaging._boxes import checked_boxes, checked_references
from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.averaging._transform import Transforms, turned, waves
from napari_cryoml.data import MissingWedge, grid_frequencies

_BATCH = 32


def impute_wedge(
    images: npt.ArrayLike,
    references: npt.ArrayLike,
    wedge: MissingWedge,
    poses: RigidPoses | None = None,
    index: npt.NDArray[np.integer] | None = None,
) -> npt.NDArray[np.float32]:
    """Fill the missing wedge of subtomograms with what their reference has there.

    Measured coefficients stay as they are. The reference is turned and moved to lie as the
    particle lies, and scaled to it by least squares over what both have.

    Parameters
    ----------
    images : array of shape (n, z, y, x)
    references : array of shape (k, z, y, x) or (z, y, x)
    wedge : MissingWedge
    poses : RigidPoses, optional
        Of the particles against their reference; by default they lie as it does.
    index : array of shape (n,), optional
        Which reference each is filled from; the first by default.

    Returns
    -------
    array of shape (n, z, y, x), float32

    Raises
    ------
    InputError
        If images and references are no cubes of one side.
    """
    boxes = checked_boxes(images)
    volumes = checked_references(references, boxes)
    poses = RigidPoses.unmoved(len(boxes)) if poses is None else poses
    index = np.zeros(len(boxes), np.intp) if index is None else np.asarray(index)
    filled = np.array(boxes, np.float32)
    missing = ~wedge.mask(boxes.shape[1:])
    for number, volume in enumerate(volumes):
        rows = np.flatnonzero((index == number) & np.isfinite(poses.shifts).all(axis=1))
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            filled[some] = _filled(filled[some], volume, missing, poses.take(some))
    return filled


def _filled(
    boxes: npt.NDArray[np.float32],
    volume: npt.NDArray[np.float32],
    missing: npt.NDArray[np.bool_],
    poses: RigidPoses,
) -> npt.NDArray[np.float32]:
    """Return boxes with missing coefficients put in."""
    shown = _posed(volume, poses)
    axes = (1, 2, 3)
    spectra, wanted = np.fft.fftn(boxes, axes=axes), np.fft.fftn(shown, axes=axes)
    known = ~missing
    known[0, 0, 0] = False  # the mean is no density
    product = np.sum((spectra * wanted.conj()).real * known, axis=axes)
    length = np.sum(np.square(np.abs(wanted)) * known, axis=axes)
    scale = np.maximum(product / np.maximum(length, 1e-30), 0)
    whole = np.where(missing, scale[:, None, None, None] * wanted, spectra)
    return np.asarray(np.fft.ifftn(whole, axes=axes).real, np.float32)


def _posed(volume: npt.NDArray[np.float32], poses: RigidPoses) -> npt.NDArray[np.float32]:
    """Return a reference (z, y, x) as it lies in some poses, (b, z, y, x)."""
    side = len(volume)
    grid = np.rint(side * grid_frequencies(volume.shape)).reshape(-1, 3)
    places = torch.as_tensor(grid, dtype=torch.float32)
    rotations, shifts = (
        torch.as_tensor(each, dtype=torch.float32) for each in (poses.rotations, poses.shifts)
    )
    reference = Transforms(torch.as_tensor(volume)[None], side / 2)
    spectra = reference.at(turned(places, rotations)) * waves(places, shifts, side)
    # Beyond Nyquist's frequency the corners hold nothing that can be turned.
    spectra = spectra * (places.norm(dim=1) < side / 2)
    boxes = torch.fft.ifftn(spectra.reshape(-1, side, side, side), dim=(1, 2, 3)).real
    return np.fft.fftshift(boxes.numpy(), axes=(1, 2, 3))

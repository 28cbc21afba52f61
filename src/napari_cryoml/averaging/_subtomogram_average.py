"""Averages of subtomograms whose poses are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._align import compute_device
from napari_cryoml.averaging._boxes import checked_boxes, standardised, usable
from napari_cryoml.averaging._mask import soft_mask
from napari_cryoml.averaging._masked_correlation import MaskedCorrelation, masked_correlation
from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.averaging._rotations import point_group
from napari_cryoml.averaging._sums import FourierSums
from napari_cryoml.averaging._volume import ONE_REFERENCE, SubtomogramAverage
from napari_cryoml.data import MissingWedge

_READ_AT_ONCE = 256


def average_subtomograms(
    images: npt.ArrayLike,
    poses: RigidPoses,
    wedge: MissingWedge | None = None,
    *,
    half: npt.NDArray[Any] | None = None,
    gold_standard: bool = False,
    symmetry: str = "C1",
    diameter: float | None = None,
    pixel_size: float | None = None,
    seed: int = 0,
    device: str = "auto",
) -> SubtomogramAverage:
    """Average subtomograms in Fourier space, each frequency over those that measured it.

    Parameters
    ----------
    images : array of shape (n, z, y, x)
        Cubes; each is brought to mean 0 and standard deviation 1.
    poses : RigidPoses
        Of the n particles; those with NaN are left out, as are images of one value or with values
        that are no numbers.
    wedge : MissingWedge, optional
        Tilts that the tomograms were reconstructed from; all by default.
    half : array of shape (n,), optional
        0 or 1: the half each belongs to. By default they are dealt out at random.
    gold_standard : bool, default False
        Whether the poses of either half were found without the other.
    symmetry : str, default "C1"
        Point group that the average is given.
    diameter : float, optional
        Voxels, of the soft ball within which halves are compared; four fifths of the box by
        default.
    pixel_size : float, optional
        Angstrom.
    seed : int, default 0
        Of the halves and of the random phases of the correction for the mask.
    device : str, default "auto"

    Returns
    -------
    SubtomogramAverage

    Raises
    ------
    InputError
        If images are no cubes, there are not as many poses, or none can be used.
    """
    boxes = checked_boxes(images)
    if len(poses) != len(boxes):
        raise InputError(f"{len(boxes)} subtomograms need as many poses; {len(poses)} were given.")
    used = usable(boxes) & np.isfinite(poses.rotations).all(axis=(1, 2))
    if not used.any():
        raise InputError("No subtomogram can be averaged: none has a pose and values that differ.")
    dealt = split(len(boxes), np.random.default_rng(seed)) if half is None else half
    halves: npt.NDArray[np.int8] = np.where(used, dealt, -1).astype(np.int8)
    sums = summed(boxes, poses, halves, wedge, symmetry, compute_device(device))
    return average_of(
        sums,
        poses,
        halves,
        gold_standard=gold_standard,
        diameter=diameter,
        pixel_size=pixel_size,
        seed=seed,
    )


def split(n: int, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """Return 0 or 1 for each of n particles, as many of each as can be."""
    return rng.permutation(np.arange(n) % 2).astype(np.int8)


def summed(
    boxes: npt.NDArray[Any],
    poses: RigidPoses,
    half: npt.NDArray[np.int8],
    wedge: MissingWedge | None,
    symmetry: str,
    device: torch.device,
) -> tuple[FourierSums, FourierSums]:
    """Return the sums over either half."""
    sums = tuple(FourierSums(boxes.shape[1], device) for _ in range(2))
    for number in (0, 1):
        rows = np.flatnonzero(half == number)
        for start in range(0, len(rows), _READ_AT_ONCE):
            some = rows[start : start + _READ_AT_ONCE]
            part = standardised(boxes[some])
            for turn in point_group(symmetry):
                again = poses.take(some)
                sums[number].add(part, RigidPoses(again.rotations @ turn, again.shifts), wedge)
    return sums[0], sums[1]


def average_of(
    sums: tuple[FourierSums, FourierSums],
    poses: RigidPoses,
    half: npt.NDArray[np.int8],
    *,
    gold_standard: bool,
    diameter: float | None,
    pixel_size: float | None,
    seed: int,
    notes: tuple[str, ...] = (),
) -> SubtomogramAverage:
    """Return the average that the sums of two halves make."""
    both = sums[0] + sums[1]
    halves, curves = None, None
    if sums[0].n and sums[1].n:
        halves = np.stack([each.average() for each in sums])
        curves = _curves(halves, diameter, pixel_size, seed)
        notes = notes if gold_standard else (*notes, ONE_REFERENCE)
    unused = half < 0
    poses = poses.put(unused, RigidPoses.unknown(int(unused.sum())))
    return SubtomogramAverage(
        average=both.average(),
        weights=both.counts,
        halves=halves,
        curves=curves,
        poses=poses,
        half=half,
        gold_standard=gold_standard and halves is not None,
        pixel_size=pixel_size,
        notes=notes,
    )


def _curves(
    halves: npt.NDArray[np.float32], diameter: float | None, pixel_size: float | None, seed: int
) -> MaskedCorrelation:
    mask = soft_mask(halves.shape[1:], diameter)
    return masked_correlation(halves[0], halves[1], mask, pixel_size=pixel_size, seed=seed)

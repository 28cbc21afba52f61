"""Orientations, shifts and classes of the particles of a RELION file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml.data import PicksTable
from napari_cryoml.io._formats import _classes, _poses, _rows

CLASS_NUMBER = "rlnClassNumber"
CLASS_NAME = "cryomlClassName"
"""Label of ours for names of classes, which RELION carries along without knowing it."""
CLASS_CONFIDENCE = "cryomlConfidence"
"""Label of ours for how probable the class is."""
OUR_CLASS_LABELS = (CLASS_NAME, CLASS_CONFIDENCE)

_ANGSTROM = ("rlnOriginXAngst", "rlnOriginYAngst", "rlnOriginZAngst")
_PIXELS = ("rlnOriginX", "rlnOriginY", "rlnOriginZ")
_UNCLASSIFIED = "None"  # RELION's word for an empty text
_UNSURE = -1.0  # instead of NaN, which not every reader of STAR files knows


def rotations_in(frame: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """Return the rotations of particles: that of the box after that of the particle in it."""
    inner = _poses.read_rotations(frame, _poses.RELION)
    outer = _poses.read_rotations(frame, _poses.RELION_BOX)
    if inner is None or outer is None:
        return inner if outer is None else outer
    return outer @ inner


def angles_of(table: PicksTable, known: pd.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
    """Return ``rlnAngleRot, Tilt, Psi`` to write, inside of boxes that are turned themselves."""
    rotations = _rows.joined_rotations(table)
    boxes = _box_rotations(known)
    old = _poses.numbers_of(known, _poses.RELION.columns)
    if rotations is None or boxes is None:
        return _poses.written_angles(table, _poses.RELION, known)
    inner = np.swapaxes(boxes, 1, 2) @ rotations
    angles = _poses.agreeing_angles(inner, _poses.RELION, old)
    return dict(zip(_poses.RELION.columns, angles.T, strict=True))


def shifts_in(
    frame: pd.DataFrame, sizes: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64] | None:
    """Return what to add to the coordinates of a tomogram, voxels zyx, shape (n, 3).

    RELION's origin is subtracted, in the frame of the box.

    Parameters
    ----------
    frame : data frame
        Labels as columns.
    sizes : array of shape (n,), optional
        Angstrom per voxel of the coordinates.

    Returns
    -------
    array, or None
        None where the origins are in angstrom and no size is known.
    """
    origins = _poses.numbers_of(frame, _ANGSTROM)
    if origins is None:
        origins = _poses.shifts_of(frame, _PIXELS)
    elif np.nan_to_num(origins).any():
        if sizes is None:
            return None
        origins = origins / sizes[:, None]
    zyx = np.nan_to_num(origins)[:, ::-1]
    boxes = _box_rotations(frame)
    return -(zyx if boxes is None else np.einsum("nij,nj->ni", boxes, zyx))


def classes_in(frame: pd.DataFrame, ndim: int) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of class names and of their confidence, those that there are.

    Names are ours, or of particles of tomograms RELION's numbers.
    """
    sure = _poses.numbers_of(frame, (CLASS_CONFIDENCE,))
    if sure is None:
        return _names_in(frame, ndim)
    values = np.where(sure[:, 0] < 0, np.nan, sure[:, 0]).astype(np.float32)
    return _names_in(frame, ndim) | {_classes.CONFIDENCE: values}


def _names_in(frame: pd.DataFrame, ndim: int) -> dict[str, npt.NDArray[np.str_]]:
    if CLASS_NAME in frame:
        names = _classes.texts_of(frame[CLASS_NAME].to_numpy())
        return {_classes.CLASS: np.where(names == _UNCLASSIFIED, "", names)}
    if ndim < 3 or CLASS_NUMBER not in frame:
        return {}
    numbers = pd.to_numeric(frame[CLASS_NUMBER], errors="coerce")
    found = _classes.names_of(numbers.to_numpy())
    return {} if found is None else {_classes.CLASS: found}


def class_labels(columns: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Return the labels of classes: a number, names that are no numbers, and the confidence."""
    return _name_labels(columns) | _confidence_labels(columns)


def _confidence_labels(columns: pd.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
    sure = _poses.numbers_of(columns, (_classes.CONFIDENCE,))
    if sure is None:
        return {}
    values = np.nan_to_num(sure[:, 0], nan=_UNSURE).astype(np.float32)
    return {CLASS_CONFIDENCE: values.astype(str).astype(np.float64)}  # 0.9 rather than 0.89999998


def _name_labels(columns: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    if _classes.CLASS not in columns:
        return {}
    numbers, names = _classes.numbers_of(columns[_classes.CLASS])
    if not names:
        return {CLASS_NUMBER: numbers}
    texts = _classes.texts_of(columns[_classes.CLASS])
    labels: dict[str, npt.NDArray[Any]] = {
        CLASS_NAME: np.where(texts == "", _UNCLASSIFIED, texts).astype(object)
    }
    if CLASS_NUMBER not in columns:  # that of a classification of RELION's stays
        labels[CLASS_NUMBER] = numbers
    return labels


def _box_rotations(frame: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    boxes = _poses.read_rotations(frame, _poses.RELION_BOX)
    if boxes is None:
        return None
    known = np.asarray(np.isfinite(boxes).all(axis=(1, 2)))
    return np.where(known[:, None, None], boxes, np.eye(3))

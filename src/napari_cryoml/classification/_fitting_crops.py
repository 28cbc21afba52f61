"""Crops brought to the shape and sampling that a classifier was trained for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops, MissingWedge
from napari_cryoml.preprocess import fourier_rescale

_SAME_PIXEL_SIZE = 0.02
"""Share by which two pixel sizes may differ and still count as one."""

_ADVICE_UNKNOWN = (
    "to compare them, both pixel sizes must be known: give that of the crops (--pixel-size), cut "
    "them again with as many pixels, or train a classifier on them."
)
_WIDER_ADVICE = (
    "they show less around the particle: cut them again with boxes of {box} of their pixels, or "
    "train a classifier on crops like these."
)


class Trained(Protocol):
    """What was trained on crops of one shape and sampling."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (z)yx of the crops."""
        ...

    @property
    def pixel_size(self) -> float | None:
        """Angstrom per pixel of the crops."""
        ...


def fitting_crops(crops: Crops, trained: Trained) -> Crops:
    """Return the crops as a classifier takes them.

    Where they are sampled finer, they are rescaled; where they show more than the classifier's
    crops do, their middle is kept. Where pixel sizes are not known, the shapes must be the same.

    Parameters
    ----------
    crops : Crops
    trained : CropClassifier or PretrainedEncoder

    Raises
    ------
    InputError
        If the crops have more channels, other axes, or a shape that pixel sizes do not explain.
    """
    _check_kind(crops, trained)
    size: float | None = getattr(crops, "pixel_size", None)
    wanted = trained.pixel_size
    if size is None or wanted is None:
        if crops.shape == trained.shape:
            return crops
        raise InputError(_mismatch(crops, trained, _ADVICE_UNKNOWN))
    is_same = abs(size / wanted - 1) <= _SAME_PIXEL_SIZE
    if is_same and crops.shape == trained.shape:
        return crops
    if size > wanted and not is_same:
        # What finer pixels would show is not there.
        raise InputError(_mismatch(crops, trained, _finer_advice(trained.shape, wanted)))
    ratio = 1.0 if is_same else size / wanted
    scaled = tuple(max(round(side * ratio), 1) for side in crops.shape)
    if any(have < need for have, need in zip(scaled, trained.shape, strict=True)):
        wider = math.ceil(max(trained.shape) / ratio)
        raise InputError(_mismatch(crops, trained, _WIDER_ADVICE.format(box=wider)))
    return _Rescaled(crops, scaled, trained.shape, wanted)


def check_fit_as_they_are(crops: Crops, trained: Trained) -> None:
    """Refuse crops that a network that is to be trained further could take after a change only.

    Raises
    ------
    InputError
        If they had to be rescaled or cut.
    """
    if fitting_crops(crops, trained) is crops:
        return
    size = getattr(crops, "pixel_size", None) or 1.0
    box, side = round(max(trained.shape) * (trained.pixel_size or size) / size), max(trained.shape)
    reduced = "" if box == side else f", reduced to {side}"
    advice = f"cut them again with boxes of {box} of their pixels{reduced}."
    raise InputError(_mismatch(crops, trained, advice))


def _check_kind(crops: Crops, trained: Trained) -> None:
    if crops.n_channels != 1:
        raise InputError(
            f"The crops have {crops.n_channels} channels; a classifier takes crops of one."
        )
    if len(crops.shape) != len(trained.shape):
        raise InputError(
            f"The classifier was trained on {len(trained.shape)}-D crops, but these have "
            f"{len(crops.shape)} axes: choose one that was trained on such crops."
        )


def _finer_advice(shape: tuple[int, ...], pixel_size: float) -> str:
    return (
        f"they are coarser, and what it looks at is not in them: cut them again from images of "
        f"{pixel_size:.4g} A per pixel or finer, with boxes of {max(shape) * pixel_size:.4g} A "
        "that are not reduced further, or train a classifier on crops like these."
    )


def _mismatch(crops: Crops, trained: Trained, advice: str) -> str:
    asked = _described(trained.shape, trained.pixel_size)
    given = _described(crops.shape, getattr(crops, "pixel_size", None))
    return f"The classifier was trained on crops of {asked}; these are of {given}; {advice}"


def _described(shape: tuple[int, ...], pixel_size: float | None) -> str:
    sides = " x ".join(map(str, shape))
    return f"{sides} pixels of " + (f"{pixel_size:.4g} A" if pixel_size else "unknown size")


@dataclass(frozen=True, slots=True, eq=False)
class _Rescaled:
    """Crops that are resampled when they are read.

    Parameters
    ----------
    crops : Crops
    scaled : tuple of int
        Shape to which they are resampled.
    shape : tuple of int
        Shape of the middle that is kept.
    pixel_size : float
        Angstrom per pixel afterwards.
    """

    crops: Crops
    scaled: tuple[int, ...]
    shape: tuple[int, ...]
    pixel_size: float

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def ids(self) -> npt.NDArray[np.str_]:
        return self.crops.ids

    @property
    def images(self) -> npt.NDArray[np.str_] | None:
        return self.crops.images

    @property
    def positions(self) -> npt.NDArray[np.float64] | None:
        return self.crops.positions

    @property
    def n_channels(self) -> int:
        return self.crops.n_channels

    @property
    def columns(self) -> Mapping[str, npt.NDArray[Any]]:
        columns: Mapping[str, npt.NDArray[Any]] = getattr(self.crops, "columns", {})
        return columns

    @property
    def wedge(self) -> MissingWedge | None:
        wedge: MissingWedge | None = getattr(self.crops, "wedge", None)
        return wedge

    def batches(self, size: int) -> Iterator[npt.NDArray[np.intp]]:
        return self.crops.batches(size)

    @property
    def rotations(self) -> npt.NDArray[np.float64] | None:
        rotations: npt.NDArray[np.float64] | None = getattr(self.crops, "rotations", None)
        return rotations

    def read(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        images = self.crops.read(rows)
        out = np.empty((len(images), 1, *self.shape), np.float32)
        inside = tuple(
            _middle(old, new, kept)
            for old, new, kept in zip(self.crops.shape, self.scaled, self.shape, strict=True)
        )
        for place, image in zip(out[:, 0], images[:, 0], strict=True):
            place[...] = fourier_rescale(image, self.scaled)[inside]
        return out


def _middle(old: int, new: int, kept: int) -> slice:
    """Return the pixels to keep of an axis; the centre ``old // 2`` comes to ``kept // 2``."""
    start = min(max(round(old // 2 * new / old) - kept // 2, 0), new - kept)
    return slice(start, start + kept)

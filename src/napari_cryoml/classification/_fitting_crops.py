"""Crops brought to the shape and sampling that a classifier was trained for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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

    @property
    def n_channels(self) -> int:
        """Channels of the crops."""
        ...

    @property
    def channels(self) -> tuple[str, ...] | None:
        """Their names, if they had some."""
        ...


def channel_names(crops: Crops) -> tuple[str, ...] | None:
    """Return the names of the channels of crops, where they have some."""
    names = getattr(crops, "channels", None)
    return None if names is None else tuple(str(name) for name in names)


def with_channels(crops: Crops, names: Sequence[str]) -> Crops:
    """Return crops with some of their channels, in this order; all of them where none is named.

    Raises
    ------
    InputError
        If there is no such channel.
    """
    if not names:
        return crops
    have = channel_names(crops)
    if have is None or not set(names) <= set(have):
        there = "no names" if have is None else f"the names {', '.join(have)}"
        raise InputError(
            f"The channels {', '.join(names)} are to be looked at, but those of these crops have "
            f"{there}: name others (channels), or give the names of the channels with the crops."
        )
    wanted = tuple(names)
    return crops if wanted == have else _Chosen(crops, tuple(map(have.index, wanted)), wanted)


def channels_in_words(n: int) -> str:
    """Return how many channels there are."""
    return "one channel" if n == 1 else f"{n} channels"


def fitting_crops(crops: Crops, trained: Trained) -> Crops:
    """Return the crops as a classifier takes them.

    Of crops whose channels have names, those that the classifier knows by name are taken, in its
    order; else there must be as many. Where crops are sampled finer, they are rescaled; where they
    show more than the classifier's crops do, their middle is kept. Where pixel sizes are not
    known, the shapes must be the same.

    Parameters
    ----------
    crops : Crops
    trained : CropClassifier or PretrainedEncoder

    Raises
    ------
    InputError
        If the crops have other channels or axes, or a shape that pixel sizes do not explain.
    """
    _check_axes(crops, trained)
    crops = _of_channels(crops, trained)
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
        If they had to be rescaled or cut, or have more channels than those it knows.
    """
    fitting = fitting_crops(crops, trained)
    if fitting is crops:
        return
    if isinstance(fitting, _Chosen):
        raise InputError(
            f"The network was trained on the channels {', '.join(fitting.channels)}, and these "
            f"crops have {', '.join(channel_names(crops) or ())}: give crops of the same channels "
            "in the same order to train it further."
        )
    size = getattr(crops, "pixel_size", None) or 1.0
    box, side = round(max(trained.shape) * (trained.pixel_size or size) / size), max(trained.shape)
    reduced = "" if box == side else f", reduced to {side}"
    advice = f"cut them again with boxes of {box} of their pixels{reduced}."
    raise InputError(_mismatch(crops, trained, advice))


def _of_channels(crops: Crops, trained: Trained) -> Crops:
    """Return crops with the channels that the classifier knows."""
    have, wanted = channel_names(crops), trained.channels
    if have is not None and wanted is not None and set(wanted) <= set(have):
        return with_channels(crops, wanted)
    if crops.n_channels == trained.n_channels:
        return crops
    names = f" ({', '.join(wanted)})" if wanted else ""
    raise InputError(
        f"The classifier was trained on crops of {channels_in_words(trained.n_channels)}{names}; "
        f"these have {crops.n_channels}: give the same channels, or train a classifier on crops "
        "like these."
    )


def _check_axes(crops: Crops, trained: Trained) -> None:
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
class _Changed:
    """Crops that are changed when they are read; all else is told of them as it is.

    Parameters
    ----------
    crops : Crops
    """

    crops: Crops

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


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen(_Changed):
    """Some of the channels, in another order.

    Parameters
    ----------
    places : tuple of int
        Of these channels among all.
    channels : tuple of str
        Their names.
    """

    places: tuple[int, ...]
    channels: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.crops.shape

    @property
    def n_channels(self) -> int:
        return len(self.places)

    @property
    def pixel_size(self) -> float | None:
        size: float | None = getattr(self.crops, "pixel_size", None)
        return size

    def read(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        return self.crops.read(rows)[:, list(self.places)]


@dataclass(frozen=True, slots=True, eq=False)
class _Rescaled(_Changed):
    """Another sampling.

    Parameters
    ----------
    scaled : tuple of int
        Shape to which crops are resampled.
    shape : tuple of int
        Shape of the middle that is kept.
    pixel_size : float
        Angstrom per pixel afterwards.
    """

    scaled: tuple[int, ...]
    shape: tuple[int, ...]
    pixel_size: float

    @property
    def n_channels(self) -> int:
        return self.crops.n_channels

    @property
    def channels(self) -> tuple[str, ...] | None:
        return channel_names(self.crops)

    def read(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        images = self.crops.read(rows)
        out = np.empty((*images.shape[:2], *self.shape), np.float32)
        inside = tuple(
            _middle(old, new, kept)
            for old, new, kept in zip(self.crops.shape, self.scaled, self.shape, strict=True)
        )
        for place in np.ndindex(images.shape[:2]):
            out[place] = fourier_rescale(images[place], self.scaled)[inside]
        return out


def _middle(old: int, new: int, kept: int) -> slice:
    """Return the pixels to keep of an axis; the centre ``old // 2`` comes to ``kept // 2``."""
    start = min(max(round(old // 2 * new / old) - kept // 2, 0), new - kept)
    return slice(start, start + kept)

"""The average of crops, its halves and what they agree on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._alignment import (
    Pace,
    aligned,
    fine_search,
    joining,
    max_shift_of,
    rounds_of,
)
from napari_cryoml.averaging._config import AverageConfig
from napari_cryoml.averaging._correlation import (
    GOLD_STANDARD,
    ShellCorrelation,
    shell_correlation,
)
from napari_cryoml.averaging._mask import soft_mask
from napari_cryoml.averaging._poses import Poses, placed
from napari_cryoml.averaging._volume import SubtomogramAverage
from napari_cryoml.averaging._volume_crops import aligned_volumes, laid_by
from napari_cryoml.data import MissingWedge
from napari_cryoml.jobs import Job, run_inline

LEAST_SIDE = 8
_FEW = 20
"""Fewer crops than this make halves of which the correlation says little."""
_FURTHER = 2.0
"""How much further apart halves may lie than crops: each is centred by its own first guess."""

_AS_THEY_LIE = "3-D crops that are no cubes are averaged as they lie: they have not been aligned."

Images = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ClassAverage:
    """The average of n crops of which some may not have been used.

    A crop is laid on the average by mirroring it top to bottom where `mirrored`, turning it by
    its angle about pixel ``(y // 2, x // 2)`` and then moving it by its shift.

    Parameters
    ----------
    average : array of shape (y, x) or (z, y, x), float32
        Of crops that each have mean 0 and standard deviation 1; dark is dark as in the crops.
    halves : array of shape (2, y, x) or (2, z, y, x), float32, or None
        Averages of either half of the crops; None of a single crop.
    frc : ShellCorrelation or None
        Of the halves.
    angles : array of shape (n,)
        Degrees, x towards y (clockwise on the screen); NaN for crops that were not used.
    shifts : array of shape (n, 2) or (n, 3)
        Pixels (z)yx; NaN for crops that were not used.
    scores : array of shape (n,)
        Correlation of each aligned crop with the average of the others; NaN for crops that were
        not used and for a single one.
    mirrored : array of shape (n,), bool
    used : array of shape (k,)
        Row numbers of the crops in the average, ascending.
    half : array of shape (n,), int8
        0 or 1: in which half a crop is; -1 for crops that were not used.
    seed : int
        Of the sample, the halves and the starts.
    pixel_size : float or None
        Angstrom.
    notes : tuple of str
        Sentences for the user.
    rotations : array of shape (n, 3, 3) or None
        Of 3-D crops that were aligned: brings an offset from the centre of the average to the
        offset in the crop, on columns zyx; NaN for crops that were not used. `angles` then tell
        how far each is turned in all.
    """

    average: Images
    halves: Images | None
    frc: ShellCorrelation | None
    angles: npt.NDArray[np.float64]
    shifts: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]
    mirrored: npt.NDArray[np.bool_]
    used: npt.NDArray[np.intp]
    half: npt.NDArray[np.int8]
    seed: int
    pixel_size: float | None = None
    notes: tuple[str, ...] = ()
    rotations: npt.NDArray[np.float64] | None = None

    @property
    def resolution(self) -> float | None:
        """Angstrom (pixels without a pixel size) at which the halves correlate by 0.143."""
        return None if self.frc is None else self.frc.resolution(GOLD_STANDARD)

    def among(
        self, rows: npt.NDArray[np.intp], n: int, notes: tuple[str, ...] = ()
    ) -> ClassAverage:
        """Return the same average as one of `n` crops, of which only `rows` were looked at.

        Parameters
        ----------
        rows : array, intp
            Ascending; as many as this average was given.
        n : int
        notes : tuple of str
            Sentences to put before those of this average.
        """
        return replace(
            self,
            angles=_spread(self.angles, rows, n),
            shifts=_spread(self.shifts, rows, n),
            scores=_spread(self.scores, rows, n),
            mirrored=_spread(self.mirrored, rows, n, False),
            used=rows[self.used],
            half=_spread(self.half, rows, n, -1),
            rotations=None if self.rotations is None else _spread(self.rotations, rows, n),
            notes=(*notes, *self.notes),
        )


def class_average(
    crops: npt.NDArray[Any],
    config: AverageConfig | None = None,
    *,
    pixel_size: float | None = None,
    wedge: MissingWedge | None = None,
) -> ClassAverage:
    """Carry out `average_crops` and return its result."""
    return run_inline(average_crops(crops, config, pixel_size=pixel_size, wedge=wedge))


def average_crops(
    crops: npt.NDArray[Any],
    config: AverageConfig | None = None,
    *,
    pixel_size: float | None = None,
    wedge: MissingWedge | None = None,
) -> Job[ClassAverage]:
    """Align crops to each other and average them: a job.

    Crops of 2-D images are turned and moved by the likeliest reference, which starts from
    nothing (Sigworth 1998), in two halves that never see each other; the half averages are then
    laid on each other as they are. 3-D crops are turned and moved by `refine`, in a few rounds;
    those that are no cubes are averaged as they lie.

    Parameters
    ----------
    crops : array of shape (n, y, x) or (n, z, y, x)
        Crops with values that are no numbers, or that are all one value, are left out. Of more
        than `config.most`, a random sample is averaged.
    config : AverageConfig, optional
    pixel_size : float, optional
        Angstrom.
    wedge : MissingWedge, optional
        Tilts that 3-D crops were reconstructed from; all by default.

    Yields
    ------
    Event
        After each round of alignment; an `AverageStep` of 3-D crops. After `Command.STOP` the
        result is that of the rounds so far.

    Raises
    ------
    InputError
        If there are no crops, none that can be used, they are too small, or the largest shift
        does not fit into them.

    References
    ----------
    Sigworth 1998, J Struct Biol 122:328 (maximum-likelihood alignment); Scheres and Chen 2012,
    Nat Methods 9:853 (halves that never see each other).
    """
    config = AverageConfig() if config is None else config
    crops = np.asarray(crops)
    _check(crops, config)
    rng = np.random.default_rng(config.seed)
    rows, notes = _chosen(crops, config, rng)
    images = _standardised(crops[rows])
    if images.ndim == 4 and len(rows) > 1 and len(set(images.shape[1:])) == 1:
        found = yield from aligned_volumes(images, config, wedge=wedge, pixel_size=pixel_size)
        return _of_volumes(found, rows, len(crops), config, notes)
    half = _split(len(rows), rng)
    if images.ndim == 3:
        poses = yield from _pose_halves(images, half, config, rng)
        images = placed(images, poses)
    else:
        poses = Poses.unmoved(len(rows), ndim=3)
        if len(rows) > 1:
            notes.append(_AS_THEY_LIE)
    return _collected(images, rows, half, poses, len(crops), config, pixel_size, notes)


def _check(crops: npt.NDArray[Any], config: AverageConfig) -> None:
    if crops.ndim not in (3, 4):
        raise InputError(
            "Crops to average must be an array of axes (n, y, x) or (n, z, y, x); one of shape "
            f"{crops.shape} was given."
        )
    if not len(crops):
        raise InputError("There is nothing to average: select one crop or more.")
    shape = crops.shape[1:]
    if min(shape) < LEAST_SIDE:
        raise InputError(
            f"Crops to average must be {LEAST_SIDE} pixels wide or more; these are "
            f"{' x '.join(map(str, shape))}: choose a larger box."
        )
    if max_shift_of(shape, config) > min(shape) / 4:
        raise InputError(
            f"Crops of {min(shape)} pixels can be moved by {min(shape) // 4} pixels at most; "
            f"max_shift is {config.max_shift:g}: choose a smaller one or a larger box."
        )


def _chosen(
    crops: npt.NDArray[Any], config: AverageConfig, rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Return the rows to average, and what to say of the others."""
    notes = []
    flat = crops.reshape(len(crops), -1)
    finite = np.isfinite(flat).all(axis=1)
    uneven = finite & (np.ptp(np.where(finite[:, None], flat, 0), axis=1) > 0)
    for mask, what in (
        (~finite, "values that are no numbers"),
        (finite & ~uneven, "one value everywhere"),
    ):
        if mask.any():
            notes.append(_left_out(int(mask.sum()), what))
    rows = np.flatnonzero(uneven)
    if not len(rows):
        raise InputError(
            "No crop can be averaged: each has values that are no numbers, or one value everywhere."
        )
    if len(rows) > config.most:
        notes.append(f"A random {config.most} of {len(rows):,} crops were averaged.")
        rows = np.sort(rng.choice(rows, config.most, replace=False))
    if len(rows) == 1:
        notes.append("One crop is its own average: select more.")
    elif len(rows) < _FEW:
        notes.append(f"With {len(rows)} crops the resolution says little.")
    return rows, notes


def _left_out(n: int, why: str) -> str:
    if n == 1:
        return f"1 crop has {why} and was left out."
    return f"{n:,} crops have {why} and were left out."


def _standardised(crops: npt.NDArray[Any]) -> Images:
    """Return crops of mean 0 and standard deviation 1."""
    images = crops.astype(np.float32)
    axes = tuple(range(1, images.ndim))
    # In two steps: the mean of large numbers would leave no digits for the deviation.
    images -= images.mean(axis=axes, keepdims=True, dtype=np.float64).astype(np.float32)
    deviation = images.std(axis=axes, keepdims=True, dtype=np.float64)
    return np.asarray(images / np.maximum(deviation, 1e-30), np.float32)


def _split(n: int, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """Return 0 or 1 for each crop, as many of each as can be; a single one is in half 0."""
    return rng.permutation(np.arange(n) % 2 if n > 1 else np.zeros(n)).astype(np.int8)


def _pose_halves(
    images: Images, half: npt.NDArray[np.int8], config: AverageConfig, rng: np.random.Generator
) -> Job[Poses]:
    """Return poses that lay all images on the first half's reference."""
    pace = Pace(total=rounds_of(config) * len(np.unique(half)))
    first, reference = yield from aligned(images[half == 0], config, rng, pace)
    if len(images) == 1:
        return Poses.unmoved(1)
    second, other = yield from aligned(images[half == 1], config, rng, pace)
    search = fine_search(images.shape[1:], config, further=_FURTHER)
    second = second.followed_by(joining(reference, other, search))
    return Poses.of_halves(half == 1, first, second)


def _collected(
    images: Images,
    rows: npt.NDArray[np.intp],
    half: npt.NDArray[np.int8],
    poses: Poses,
    n: int,
    config: AverageConfig,
    pixel_size: float | None,
    notes: list[str],
) -> ClassAverage:
    """Average aligned images, and put what is known of them into the rows of all crops."""
    average = images.mean(axis=0)
    halves, frc = None, None
    mask = soft_mask(average.shape, config.diameter)
    if len(rows) > 1:
        halves = np.stack([images[half == number].mean(axis=0) for number in (0, 1)])
        frc = shell_correlation(*halves, mask=mask, pixel_size=pixel_size)
    return ClassAverage(
        average=average,
        halves=halves,
        frc=frc,
        angles=_spread(poses.angles, rows, n),
        shifts=_spread(poses.shift, rows, n),
        scores=_spread(_scores(images, average, mask), rows, n),
        mirrored=_spread(poses.mirrored, rows, n, False),
        used=rows,
        half=_spread(half, rows, n, -1),
        seed=config.seed,
        pixel_size=pixel_size,
        notes=tuple(notes),
    )


def _of_volumes(
    found: SubtomogramAverage,
    rows: npt.NDArray[np.intp],
    n: int,
    config: AverageConfig,
    notes: list[str],
) -> ClassAverage:
    """Put the average of aligned volumes, which are some rows of n crops, into the same words."""
    angles, shifts = laid_by(found)
    average = ClassAverage(
        average=found.average,
        halves=found.halves,
        frc=found.fsc,
        angles=angles,
        shifts=shifts,
        scores=found.poses.scores,
        mirrored=np.zeros(len(rows), bool),
        used=found.used,
        half=found.half,
        seed=config.seed,
        pixel_size=found.pixel_size,
        notes=found.notes,
        rotations=found.poses.rotations,
    )
    return average.among(rows, n, tuple(notes))


def _scores(images: Images, average: Images, mask: Images) -> npt.NDArray[np.float64]:
    """Return the correlation within a mask of each image with the average of the others."""
    n = len(images)
    if n == 1:
        return np.full(1, np.nan)
    weights = mask.ravel() / mask.sum()
    rows = images.reshape(n, -1) - (images.reshape(n, -1) @ weights)[:, None]
    mean = average.ravel() - average.ravel() @ weights
    # Sums of products give the correlation with the mean less the image itself.
    with_mean, with_self = rows @ (weights * mean), np.square(rows) @ weights
    of_mean = np.square(mean) @ weights
    others = np.square(n) * of_mean - 2 * n * with_mean + with_self
    scale = np.sqrt(np.maximum(others * with_self, 1e-20))
    return np.asarray((n * with_mean - with_self) / scale, np.float64)


def _spread(
    values: npt.NDArray[Any], rows: npt.NDArray[np.intp], n: int, empty: Any = np.nan
) -> npt.NDArray[Any]:
    """Return an array over all n crops that holds values at some rows."""
    whole = np.full((n, *values.shape[1:]), empty, values.dtype)
    whole[rows] = values
    return whole

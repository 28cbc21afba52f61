"""Averages of subtomograms that were never compared with anything."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._align import align_crops
from napari_cryoml.averaging._align_config import AlignConfig
from napari_cryoml.averaging._boxes import checked_boxes, checked_references, usable
from napari_cryoml.averaging._damping import damped_halves
from napari_cryoml.averaging._first_guess import GUESS_ROUNDS, first_guess
from napari_cryoml.averaging._particles import Particles
from napari_cryoml.averaging._progress import Progress
from napari_cryoml.averaging._refine_config import RefineConfig
from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.averaging._rotations import degrees_between
from napari_cryoml.averaging._subtomogram_average import average_of, average_subtomograms
from napari_cryoml.averaging._volume import AverageStep, SubtomogramAverage
from napari_cryoml.data import MissingWedge
from napari_cryoml.jobs import Job, run_inline

_SAME_DEGREES, _SAME_VOXELS = 0.5, 0.1
_STOPPED = "Stopped before the first round ended: the subtomograms are averaged as they lie."

Volume = npt.NDArray[np.float32]


def refine(
    images: npt.ArrayLike,
    wedge: MissingWedge | None = None,
    config: RefineConfig | None = None,
    *,
    reference: npt.ArrayLike | None = None,
    ids: Sequence[str] | None = None,
    pixel_size: float | None = None,
    device: str = "auto",
) -> Job[SubtomogramAverage]:
    """Align subtomograms to their own average, in two halves that never see each other: a job.

    Each half starts from the reference or, without one, from the particles as they lie in random
    orientations, and compares coarse detail before fine. After each round the average of the
    second half is laid on that of the first, and shells on which they do not agree are damped in
    the references of the next.

    Parameters
    ----------
    images : array of shape (n, z, y, x)
        Cubes. Those with values that are no numbers, or of one value, are left out.
    wedge : MissingWedge, optional
        All tilts by default.
    config : RefineConfig, optional
    reference : array of shape (z, y, x), optional
        To start from; only its coarse detail is looked at (`RefineConfig.first_high`), so that
        finer shells of the halves stay independent.
    ids : sequence of str, optional
        Names of the particles, by which they are dealt to the halves; their numbers by default.
    pixel_size : float, optional
        Angstrom.
    device : str, default "auto"

    Yields
    ------
    Event
        While particles are aligned; an `AverageStep` after each round. After `Command.STOP` the
        result is the average of the last round that ended.

    Returns
    -------
    SubtomogramAverage

    Raises
    ------
    InputError
        If images are no cubes, none can be used, or the reference is of another side.

    References
    ----------
    Scheres, Chen 2012, Prevention of overfitting in cryo-EM structure determination, Nat Methods
    9:853.
    """
    boxes = checked_boxes(images)
    config = RefineConfig() if config is None else config
    rows = np.flatnonzero(usable(boxes))
    if not len(rows):
        raise InputError(
            "No subtomogram can be averaged: each has values that are no numbers, or one value."
        )
    given = None if reference is None else checked_references(reference, boxes)[0]
    if len(rows) == 1:
        return _alone(boxes, wedge, pixel_size, device)
    names = np.arange(len(boxes)).astype(str) if ids is None else np.asarray(ids)
    half = np.full(len(boxes), -1, np.int8)
    half[rows] = split_by_id(names[rows], config.seed)
    guesses = 0 if given is not None else config.starts * GUESS_ROUNDS
    progress = Progress(len(rows) * (guesses + config.iterations))
    symmetry = config.align.symmetry
    particles = Particles(boxes, wedge, progress, symmetry, pixel_size, device)
    return (yield from _Refinement(particles, half, config).run(given))


def split_by_id(ids: npt.NDArray[Any], seed: int = 0) -> npt.NDArray[np.int8]:
    """Return 0 or 1 for each particle, as many of each as can be, whatever their order.

    Parameters
    ----------
    ids : array of shape (n,), str
    seed : int, default 0
    """
    marks = [hashlib.blake2b(f"{seed}:{name}".encode()).hexdigest() for name in ids]
    half = np.empty(len(marks), np.int8)
    half[np.argsort(marks)] = np.arange(len(marks)) % 2
    return half


def _alone(
    boxes: npt.NDArray[Any], wedge: MissingWedge | None, pixel_size: float | None, device: str
) -> SubtomogramAverage:
    poses = RigidPoses.unmoved(len(boxes))
    found = average_subtomograms(
        boxes, poses, wedge, half=np.zeros(len(boxes)), pixel_size=pixel_size, device=device
    )
    note = "One subtomogram is its own average: select more."
    return replace(found, notes=(*found.notes, note))


class _Refinement:
    """Two halves of particles on their way to an average each."""

    def __init__(
        self, particles: Particles, half: npt.NDArray[np.int8], config: RefineConfig
    ) -> None:
        self._particles, self._half, self._config = particles, half, config
        self._rows = [np.flatnonzero(half == number) for number in (0, 1)]
        self._poses = RigidPoses.unmoved(len(half))

    def run(self, reference: Volume | None) -> Job[SubtomogramAverage]:
        """Return the average after all rounds."""
        progress, config = self._particles.progress, self._config
        references = [reference] * 2 if reference is not None else (yield from self._guesses())
        current: SubtomogramAverage | None = None
        for number in range(config.iterations):
            if progress.stopped:
                break
            options = config.round(number, self._particles.side, self._particles.pixel_size)
            found = yield from self._aligned(references, options)
            if found is None:
                break
            self._poses = found
            current = self._average(options)
            references = damped_halves(current)
            step = AverageStep(
                done=progress.done, total=progress.total, iteration=number + 1, current=current
            )
            yield from progress.tell(step)
        if current is None:
            return self._average(None, (_STOPPED,))
        return current

    def _guesses(self) -> Job[list[Volume]]:
        """Return a first reference for either half."""
        config = self._config
        rng = np.random.default_rng(config.seed)
        coarse = config.up_to(config.first_high)
        found = []
        for rows in self._rows:
            found.append(
                (yield from first_guess(self._particles, rows, coarse, config.starts, rng))
            )
        return found

    def _aligned(self, references: Sequence[Volume], config: AlignConfig) -> Job[RigidPoses | None]:
        """Return poses of either half against its own reference; None if not all were reached."""
        poses = self._poses
        for rows, reference in zip(self._rows, references, strict=True):
            if self._particles.progress.stopped:
                return None
            found = yield from self._particles.align(rows, reference, config)
            if not found.aligned.all():
                return None
            poses = poses.put(rows, found.poses)
        return poses

    def _average(
        self, config: AlignConfig | None, notes: tuple[str, ...] = ()
    ) -> SubtomogramAverage:
        """Return the average of both halves, the second laid on the first."""
        sums = self._particles.sums(self._poses, self._half)
        frame = (
            None if config is None else self._frame(sums[1].average(), sums[0].average(), config)
        )
        if frame is not None:
            rows = self._rows[1]
            self._poses = self._poses.put(rows, self._poses.take(rows).through(frame))
            second = np.where(self._half == 1, self._half, -1).astype(np.int8)
            sums = sums[0], self._particles.sums(self._poses, second)[1]
        return average_of(
            sums,
            self._poses,
            self._half,
            gold_standard=True,
            diameter=self._config.align.diameter,
            pixel_size=self._particles.pixel_size,
            seed=self._config.seed,
            notes=notes,
        )

    def _frame(self, second: Volume, first: Volume, config: AlignConfig) -> RigidPoses | None:
        """Return how the average of the first half lies in that of the second; None as itself."""
        side = self._particles.side
        options = config.model_copy(update={"max_shift": min(2 * config.reach(side), side / 4)})
        job = align_crops(second[None], first, None, options, device=self._particles.device)
        frame = run_inline(job).poses
        turn = degrees_between(frame.rotations[0], np.eye(3), config.symmetry)
        move = np.abs(frame.shifts).max()
        if not np.isfinite(move) or (turn < _SAME_DEGREES and move < _SAME_VOXELS):
            return None
        return frame

"""Subtomograms parted into classes without references."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._align import align_crops
from napari_cryoml.averaging._align_config import AlignConfig
from napari_cryoml.averaging._boxes import checked_boxes, usable
from napari_cryoml.averaging._damping import damped
from napari_cryoml.averaging._em_pca import weighted_components
from napari_cryoml.averaging._first_guess import GUESS_ROUNDS, first_guess
from napari_cryoml.averaging._laid import Layout, imputed
from napari_cryoml.averaging._particles import Particles, Rows
from napari_cryoml.averaging._progress import Progress
from napari_cryoml.averaging._refine import split_by_id
from napari_cryoml.averaging._rigid import Alignment, RigidPoses
from napari_cryoml.averaging._subtomogram_average import average_of
from napari_cryoml.averaging._subtomogram_classes import (
    ClassesConfig,
    ClassesStep,
    SubtomogramClasses,
)
from napari_cryoml.averaging._volume import SubtomogramAverage
from napari_cryoml.data import MissingWedge
from napari_cryoml.jobs import Job, run_inline

_STARTS_OF_K_MEANS = 10
COARSE_ROUNDS = 2
"""Rounds against one common average before there are classes."""

Labels = npt.NDArray[np.intp]


def classify_subtomograms(
    images: npt.ArrayLike,
    wedge: MissingWedge | None = None,
    config: ClassesConfig | None = None,
    *,
    pixel_size: float | None = None,
    device: str = "auto",
) -> Job[SubtomogramClasses]:
    """Part subtomograms into classes and align each to the average of its own: a job.

    All are first aligned to one average that grew from random orientations. Then, in each round,
    they are laid on each other, what the wedge took is filled in from the average of their class,
    the components along which they differ are parted by k-means, and all are aligned to the
    averages of all classes, of which each takes the best.

    Parameters
    ----------
    images : array of shape (n, z, y, x)
        Cubes. Those with values that are no numbers, or of one value, are left out.
    wedge : MissingWedge, optional
        All tilts by default.
    config : ClassesConfig, optional
    pixel_size : float, optional
        Angstrom.
    device : str, default "auto"

    Yields
    ------
    Event
        While particles are aligned; a `ClassesStep` after each round. After `Command.STOP` the
        result is that of the last round that ended.

    Returns
    -------
    SubtomogramClasses

    Raises
    ------
    InputError
        If images are no cubes, or there are fewer of use than classes.

    References
    ----------
    Xu, Chai, Muthakana, Liang, Yang, Zeev-Ben-Mordehai, Xing 2017, Deep learning-based subdivision
    approach for large scale macromolecules structure recovery from electron cryo tomograms,
    Bioinformatics 33:i13, section 3.3.
    """
    boxes = checked_boxes(images)
    config = ClassesConfig() if config is None else config
    rows = np.flatnonzero(usable(boxes))
    if len(rows) < max(config.n_classes, 2):
        raise InputError(
            f"{config.n_classes} classes need at least {max(config.n_classes, 2)} subtomograms; "
            f"{len(rows)} of {len(boxes)} have values that differ: give more, or ask for fewer "
            "classes."
        )
    rounds = config.starts * GUESS_ROUNDS + COARSE_ROUNDS + config.iterations
    progress = Progress(len(rows) * rounds)
    symmetry = config.align.symmetry
    particles = Particles(boxes, wedge, progress, symmetry, pixel_size, device)
    return (yield from _Classification(particles, rows, config).run())


class _Classification:
    """Particles, their poses and their classes."""

    def __init__(self, particles: Particles, rows: Rows, config: ClassesConfig) -> None:
        self._particles, self._rows, self._config = particles, rows, config
        self._poses = RigidPoses.unmoved(len(rows))
        self._labels = np.zeros(len(rows), np.intp)
        self._half = split_by_id(rows.astype(str), config.seed)

    def run(self) -> Job[SubtomogramClasses]:
        """Return the classes after all rounds."""
        progress = self._particles.progress
        current = yield from self._begun()
        for number in range(self._config.iterations):
            if progress.stopped:
                break
            options = self._config.round(number, self._particles.side, self._particles.pixel_size)
            self._labels = self._parted(current, options)
            averages = self._averages()
            found = yield from self._aligned(averages, options)
            if found is None:
                break
            order = self._take(found, averages, options)
            current = self._classes(self._averages(), found.scores[:, order])
            step = ClassesStep(
                done=progress.done, total=progress.total, iteration=number + 1, current=current
            )
            yield from progress.tell(step)
        return current

    def _begun(self) -> Job[SubtomogramClasses]:
        """Return all particles as one class, aligned to an average of their own."""
        config, rows = self._config, self._rows
        coarse = config.up_to(config.first_high)
        rng = np.random.default_rng(config.seed)
        reference = yield from first_guess(self._particles, rows, coarse, config.starts, rng)
        for _ in range(COARSE_ROUNDS):
            if self._particles.progress.stopped:
                break
            found = yield from self._particles.align(rows, reference, coarse)
            if not found.aligned.all():
                break
            self._poses = found.poses
            reference = self._particles.average(rows, self._poses)
        averages = self._averages()
        return self._classes(averages, self._poses.scores[:, None])

    def _parted(self, current: SubtomogramClasses, config: AlignConfig) -> Labels:
        """Return the class of each particle by the components along which they differ."""
        from sklearn.cluster import KMeans

        k = self._config.n_classes
        layout = Layout(self._particles, config)
        spectra, known = layout.rows(self._rows, self._poses)
        if self._config.imputation:
            for number, average in enumerate(current.averages):
                here = self._labels == number
                reference = layout.coefficients(average.average)
                spectra[here] = imputed(spectra[here], known[here], reference)
                known[here] |= np.abs(reference) > 0
        features, weights = layout.features(spectra, known)
        scores = weighted_components(features, weights, self._config.n_dims).scores
        means = KMeans(k, n_init=_STARTS_OF_K_MEANS, random_state=self._config.seed)
        return _by_size(means.fit_predict(scores))[0]

    def _aligned(
        self, averages: tuple[SubtomogramAverage, ...], config: AlignConfig
    ) -> Job[Alignment | None]:
        references = np.stack([damped(average) for average in averages])
        found = yield from self._particles.align(self._rows, references, config)
        return found if found.aligned.all() and np.isfinite(found.scores).all() else None

    def _take(
        self, found: Alignment, averages: tuple[SubtomogramAverage, ...], config: AlignConfig
    ) -> Labels:
        """Take the best class and pose of each, all lying as the first class does.

        Returns what the number of each class was before.
        """
        poses, labels = found.poses, found.reference
        for number in range(1, len(averages)):
            here = np.flatnonzero(labels == number)
            frame = self._frame(averages[number], averages[0], config)
            poses = poses.put(here, poses.take(here).through(frame))
        self._poses = poses
        self._labels, order = _by_size(labels)
        return order

    def _frame(
        self, average: SubtomogramAverage, first: SubtomogramAverage, config: AlignConfig
    ) -> RigidPoses:
        """Return how the average of the largest class lies in another."""
        job = align_crops(
            average.average[None], damped(first), None, config, device=self._particles.device
        )
        frame = run_inline(job).poses
        return frame if np.isfinite(frame.shifts).all() else RigidPoses.unmoved(1)

    def _averages(self) -> tuple[SubtomogramAverage, ...]:
        """Return the average of each class, over the particles of this work."""
        return tuple(self._average(self._labels == number) for number in np.unique(self._labels))

    def _average(self, here: npt.NDArray[np.bool_]) -> SubtomogramAverage:
        n = len(self._particles.boxes)
        half = np.full(n, -1, np.int8)
        half[self._rows[here]] = self._half[here]
        poses = RigidPoses.unknown(n).put(self._rows, self._poses)
        return average_of(
            self._particles.sums(poses, half),
            poses,
            half,
            gold_standard=False,
            diameter=self._config.align.diameter,
            pixel_size=self._particles.pixel_size,
            seed=self._config.seed,
        )

    def _classes(
        self, averages: tuple[SubtomogramAverage, ...], scores: npt.NDArray[np.float64]
    ) -> SubtomogramClasses:
        n = len(self._particles.boxes)
        labels = np.full(n, -1, np.intp)
        labels[self._rows] = self._labels
        spread = np.full((n, scores.shape[1]), np.nan)
        spread[self._rows] = scores
        poses = RigidPoses.unknown(n).put(self._rows, self._poses)
        return SubtomogramClasses(labels, poses, averages, spread)


def _by_size(labels: npt.NDArray[np.integer]) -> tuple[Labels, Labels]:
    """Return classes numbered from 0, the largest first, none empty, and their old numbers."""
    found, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(found), np.intp)
    rank[order] = np.arange(len(found))
    return np.asarray(rank[inverse], np.intp), np.asarray(found[order], np.intp)

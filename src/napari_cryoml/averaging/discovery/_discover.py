"""The whole protocol: vectors, clusters, classes, averages, what is new, and a ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._classify import classify_subtomograms
from napari_cryoml.averaging._rigid import RigidPoses
from napari_cryoml.averaging._subtomogram_average import average_subtomograms
from napari_cryoml.averaging._subtomogram_classes import ClassesConfig
from napari_cryoml.averaging.discovery._candidate import Candidate, ClusterDone, Discovery
from napari_cryoml.averaging.discovery._config import DiscoveryConfig
from napari_cryoml.averaging.discovery._plan import novelty_of, worth_a_look
from napari_cryoml.averaging.discovery._ranking import ranking
from napari_cryoml.averaging.discovery._store import DiscoveryStore, search_key
from napari_cryoml.data import Crops, MissingWedge
from napari_cryoml.embedding import cluster
from napari_cryoml.jobs import Command, Event, Job, relay

Rows = npt.NDArray[np.intp]
Volume = npt.NDArray[np.float32]


def discover(
    crops: Crops,
    vectors: npt.ArrayLike,
    config: DiscoveryConfig | None = None,
    *,
    wedge: MissingWedge | None = None,
    labels: Sequence[str] | None = None,
    known: Mapping[str, Volume] | None = None,
    pixel_size: float | None = None,
    store: Path | None = None,
    device: str = "auto",
) -> Job[Discovery]:
    """Look for structures that nobody has labelled: a job.

    The vectors are parted into many clusters; the particles of each are classified and averaged
    without a reference; the averages are compared with what is known and with each other, and
    ranked by how new and how reproducible they are.

    Parameters
    ----------
    crops : Crops
        Of three axes, n of them.
    vectors : array of shape (n, d)
        What a classifier or another encoder makes of each.
    config : DiscoveryConfig, optional
    wedge : MissingWedge, optional
        Tilts that the tomograms were reconstructed from; all by default.
    labels : sequence of str, optional
        Class of each crop, "" where it has none.
    known : mapping of str to array (z, y, x), optional
        Density maps of known structures, as large as the crops.
    pixel_size : float, optional
        Angstrom per voxel of the crops.
    store : Path, optional
        Folder that keeps what is done, so that a search that was stopped goes on.
    device : str, default "auto"

    Yields
    ------
    Event
        A `ClusterDone` after each cluster. After `Command.STOP` the result is that of the
        clusters that were looked into.

    Returns
    -------
    Discovery

    Raises
    ------
    InputError
        If crops and vectors do not fit, are too few, or the folder holds another search.
    """
    search = _Search(crops, vectors, config or DiscoveryConfig(), wedge, labels, pixel_size)
    search.device, search.known = device, dict(known or {})
    if store is not None:
        search.store = DiscoveryStore(Path(store), search.key())
    return (yield from search.run())


class _Search:
    """One search, from clusters to ranks."""

    def __init__(
        self,
        crops: Crops,
        vectors: npt.ArrayLike,
        config: DiscoveryConfig,
        wedge: MissingWedge | None,
        labels: Sequence[str] | None,
        pixel_size: float | None,
    ) -> None:
        self.crops, self.config, self.wedge = crops, config, wedge
        self.vectors = np.asarray(vectors, np.float32)
        self.pixel_size = pixel_size
        self.labels = np.full(len(crops), "") if labels is None else np.asarray(labels, np.str_)
        self.known: dict[str, Volume] = {}
        self.store: DiscoveryStore | None = None
        self.device = "auto"
        self.stopped = False
        self._check()

    def _check(self) -> None:
        n = len(self.crops)
        if len(self.crops.shape) != 3:
            raise InputError(
                "Structures are looked for among subtomograms, crops of three axes; these have "
                f"{len(self.crops.shape)}."
            )
        if self.vectors.ndim != 2 or len(self.vectors) != n or len(self.labels) != n:
            raise InputError(
                f"{n} crops need as many vectors and labels; vectors of shape "
                f"{self.vectors.shape} and {len(self.labels)} labels were given."
            )
        if n < self.config.least:
            raise InputError(
                f"A structure needs {self.config.least} particles or more; {n} crops were given."
            )

    def key(self) -> str:
        """Return what the results depend on."""
        options = self.config.model_dump_json(exclude={"most_clusters", "same_angstrom"})
        return search_key(self.crops.ids, self.vectors, options, repr(self.wedge))

    def run(self) -> Job[Discovery]:
        """Return what was found."""
        clusters = yield from self._clusters()
        new, notes = novelty_of(self.vectors, self.labels, self.config)
        order = worth_a_look(clusters, new, self.config)
        found: list[Candidate] = []
        n_done = 0
        for done, number in enumerate(order):
            if self.stopped:
                break
            here = yield from self._taken_apart(clusters, number, new)
            if here is None:
                break
            found += here
            n_done = done + 1
            message = f"Cluster {n_done} of {len(order)}: {len(here)} classes."
            event = ClusterDone(done=n_done, total=len(order), message=message, found=tuple(here))
            self.stopped |= (yield event) is Command.STOP
        ranked = yield from ranking(found, self.known, self.config, self.pixel_size)
        return Discovery(ranked, clusters, new, len(order) - n_done, notes)

    def _clusters(self) -> Job[npt.NDArray[np.int32]]:
        kept = None if self.store is None else self.store.clusters()
        if kept is not None:
            return kept
        made = yield from cluster(self.vectors, self.config.grouping(len(self.vectors)))
        if self.store is not None:
            self.store.keep_clusters(made.labels)
        return made.labels

    def _taken_apart(
        self,
        clusters: npt.NDArray[np.int32],
        number: int,
        new: npt.NDArray[np.float32] | None,
    ) -> Job[list[Candidate] | None]:
        """Return the classes of a cluster; None if that was stopped midway."""
        rows = self._central(np.flatnonzero(clusters == number))
        images = self.crops.read(rows)[:, 0]
        kept = None if self.store is None else self.store.classes(number)
        if kept is None:
            job = classify_subtomograms(
                images,
                self.wedge,
                self._classes(len(rows)),
                pixel_size=self.pixel_size,
                device=self.device,
            )
            made, stopped = yield from relay(
                job, lambda event: Event(done=0, total=0, message=event.message)
            )
            self.stopped |= stopped
            if self.stopped:
                return None
            kept = made.labels, made.poses
            if self.store is not None:
                self.store.keep_classes(number, *kept)
        return [
            self._candidate(number, one, rows, images, kept, new)
            for one in np.unique(kept[0][kept[0] >= 0])
            if np.sum(kept[0] == one) >= self.config.least
        ]

    def _classes(self, n: int) -> ClassesConfig:
        """Return the options of the classification: no more classes than can have members."""
        most = max(n // self.config.least, 1)
        k = min(self.config.classes.n_classes, most)
        return self.config.classes.model_copy(update={"n_classes": k, "seed": self.config.seed})

    def _central(self, rows: Rows) -> Rows:
        """Return the rows of a cluster that are nearest to its centre, in their order."""
        if len(rows) <= self.config.most:
            return rows
        table = self.vectors[rows]
        distance = np.linalg.norm(table - table.mean(axis=0), axis=1)
        return np.sort(rows[np.argsort(distance, kind="stable")[: self.config.most]])

    def _candidate(
        self,
        cluster_number: int,
        number: int,
        rows: Rows,
        images: Volume,
        classes: tuple[Rows, RigidPoses],
        new: npt.NDArray[np.float32] | None,
    ) -> Candidate:
        here = np.flatnonzero(classes[0] == number)
        average = average_subtomograms(
            images[here],
            classes[1].take(here),
            self.wedge,
            diameter=self.config.classes.align.diameter,
            pixel_size=self.pixel_size,
            seed=self.config.seed,
            device=self.device,
        )
        names, counts = np.unique(self.labels[rows[here]], return_counts=True)
        labelled = {str(a): int(b) for a, b in zip(names, counts, strict=True) if a}
        likely = 1.0 if new is None else float(np.nan_to_num(new[rows[here]]).mean())
        return Candidate(
            cluster_number, int(number), rows[here], average, likely, labelled=labelled
        )

"""A class is left out of the training: whether it is found among the clusters, and how well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from _cells import Wanted, measured
from _record import table
from _sections import Row
from _subtomo_data import Subtomograms, halves, subtomograms, ten_maps
from napari_cryoml.averaging import ClassesConfig
from napari_cryoml.averaging.discovery import DiscoveryConfig, discover, structural_discrepancy
from napari_cryoml.classification import LabelledCrops, systems
from napari_cryoml.embedding import KMeansConfig, cluster
from napari_cryoml.jobs import run_inline

SECTION = "subtomo-discovery"
_SYSTEMS = ("contrastive", "inception3d")
_SNR, _TILT, _CLUSTERS = 0.05, 60, 30
_RECOVERED_ANGSTROM = 70.0
_PURITIES = ("cluster_purity", "class_purity")


def discovery(per_class: int, *, fresh: bool = False, wanted: Wanted = None) -> Iterable[Row]:
    """Leave each class out in turn."""
    cells = [
        {"left_out": one.name, "system": system, "per_class": per_class}
        for system, one in product(_SYSTEMS, ten_maps())
    ]
    return measured(SECTION, cells, _one, fresh=fresh, wanted=wanted)


def _one(left_out: str, system: str, per_class: int) -> Row:
    data = subtomograms(_SNR, _TILT, per_class, 0)
    number = data.classes.index(left_out)
    train, test = halves(data.labels, 0)
    vectors = _features(data, train[data.labels[train] != number], test, system)
    tested = data.take(test)
    is_left_out = tested.labels == number
    clusters = run_inline(cluster(vectors, KMeansConfig(k=_CLUSTERS))).labels
    shares = np.array([is_left_out[clusters == one].mean() for one in range(clusters.max() + 1)])
    best = int(shares.argmax())
    members = np.flatnonzero(clusters == best)
    found = _structures(tested, vectors, members)
    purities = [is_left_out[members[one.rows]].mean() for one in found.candidates]
    size = float("nan")
    if purities:
        richest = found.candidates[int(np.argmax(purities))].average.average
        truth = ten_maps()[number].array
        size = structural_discrepancy(richest, truth, pixel_size=data.crops.pixel_size).size
    return {
        "cluster_purity": float(shares[best]),
        "cluster_size": len(members),
        "class_purity": float(max(purities, default=float("nan"))),
        "discrepancy_angstrom": size,
    }


def _features(data: Subtomograms, train: np.ndarray, test: np.ndarray, system: str) -> np.ndarray:
    """Return the structural features of the crops to test, of a network without the class."""
    names = tuple(data.classes[one] for one in np.unique(data.labels[train]))
    labels = np.searchsorted(np.unique(data.labels[train]), data.labels[train])
    told = LabelledCrops(data.take(train).crops, names, labels, data.wedge)
    classifier = run_inline(systems.create(system).fit(told))
    images = np.asarray(data.crops.array[test], np.float32)
    # The paper clusters what the last layer says of each class. Ours is made for fewer classes
    # than there are, too: what goes into the last layer holds what tells crops apart.
    of = classifier.vectors if system == "contrastive" else classifier.features
    return np.concatenate([of(part) for part in np.array_split(images, 8)])


def _structures(data: Subtomograms, vectors: np.ndarray, members: np.ndarray):
    """Return the classes of one cluster, as the protocol finds them: three, in five rounds."""
    config = DiscoveryConfig(clusters=1, least=4, classes=ClassesConfig(n_classes=3, iterations=5))
    crops = data.take(members).crops
    return run_inline(
        discover(
            crops,
            vectors[members],
            config,
            wedge=data.wedge,
            pixel_size=crops.pixel_size,
        )
    )


def discovery_table(rows: Sequence[Row]) -> str:
    """Return what became of each class that was left out, by system, and the share recovered."""
    known = [name for name in _SYSTEMS if any(row["system"] == name for row in rows)]
    cells = {(row["left_out"], row["system"]): row for row in rows}
    lines = [
        [
            left_out,
            *(text for name in known for text in _in_words(cells.get((left_out, name)))),
        ]
        for left_out in dict.fromkeys(row["left_out"] for row in rows)
    ]
    lines.append(["mean, and recovered below 7 nm"])
    for name in known:
        these = [row for row in rows if row["system"] == name]
        recovered = sum(row["discrepancy_angstrom"] <= _RECOVERED_ANGSTROM for row in these)
        means = [np.nanmean([row[key] for row in these]) for key in _PURITIES]
        lines[-1] += [*(f"{mean:.2f}" for mean in means), f"{recovered} of {len(these)}"]
    columns = ("of the richest cluster", "of a class in it", "differs, nm")
    header = [f"`{name}`: {column}" for name in known for column in columns]
    return table(["class left out", *header], lines)


def _in_words(row: Row | None) -> tuple[str, ...]:
    if row is None:
        return "", "", ""
    cluster, purest = (row[key] for key in _PURITIES)
    size = f"{row['discrepancy_angstrom'] / 10:.1f}"
    return f"{cluster:.2f} of {row['cluster_size']}", f"{purest:.2f}", size

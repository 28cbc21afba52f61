"""Clusters of the explorer: time and memory of large tables, and whether clusters are classes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from _embedding_known import KnownSet, by_name, known_sets
from _embedding_maps import grouped_vectors
from _peak import peak_gb
from _record import table
from napari_cryoml.embedding import ClustersConfig, cluster, clusterings
from napari_cryoml.jobs import run_inline

SIZES = {
    "kmeans": (100_000, 1_000_000),
    "hdbscan": (100_000,),
    "leiden": (100_000,),
    "agglomerative": (100_000,),
}
WAYS = {
    "kmeans, k = 100": ("kmeans", None),
    "kmeans, as many as classes": ("kmeans", "k"),
    "hdbscan": ("hdbscan", None),
    "leiden": ("leiden", None),
    "agglomerative, as many as classes": ("agglomerative", "n_clusters"),
}
"""Methods that known sets are clustered by, and the option that tells the number of classes."""

Row = dict[str, Any]
Labels = npt.NDArray[np.int32]


def clusters(seeds: int) -> Iterator[Row]:
    """Cluster large tables, each in a process of its own, then sets whose classes are known."""
    for method, sizes in SIZES.items():
        for n_rows in sizes:
            yield _cost(n_rows, method)
    for name, some in by_name(known_sets(seeds)):
        for way in WAYS:
            found = [_against(_labels(each, way), each.kinds) for each in some]
            means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
            yield {"set": name, "sets": len(some), "way": way, **means}


def clusters_table(rows: Sequence[Row]) -> str:
    """Return a table of costs and one of likeness to classes."""
    header = ["vectors", "clusters by", "clusters", "threads", "time", "peak memory"]
    header += ["of that before"]
    costs = [
        [
            f"{row['rows']:,} x {row['columns']}",
            row["method"],
            row["clusters"],
            row["threads"],
            f"{row['seconds']:.1f} s",
            f"{row['memory_gb']:.2f} GB",
            f"{row['before_gb']:.2f} GB",
        ]
        for row in rows
        if "seconds" in row
    ]
    likeness = [
        [
            row["set"],
            row["way"],
            f"{row['clusters']:.1f}".removesuffix(".0"),
            f"{100 * row['within']:.0f} %",
            f"{row['rand']:.2f}",
            *(f"{100 * row[key]:.0f} %" for key in ("purity", "chance")),
        ]
        for row in rows
        if "rand" in row
    ]
    names = ["set", "clusters by", "clusters", "rows in one"]
    names += ["adjusted Rand index", "of the class of most in their cluster", "by chance"]
    return f"{table(header, costs)}\n\n{table(names, likeness)}"


def _labels(each: KnownSet, way: str) -> Labels:
    method, counted = WAYS[way]
    options = {} if counted is None else {counted: len(each.names)}
    return run_inline(cluster(each.vectors, clusterings.create(method, **options))).labels


def _against(labels: Labels, kinds: npt.NDArray[np.str_]) -> Row:
    """Return how far clusters are classes; rows of none count as a cluster of their own."""
    from sklearn.metrics import adjusted_rand_score

    shuffled = np.random.default_rng(0).permutation(kinds)
    return {
        "clusters": labels.max() + 1,
        "within": (labels >= 0).mean(),
        "rand": adjusted_rand_score(kinds, labels),
        "purity": _purity(labels, kinds),
        "chance": _purity(labels, shuffled),
    }


def _purity(labels: Labels, kinds: npt.NDArray[np.str_]) -> float:
    """Return which share of the rows is of the class that most of their cluster are of."""
    groups = [kinds[labels == one] for one in np.unique(labels)]
    return sum(np.unique(group, return_counts=True)[1].max() for group in groups) / len(kinds)


def _cost(n_rows: int, method: str) -> Row:
    """Return what default clusters of `grouped_vectors` cost; nothing is compiled beforehand."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "cost.npz"
        command = [sys.executable, __file__, str(n_rows), method, str(out)]
        subprocess.run(command, check=True, env=os.environ | {"NUMBA_CACHE_DIR": folder})
        with np.load(out, allow_pickle=False) as file:
            return {"method": method} | {key: value.item() for key, value in file.items()}


def _child(n_rows: int, config: ClustersConfig, out: Path) -> None:
    vectors = grouped_vectors(n_rows)
    before = peak_gb()
    start = time.perf_counter()
    found = run_inline(cluster(vectors, config))
    seconds = time.perf_counter() - start
    np.savez(
        out,
        rows=n_rows,
        columns=vectors.shape[1],
        clusters=len(found),
        threads=int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1),
        seconds=seconds,
        memory_gb=peak_gb(),
        before_gb=before,
    )


if __name__ == "__main__":
    _child(int(sys.argv[1]), clusterings.create(sys.argv[2]), Path(sys.argv[3]))

"""Maps of vectors: time and memory of large ones, and how far they keep neighbourhoods."""

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

from _data import DATA
from _peak import peak_gb
from _record import table
from napari_cryoml.embedding import ProjectionConfig, TsneConfig, UmapConfig, project, projections
from napari_cryoml.evaluation import neighbourhood_recall, trustworthiness
from napari_cryoml.jobs import run_inline

N_FEATURES = 64
_N_TSNE = 20_000
_N_MILLION = 1_000_000
_N_SAMPLE = 20_000
_N_GROUPS = 30
_K = 15
_FASTEST_WAVE = 0.25  # cycles per pixel that are still read of a crop

Row = dict[str, Any]
Vectors = npt.NDArray[np.float32]


def grouped_vectors(n: int, seed: int = 0, n_features: int = N_FEATURES) -> Vectors:
    """Return rows of thirty groups: long Gaussian clouds and curved sheets with noise.

    Parameters
    ----------
    n : int
    seed : int
    n_features : int

    Returns
    -------
    array of shape (n, n_features), float32
    """
    rng = np.random.default_rng(seed)
    group = rng.choice(_N_GROUPS, n, p=rng.dirichlet(np.full(_N_GROUPS, 2.0)))
    vectors = np.empty((n, n_features), np.float32)
    for number in range(_N_GROUPS):
        rows = np.flatnonzero(group == number)
        shape = _sheet if number % 2 else _cloud
        vectors[rows] = rng.normal(size=n_features) + shape(len(rows), n_features, rng, number)
    return vectors


def _cloud(n: int, n_features: int, rng: np.random.Generator, _: int) -> npt.NDArray[np.float64]:
    axes = np.linalg.qr(rng.normal(size=(n_features, n_features)))[0]
    widths = 0.9 * np.arange(1, n_features + 1) ** -0.7
    return (rng.normal(size=(n, n_features)) * widths) @ axes


def _sheet(
    n: int, n_features: int, rng: np.random.Generator, number: int
) -> npt.NDArray[np.float64]:
    place = rng.uniform(-1, 1, size=(n, 1 + number % 3))
    waves = [np.sin(2 * place), np.cos(2 * place), 0.5 * np.sin(4 * place), place]
    bent = np.concatenate(waves, axis=1)
    bent = bent @ rng.normal(scale=0.5, size=(bent.shape[1], n_features))
    return bent + rng.normal(scale=0.1, size=(n, n_features))


def tsne_speed() -> Iterator[Row]:
    """Map 20,000 rows by t-SNE, here and by openTSNE called directly, one after the other."""
    from openTSNE import TSNE

    vectors = grouped_vectors(_N_TSNE)
    config = TsneConfig()
    project_inline(vectors[:200], config)  # what is loaded and compiled once is not counted
    threads = _threads()
    start = time.perf_counter()
    direct = TSNE(
        perplexity=config.perplexity,
        early_exaggeration=config.early_exaggeration,
        early_exaggeration_iter=config.early_iterations,
        n_iter=config.iterations,
        initialization="pca",
        n_jobs=threads,
        random_state=config.seed,
    ).fit(vectors)
    direct_s = time.perf_counter() - start
    start = time.perf_counter()
    ours = project_inline(vectors, config)
    ours_s = time.perf_counter() - start
    yield {
        "rows": _N_TSNE,
        "threads": threads,
        "openTSNE_s": direct_s,
        "ours_s": ours_s,
        "ratio": ours_s / direct_s,
        "openTSNE_trustworthiness": trustworthiness(vectors, np.asarray(direct), _K, sample=5000),
        "trustworthiness": trustworthiness(vectors, ours, _K, sample=5000),
    }


def tsne_table(rows: Sequence[Row]) -> str:
    """Return one row a run."""
    header = ["rows", "threads", "openTSNE", "ours, with layouts shown", "ratio"]
    header += ["trustworthiness, openTSNE", "ours"]
    body = [
        [
            row["rows"],
            row["threads"],
            f"{row['openTSNE_s']:.0f} s",
            f"{row['ours_s']:.0f} s",
            f"{row['ratio']:.2f}",
            f"{row['openTSNE_trustworthiness']:.4f}",
            f"{row['trustworthiness']:.4f}",
        ]
        for row in rows
    ]
    return table(header, body)


def million(n_rows: int = _N_MILLION) -> Iterator[Row]:
    """Map a million rows by UMAP through landmarks, in a process of its own.

    Nothing is compiled there beforehand. Some rows are then compared with a map of them alone, by
    our own UMAP and by umap-learn.
    """
    vectors = grouped_vectors(n_rows)
    drawn = np.random.default_rng(1).choice(n_rows, min(_N_SAMPLE, n_rows // 2), replace=False)
    sample = vectors[np.sort(drawn)]
    exact = trustworthiness(sample, project_inline(sample, UmapConfig()), _K)
    known = UmapConfig(backend="umap-learn")
    reference = trustworthiness(sample, project_inline(sample, known), _K)
    for placement in ("neighbours", "network"):
        config = UmapConfig(placement=placement)
        layout, seconds, memory_gb = _in_child(n_rows, config)
        kept = trustworthiness(sample, layout[np.sort(drawn)], _K)
        yield {
            "rows": n_rows,
            "placement": placement,
            "landmarks": config.n_landmarks,
            "threads": _threads(),
            "seconds": seconds,
            "memory_gb": memory_gb,
            "trustworthiness": kept,
            "exact_trustworthiness": exact,
            "umap_learn_trustworthiness": reference,
            "loss": exact - kept,
        }


def million_table(rows: Sequence[Row]) -> str:
    """Return one row a placement."""
    header = ["rows", "placement", "landmarks", "threads", "time", "peak memory"]
    header += ["trustworthiness", "of the exact map", "of umap-learn's", "loss"]
    body = [
        [
            f"{row['rows']:,}",
            row["placement"],
            f"{row['landmarks']:,}",
            row["threads"],
            f"{row['seconds']:.0f} s",
            f"{row['memory_gb']:.2f} GB",
            f"{row['trustworthiness']:.4f}",
            f"{row['exact_trustworthiness']:.4f}",
            f"{row['umap_learn_trustworthiness']:.4f}",
            f"{row['loss']:.4f}",
        ]
        for row in rows
    ]
    return table(header, body)


def neighbourhoods() -> Iterator[Row]:
    """Say how far each kind of map keeps neighbourhoods of digits and of yeast crops."""
    for name, vectors in _real_sets():
        landmarks = len(vectors) // 4
        kinds = {kind: projections.create(kind) for kind in projections}
        for kind in ("tsne", "umap"):
            kinds[f"{kind}, {landmarks} landmarks"] = projections.create(
                kind, landmarks_above=landmarks, n_landmarks=landmarks
            )
        kinds["umap-learn"] = UmapConfig(backend="umap-learn")
        for kind, config in kinds.items():
            start = time.perf_counter()
            layout = project_inline(vectors, config)
            yield {
                "set": name,
                "rows": len(vectors),
                "map": kind,
                "seconds": time.perf_counter() - start,
                "trustworthiness": trustworthiness(vectors, layout, _K),
                "recall": neighbourhood_recall(vectors, layout, _K),
            }


def neighbourhoods_table(rows: Sequence[Row]) -> str:
    """Return one row a set and map."""
    header = ["set", "rows", "map", "trustworthiness (k = 15)", "neighbourhood recall", "time"]
    body = [
        [
            row["set"],
            row["rows"],
            row["map"],
            f"{row['trustworthiness']:.3f}",
            f"{row['recall']:.3f}",
            f"{row['seconds']:.1f} s",
        ]
        for row in rows
    ]
    return table(header, body)


def project_inline(vectors: Vectors, config: ProjectionConfig) -> npt.NDArray[np.float32]:
    """Return the map of vectors."""
    return run_inline(project(vectors, config)).layout


def _real_sets() -> Iterator[tuple[str, Vectors]]:
    from sklearn.datasets import load_digits

    yield "digits", load_digits().data.astype(np.float32)
    path = DATA / "cells" / "yeast" / "yeast_crops_64.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            yield "yeast crops", spectra(file["images"])


def spectra(crops: npt.NDArray[np.float32], n_components: int = 50) -> Vectors:
    """Return principal components of the low-passed log power spectra of crops.

    Parameters
    ----------
    crops : array of shape (n, channels, y, x), float32
    n_components : int

    Returns
    -------
    array of shape (n, n_components), float32
    """
    from sklearn.decomposition import PCA

    level, spread = crops.mean(axis=(2, 3), keepdims=True), crops.std(axis=(2, 3), keepdims=True)
    power = np.abs(np.fft.rfft2((crops - level) / np.where(spread > 0, spread, 1)))
    y, x = np.fft.fftfreq(crops.shape[2])[:, None], np.fft.rfftfreq(crops.shape[3])[None]
    low = np.hypot(y, x) < _FASTEST_WAVE
    return (
        PCA(n_components, random_state=0)
        .fit_transform(np.log1p(power[:, :, low]).reshape(len(crops), -1))
        .astype(np.float32)
    )


def _in_child(n_rows: int, config: UmapConfig) -> tuple[npt.NDArray[np.float32], float, float]:
    """Return layout, seconds and peak memory of a map of `grouped_vectors`."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "map.npz"
        command = [sys.executable, __file__, str(n_rows), config.model_dump_json(), str(out)]
        # An empty cache: compiling counts.
        subprocess.run(command, check=True, env=os.environ | {"NUMBA_CACHE_DIR": folder})
        with np.load(out, allow_pickle=False) as file:
            return file["layout"], float(file["seconds"]), float(file["memory_gb"])


def _child(n_rows: int, config: UmapConfig, out: Path) -> None:
    vectors = grouped_vectors(n_rows)
    start = time.perf_counter()
    layout = project_inline(vectors, config)
    seconds = time.perf_counter() - start
    np.savez(out, layout=layout, seconds=seconds, memory_gb=peak_gb())


def _threads() -> int:
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() else (os.cpu_count() or 1)


if __name__ == "__main__":
    _child(int(sys.argv[1]), UmapConfig.model_validate_json(sys.argv[2]), Path(sys.argv[3]))

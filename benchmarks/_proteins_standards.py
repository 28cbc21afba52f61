"""The functional evaluation on real standards of yeast, of vectors with planted signal."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from _cells import measured
from _data import DATA
from _peak import peak_gb
from _record import table
from _sections import Row
from napari_cryoml.data import Standard
from napari_cryoml.evaluation.functional import MetricSpec, evaluate_functional
from napari_cryoml.io import read_standard
from napari_cryoml.jobs import run_inline

STANDARDS = "proteins-standards"

N_PROTEINS, LENGTH = 4049, 512
_WEIGHTS = {"localisation": 0.8, "component": 0.6, "process": 0.6, "complex": 1.0}
_MOST = {"localisation": 2000, "component": 2000, "process": 300, "complex": 300}
_SHOWN = ("ami", "ap_pooled", "map_protein", "f05_at_q")


def standards(folder: Path = DATA, *, fresh: bool = False) -> Iterable[Row]:
    """Evaluate 4,049 vectors on four standards: with signal, with little, and with none."""
    if not (folder / "standards" / "yeast").is_dir():
        return []
    cells = [{"signal": signal} for signal in (1.0, 0.3, 0.0)]
    return measured(STANDARDS, cells, _alone, fresh=fresh)


def _alone(signal: float) -> Row:
    """Evaluate in a process of its own, whose memory is that of the evaluation."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_evaluated, (signal, str(DATA / "standards" / "yeast")))


def _evaluated(signal: float, folder: str) -> Row:
    loaded = peak_gb()
    known = _read(Path(folder))
    names, vectors = _planted(known, signal)
    started, worked, found = time.perf_counter(), time.process_time(), {}
    for name, standard in known.items():
        report = run_inline(evaluate_functional(vectors, names, standard, _spec(name), threads=2))
        scores: dict[str, Any] = {
            key: [report.scores[key].value, report.scores[key].chance, report.scores[key].p]
            for key in _SHOWN
        }
        found[name] = {**scores, "proteins": len(report.proteins), "terms": report.n_terms}
    return {
        "seconds": time.perf_counter() - started,
        "core_seconds": time.process_time() - worked,
        "loaded_gb": loaded,
        "peak_gb": peak_gb(),
        "standards": found,
    }


def _spec(name: str) -> MetricSpec:
    """Return the usual metrics; places in a cell have more proteins than other terms."""
    return MetricSpec(most=_MOST[name])


def _read(folder: Path) -> dict[str, Standard]:
    slim = folder / "go_slim_mapping.tab"
    return {
        "localisation": read_standard(folder / "yeast_localization_annotations.csv"),
        "component": read_standard(slim, aspect="C"),
        "process": read_standard(slim, aspect="P"),
        "complex": read_standard(folder / "go_protein_complex_slim.tab"),
    }


def _planted(
    known: dict[str, Standard], signal: float
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return proteins and vectors: the mean direction of a protein's terms, and noise."""
    rng = np.random.default_rng(0)
    everyone = sorted(set().union(*(standard.members for standard in known.values())))
    names = sorted(rng.choice(everyone, N_PROTEINS, replace=False).tolist())
    vectors = rng.normal(size=(N_PROTEINS, LENGTH))
    for name, standard in known.items():
        members = standard.sized(3, _MOST[name]).membership(names)
        directions = rng.normal(size=(members.shape[1], LENGTH))
        n_terms = np.maximum(np.asarray(members.sum(axis=1)).ravel(), 1)
        vectors += signal * _WEIGHTS[name] * (members @ directions) / np.sqrt(n_terms)[:, None]
    return names, vectors.astype(np.float32)


def standards_table(rows: Sequence[Row]) -> str:
    """Return scores beside their chance by standard and signal, and what they cost."""
    lines = []
    for row in rows:
        for name, found in row["standards"].items():
            scores = [f"{found[key][0]:.3f} ({found[key][1]:.3f})" for key in _SHOWN]
            p = max(found[key][2] for key in _SHOWN)
            sizes = [f"{found['proteins']:,}", found["terms"]]
            lines.append([f"{row['signal']:g}", name, *sizes, *scores, f"{p:.3f}"])
    header = ["signal", "standard", "proteins", "terms", "AMI", "pooled AP", "mAP", "F0.5"]
    costs = "; ".join(
        f"signal {row['signal']:g}: {row['seconds']:.0f} s on the clock, "
        f"{row['core_seconds']:.0f} s of a core, {row['peak_gb']:.2f} GB"
        for row in rows
    )
    said = f"All four standards, two threads ({rows[0]['loaded_gb']:.2f} GB of it the libraries)"
    return table([*header, "largest p"], lines) + f"\n\n{said}: {costs}."

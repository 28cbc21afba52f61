"""What vectors of proteins hold of the standards that were planted, method by method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from _cells import measured
from _proteins_data import class_numbers, screen, split
from _proteins_training import METHODS, trained_vectors
from _record import ROOT, table
from _sections import Row
from napari_cryoml.data import Embedding
from napari_cryoml.embedding import group_vectors
from napari_cryoml.evaluation.functional import (
    FunctionalReport,
    MetricSpec,
    compare,
    evaluate_functional,
    functional_score,
)
from napari_cryoml.features import MEASUREMENT_GROUPS, Measurements, measure
from napari_cryoml.jobs import run_inline

VECTORS, PER_EPOCH = "proteins-vectors", "proteins-epochs"

SPEC = MetricSpec(least=3, most=300)
_STANDARDS = ("compartment", "bioprocess", "pathway", "complex")
_METRICS = ("ami", "ap_pooled", "f05_at_q")
_TITLES = {"ami": "AMI", "ap_pooled": "average precision", "f05_at_q": "F0.5"}
_OURS = "deeploc"
_BASELINES = {
    "paired_inpainting": "Paired Cell Inpainting",
    "measurements": "measurements",
    "measurements_pca": "measurements, PCA 99 %",
    "measurements_raw": "measurements as they are",
    "untrained": "DeepLoc, untrained",
    "compartment": "nothing but the true compartment",
}
_WITHIN = {
    "deeploc_within": "**DeepLoc**, less each compartment's mean",
    "measurements_within": "measurements, less each compartment's mean",
}
_COMPARED = ("paired_inpainting", "measurements", "measurements_pca")
_PAPER = {  # DeepLoc over Paired Cell Inpainting, AMI: Razdaibiedina and Brechalov 2022, page 4
    "compartment": 3.7,
    "bioprocess": 2.6,
    "pathway": 2.8,
    "complex": 4.1,
}
PICTURE = ROOT / "docs" / "images" / "proteins-epochs.svg"


def vectors(n_seeds: int, *, fresh: bool = False) -> Iterable[Row]:
    """Measure every method on every planted standard."""
    cells = [
        {"seed": seed, "standard": name, "method": method}
        for seed, name, method in product(range(n_seeds), _STANDARDS, (_OURS, *_BASELINES))
    ]
    cells += [
        {"seed": seed, "standard": name, "method": method}
        for seed, name, method in product(range(n_seeds), _STANDARDS[1:], _WITHIN)
    ]
    return measured(VECTORS, cells, _measured, fresh=fresh)


def _measured(seed: int, standard: str, method: str) -> Row:
    report, ours = _report(method, seed, standard), _report(_OURS, seed, standard)
    found: Row = {"proteins": len(report.proteins), "terms": report.n_terms}
    for metric in _METRICS:
        score = report.scores[metric]
        found |= {metric: score.value, f"{metric}_ci": [score.low, score.high]}
        found[f"{metric}_chance"] = score.chance
    if method != _OURS:
        folds = compare(ours, report).folds
        for metric in _METRICS:
            fold = folds[metric]
            found[f"{metric}_ahead"] = [fold.difference_low, fold.difference_high]
    return found


@cache
def _report(method: str, seed: int, standard: str) -> FunctionalReport:
    names, found = _proteins(_cells(method.removesuffix("_within"), seed), seed)
    if method in _WITHIN:
        found = _within(found, names, seed)
    known = screen(seed).standards[standard]
    return run_inline(evaluate_functional(found, names, known, SPEC, threads=1))


@cache
def _cells(method: str, seed: int) -> npt.NDArray[np.float32]:
    """Return the vectors of the test cells."""
    if method == "untrained":
        return trained_vectors(_OURS, seed).vectors[0]
    if method in METHODS:
        trained = trained_vectors(method, seed)
        return trained.vectors[trained.best]
    made, rows = screen(seed), split(screen(seed), seed).test
    if method == "compartment":
        return _one_hot(class_numbers(made)[rows], seed)
    crops = made.crops
    groups = tuple(MEASUREMENT_GROUPS)
    found = measure(crops.array[rows], crops.masks[rows], crops.channels, groups)
    if method == "measurements_pca":
        return found.reduced(0.99)[0].values
    return np.nan_to_num(found.values) if method == "measurements_raw" else _standardised(found)


def _within(found: npt.NDArray[np.float32], names: list[str], seed: int) -> npt.NDArray[np.float32]:
    """Return vectors less the mean of their true compartment: what they hold beside it."""
    proteome = screen(seed).proteome
    place = dict(zip(proteome.names.tolist(), proteome.labels.tolist(), strict=True))
    labels = np.array([place[name] for name in names])
    left = found.copy()
    for label in np.unique(labels):
        left[labels == label] -= left[labels == label].mean(axis=0)
    return left


def _one_hot(labels: npt.NDArray[np.intp], seed: int) -> npt.NDArray[np.float32]:
    """Return vectors that hold the compartment, and nothing else but a little noise."""
    noise = np.random.default_rng(seed).normal(0, 1e-3, (len(labels), labels.max() + 1))
    return (np.eye(labels.max() + 1)[labels] + noise).astype(np.float32)


def _standardised(found: Measurements) -> npt.NDArray[np.float32]:
    """Return measurements of mean 0 and deviation 1, the mean where there is none."""
    values = found.values.astype(np.float64)
    values -= np.nanmean(values, axis=0)
    spread = np.nanstd(values, axis=0)
    values /= np.where(spread > 0, spread, 1)
    return np.nan_to_num(values).astype(np.float32)


def _proteins(
    cells: npt.NDArray[np.float32], seed: int
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return one vector a protein: the mean over its test cells."""
    made, rows = screen(seed), split(screen(seed), seed).test
    crops = made.crops
    known = {"protein": crops.columns["protein"][rows]}
    grouped = group_vectors(Embedding(cells, crops.ids[rows], table=known), "protein")
    return grouped.ids.tolist(), grouped.vectors


def vectors_table(rows: Sequence[Row]) -> str:
    """Return a table a metric: methods by standards, mean and spread over the seeds."""
    parts = []
    for metric in _METRICS:
        lines = []
        for method, title in {_OURS: "**DeepLoc**", **_BASELINES, **_WITHIN}.items():
            cells = [_over_seeds(_of(rows, method, name), metric) for name in _STANDARDS]
            lines.append([title, *cells])
        chance = [
            f"{np.mean([row[f'{metric}_chance'] for row in _of(rows, _OURS, name)]):.3f}"
            for name in _STANDARDS
        ]
        lines.append(["chance", *chance])
        parts.append(table([_TITLES[metric], *_STANDARDS], lines))
    return "\n\n".join([*parts, _folds(rows), _ahead(rows)])


def _over_seeds(rows: Sequence[Row], metric: str) -> str:
    values = [row[metric] for row in rows]
    if len(values) < 2:
        return "".join(f"{value:.3f}" for value in values)
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


def _folds(rows: Sequence[Row]) -> str:
    """Return how many times the best of the published baselines DeepLoc has, in AMI."""
    lines = []
    for method in _COMPARED:
        cells = []
        for name in _STANDARDS:
            ours = np.mean([row["ami"] for row in _of(rows, _OURS, name)])
            theirs = np.mean([row["ami"] for row in _of(rows, method, name)])
            paper = f" ({_PAPER[name]:.1f})" if method == "paired_inpainting" else ""
            cells.append(f"{ours / theirs:.1f}{paper}" if theirs > 0.005 else "—")
        lines.append([_BASELINES[method], *cells])
    return table(["DeepLoc's AMI, times that of (paper)", *_STANDARDS], lines)


def _ahead(rows: Sequence[Row]) -> str:
    """Say in how many comparisons DeepLoc is ahead by more than the interval."""
    compared = [row for row in rows if row["method"] in _COMPARED]
    bounds = [row[f"{metric}_ahead"] for row in compared for metric in _METRICS]
    ahead, behind = sum(low > 0 for low, _ in bounds), sum(high < 0 for _, high in bounds)
    return (
        f"In {ahead} of {len(bounds)} comparisons with these three (by seed, standard and metric) "
        f"the 95 % interval over proteins has DeepLoc ahead, in {behind} behind."
    )


def _of(rows: Sequence[Row], method: str, standard: str) -> list[Row]:
    return [row for row in rows if (row["method"], row["standard"]) == (method, standard)]


def epochs(n_seeds: int, *, fresh: bool = False) -> Iterable[Row]:
    """Measure DeepLoc's vectors before training and after each epoch, and draw the curves."""
    cells = [
        {"seed": seed, "epoch": epoch}
        for seed, epoch in product(range(n_seeds), range(METHODS[_OURS].epochs + 1))
    ]
    return measured(PER_EPOCH, cells, _at_epoch, fresh=fresh)


def _at_epoch(seed: int, epoch: int) -> Row:
    trained = trained_vectors(_OURS, seed)
    names, found = _proteins(trained.vectors[epoch], seed)
    known = screen(seed).standards
    scores = {name: functional_score(found, names, known[name], SPEC) for name in _STANDARDS}
    return {
        **{name: scores[name]["f05_at_q"] for name in _STANDARDS},
        **{f"{name}_ami": scores[name]["ami"] for name in _STANDARDS},
        "validation_loss": float(trained.losses[epoch]),
        "chosen": epoch == trained.best,
    }


def epochs_table(rows: Sequence[Row]) -> str:
    """Return F0.5 and AMI by epoch, mean over the seeds; draw them, too."""
    draw_epochs(rows, PICTURE)
    lines = []
    for epoch in sorted({row["epoch"] for row in rows}):
        these = [row for row in rows if row["epoch"] == epoch]
        cells = [
            f"{np.mean([row[f'{name}{suffix}'] for row in these]):.3f}"
            for suffix in ("", "_ami")
            for name in _STANDARDS
        ]
        loss = np.mean([row["validation_loss"] for row in these])
        lines.append([epoch, f"{loss:.3f}", *cells])
    header = ["epoch", "validation loss", *(f"F0.5, {name}" for name in _STANDARDS)]
    return table([*header, *(f"AMI, {name}" for name in _STANDARDS)], lines)


def draw_epochs(rows: Sequence[Row], path: Path) -> None:
    """Draw F0.5 by epoch, a panel a standard and a line a seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.6), layout="constrained")
    panels = figure.subplots(1, len(_STANDARDS))
    colours = ("#0072B2", "#E69F00", "#009E73")
    for panel, name in zip(panels, _STANDARDS, strict=True):
        for seed, colour in zip(sorted({row["seed"] for row in rows}), colours, strict=False):
            these = sorted((r for r in rows if r["seed"] == seed), key=lambda r: r["epoch"])
            shown = [row["epoch"] for row in these], [row[name] for row in these]
            panel.plot(*shown, color=colour, marker="o", markersize=3, label=f"seed {seed}")
        panel.set(title=name, xlabel="epoch", ylim=(0, None))
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("F0.5 of test cells")
    panels[0].legend(frameon=False, fontsize=8)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})

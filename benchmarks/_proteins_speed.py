"""Cells a second: drawing, measuring, training and asking, and how the cost grows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch

from _cells import measured
from _record import table
from _sections import Row
from napari_cryoml.features import measure
from napari_cryoml.models import classifiers
from napari_cryoml.objectives import CropBatch, crop_objectives
from napari_cryoml.simulate import CellsSimulationConfig, simulate_cells

SPEED, GROWTH = "proteins-speed", "proteins-growth"

_BATCH, _CLASSES, _REPEATS = 16, 17, 2
_EPOCH_BATCH = 64
_NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "DeepLoc": ("deeploc", {}),
    "DeepLoc, half as wide": ("deeploc", {"width": 0.5}),
    "DeepLoc, a quarter as wide": ("deeploc", {"width": 0.25}),
    "DeepLoc as in PIFiA, 4,049 proteins": ("deeploc", {"hidden": 128, "latent": 64}),
    "DeepLoc of 2017": ("deeploc_2017", {}),
    "DeepLoc of 2017, a quarter as wide": ("deeploc_2017", {"width": 0.25}),
    "Paired Cell Inpainting": ("paired_inpainting", {}),
    "Paired Cell Inpainting, a quarter as wide": ("paired_inpainting", {"width": 0.25}),
}


def speed(*, fresh: bool = False) -> Iterable[Row]:
    """Time training steps and answers of each network, on one core or on a GPU."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    cells = [
        {"network": name, "precision": precision, "device": device}
        for name, precision in product(_NETWORKS, ("float32", "bfloat16"))
    ]
    return measured(SPEED, cells, _network, fresh=fresh)


def _network(network: str, precision: str, device: str) -> Row:
    torch.manual_seed(0)
    name, options = _NETWORKS[network]
    n_classes = 4049 if "PIFiA" in network else _CLASSES
    made = classifiers.create(name, **options).build((64, 64), n_classes, 2)
    drawn = crop_objectives.create("inpainting" if name == "paired_inpainting" else "supervised")
    objective = drawn.build(made).to(device, memory_format=torch.channels_last)
    crops = torch.randn(_BATCH, 2, 64, 64, device=device)
    crops = crops.to(memory_format=torch.channels_last)
    labels, rows = torch.arange(_BATCH, device=device) % _CLASSES, torch.arange(_BATCH)
    batch = CropBatch((crops,) * objective.n_views, labels, rows)
    low = precision == "bfloat16"

    def step() -> None:
        objective.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=low):
            loss = objective(batch).total
        loss.backward()

    def answer() -> None:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=low):
            made(crops)

    objective.train()
    trained = _seconds(step, device)
    objective.eval()
    return {
        "train": _BATCH / trained,
        "answer": _BATCH / _seconds(answer, device),
        "parameters": sum(p.numel() for p in objective.parameters()),
    }


def _seconds(work: Callable[[], object], device: str = "cpu") -> float:
    """Return the seconds of one core that work takes, or those on the clock on a GPU."""
    clock = time.process_time if device == "cpu" else time.perf_counter

    def once() -> float:
        start = clock()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        return clock() - start

    once()
    return statistics.median(once() for _ in range(_REPEATS))


def speed_table(rows: Sequence[Row]) -> str:
    """Return cells a second by network and precision."""
    lines = []
    for name in _NETWORKS:
        these = {row["precision"]: row for row in rows if row["network"] == name}
        if len(these) == 2:
            cells = [
                f"{these[precision][key]:,.0f}"
                for key in ("train", "answer")
                for precision in ("float32", "bfloat16")
            ]
            lines.append([name, f"{these['float32']['parameters'] / 1e6:.2f} M", *cells])
    header = ["cells a second", "weights", "train, float32", "bfloat16", "answer, float32"]
    return table([*header, "bfloat16"], lines)


def growth(*, fresh: bool = False) -> Iterable[Row]:
    """Time what is done to each cell, by the number of cells."""
    works = ("drawing", "measuring", "one epoch of DeepLoc, a quarter as wide")
    cells = [{"work": work, "n": n} for work, n in product(works, (250, 500, 1000, 2000))]
    return measured(GROWTH, cells, _growth, fresh=fresh)


def _growth(work: str, n: int) -> Row:
    config = CellsSimulationConfig(n_proteins=n // 25, cells_per_protein=25)
    if work == "drawing":
        simulate_cells(config.model_copy(update={"n_proteins": 1}))
        return {"seconds": _once(lambda: simulate_cells(config))}
    made = simulate_cells(config)
    if work == "measuring":
        measure(made.crops.array[:2], made.crops.masks[:2])
        return {"seconds": _once(lambda: measure(made.crops.array, made.crops.masks))}
    labels = np.array([made.classes.index(name) for name in made.crops.columns["class"]])
    return {"seconds": _epoch(made.crops, labels)}


def _epoch(crops: Any, labels: Any) -> float:
    """Return the seconds of one core that a whole epoch takes, reading and varying included."""
    from napari_cryoml.jobs import run_inline
    from napari_cryoml.training import CropAugmentationConfig, CropSampler, CropTrainingConfig, fit

    network = classifiers.create("deeploc", width=0.25).build(crops.shape, _CLASSES, 2)
    objective = crop_objectives.create("supervised").build(network)
    varied = CropAugmentationConfig(kind="cells")

    def run(rows: Any) -> None:
        draws = CropSampler(crops, labels, rows, _EPOCH_BATCH, augmentation=varied)
        training = CropTrainingConfig(epochs=1, batch=_EPOCH_BATCH)
        run_inline(fit(objective, objective, draws, training, device=torch.device("cpu")))

    run(np.arange(_EPOCH_BATCH))
    return _once(lambda: run(np.arange(len(labels))))


def _once(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def growth_table(rows: Sequence[Row]) -> str:
    """Return milliseconds a cell by the number of cells."""
    numbers = sorted({row["n"] for row in rows})
    lines = []
    for work in dict.fromkeys(row["work"] for row in rows):
        these = {row["n"]: 1000 * row["seconds"] / row["n"] for row in rows if row["work"] == work}
        lines.append([work, *(f"{these[n]:.2f}" if n in these else "" for n in numbers)])
    return table(["milliseconds a cell", *(f"{n:,} cells" for n in numbers)], lines)

"""What networks cost to train and to ask, and how the cost of systems grows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import product

import numpy as np
import torch

from _cells import measured
from _record import table
from _sections import Row
from _subtomo_accuracy import fitted_accuracy
from _subtomo_data import parts, subtomograms
from napari_cryoml.classification import systems
from napari_cryoml.features import rotation_invariant
from napari_cryoml.models import classifiers

NETWORKS, FEATURES, GROWTH = "subtomo-networks", "subtomo-features", "subtomo-growth"
_NAMES = (
    "inception3d",
    "dsrf3d",
    "dsrf3d_v2",
    "rb3d",
    "cb3d",
    "autoencoder",
    "compact",
    "harmonic",
)
_BATCH, _CLASSES, _REPEATS = 16, 10, 3


def networks(*, fresh: bool = False) -> Iterable[Row]:
    """Time one training step and one answer of each network."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    cells = [
        {"network": name, "side": side, "precision": precision, "device": device}
        for name, side, precision in product(_NAMES, (32, 40), ("float32", "bfloat16"))
    ]
    return measured(NETWORKS, cells, _network, fresh=fresh)


def _network(network: str, side: int, precision: str, device: str) -> Row:
    torch.manual_seed(0)
    made = classifiers.create(network).build((side,) * 3, _CLASSES).to(device)
    made = made.to(memory_format=torch.channels_last_3d)
    crops = torch.randn(_BATCH, 1, side, side, side, device=device)
    crops = crops.to(memory_format=torch.channels_last_3d)
    labels = torch.arange(_BATCH, device=device) % _CLASSES
    low = precision == "bfloat16"

    def step() -> None:
        made.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=low):
            scores = made(crops)
        torch.nn.functional.cross_entropy(scores.float(), labels).backward()
        if device == "cuda":
            torch.cuda.synchronize()

    def answer() -> None:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=low):
            made(crops)
        if device == "cuda":
            torch.cuda.synchronize()

    made.train()
    trained = _seconds(step)
    made.eval()
    return {
        "train_ms": 1000 * trained / _BATCH,
        "answer_ms": 1000 * _seconds(answer) / _BATCH,
        "parameters": sum(p.numel() for p in made.parameters()),
    }


def _seconds(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def networks_table(rows: Sequence[Row]) -> str:
    """Return milliseconds a crop by network, size and precision."""
    lines = []
    for name, side, device in dict.fromkeys(
        (row["network"], row["side"], row["device"]) for row in rows
    ):
        these = {
            row["precision"]: row
            for row in rows
            if (row["network"], row["side"], row["device"]) == (name, side, device)
        }
        cells = [
            f"{these[precision][key]:.1f}" if precision in these else ""
            for key in ("train_ms", "answer_ms")
            for precision in ("float32", "bfloat16")
        ]
        millions = next(iter(these.values()))["parameters"] / 1e6
        lines.append([f"`{name}`", f"{side}³", device, f"{millions:.2f} M", *cells])
    header = ["network", "box", "on", "parameters", "train, float32", "bfloat16"]
    return table([*header, "answer, float32", "bfloat16"], lines)


def features(*, fresh: bool = False) -> Iterable[Row]:
    """Time rotation-invariant features."""
    return measured(FEATURES, [{"side": side} for side in (32, 40, 64)], _features, fresh=fresh)


def _features(side: int) -> Row:
    crops = np.random.default_rng(0).normal(size=(64, side, side, side)).astype(np.float32)
    return {"ms": 1000 * _seconds(lambda: rotation_invariant(crops)) / len(crops)}


def features_table(rows: Sequence[Row]) -> str:
    """Return milliseconds a box."""
    lines = [[f"{row['side']}³", f"{row['ms']:.2f}"] for row in rows]
    return table(["box", "ms a subtomogram"], lines)


def growth(*, fresh: bool = False) -> Iterable[Row]:
    """Time training by the number of subtomograms: one epoch of a network, and the SVM."""
    cells = [
        {"system": name, "n": n} for name, n in product(("compact", "rif_svm"), (125, 250, 500))
    ]
    return measured(GROWTH, cells, _growth, fresh=fresh)


def _growth(system: str, n: int) -> Row:
    data = subtomograms(0.1, 60, 100, 0)
    train, test = parts(data.labels, (n / len(data.labels), 1 - n / len(data.labels)), 0)
    config = (
        systems.create("inception3d", network="compact", epochs=1)
        if system == "compact"
        else systems.create(system)
    )
    fitted_accuracy(config, data, train[:50], test[:10])  # loads what the first call loads
    found = fitted_accuracy(config, data, train, test[:10])
    return {"seconds": found["seconds"], "n_train": found["n_train"]}


def growth_table(rows: Sequence[Row]) -> str:
    """Return seconds by system and number of crops."""
    numbers = sorted({row["n_train"] for row in rows})
    lines = []
    for name in dict.fromkeys(row["system"] for row in rows):
        these = {row["n_train"]: row["seconds"] for row in rows if row["system"] == name}
        lines.append([f"`{name}`", *(f"{these[n]:.1f}" if n in these else "" for n in numbers)])
    return table(["seconds to train", *(f"{n} crops" for n in numbers)], lines)

"""Processes that work until they are killed; a pipe tells what they have finished."""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from crash_journal import Journal, carry_out

from napari_cryoml import io
from napari_cryoml.data import Embedding, Picks, PicksTable
from napari_cryoml.project import Project


def annotate(pipe: Connection, path: Path, journal: Journal, seed: int) -> None:
    """Change a project step by step: labels, undo, redo, picks, models, settings."""
    rng = np.random.default_rng(seed)
    project = Project.open(path)
    while True:
        step = journal.choose(rng)
        pipe.send(("begun", step))
        carry_out(project, step)
        journal.apply(step)
        pipe.send(("done", step))


def write(pipe: Connection, folder: Path, seed: int) -> None:
    """Train a picker into a file again and again, and export picks and vectors of many sizes."""
    import torch

    from napari_cryoml import checkpoint

    rng = np.random.default_rng(seed)
    if seed % 4 == 0 and (folder.parent / "images").is_dir():
        _train(folder)
    pipe.send(("done", "training"))
    while True:
        n = int(rng.integers(1, 20_000))
        picks = Picks("a.mrc", np.full((n, 2), 7.0), np.full(n, n, np.float32))
        io.write_picks(PicksTable.of([picks]), folder / "picks.star")
        io.write_picks(PicksTable.of([picks]), folder / "picks.csv")
        io.write_mrc(folder / "map.mrc", np.full((n // 50 + 1, 50), n, np.float32))
        vectors = np.full((n, 4), n, np.float32)
        io.write_embedding(Embedding(vectors, np.arange(n).astype(str)), folder / "e.parquet")
        weights = {"weights": torch.full((n, 8), float(n))}
        checkpoint.save(folder / "weights.safetensors", weights, {"n": n})
        pipe.send(("done", n))


def _train(folder: Path) -> None:
    from napari_cryoml._widgets.picker._work import train
    from napari_cryoml.data import Annotations
    from napari_cryoml.picking import PickerConfig

    images = io.open_images([folder.parent / "images"])
    table = io.read_picks(folder.parent / "images" / "particles.star")
    labels = {one.image: Annotations.of_positives(one.positions) for one in table}
    config = PickerConfig.model_validate(
        {
            "diameter": 24,
            "device": "cpu",
            "separation": 1,
            "network": {"units": 4},
            "training": {"crops": 2, "steps": 3, "minutes": None},
        }
    )
    out = folder / "model.safetensors"
    for _ in train(images, labels, config, out=out, start=None, preview=images[0]):
        pass


def pick(pipe: Connection, words: list[str]) -> None:
    """Carry out a command of the shell."""
    from napari_cryoml.cli import main

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, sys.stdout.fileno())
    os.dup2(quiet, sys.stderr.fileno())
    pipe.send(("begun", words))
    code = main(words)
    pipe.send(("done", code))


def check_files(folder: Path) -> str:
    """Return what is wrong with the files under their final names, "" if nothing is."""
    from napari_cryoml import checkpoint
    from napari_cryoml.picking import Picker

    checks: dict[str, Any] = {
        "model.safetensors": lambda path: Picker.load(path) is not None,
        "picks.star": lambda path: _same(next(iter(io.read_picks(path))).scores),
        "picks.csv": lambda path: _same(next(iter(io.read_picks(path))).scores),
        "map.mrc": lambda path: _same(io.open_image(path).read()[:, 0], rows=50),
        "e.parquet": lambda path: _same(io.read_embedding(path).vectors[:, 0]),
        "weights.safetensors": lambda path: _same(checkpoint.load(path)[0]["weights"][:, 0]),
    }
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.name not in checks:
            return f"{path.name} was not expected"
        try:
            whole = checks[path.name](path)
        except Exception as error:
            return f"{path.name}: {type(error).__name__}: {error}"
        if not whole:
            return f"{path.name} is not whole"
    return ""


def _same(values: Any, rows: int = 1) -> bool:
    """Whether n values, or n // rows + 1 of them, are all n."""
    found = np.asarray(values)
    n = int(found[0])
    length = n if rows == 1 else n // rows + 1
    return len(found) == length and bool((found == n).all())

"""Folders of simulated micrographs, with the truth beside them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml import __version__
from napari_cryoml._errors import InputError
from napari_cryoml.data import PicksTable
from napari_cryoml.io import write_mrc, write_picks
from napari_cryoml.jobs import Command, Event, Job, run_inline
from napari_cryoml.simulate._micrographs import (
    MicrographConfig,
    SimulatedMicrograph,
    simulate_micrograph,
)

TRUTH_NAME = "particles.star"
RECORD_NAME = "simulation.json"


def simulate_micrographs(
    out: str | Path, n: int, config: MicrographConfig, seed: int
) -> Job[list[Path]]:
    """Simulate a data set into a folder: a job with one event a micrograph.

    The folder holds ``micrograph_000.mrc`` and so on, ``particles.star`` with the true positions,
    and ``simulation.json`` with the seeds, the options, the version and what else is known of
    each micrograph. Files of these names are replaced.

    Parameters
    ----------
    out : path
        Made if it does not exist.
    n : int
        Number of micrographs, 1 or more.
    config : MicrographConfig
        All micrographs show the same structure.
    seed : int
        Of the data set, 0 or more; each micrograph has a seed of its own that follows from it.

    Yields
    ------
    Event
        After each micrograph. `Command.STOP` ends the set there, with its truth written.

    Returns
    -------
    list of Path
        The micrographs.

    Raises
    ------
    InputError
        If `n` or `seed` is out of range, or the folder cannot be written.
    """
    if n < 1 or seed < 0:
        raise InputError(
            f"A data set needs 1 micrograph or more and a seed of 0 or more; n = {n} and "
            f"seed = {seed} were given."
        )
    folder = make_folder(Path(out))
    paths: list[Path] = []
    picks, records = [], []
    for number in range(n):
        own_seed = _seed_of(seed, number)
        name = f"micrograph_{number:03d}.mrc"
        micrograph = simulate_micrograph(config, own_seed, name=name)
        paths.append(write_mrc(folder / name, micrograph.image, micrograph.pixel_size))
        picks.append(micrograph.picks)
        records.append(_record(micrograph, own_seed))
        command = yield Event(
            done=number + 1, total=n, message=f"{name}: {len(micrograph.picks)} particles"
        )
        if command is Command.STOP:
            break
    write_picks(PicksTable.of(picks), folder / TRUTH_NAME)
    header = {"version": __version__, "seed": seed, "config": config.model_dump(mode="json")}
    text = json.dumps({**header, "micrographs": records}, indent=1)
    (folder / RECORD_NAME).write_text(text + "\n", encoding="utf-8")
    return paths


def write_micrographs(out: str | Path, n: int, config: MicrographConfig, seed: int) -> list[Path]:
    """Carry out `simulate_micrographs` to its end and return the paths of the micrographs."""
    return run_inline(simulate_micrographs(out, n, config, seed))


def make_folder(folder: Path) -> Path:
    """Return a folder once it is there; an `InputError` tells why it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {folder} cannot be made ({error.strerror}): choose another one."
        ) from error
    return folder


def _seed_of(seed: int, number: int) -> int:
    """Mix both numbers: sets of neighbouring seeds must not share micrographs."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _record(micrograph: SimulatedMicrograph, seed: int) -> dict[str, Any]:
    return {
        "name": micrograph.picks.image,
        "seed": seed,
        "defocus_um": round(micrograph.defocus_um, 4),
        "particles": len(micrograph.picks),
        "contaminants": [asdict(contaminant) for contaminant in micrograph.contaminants],
    }

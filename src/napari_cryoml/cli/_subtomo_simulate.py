"""napari-cryoml subtomo simulate: subtomograms and tomograms with known truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._options import JSON, SEED, check_folder, with_settings
from napari_cryoml.cli._output import plain_warnings, report, run_job, say

if TYPE_CHECKING:
    from napari_cryoml.data import MissingWedge
    from napari_cryoml.simulate import (
        DensityMap,
        SubtomogramConfig,
        TomogramConfig,
    )

Array: TypeAlias = npt.NDArray[Any]

MAPS = typer.Option(
    "--maps",
    help="A density map (.mrc, .map) or structure (.pdb, .cif, also .gz); once for each class.",
    show_default=False,
)
_MADE_UP = 5


def simulate(
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    maps: Annotated[list[Path] | None, MAPS] = None,
    procedural: Annotated[
        int | None,
        typer.Option(min=1, help=f"Made-up complexes instead of maps; {_MADE_UP} if neither."),
    ] = None,
    per_class: Annotated[int, typer.Option(min=1, help="Subtomograms of each class.")] = 100,
    snr: Annotated[
        str, typer.Option(help="Signal-to-noise ratio in the box; none for no noise.")
    ] = "0.1",
    tilt: Annotated[
        str, typer.Option(help="Tilt range: 60 for -60 to 60 degrees, or -40,60.")
    ] = "60",
    box: Annotated[int, typer.Option(min=8, help="Side of the boxes, voxels.")] = 32,
    pixel_size: Annotated[float, typer.Option(help="Angstrom per voxel.")] = 10.0,
    tomogram: Annotated[
        bool, typer.Option("--tomogram", help="A crowded tomogram instead of boxes.")
    ] = False,
    seed: Annotated[int, SEED] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option of the simulation, as neighbours=4."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Simulate subtomograms, or a tomogram, of known classes and poses."""
    from napari_cryoml.simulate import SubtomogramConfig, TomogramConfig

    common = [f"snr={_ratio(snr)}", *_tilts(tilt), f"box={box}", f"pixel_size={pixel_size}"]
    kind = TomogramConfig() if tomogram else SubtomogramConfig()
    config = with_settings(kind, [*common, *(settings or [])])
    if maps and procedural:
        raise InputError("Give --maps or --procedural, not both.")
    check_folder(out)
    with plain_warnings():
        complexes = _complexes(maps or [], procedural or _MADE_UP, config)
    if isinstance(config, TomogramConfig):
        result = _tomogram(out, complexes, config, seed)
    else:
        result = _subtomograms(out, complexes, per_class, config, seed)
    report(result, as_json=as_json)


def _subtomograms(
    out: Path, maps: Sequence[DensityMap], per_class: int, config: SubtomogramConfig, seed: int
) -> dict[str, Any]:
    from napari_cryoml.simulate import simulate_subtomograms, write_subtomograms

    made = run_job(simulate_subtomograms(maps, per_class, config, seed), "Simulating")
    if not len(made):
        raise InputError("The simulation was stopped before its first boxes: run it again.")
    poses = made.rotations, made.shifts, made.wedge
    names = made.crops.columns["class"]
    measured = {"measured_snr": _measured(made.crops.array[:, 0], *poses, names, seed)}
    stack, listing, *_ = write_subtomograms(out, made, config, seed, measured)
    return {
        "subtomograms": str(stack),
        "truth": str(listing),
        "n": len(made),
        "classes": list(made.classes),
        "wanted_snr": config.snr,
        **measured,
    }


def _tomogram(
    out: Path, maps: Sequence[DensityMap], config: TomogramConfig, seed: int
) -> dict[str, Any]:
    from napari_cryoml.simulate import tomogram_job, write_tomogram

    say("Simulating a tomogram of " + " x ".join(map(str, config.shape)) + " voxels")
    made = run_job(tomogram_job(maps, config, seed), "Simulating")
    rows, boxes, shifts = made.boxes(config.box)
    poses = np.asarray(made.picks.rotations)[rows], shifts, made.wedge
    measured = {"measured_snr": _measured(boxes, *poses, made.picks.columns["class"][rows], seed)}
    image, picks, *_ = write_tomogram(out, made, config, seed, measured)
    return {
        "tomogram": str(image),
        "truth": str(picks),
        "n": len(made.picks),
        "classes": [entry.name for entry in maps],
        "wanted_snr": config.snr,
        **measured,
    }


def _measured(
    boxes: Array, rotations: Array, shifts: Array, wedge: MissingWedge, names: Array, seed: int
) -> dict[str, float] | None:
    """Return what pairs of one class agree on; None where no class has two particles."""
    from napari_cryoml.evaluation import posed_signal_to_noise
    from napari_cryoml.simulate import EMPTY

    rows = np.flatnonzero(names != EMPTY)
    if len(rows) == len(np.unique(names[rows])):
        return None
    found = posed_signal_to_noise(
        boxes[rows], rotations[rows], shifts[rows], wedge, labels=names[rows], seed=seed
    )
    return {"value": found.value, "low": found.low, "high": found.high, "pairs": len(found.pairs)}


def _complexes(
    paths: Sequence[Path], n: int, config: SubtomogramConfig | TomogramConfig
) -> list[DensityMap]:
    from napari_cryoml.simulate import TomogramConfig, procedural_maps, read_map

    if not paths:
        return procedural_maps(n, config.box, config.pixel_size)
    # In a tomogram a complex may be larger than the box that the SNR is told for.
    box = None if isinstance(config, TomogramConfig) else config.box
    return [read_map(path, config.pixel_size, box) for path in paths]


def _ratio(text: str) -> str:
    """Return a ratio as `with_settings` takes it: an infinite one is one without noise."""
    return "none" if text.strip().lower() in ("inf", "infinite", "none") else text


def _tilts(text: str) -> list[str]:
    ends = text.replace(" ", "").split(",")
    if len(ends) == 1:
        return [f"tilt_max={ends[0]}"]
    if len(ends) == 2:
        return [f"tilt_min={ends[0]}", f"tilt_max={ends[1]}"]
    raise InputError(f"--tilt takes degrees, as 60 or -40,60; {text!r} was given.")

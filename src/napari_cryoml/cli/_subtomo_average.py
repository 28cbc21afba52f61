"""napari-cryoml subtomo average: what subtomograms have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import RefineConfig, SubtomogramAverage
from napari_cryoml.cli._options import (
    DEVICE,
    JSON,
    PIXEL_SIZE,
    SEED,
    check_output,
    config_of,
    field_help,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.cli._resolution import resolution_figures
from napari_cryoml.cli._subtomo_inputs import (
    BOX,
    DIAMETER,
    INPUTS,
    NO_WEDGE,
    PICKS,
    SIZE,
    TILT,
    check_cubes,
    read_subtomograms,
    voxels,
    wedge_of,
)
from napari_cryoml.cli._subtomo_poses import (
    check_particles_output,
    poses_table,
    read_references,
    write_poses,
)

_MAPS = (".mrc", ".map", ".ccp4", ".rec")


def average(
    inputs: INPUTS,
    out: Annotated[Path, typer.Option(help="The average to write, as MRC; halves go beside it.")],
    picks: PICKS = None,
    tilt: TILT = None,
    reference: Annotated[
        Path | None, typer.Option(help="A map to start from; by default from nothing.")
    ] = None,
    iterations: Annotated[int, typer.Option(help=field_help(RefineConfig, "iterations"))] = 10,
    particles: Annotated[
        Path | None, typer.Option(help="Write the poses too: .star, .tbl, .em, .csv ...")
    ] = None,
    box: BOX = None,
    size: SIZE = None,
    diameter: DIAMETER = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    seed: Annotated[int, SEED] = 0,
    device: Annotated[str, DEVICE] = "auto",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as align.symmetry=C2.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Align subtomograms to their own average, in two halves that never see each other."""
    from napari_cryoml.averaging import refine

    _check_map_output(out)
    if particles is not None:
        check_particles_output(particles)
    options = config_of(RefineConfig, iterations=iterations, seed=seed)
    config = with_settings(options, settings or [])
    crops = read_subtomograms(
        inputs, picks, box=box, size=size, diameter=diameter, pixel_size=pixel_size, tilt=tilt
    )
    check_cubes(crops)
    wedge = wedge_of(crops, tilt)
    if wedge is None:
        say(NO_WEDGE)
    sampling = getattr(crops, "pixel_size", None)
    start = None
    if reference is not None:
        start = read_references([reference], crops.shape[-1], sampling)[0]
    job = refine(
        voxels(crops),
        wedge,
        config,
        reference=start,
        ids=crops.ids.tolist(),
        pixel_size=sampling,
        device=device,
    )
    found: SubtomogramAverage = run_job(job, "Averaging")
    files = _write(found, out)
    if particles is not None:
        halves = {"half": found.half}
        write_poses(poses_table(crops, found.poses, halves, Path(inputs[0]).name), particles)
        files["particles"] = str(particles)
    for note in found.notes:
        say(note)
    report(files | _figures(found, as_json), as_json=as_json)


def _check_map_output(path: Path) -> None:
    """Complain of a name under which no map can be written, before long work."""
    check_output(path)
    if path.suffix.lower() not in _MAPS:
        raise InputError(f"{path.name} is no name of a map: end it in {' or '.join(_MAPS)}.")


def _write(found: SubtomogramAverage, out: Path) -> dict[str, Any]:
    """Write the average, its halves and their curve; return the files."""
    from napari_cryoml.io import save_or_rescue, write_mrc

    save_or_rescue(lambda path: write_mrc(path, found.average, found.pixel_size), out)
    files: dict[str, Any] = {"average": str(out)}
    if found.halves is None:
        return files
    halves = []
    for number, half in enumerate(found.halves):
        path = out.with_name(f"{out.stem}_half{number + 1}{out.suffix}")
        write_mrc(path, half, found.pixel_size)
        halves.append(str(path))
    curve = out.with_name(f"{out.stem}_fsc.csv")
    _write_curve(found, curve)
    return files | {"halves": halves, "fsc_file": str(curve)}


def _write_curve(found: SubtomogramAverage, path: Path) -> None:
    import pandas as pd

    from napari_cryoml.io import replacing

    curves = found.curves
    if curves is None:
        return
    frame = pd.DataFrame(
        {
            "frequency": curves.corrected.frequency / (found.pixel_size or 1.0),
            "corrected": curves.corrected.values,
            "masked": curves.masked.values,
            "unmasked": curves.unmasked.values,
            "randomised": curves.randomised.values,
        }
    )
    with replacing(path) as draft:
        frame.to_csv(draft, index=False)


def _figures(found: SubtomogramAverage, with_curve: bool) -> dict[str, Any]:
    scores = found.poses.scores[found.used]
    figures: dict[str, Any] = {
        "n_averaged": len(found.used),
        "of": len(found.half),
        "pixel_size": found.pixel_size,
        **resolution_figures(found.fsc),
        "gold_standard": found.gold_standard,
        "median_score": float(np.median(scores)) if np.isfinite(scores).any() else None,
    }
    if found.fsc is not None and with_curve:
        figures["fsc"] = found.fsc.values.round(4).tolist()
    return figures | ({"notes": list(found.notes)} if found.notes else {})

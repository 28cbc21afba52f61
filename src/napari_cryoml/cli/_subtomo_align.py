"""napari-cryoml subtomo align: the poses of subtomograms against maps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from napari_cryoml.averaging import AlignConfig, Alignment
from napari_cryoml.cli._options import (
    DEVICE,
    JSON,
    PIXEL_SIZE,
    config_of,
    field_help,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job, say
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


def align(
    inputs: INPUTS,
    reference: Annotated[
        list[Path],
        typer.Option(help="A map (.mrc) or a structure (.cif, .pdb); several, given again."),
    ],
    out: Annotated[
        Path, typer.Option(help="Particles with their poses: .star, .tbl, .em, .csv ...")
    ],
    picks: PICKS = None,
    tilt: TILT = None,
    angular_step: Annotated[
        float, typer.Option(help=field_help(AlignConfig, "angular_step"))
    ] = 15.0,
    max_shift: Annotated[
        float | None, typer.Option(help=field_help(AlignConfig, "max_shift"))
    ] = None,
    symmetry: Annotated[str, typer.Option(help=field_help(AlignConfig, "symmetry"))] = "C1",
    box: BOX = None,
    size: SIZE = None,
    diameter: DIAMETER = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    device: Annotated[str, DEVICE] = "auto",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as candidates=24.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Find how each subtomogram is turned and moved, and which map it shows."""
    from napari_cryoml.averaging import align_crops

    check_particles_output(out)
    options = config_of(
        AlignConfig, angular_step=angular_step, max_shift=max_shift, symmetry=symmetry
    )
    config = with_settings(options, settings or [])
    crops = read_subtomograms(
        inputs, picks, box=box, size=size, diameter=diameter, pixel_size=pixel_size, tilt=tilt
    )
    check_cubes(crops)
    wedge = wedge_of(crops, tilt)
    if wedge is None:
        say(NO_WEDGE)
    sampling = getattr(crops, "pixel_size", None)
    maps = read_references(reference, crops.shape[-1], sampling)
    job = align_crops(voxels(crops), maps, wedge, config, pixel_size=sampling, device=device)
    found: Alignment = run_job(job, "Aligning")
    names = np.array([path.stem for path in reference])
    table = poses_table(
        crops,
        found.poses,
        {"reference": names[found.reference], "margin": found.margins},
        Path(inputs[0]).name,
    )
    write_poses(table, out)
    report(_figures(found, names, out), as_json=as_json)


def _figures(found: Alignment, names: np.ndarray[Any, Any], out: Path) -> dict[str, Any]:
    aligned = found.aligned
    scores = found.poses.scores[aligned]
    shown = found.reference[aligned]
    return {
        "particles": str(out),
        "n_aligned": int(aligned.sum()),
        "of": len(aligned),
        "median_score": float(np.median(scores)) if len(scores) else None,
        "references": {str(name): int((shown == row).sum()) for row, name in enumerate(names)},
    }

"""napari-cryoml simulate: data with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_cryoml.cli._options import JSON, SEED, with_settings
from napari_cryoml.cli._output import report, run_job

app = typer.Typer(no_args_is_help=True, help="Simulate data whose particles are known.")


@app.callback()
def _simulate() -> None:
    """Simulate data whose particles are known."""


@app.command()
def micrographs(
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many micrographs.")] = 6,
    seed: Annotated[int, SEED] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the simulation, as snr=0.05.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Simulate micrographs: MRC images, and their particles as a STAR file."""
    from napari_cryoml.simulate import MicrographConfig, simulate_micrographs

    config = with_settings(MicrographConfig(), settings or [])
    paths = run_job(simulate_micrographs(out, n, config, seed), "Simulating")
    result = {"out": str(out), "micrographs": len(paths), "truth": str(out / "particles.star")}
    report(result, as_json=as_json)

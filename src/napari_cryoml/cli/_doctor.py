"""napari-cryoml doctor: what works here, and what to do about the rest."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from napari_cryoml.cli._checks import Finding, findings
from napari_cryoml.cli._options import JSON, check_output
from napari_cryoml.cli._output import print_json, say

_SIGNS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


def doctor(
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler to look at too.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write what is found here, to paste into a bug report.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Check versions, GPU, display, threads, memory, disk and cluster; say what to do."""
    if report is not None:
        check_output(report)
    found = []
    for finding in findings(scheduler):
        found.append(finding)
        if not as_json:
            say("\n".join(_lines(finding)))
    if report is not None:
        report.write_text("\n".join(line for one in found for line in _lines(one)) + "\n")
    problems = [one.name for one in found if one.state == "problem"]
    if as_json:
        print_json({"findings": [asdict(one) for one in found], "problems": problems})
    if problems:
        raise typer.Exit(1)


def _lines(finding: Finding) -> list[str]:
    line = f"{_SIGNS[finding.state]} {finding.name}: {finding.found}"
    return [line, *([f"        {finding.advice}"] if finding.advice else [])]

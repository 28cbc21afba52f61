"""napari-cryoml cells measure: a table of measurements of cells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from napari_cryoml.cli._cells_inputs import CELLS, CHANNELS, FOLDERS, TABLE, read_given_cells
from napari_cryoml.cli._options import JSON, check_output, with_settings
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.features import measurement_sets


def measure(
    cells: CELLS,
    out: Annotated[Path, typer.Option(help="The table to write: .parquet, .csv or .tsv.")],
    table: TABLE = None,
    channels: CHANNELS = None,
    folders: FOLDERS = "folder",
    measurements: Annotated[
        str, typer.Option(help=f"What is measured: {' or '.join(measurement_sets)}.")
    ] = "builtin",
    brightness: Annotated[
        bool, typer.Option("--brightness", help="Measure absolute intensities too.")
    ] = False,
    pca: Annotated[
        float | None,
        typer.Option(
            help="Write principal components in place of measurements, as many as hold this share "
            "of their variance: 0.99."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option of the measurements, as largest=65535."),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Cells that are measured at a time.")] = 256,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Measure cells: intensity, shape, rings, texture, grains, spots and pairs of channels."""
    from napari_cryoml.features import measure_crops
    from napari_cryoml.io import check_measurements_path, save_or_rescue, write_measurements

    check_measurements_path(check_output(out))
    config = with_settings(measurement_sets.create(measurements), settings or [])
    config = config.with_brightness() if brightness else config
    crops = read_given_cells(cells, table, channels, folders)
    found = run_job(measure_crops(crops, config, batch), "Measuring")
    told = found.report()
    for sentence in told.sentences():
        say(sentence)
    figures: dict[str, Any] = {
        "table": str(out),
        "measurements": config.name,
        "n": len(found),
        "n_measurements": len(found.names),
        "n_cells_without_values": told.n_empty,
        "missing": dict(told.missing),
        "constant": list(told.constant),
        "masks": getattr(crops, "masks", None) is not None,
    }
    written = found
    if pca is not None:
        written, reduction = found.reduced(pca)
        figures |= {"n_components": len(written.names), "share": reduction.share}
        figures |= {"left_out": list(reduction.left_out)}
    values = np.asarray(written.values)
    save_or_rescue(lambda place: write_measurements(place, crops, written.names, values), out)
    report(figures, as_json=as_json)

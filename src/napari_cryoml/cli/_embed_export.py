"""napari-cryoml embed export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_cryoml.cli._embed_files import EMBEDDING
from napari_cryoml.cli._embed_rows import COLUMN, INVERT, VALUES, CutAs, picks_of, selected
from napari_cryoml.cli._options import JSON, check_output
from napari_cryoml.cli._output import report

_EMBEDDINGS = (".parquet", ".h5ad")


def export(
    embedding: EMBEDDING,
    out: Annotated[
        Path,
        typer.Option(
            help="Picks, where the suffix says the format; or an embedding (.parquet, .h5ad)."
        ),
    ],
    column: COLUMN = None,
    values: VALUES = None,
    invert: INVERT = False,
    box_size: Annotated[
        float | None,
        typer.Option(help="Edge of the boxes in pixels, for formats that write boxes."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Write the rows of some clusters or classes as picks, or as a smaller embedding."""
    from napari_cryoml.io import read_embedding, save_or_rescue, write_embedding, write_picks

    check_output(out)
    rows = read_embedding(embedding)
    kept = selected(rows, column, values, invert)
    if out.suffix.lower() in _EMBEDDINGS:
        files = [write_embedding(kept, out)]
    else:
        table = picks_of(kept)
        box = box_size or CutAs.of(kept).box
        files = save_or_rescue(lambda path: write_picks(table, path, box_size=box), out)
    figures = {"files": [str(file) for file in files], "n": len(kept), "of": len(rows)}
    report(figures, as_json=as_json)

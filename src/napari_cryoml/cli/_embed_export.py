"""napari-cryoml embed export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._embed_files import EMBEDDING, column_of, listed
from napari_cryoml.cli._options import JSON, check_output
from napari_cryoml.cli._output import report
from napari_cryoml.data import Embedding, Picks, PicksTable

_EMBEDDINGS = (".parquet", ".h5ad")


def export(
    embedding: EMBEDDING,
    out: Annotated[
        Path,
        typer.Option(
            help="Picks, where the suffix says the format; or an embedding (.parquet, .h5ad)."
        ),
    ],
    column: Annotated[
        str | None, typer.Option(help="Keep rows by this column, as cluster; all by default.")
    ] = None,
    values: Annotated[
        str | None, typer.Option(help="Its values to keep, as 3,7; with a column that is needed.")
    ] = None,
    invert: Annotated[
        bool, typer.Option("--invert", help="Keep all rows but those of these values.")
    ] = False,
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
    kept = rows.take(_selected(rows, column, values, invert))
    if not len(kept):
        raise InputError("No row is left to be written: choose other values.")
    if out.suffix.lower() in _EMBEDDINGS:
        files = [write_embedding(kept, out)]
    else:
        table = picks_of(kept)
        box = box_size or kept.provenance.get("box")
        files = save_or_rescue(lambda path: write_picks(table, path, box_size=box), out)
    figures = {"files": [str(file) for file in files], "n": len(kept), "of": len(rows)}
    report(figures, as_json=as_json)


def _selected(
    rows: Embedding, column: str | None, values: str | None, invert: bool
) -> npt.NDArray[np.bool_]:
    """Return which rows to keep."""
    if (column is None) != (values is None) or (invert and column is None):
        raise InputError("--column and --values belong together, as --column cluster --values 3,7.")
    if column is None or values is None:
        return np.ones(len(rows), np.bool_)
    cells = _words(column_of(rows, column))
    wanted = [_word(value.strip()) for value in values.split(",")]
    for value in wanted:
        if value not in cells:
            known = listed(np.unique(cells))
            raise InputError(f"No row has {value!r} in the column {column!r}; there are {known}.")
    return np.isin(cells, wanted) ^ invert


def _words(values: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return a column as it is typed: whole numbers without a point, truth values in small."""
    return np.array([_word(str(value)) for value in values.tolist()], dtype=np.str_)


def _word(text: str) -> str:
    if text in ("True", "False"):
        return text.lower()
    return text.removesuffix(".0") if text.removesuffix(".0").lstrip("-").isdecimal() else text


def picks_of(rows: Embedding) -> PicksTable:
    """Return the rows of an embedding as picks, with all columns of the table.

    Raises
    ------
    InputError
        If the embedding knows no images.
    """
    if rows.images is None or rows.positions is None:
        raise InputError(
            "This embedding knows no positions in images, so it gives no picks: write it as "
            ".parquet or .h5ad instead."
        )
    scores = rows.table.get("score")
    has_scores = scores is not None and scores.dtype.kind in "iuf"
    whole = {name: v for name, v in rows.table.items() if not (has_scores and name == "score")}
    picks = []
    for image in dict.fromkeys(rows.images.tolist()):
        at = rows.images == image
        columns = {name: values[at] for name, values in whole.items()}
        score = scores[at] if has_scores and scores is not None else None
        picks.append(Picks(image, rows.positions[at], score, _pixel_size(rows), columns=columns))
    return PicksTable.of(picks)


def _pixel_size(rows: Embedding) -> float | None:
    """Return angstrom per pixel of the images, from what is known of the crops."""
    known = [rows.provenance.get(name) for name in ("pixel_size", "size", "box")]
    pixel_size, size, box = known
    if not all(known) or not isinstance(size, list):
        return None
    return float(f"{pixel_size * size[-1] / box:.7g}")

"""napari-cryoml embed novelty and spread."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._embed_files import (
    EMBEDDING,
    OUT,
    check_embedding_output,
    column_of,
    with_columns,
    write_result,
)
from napari_cryoml.cli._options import JSON, SEED, config_of, field_help, with_settings
from napari_cryoml.cli._output import report, say
from napari_cryoml.data import Embedding
from napari_cryoml.embedding import NoveltyConfig, SpreadConfig

_CLASSES = typer.Option("--classes", help="The column of classes; empty cells have none.")

_NOVELTY, _SPREAD, _CONFIDENCE = "novelty", "spread class", "spread confidence"


def novelty(
    embedding: EMBEDDING,
    classes: Annotated[str, _CLASSES] = "class",
    method: Annotated[str, typer.Option(help=field_help(NoveltyConfig, "method"))] = "auto",
    out: OUT = None,
    seed: Annotated[int, SEED] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as false_alarms=0.1.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Score how unlike all rows with a class each row is."""
    from napari_cryoml.embedding import novelty as score_novelty
    from napari_cryoml.io import read_embedding

    target = check_embedding_output(out or embedding)
    config = with_settings(config_of(NoveltyConfig, method=method, seed=seed), settings or [])
    rows = read_embedding(embedding)
    found = score_novelty(rows.vectors, _classes(rows, classes), config)
    columns = {_NOVELTY: found.scores, f"{_NOVELTY} probability": found.probability}
    options = config.model_dump(mode="json")
    made_by = {"novelty": found.method, "classes": classes, "options": options}
    write_result(with_columns(rows, columns, made_by), target)
    figures: dict[str, Any] = {
        "embedding": str(target),
        "columns": list(columns),
        "method": found.method,
        "threshold": found.threshold,
        "n_new": int(found.is_new.sum()),
        "auroc": dict(found.auroc),
    }
    _tell(figures, found.notes, as_json=as_json)


def spread(
    embedding: EMBEDDING,
    classes: Annotated[str, _CLASSES] = "class",
    out: OUT = None,
    seed: Annotated[int, SEED] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as least_confidence=0.8.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Give rows without a class that of their neighbours, as far as it is sure."""
    from napari_cryoml.embedding import spread_labels
    from napari_cryoml.io import read_embedding

    target = check_embedding_output(out or embedding)
    config = with_settings(config_of(SpreadConfig, seed=seed), settings or [])
    rows = read_embedding(embedding)
    known = _classes(rows, classes)
    found = spread_labels(rows.vectors, known, config)
    columns = {_SPREAD: found.classes, _CONFIDENCE: found.confidence}
    made_by = {"classes": classes, "options": config.model_dump(mode="json")}
    write_result(with_columns(rows, columns, made_by), target)
    figures: dict[str, Any] = {
        "embedding": str(target),
        "columns": list(columns),
        "n_new": int(((known == "") & (found.classes != "")).sum()),
        "held_out_accuracy": found.accuracy,
    }
    _tell(figures, found.notes, as_json=as_json)


def _classes(rows: Embedding, column: str) -> npt.NDArray[np.str_]:
    """Return a column of classes.

    Raises
    ------
    InputError
        If it holds numbers: clusters are no classes until somebody has named them.
    """
    values = column_of(rows, column)
    if values.dtype.kind != "U":
        raise InputError(f"Classes are text; the column {column!r} holds numbers: choose another.")
    return values


def _tell(figures: dict[str, Any], notes: tuple[str, ...], *, as_json: bool) -> None:
    for note in notes:
        say(note)
    report(figures | ({"notes": list(notes)} if notes else {}), as_json=as_json)

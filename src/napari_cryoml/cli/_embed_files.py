"""Embeddings that commands read and write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config
from napari_cryoml.cli._options import check_output
from napari_cryoml.data import Embedding

EMBEDDING: TypeAlias = Annotated[
    Path, typer.Argument(help="An embedding: .parquet, .h5ad, .csv or .tsv.", show_default=False)
]

OUT: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Where the embedding goes; by default the same file gains the columns."),
]

_FLAGS = {"n_neighbors": "neighbors", "n_clusters": "k"}


def check_embedding_output(path: Path) -> Path:
    """Return the path of an embedding to write, once it is known to be possible.

    Raises
    ------
    InputError
        If its name ends in nothing that is known, or its folder cannot be written to.
    """
    from napari_cryoml.io import EMBEDDING_SUFFIXES

    if path.suffix.lower() not in EMBEDDING_SUFFIXES:
        raise InputError(
            f"{path} tells no kind of embedding: end its name in {', '.join(EMBEDDING_SUFFIXES)}."
        )
    return check_output(path)


def write_result(embedding: Embedding, path: Path) -> None:
    """Write an embedding; where that fails, keep it among the temporary files."""
    from napari_cryoml.io import save_or_rescue, write_embedding

    save_or_rescue(lambda place: write_embedding(embedding, place), path)


def with_columns(
    embedding: Embedding, columns: Mapping[str, Any], made_by: Mapping[str, Any]
) -> Embedding:
    """Return an embedding with further columns, and in its provenance how they were made."""
    known = embedding.provenance.get("columns")
    how = dict(known) if isinstance(known, Mapping) else {}
    how |= {name: dict(made_by) for name in columns}
    provenance = {**embedding.provenance, "columns": how}
    return replace(embedding.with_columns(**columns), provenance=provenance)


def column_of(embedding: Embedding, name: str) -> Any:
    """Return a column of the table.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    if name not in embedding.table:
        raise InputError(f"There is no column {name!r}: choose one of {listed(embedding.table)}.")
    return embedding.table[name]


def listed(names: Iterable[Any], most: int = 12) -> str:
    """Return names in a row, the first of many."""
    words = [str(name) for name in names]
    if not words:
        return "none, for it has no columns"
    return ", ".join(words[:most]) + (" ..." if len(words) > most else "")


def given_options(of: str, config: type[Config], **flags: Any) -> dict[str, Any]:
    """Return the flags that were given, by the names of the options they stand for.

    Parameters
    ----------
    of : str
        What the options belong to, for the complaint.
    config : type of Config
        What has the options.
    flags : object
        By the names of options; None for a flag that was not given.

    Raises
    ------
    InputError
        If one that was given is no option of it.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    for name in given:
        if name not in config.model_fields:
            flag = _FLAGS.get(name, name)
            raise InputError(f"--{flag} is no option of {of}: leave it out.")
    return given

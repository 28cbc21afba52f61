"""napari-cryoml embed cluster."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._embed_files import (
    EMBEDDING,
    OUT,
    check_embedding_output,
    with_columns,
    write_result,
)
from napari_cryoml.cli._options import JSON, SEED, with_settings
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.embedding import clusterings

_NUMBER_OF_CLUSTERS = ("k", "n_clusters")


def cluster(
    embedding: EMBEDDING,
    method: Annotated[
        str, typer.Option(help=f"How clusters are made: one of {', '.join(clusterings)}.")
    ] = "kmeans",
    k: Annotated[
        int | None,
        typer.Option("--k", help="How many clusters, for kmeans (100) and agglomerative (10)."),
    ] = None,
    out: OUT = None,
    column: Annotated[str, typer.Option(help="The column to write.")] = "cluster",
    seed: Annotated[int, SEED] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as resolution=2.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Sort the vectors into clusters: 0 is the largest, -1 stands for none."""
    from napari_cryoml.embedding import cluster as cluster_vectors
    from napari_cryoml.io import read_embedding

    target = check_embedding_output(out or embedding)
    options = {} if k is None else {_number_option(method): k}
    config = with_settings(clusterings.create(method, seed=seed, **options), settings or [])
    rows = read_embedding(embedding)
    found = run_job(cluster_vectors(rows.vectors, config), "Clustering")
    made_by = {"clusters": method, "options": config.model_dump(mode="json")}
    write_result(with_columns(rows, {column: found.labels}, made_by), target)
    for note in found.notes:
        say(note)
    figures: dict[str, Any] = {
        "embedding": str(target),
        "column": column,
        "n_clusters": len(found),
        "sizes": found.sizes.tolist(),
        "n_in_none": int((found.labels < 0).sum()),
        "silhouette": found.silhouette,
    }
    report(figures | ({"notes": list(found.notes)} if found.notes else {}), as_json=as_json)


def _number_option(method: str) -> str:
    """Return the option of a method that is the number of clusters."""
    for name in _NUMBER_OF_CLUSTERS:
        if name in clusterings[method].model_fields:
            return name
    raise InputError(f"{method} finds the number of clusters itself: leave --k out.")

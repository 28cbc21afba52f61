"""napari-cryoml embed project and plot."""

from __future__ import annotations

from pathlib import Path
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
    given_options,
    with_columns,
    write_result,
)
from napari_cryoml.cli._options import JSON, SEED, check_output, field_help, with_settings
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.data import Embedding
from napari_cryoml.embedding import projections

MAP_NAMES = {"umap": "UMAP", "tsne": "tSNE", "pca": "PCA"}
"""What the columns of a map begin with, by the way it is made; others are called by that."""

_NEIGHBOURS = 15
_MEASURED_ROWS = 2000
_MOST_CATEGORIES = 50


def project(
    embedding: EMBEDDING,
    method: Annotated[
        str, typer.Option(help=f"How the map is made: one of {', '.join(projections)}.")
    ] = "umap",
    out: OUT = None,
    seed: Annotated[int, SEED] = 0,
    perplexity: Annotated[
        float | None, typer.Option(help=f"tsne: {field_help(projections['tsne'], 'perplexity')}")
    ] = None,
    neighbors: Annotated[
        int | None, typer.Option(help=f"umap: {field_help(projections['umap'], 'n_neighbors')}")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Tell how far the map keeps neighbourhoods.")
    ] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as metric=cosine.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Make a map of the vectors; its coordinates become columns, as UMAP0 and UMAP1."""
    from napari_cryoml.embedding import project as project_vectors
    from napari_cryoml.io import read_embedding

    target = check_embedding_output(out or embedding)
    flags = {"perplexity": perplexity, "n_neighbors": neighbors}
    given = given_options(method, projections[method], **flags)
    config = with_settings(projections.create(method, seed=seed, **given), settings or [])
    rows = read_embedding(embedding)
    found = run_job(project_vectors(rows.vectors, config), "Mapping")
    names = [f"{_map_name(method)}{axis}" for axis in range(found.layout.shape[1])]
    columns = dict(zip(names, found.layout.T, strict=True))
    options = config.model_dump(mode="json")
    write_result(with_columns(rows, columns, {"map": method, "options": options}), target)
    notes = [note for note in (*found.notes, found.origin) if note]
    for note in notes:
        say(note)
    figures: dict[str, Any] = {"embedding": str(target), "columns": names, "n": len(rows)}
    if found.landmarks is not None:
        figures["landmarks"] = len(found.landmarks)
    if measure:
        figures |= _measured(rows.vectors, found.layout, seed)
    report(figures | ({"notes": notes} if notes else {}), as_json=as_json)


def _map_name(method: str) -> str:
    return MAP_NAMES.get(method, method)


def _measured(
    vectors: npt.NDArray[np.floating], layout: npt.NDArray[np.float32], seed: int
) -> dict[str, float | int]:
    """Return how far neighbourhoods are kept, measured on some of the rows."""
    from napari_cryoml.evaluation import neighbourhood_recall, trustworthiness

    n = int(np.isfinite(layout).all(axis=1).sum())
    k = max(min(_NEIGHBOURS, (n - 1) // 2), 1)
    options = {"sample": _MEASURED_ROWS, "seed": seed}
    return {
        "neighbours": k,
        "trustworthiness": trustworthiness(vectors, layout[:, :2], k, **options),
        "neighbourhood_recall": neighbourhood_recall(vectors, layout[:, :2], k, **options),
    }


def plot(
    embedding: EMBEDDING,
    out: Annotated[Path, typer.Option(help="The figure to write: .png or .svg.")],
    color: Annotated[
        str | None,
        typer.Option("--color", "--colour", help="The column that tells the colours, as cluster."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help=f"Which map to draw: one of {', '.join(projections)}; the first that is there by "
            "default."
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="What to write above the map.")] = "",
    clouds: Annotated[
        bool, typer.Option("--clouds", help="Draw the density of each group, with its name.")
    ] = False,
    dark: Annotated[bool, typer.Option("--dark", help="Draw on a dark ground.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Draw a map of the vectors."""
    from napari_cryoml.embedding.drawing import category_codes, write_figure
    from napari_cryoml.io import read_embedding

    check_output(out)
    rows = read_embedding(embedding)
    name = _drawn_map(rows, method)
    options: dict[str, Any] = {"title": title, "dark": dark, "axes": (f"{name} 1", f"{name} 2")}
    figures: dict[str, Any] = {"figure": str(out), "map": name}
    if color is not None:
        values = column_of(rows, color)
        options["legend_title"] = color
        if is_category(values):
            options["codes"], options["names"] = category_codes(_without_none(values))
            options["clouds"] = clouds
            figures["categories"] = len(options["names"])
        else:
            options["values"] = values
    if clouds and "codes" not in options:
        raise InputError("--clouds needs a column of groups: name one by --color.")
    layout = np.stack([rows.table[f"{name}{axis}"] for axis in (0, 1)], axis=1)
    write_figure(out, layout, **options)
    report(figures, as_json=as_json)


def _drawn_map(rows: Embedding, method: str | None) -> str:
    """Return the beginning of the columns of the map to draw."""
    wanted = list(MAP_NAMES) if method is None else [method]
    if method is not None:
        projections[method]  # a sentence, if there is no such map at all
    for name in map(_map_name, wanted):
        if {f"{name}0", f"{name}1"} <= set(rows.table):
            return name
    which = "of any kind" if method is None else f"by {method}"
    raise InputError(f"There is no map {which} yet: make one with napari-cryoml embed project.")


def is_category(values: npt.NDArray[Any]) -> bool:
    """Tell whether a column holds groups and no quantity: text, or few whole numbers."""
    if values.dtype.kind in "bU":
        return True
    return values.dtype.kind in "iu" and len(np.unique(values)) <= _MOST_CATEGORIES


def _without_none(values: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return groups as text, those of no cluster (-1) as none."""
    words = values.astype(np.str_)
    return np.where(values == -1, "", words) if values.dtype.kind == "i" else words

"""napari-cryoml cells map: vectors of proteins, their map, and which of them move."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._cells_map_made import FIGURES, PAGES, Centre, ProteinMap
from napari_cryoml.cli._embed_files import check_embedding_output, given_options
from napari_cryoml.cli._embed_rows import COLUMN, INVERT, VALUES, selected
from napari_cryoml.cli._options import (
    JSON,
    SEED,
    check_output,
    config_of,
    field_help,
    with_settings,
)
from napari_cryoml.cli._output import report, say
from napari_cryoml.embedding import DisplacementConfig, projections


def map_proteins(
    vectors: Annotated[
        Path,
        typer.Argument(
            help="Vectors of cells or of proteins: .parquet, .h5ad, .csv or .tsv.",
            show_default=False,
        ),
    ],
    out: Annotated[
        list[Path],
        typer.Option(
            help="What to write: a page (.html), a figure (.svg, .png), the vectors of proteins "
            "(.parquet, .h5ad, .csv). May be given several times."
        ),
    ],
    by: Annotated[
        str, typer.Option(help="The column that says which cells belong to one protein.")
    ] = "protein",
    column: COLUMN = None,
    values: VALUES = None,
    invert: INVERT = False,
    least: Annotated[int, typer.Option(min=1, help="Proteins of fewer cells are left out.")] = 1,
    centre: Annotated[
        str, typer.Option(help="What stands for the cells of a protein: mean, median or trimmed.")
    ] = "mean",
    condition: Annotated[
        str | None, typer.Option(help="The column of two conditions to compare.")
    ] = None,
    pair: Annotated[
        str | None, typer.Option(help="The two conditions, as before,after, where there are more.")
    ] = None,
    plate: Annotated[str | None, typer.Option(help=field_help(DisplacementConfig, "block"))] = None,
    remove_shared: Annotated[
        bool, typer.Option("--remove-shared", help=field_help(DisplacementConfig, "remove_shared"))
    ] = False,
    permutations: Annotated[
        int | None, typer.Option(help=field_help(DisplacementConfig, "n_permutations"))
    ] = None,
    fdr: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of wrong ones among the proteins said to move."),
    ] = 0.05,
    standard: Annotated[
        Path | None,
        typer.Option(help="Functions of proteins to draw as clouds: GAF, GMT, ComplexTAB, CSV ..."),
    ] = None,
    terms: Annotated[
        list[str] | None,
        typer.Option(
            "--term",
            help="A term to draw; the 20 largest of no more than a tenth of the "
            "proteins by default. May be given several times.",
        ),
    ] = None,
    aliases: Annotated[
        Path | None, typer.Option(help="Table of other names of proteins, for the standard.")
    ] = None,
    crops: Annotated[
        Path | None, typer.Option(help="Crops of the cells: the page shows the most central ones.")
    ] = None,
    method: Annotated[
        str, typer.Option(help=f"How the map is made: one of {', '.join(projections)}.")
    ] = "tsne",
    perplexity: Annotated[
        float | None, typer.Option(help=f"tsne: {field_help(projections['tsne'], 'perplexity')}")
    ] = None,
    color: Annotated[
        str | None,
        typer.Option("--color", "--colour", help="The column that tells the colours."),
    ] = None,
    title: Annotated[str, typer.Option(help="What to write above the map.")] = "",
    seed: Annotated[int, SEED] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option of the map.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Make one vector a protein, a map of them, and tell which move between two conditions."""
    from napari_cryoml.io import read_embedding

    for path in out:
        _check_output(path)
    flags = given_options(method, projections[method], perplexity=perplexity)
    usual = {"metric": "cosine"} if "metric" in projections[method].model_fields else {}
    config = with_settings(projections.create(method, seed=seed, **usual, **flags), settings or [])
    rows = selected(read_embedding(vectors), column, values, invert)
    made = ProteinMap(rows, by)
    if condition is None:
        made.sum_up(least, _centre(centre))
    else:
        given = {"block": plate, "n_permutations": permutations}
        moves = config_of(
            DisplacementConfig,
            seed=seed,
            remove_shared=remove_shared,
            **{name: value for name, value in given.items() if value is not None},
        )
        made.compare(condition, _pair(pair), moves, least, _centre(centre), fdr)
    made.lay_out(method, config)
    if standard is not None:
        made.show_terms(standard, terms or (), aliases)
    made.write(out, color, title, crops)
    for note in made.notes:
        say(note)
    report(made.figures | ({"notes": made.notes} if made.notes else {}), as_json=as_json)


def _check_output(path: Path) -> None:
    if path.suffix.lower() in (*PAGES, *FIGURES):
        check_output(path)
    else:
        check_embedding_output(path)


def _centre(name: str) -> Centre:
    centres: dict[str, Centre] = {"mean": "mean", "median": "median", "trimmed": "trimmed"}
    if name not in centres:
        raise InputError(f"--centre takes {', '.join(centres)}; {name!r} was given.")
    return centres[name]


def _pair(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    before, comma, after = text.partition(",")
    if not comma or "," in after:
        raise InputError(f"--pair takes two conditions, as before,after; {text!r} was given.")
    return before.strip(), after.strip()

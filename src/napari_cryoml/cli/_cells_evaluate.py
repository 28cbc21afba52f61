"""napari-cryoml cells evaluate: how much of what is known of proteins their vectors hold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.cli._cells_standards import read_standards
from napari_cryoml.cli._embed_rows import COLUMN, INVERT, VALUES, selected
from napari_cryoml.cli._options import JSON, SEED, check_output, field_help, with_settings
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.data import Embedding, Standard
from napari_cryoml.evaluation.functional import MetricSpec
from napari_cryoml.jobs import waited_for_threads

if TYPE_CHECKING:
    from napari_cryoml.evaluation.functional import Comparison, FunctionalReport

_PROTEIN = "protein"
_BEST = 5
_SHOWN = ("vectors", "standard", "metric", "value", "low", "high", "prevalence", "chance", "p")


def evaluate(
    vectors: Annotated[
        list[Path],
        typer.Argument(
            help="Vectors of proteins or of cells: .parquet, .h5ad, .csv or .tsv. The first is "
            "compared with the others, on the proteins that all have.",
            show_default=False,
        ),
    ],
    standard: Annotated[
        list[str],
        typer.Option(
            help="What is known: GAF, GMT, ComplexTAB, tables of SGD, LoQAtE, CSV; may be given "
            "several times. How it is read follows behind commas, as "
            "FILE,aspect=C,exclude=IEA+HDA,ontology=go.obo,slim=goslim_yeast,name=places."
        ),
    ],
    names: Annotated[
        str | None,
        typer.Option(
            help="The column of names of proteins; by default protein, else the ids. Rows of one "
            "name are averaged."
        ),
    ] = None,
    aliases: Annotated[
        Path | None, typer.Option(help="Table of two names of each protein.")
    ] = None,
    column: COLUMN = None,
    values: VALUES = None,
    invert: INVERT = False,
    least_cells: Annotated[
        int, typer.Option(min=1, help="Proteins of fewer rows are left out.")
    ] = 1,
    held_out: Annotated[
        Path | None,
        typer.Option(help="Names that training has not seen, one a line: no others count."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The record, .json, with a .csv beside it; by default by the vectors."),
    ] = None,
    least: Annotated[int, typer.Option(min=2, help=field_help(MetricSpec, "least"))] = 3,
    most: Annotated[int, typer.Option(min=2, help=field_help(MetricSpec, "most"))] = 300,
    seed: Annotated[int, SEED] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other option of the metrics, as correlation=cosine."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Measure how much of what is known of proteins their vectors hold."""
    from napari_cryoml.io import read_aliases, write_record

    target = check_output(out or vectors[0].with_suffix(".evaluation.json"))
    given = [f"least={least}", f"most={most}", f"seed={seed}", *(settings or [])]
    spec = with_settings(MetricSpec(), given)
    standards = read_standards(standard)
    others = None if aliases is None else read_aliases(aliases)
    alone = None if held_out is None else _names_in(held_out)
    tables = _shared([_read(path, names, column, values, invert, least_cells) for path in vectors])
    reports: dict[str, list[FunctionalReport]] = {}
    for path, table in zip(_words(vectors), tables, strict=True):
        reports[path] = [
            _evaluated(table, one, spec, others, alone, f"{path} on {one.name}")
            for one in standards
        ]
    compared = _compared(reports)
    rows = [
        {"vectors": name} | row for name, many in reports.items() for r in many for row in r.rows()
    ]
    record = {
        "reports": [
            {"vectors": name} | r.as_dict() for name, many in reports.items() for r in many
        ],
        "comparisons": [row for one in compared for row in one["rows"]],
    }
    files = write_record(record, target, rows)
    for note in dict.fromkeys(note for many in reports.values() for r in many for note in _said(r)):
        say(note)
    if as_json:
        report(record | {"files": list(map(str, files))}, as_json=True)
        return
    _show(rows, reports, compared, spec, files)


def _read(
    path: Path,
    names: str | None,
    column: str | None,
    values: str | None,
    invert: bool,
    least_cells: int,
) -> Embedding:
    """Return one row a protein, whose id is its name."""
    from napari_cryoml.io import read_embedding

    rows = selected(read_embedding(path), column, values, invert)
    by = names or (_PROTEIN if _PROTEIN in rows.table else None)
    if by is None:
        return rows
    from napari_cryoml.embedding import group_vectors

    grouped = group_vectors(rows, by, least=least_cells)
    if len(grouped) < len(rows):
        say(f"{path.name}: {len(rows)} rows were averaged to {len(grouped)} proteins by {by!r}.")
    return grouped


def _shared(tables: Sequence[Embedding]) -> list[Embedding]:
    """Return the proteins that all tables have, in one order."""
    if len(tables) == 1:
        return list(tables)
    finite = [set(table.ids[table.finite].tolist()) for table in tables]
    common = reduce(set.intersection, finite)
    if not common:
        raise InputError(
            "The tables of vectors have no protein in common: check that their names are of one "
            "kind (--names)."
        )
    ids = np.array(sorted(common))
    return [table.take(table.rows_of(ids)) for table in tables]


def _evaluated(
    table: Embedding,
    standard: Standard,
    spec: MetricSpec,
    aliases: dict[str, str] | None,
    held_out: list[str] | None,
    title: str,
) -> FunctionalReport:
    from napari_cryoml.evaluation.functional import evaluate_functional

    job = evaluate_functional(
        table.vectors,
        table.ids,
        standard,
        spec,
        aliases=aliases,
        held_out=held_out,
        threads=waited_for_threads() or 1,
    )
    return run_job(job, title)


def _names_in(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list of names: {error}.") from None
    return [line.strip() for line in lines if line.strip()]


def _words(paths: Sequence[Path]) -> list[str]:
    """Return a short name of each file: its own, or its path where that is no name of one."""
    stems = [path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]


def _compared(reports: dict[str, list[FunctionalReport]]) -> list[dict[str, Any]]:
    from napari_cryoml.evaluation.functional import compare

    (first, ours), *others = reports.items()
    found = []
    for name, theirs in others:
        for a, b in zip(ours, theirs, strict=True):
            found.append({"a": first, "b": name, "rows": _rows(first, name, compare(a, b))})
    return found


def _rows(a: str, b: str, comparison: Comparison) -> list[dict[str, Any]]:
    return [{"of": a, "over": b} | row for row in comparison.rows()]


def _said(one: FunctionalReport) -> tuple[str, ...]:
    return (str(one.coverage), *one.notes)


def _show(
    rows: list[dict[str, Any]],
    reports: dict[str, list[FunctionalReport]],
    compared: list[dict[str, Any]],
    spec: MetricSpec,
    files: list[Path],
) -> None:
    shown = [name for name in _SHOWN if len(reports) > 1 or name != "vectors"]
    first = next(iter(reports.values()))
    figures: dict[str, Any] = {
        "metrics": [{name: _figure(row[name]) for name in shown} for row in rows],
        "standards": [
            {
                "standard": one.standard,
                "proteins": len(one.proteins),
                "terms": one.n_terms,
                "pairs": one.n_pairs,
                "related": one.n_related,
                "clusters": one.k,
                "best_ami": _figure(one.ami_max[1]),
                "at_clusters": one.ami_max[0],
            }
            for one in first
        ],
    }
    figures["best_terms"] = [
        {
            "standard": one.standard,
            "term": term.title,
            "proteins": term.n,
            "precision": _figure(term.precision),
            "prevalence": _figure(term.prevalence),
        }
        for one in first
        for term in one.terms[:_BEST]
    ]
    if compared:
        kept = ("of", "over", "standard", "metric", "fold", "fold_low", "fold_high", "above")
        figures["compared"] = [
            {name: _figure(row[name]) for name in kept} for one in compared for row in one["rows"]
        ]
    options = spec.model_dump(mode="json")
    figures["specification"] = ", ".join(f"{name}={value}" for name, value in options.items())
    report(figures | {"files": [str(path) for path in files]}, as_json=False)


def _figure(value: Any) -> Any:
    """Return a number with three decimals; None for what is not known."""
    if not isinstance(value, float):
        return value
    return None if np.isnan(value) else f"{value:.3f}"

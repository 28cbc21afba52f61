"""The proteins and terms that a metric is about: what is left once all rules are applied."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Coverage, Standard, map_names
from napari_cryoml.evaluation.functional._pairs import Vectors, prepared
from napari_cryoml.evaluation.functional._spec import MetricSpec

NOT_FINITE = "vectors with NaN"
CONSTANT = "vectors that are constant"
NOT_HELD_OUT = "not held out"
UNKNOWN = "not in the standard"
NO_TERM = "in no term of the sizes asked for"


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What is evaluated.

    Parameters
    ----------
    rows : array of shape (n, d), float64
        Vectors of length 1, whose products are correlations.
    names : array of shape (n,), str
        As the standard has them; those it does not know as they were given.
    given : array of shape (n,), str
        As they were given.
    standard : Standard
        Terms of these proteins, of the sizes asked for.
    coverage : Coverage
        Of all names that were given.
    left_out : mapping of str to tuple of str
        Names of the proteins that were left out, by reason.
    """

    rows: Vectors
    names: npt.NDArray[np.str_]
    given: npt.NDArray[np.str_]
    standard: Standard
    coverage: Coverage
    left_out: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def related(self) -> npt.NDArray[np.bool_]:
        """Which proteins share a term, shape (n, n)."""
        member = self.standard.membership(self.names.tolist())
        return np.asarray((member @ member.T).toarray() > 0)


def select(
    vectors: npt.ArrayLike,
    names: Sequence[str] | npt.NDArray[np.str_],
    standard: Standard,
    spec: MetricSpec,
    *,
    aliases: Mapping[str, str] | None = None,
    held_out: Collection[str] | None = None,
) -> Evaluated:
    """Return the proteins and terms that count.

    Raises
    ------
    InputError
        If vectors and names do not fit, a protein comes twice, or nothing is left.
    """
    table, given = _checked(vectors, names)
    mapped, coverage = map_names(given, standard, aliases)
    rows, left_out = _usable(table, spec)
    if held_out is not None:
        wanted = frozenset(map(str, held_out))
        left_out[NOT_HELD_OUT] = np.array([name not in wanted for name in given], bool)
    left_out[UNKNOWN] = (mapped == "") & (spec.negatives == "annotated")
    kept = ~np.any(list(left_out.values()), axis=0)
    _check_unique(given[kept], mapped[kept])
    if not (kept & (mapped != "")).any():
        raise InputError(_nothing(coverage, left_out, held_out))
    terms = standard.restricted(mapped[kept].tolist()).sized(spec.least, spec.most)
    if spec.negatives == "annotated":
        left_out[NO_TERM] = kept & ~np.isin(mapped, terms.members)
        kept &= ~left_out[NO_TERM]
    _check_terms(terms, standard, spec, int(kept.sum()))
    return Evaluated(
        rows[kept],
        np.where(mapped[kept] == "", given[kept], mapped[kept]),
        given[kept],
        terms,
        coverage,
        {why: tuple(given[gone].tolist()) for why, gone in left_out.items() if gone.any()},
    )


def _checked(
    vectors: npt.ArrayLike, names: Sequence[str] | npt.NDArray[np.str_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_]]:
    table, given = np.asarray(vectors), np.asarray(names, dtype=np.str_)
    if table.ndim != 2 or 0 in table.shape or table.dtype.kind not in "biuf":
        raise InputError(
            f"Vectors must be a table of numbers, a row a protein; an array of shape {table.shape} "
            f"and type {table.dtype} was given."
        )
    if given.shape != (len(table),):
        raise InputError(f"{len(table)} vectors need {len(table)} names; {given.size} were given.")
    return table.astype(np.float64), given


def _usable(
    table: npt.NDArray[np.float64], spec: MetricSpec
) -> tuple[Vectors, dict[str, npt.NDArray[np.bool_]]]:
    """Return rows of length 1, and which rows have none."""
    finite = np.isfinite(table).all(axis=1)
    if not finite.any():
        broken = int((~np.isfinite(table)).any(axis=0).sum())
        raise InputError(
            f"Every vector has NaN, in {broken} of {table.shape[1]} features: leave these features "
            "out, or mend what measured them."
        )
    rows = np.full(table.shape, np.nan)
    rows[finite] = table[finite]
    if spec.zscore:
        spread = rows[finite].std(axis=0)
        told = spread > 0  # a feature that never changes says nothing
        rows = rows[:, told]
        rows[finite] = (rows[finite] - rows[finite].mean(axis=0)) / spread[told]
    if rows.size:
        rows[finite] = prepared(rows[finite], spec.correlation)
    usable = np.isfinite(rows).all(axis=1) & (rows.size > 0)
    return rows, {NOT_FINITE: ~finite, CONSTANT: finite & ~usable}


def _check_unique(given: npt.NDArray[np.str_], mapped: npt.NDArray[np.str_]) -> None:
    names = np.where(mapped == "", given, mapped)
    unique, counts = np.unique(names, return_counts=True)
    if len(unique) < len(names):
        twice = unique[counts.argmax()]
        as_given = ", ".join(dict.fromkeys(given[names == twice].tolist()))
        raise InputError(
            f"{as_given} stands for {counts.max()} vectors, and each protein needs one: take the "
            "mean of the vectors of each protein first."
        )


def _nothing(
    coverage: Coverage,
    left_out: Mapping[str, npt.NDArray[np.bool_]],
    held_out: Collection[str] | None,
) -> str:
    if not coverage.found:
        return coverage.complaint
    if held_out is not None and left_out[NOT_HELD_OUT].all():
        return "None of the proteins held out is among the vectors: check their names."
    counts = ", ".join(f"{why}: {int(gone.sum())}" for why, gone in left_out.items() if gone.any())
    return f"No protein is left to evaluate on {coverage.standard} ({counts})."


def _check_terms(terms: Standard, whole: Standard, spec: MetricSpec, n: int) -> None:
    sizes = f"between {spec.least} and {spec.most} of the proteins at hand"
    if not len(terms):
        raise InputError(
            f"No term of {whole.name} has {sizes}: allow other sizes of terms (least, most), or "
            "evaluate more proteins."
        )
    if len(terms) == 1 and spec.negatives == "annotated":
        raise InputError(
            f"Only one term of {whole.name} ({terms.title(next(iter(terms.terms)))}) has {sizes}, "
            "so that every pair shares it and nothing can be told apart: allow other sizes of "
            "terms (least, most), or count proteins without terms as unrelated (negatives=all)."
        )

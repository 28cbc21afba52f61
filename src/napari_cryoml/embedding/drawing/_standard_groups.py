"""The terms of a standard as groups of rows on a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Standard, map_names

_LEAST = 3
_LARGEST_SHARE = 0.1


def standard_groups(
    names: Sequence[str] | npt.NDArray[np.str_],
    standard: Standard,
    terms: Sequence[str] = (),
    most: int = 20,
    *,
    aliases: Mapping[str, str] | None = None,
) -> tuple[dict[str, npt.NDArray[np.intp]], list[str]]:
    """Return the rows of terms, by the names that the terms have for people.

    Parameters
    ----------
    names : array of shape (n,), str
        Proteins of the map; one may have several rows.
    standard : Standard
    terms : sequence of str, optional
        Terms to take, by accession or by name. By default the largest: of those that have three
        proteins on the map or more, and no more than a tenth of all.
    most : int, default 20
        How many are taken by default.
    aliases : mapping of str to str, optional
        Other names of proteins; see `data.map_names`.

    Returns
    -------
    groups : dict of str to array of shape (k,), intp
    notes : list of str
        What share of the names the standard knows, and what to do if it is small.

    Raises
    ------
    InputError
        If the standard knows no name, a term is not there, or none is left.
    """
    proteins, protein_of = np.unique(np.asarray(names, np.str_), return_inverse=True)
    mapped, coverage = map_names(proteins, standard, aliases)
    if not coverage.found:
        raise InputError(coverage.complaint)
    there = standard.restricted(set(mapped.tolist()) - {""})
    chosen = [_term_of(standard, wanted) for wanted in terms]
    chosen = chosen or _largest(there, len(proteins), most)
    groups: dict[str, npt.NDArray[np.intp]] = {}
    for term in chosen:
        rows = np.flatnonzero(np.isin(mapped, list(there.terms.get(term, ())))[protein_of])
        title = standard.title(term)
        groups[f"{title} ({term})" if title in groups else title] = rows
    if not groups:
        raise InputError(
            f"No term of {standard.name!r} has {_LEAST} proteins on the map and no more than a "
            f"tenth of them: {coverage} Name the terms to show."
        )
    return groups, [str(coverage)]


def _term_of(standard: Standard, wanted: str) -> str:
    if wanted in standard.terms:
        return wanted
    named = [term for term in standard.terms if standard.title(term).lower() == wanted.lower()]
    if not named:
        some = ", ".join(standard.title(term) for term in list(standard.terms)[:5])
        raise InputError(
            f"The standard {standard.name!r} has no term {wanted!r}; it has {some} ..."
        )
    return named[0]


def _largest(there: Standard, n_proteins: int, most: int) -> list[str]:
    sizes = there.sizes
    fitting = [t for t in sizes if _LEAST <= sizes[t] <= max(_LARGEST_SHARE * n_proteins, _LEAST)]
    return sorted(fitting, key=lambda term: (-sizes[term], term))[:most]

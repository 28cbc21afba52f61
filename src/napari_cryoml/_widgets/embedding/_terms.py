"""Terms of a standard among the proteins of a map; beside the GUI's thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_cryoml import io
from napari_cryoml._widgets.embedding._protein_tab import Term
from napari_cryoml.data import Standard, map_names
from napari_cryoml.evaluation.functional import enrichment

CHANCE = 0.05
"""Terms that would come by chance more often than this are not listed."""

_LEAST_FOUND, _LEAST_COLOURED = 2, 3


@dataclass(frozen=True, slots=True, eq=False)
class KnownTerms:
    """A standard, and its names for the rows of one map.

    Parameters
    ----------
    standard : Standard
    names : array of shape (n,), str
        Of each row as the standard has it, or else its own.
    text : str
        How many rows the standard knows, and what is odd about the names.
    smallest : array of shape (n,), str
        Title of the smallest term of each row that has three rows or more; "" for none.
    """

    standard: Standard
    names: npt.NDArray[np.str_]
    text: str
    smallest: npt.NDArray[np.str_]

    @classmethod
    def of(cls, standard: Standard, proteins: npt.NDArray[np.str_]) -> KnownTerms:
        """Return a standard with its names for some proteins."""
        found, coverage = map_names(proteins, standard)
        names = np.where(found == "", proteins, found)
        return cls(
            standard, names, f"{len(standard):,} terms. {coverage}", _smallest(standard, names)
        )

    @classmethod
    def read(cls, path: Path, proteins: npt.NDArray[np.str_]) -> KnownTerms:
        """Read a standard from a file.

        Raises
        ------
        InputError
            As `io.read_standard` does.
        """
        return cls.of(io.read_standard(path), proteins)

    def enriched(self, rows: npt.NDArray[np.intp]) -> list[Term]:
        """Return the terms that some rows are rich in, the least likely first.

        Raises
        ------
        InputError
            If there are no rows.
        """
        found = enrichment(self.names[rows].tolist(), self.names.tolist(), self.standard)
        titles = titles_of(self.standard)
        return [
            Term(titles[one.term], one.term, one.k, one.n, one.p, one.q)
            for one in found
            if one.k >= _LEAST_FOUND and one.p < CHANCE
        ]

    def rows_of(self, term: str) -> npt.NDArray[np.intp]:
        """Return the rows of a term."""
        members = sorted(self.standard.terms.get(term, frozenset()))
        return np.flatnonzero(np.isin(self.names, members))


def titles_of(standard: Standard) -> dict[str, str]:
    """Return what each term is called: by its own name where descriptions do not tell terms apart.

    Files of terms hold addresses or sources in place of descriptions now and then.
    """
    titles = {term: standard.title(term) for term in standard.terms}
    is_plain = len(set(titles.values())) == len(titles) and not any(
        "://" in title for title in titles.values()
    )
    return titles if is_plain else {term: term for term in titles}


def _smallest(standard: Standard, names: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """Return the most specific term of each name, as a colour of the map."""
    counted = standard.restricted(frozenset(names.tolist())).sized(_LEAST_COLOURED, len(names))
    titles, label = titles_of(standard), dict[str, str]()
    for term, members in sorted(counted.terms.items(), key=lambda one: -len(one[1])):
        label |= dict.fromkeys(members, titles[term])
    return np.array([label.get(name, "") for name in names.tolist()], np.str_)

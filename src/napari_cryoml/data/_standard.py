"""What is known of the function of proteins: terms and their members."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cryoml._errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class Standard:
    """Groups of proteins that belong together: complexes, processes, pathways or places in a cell.

    Parameters
    ----------
    name : str
        Name for people: "SGD complexes".
    terms : mapping of str to set of str
        The proteins of each term. A protein may be in several.
    descriptions : mapping of str to str
        Name for people of a term that goes by an accession; may lack any.
    aliases : mapping of str to str
        Other names of members, as gene names beside systematic names, and the name the terms have.
    provenance : mapping
        Where it comes from and what was left out, as JSON takes it.
    """

    name: str
    terms: Mapping[str, frozenset[str]]
    descriptions: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        terms = {str(term): _names(names, term) for term, names in self.terms.items()}
        object.__setattr__(self, "terms", terms)

    def __len__(self) -> int:
        return len(self.terms)

    @property
    def members(self) -> tuple[str, ...]:
        """Every protein of any term, sorted."""
        return tuple(sorted(frozenset().union(*self.terms.values())))

    @property
    def sizes(self) -> dict[str, int]:
        """Number of proteins of each term."""
        return {term: len(members) for term, members in self.terms.items()}

    def title(self, term: str) -> str:
        """Return the name for people of a term."""
        return self.descriptions.get(term) or term

    def sized(self, least: int = 3, most: int = 300) -> Standard:
        """Return the standard without terms of fewer than `least` or more than `most` proteins.

        Restrict it to the proteins at hand first: what counts is how many of them a term has.

        Raises
        ------
        InputError
            If the bounds are out of order.
        """
        if not 1 <= least <= most:
            raise InputError(
                f"Terms of {least} to {most} proteins were asked for; the least size is at least 1 "
                "and at most the largest size."
            )
        return self._of({t: m for t, m in self.terms.items() if least <= len(m) <= most})

    def restricted(self, universe: Iterable[str]) -> Standard:
        """Return the standard with the proteins of `universe` alone; terms without any are gone."""
        names = frozenset(universe)
        kept = {term: members & names for term, members in self.terms.items()}
        return self._of({term: members for term, members in kept.items() if members})

    def without(self, terms: Collection[str]) -> Standard:
        """Return the standard without some terms.

        Raises
        ------
        InputError
            If one of `terms` is not there.
        """
        for term in terms:
            if term not in self.terms:
                raise InputError(f"The standard {self.name!r} has no term {term!r}.")
        gone = frozenset(terms)
        return self._of({t: m for t, m in self.terms.items() if t not in gone})

    def membership(self, names: Sequence[str]) -> csr_array:
        """Return which protein is in which term.

        Parameters
        ----------
        names : sequence of str of length n
            As the terms have them; `map_names` translates others. The row of a name that no term
            has is empty.

        Returns
        -------
        sparse array of shape (n, number of terms), float32
            1 where the protein is a member; terms in the order of `terms`.
        """
        from scipy.sparse import csr_array

        rows_of: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            rows_of.setdefault(str(name), []).append(row)
        rows: list[int] = []
        columns: list[int] = []
        for column, members in enumerate(self.terms.values()):
            for member in members:
                here = rows_of.get(member, ())
                rows += here
                columns += [column] * len(here)
        shape = (len(names), len(self.terms))
        ones = np.ones(len(rows), np.float32)
        places = (np.array(rows, np.intp), np.array(columns, np.intp))
        return csr_array((ones, places), shape=shape)

    def _of(self, terms: Mapping[str, frozenset[str]]) -> Standard:
        known = {term: text for term, text in self.descriptions.items() if term in terms}
        return replace(self, terms=terms, descriptions=known)


def _names(members: Iterable[str], term: str) -> frozenset[str]:
    if isinstance(members, str):
        raise InputError(
            f"A term needs a set of names; the text {members!r} was given for {term!r}: "
            "put it in brackets."
        )
    return frozenset(map(str, members))

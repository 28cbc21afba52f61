"""Names of proteins: which scheme they follow, and how they meet those of a standard."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml.data._standard import Standard

UNKNOWN = "other names"

_SCHEMES = {
    "systematic names of yeast": re.compile(r"Y[A-P][LR]\d{3}[WC](-[A-Z]+)?|[QR]\d{4}[WC]?", re.I),
    "SGD identifiers": re.compile(r"(SGD:)?S\d{9}"),
    "Ensembl genes": re.compile(r"ENS[A-Z]*G\d{11}(\.\d+)?"),
    "UniProt accessions": re.compile(
        r"([OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9]([A-Z][A-Z0-9]{2}[0-9]){1,2})(-\d+)?"
    ),
    "Entrez numbers": re.compile(r"\d+"),
    "gene names": re.compile(r"[A-Za-z][A-Za-z0-9]*(orf\d+)?[\d.,'-]*[A-Za-z0-9'-]*"),
}
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many names a standard knows.

    Parameters
    ----------
    standard : str
        Name of the standard.
    n, found : int
        Names that were asked for, and those of them that are in the standard.
    n_standard : int
        Proteins of the standard.
    scheme, standard_scheme : str
        What most of the names are ("gene names"), and most of those of the standard.
    examples : tuple of str
        One name of the most common scheme of each side, of the names and of the standard; empty
        where there is none.
    translated : int
        Of those found, how many go by another name in the standard.
    missing : tuple of str
        Some of the names that were not found.
    """

    standard: str
    n: int
    found: int
    n_standard: int
    scheme: str
    standard_scheme: str
    examples: tuple[str, str]
    translated: int
    missing: tuple[str, ...]

    def __str__(self) -> str:
        told = f"{self.found:,} of {self.n:,} names are among the {self.n_standard:,} proteins of "
        told += self.standard
        if self.translated:
            told += f", {self.translated:,} of them by another name"
        if self.schemes_differ and self.n:
            told += f"; {self._schemes()}"
        if self.missing and self.found:
            told += f"; not there, for instance, {', '.join(self.missing)}"
        return told + "."

    @property
    def schemes_differ(self) -> bool:
        """Whether names and standard follow different schemes of naming."""
        return self.scheme != self.standard_scheme

    @property
    def complaint(self) -> str:
        """One sentence for names of which too few are in the standard, and what to do."""
        told = f"{self.found or 'None'} of the {self.n:,} names {'are' if self.found else 'is'} in "
        told += f"{self.standard}"
        if self.schemes_differ:
            return f"{told}: {self._schemes()}; give a table of both names."
        return (
            f"{told}, which has names like {self.examples[1]!r}; {self.examples[0]!r} was given: "
            "check the column of names, and that both are of one organism."
        )

    def _schemes(self) -> str:
        ours, theirs = self.examples
        return (
            f"the names are {self.scheme} ({ours}), those of the standard {self.standard_scheme} "
            f"({theirs})"
        )


def naming_scheme(names: Iterable[str]) -> tuple[str, str]:
    """Return which scheme most of some names follow, and one name that does.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    str
        "systematic names of yeast", "SGD identifiers", "Ensembl genes", "UniProt accessions",
        "Entrez numbers", "gene names" or "other names".
    str
        The first name of it; "" without names.
    """
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name in names:
        scheme = _scheme_of(name)
        counts[scheme] += 1
        first.setdefault(scheme, name)
    if not counts:
        return UNKNOWN, ""
    scheme = counts.most_common(1)[0][0]
    return scheme, first[scheme]


def map_names(
    names: Sequence[str] | npt.NDArray[np.str_],
    standard: Standard,
    aliases: Mapping[str, str] | None = None,
) -> tuple[npt.NDArray[np.str_], Coverage]:
    """Return names as a standard has them.

    The closest agreement wins: the name itself, its other name in `aliases`, its other name in
    the aliases of the standard, and each of these again without regard to case, unless several
    names agree equally well.

    Parameters
    ----------
    names : sequence of str of length n
    standard : Standard
    aliases : mapping of str to str, optional
        Pairs of names of one protein, in either direction.

    Returns
    -------
    array of shape (n,), str
        "" for a name that the standard does not know.
    Coverage
    """
    asked = [str(name).strip() for name in names]
    known = frozenset(standard.members)
    tables = _tables(known, standard.aliases, aliases or {})
    found = [next((t[key(n)] for key, t in tables if key(n) in t), "") for n in asked]
    missing = dict.fromkeys(name for name, hit in zip(asked, found, strict=True) if not hit)
    scheme, ours = naming_scheme(asked)
    standard_scheme, theirs = naming_scheme(standard.members)
    coverage = Coverage(
        standard.name,
        len(asked),
        sum(map(bool, found)),
        len(known),
        scheme,
        standard_scheme,
        (ours, theirs),
        sum(bool(hit) and hit != name for name, hit in zip(asked, found, strict=True)),
        tuple(missing)[:_EXAMPLES],
    )
    return np.array(found, dtype=np.str_), coverage


def _tables(
    known: frozenset[str], own: Mapping[str, str], given: Mapping[str, str]
) -> list[tuple[Callable[[str], str], dict[str, str]]]:
    """Return where to look a name up, the closest agreement first."""
    same = {name: name for name in known}
    inner = {other: name for other, name in own.items() if name in known}
    there = same | {other: name for other, name in inner.items() if other not in same}
    pairs = [*given.items(), *((other, name) for name, other in given.items())]
    outer = _unambiguous((name, there[other]) for name, other in pairs if other in there)
    exact = [same, outer, inner]
    return [(str, table) for table in exact] + [
        (str.upper, _unambiguous((key.upper(), hit) for key, hit in table.items()))
        for table in exact
    ]


def _unambiguous(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return pairs as a mapping, without those whose key stands for several names."""
    hits: dict[str, set[str]] = {}
    for key, hit in pairs:
        hits.setdefault(key, set()).add(hit)
    return {key: next(iter(found)) for key, found in hits.items() if len(found) == 1}


def _scheme_of(name: str) -> str:
    for scheme, pattern in _SCHEMES.items():
        if pattern.fullmatch(name):
            return scheme
    return UNKNOWN

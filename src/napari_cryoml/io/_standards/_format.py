"""What a format of standards is: how it is known, and what it tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from napari_cryoml.io._standards._ontology import Ontology
from napari_cryoml.io._standards._text import TextFile


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller wants of a file.

    Parameters
    ----------
    aspect : {"C", "F", "P"}, optional
        Of Gene Ontology: places in the cell, molecular functions or processes; None for all.
    include : set of str, optional
        Codes of evidence that count; None for all but those of `exclude`.
    exclude : set of str
        Codes of evidence that do not count.
    ontology : Ontology, optional
        Carries annotations on to more general terms.
    slim : str, optional
        Subset of the ontology that annotations are brought up to.
    columns : tuple of str, optional
        Names of the columns of proteins and of terms, for tables.
    """

    aspect: str | None = None
    include: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()
    ontology: Ontology | None = None
    slim: str | None = None
    columns: tuple[str, str] | None = None

    def takes_evidence(self, code: str) -> bool:
        """Return whether evidence of this code counts."""
        return code not in self.exclude and (self.include is None or code in self.include)


@dataclass(slots=True)
class Found:
    """What was read: grows line by line.

    Parameters
    ----------
    terms : dict of str to set of str
        Names of the proteins of each term.
    titles : dict of str to str
        Names for people of terms that go by an accession.
    other_names : dict of str to set of str
        Which proteins another name may mean.
    left_out : Counter
        How many lines or members were left out, by reason.
    """

    terms: dict[str, set[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    other_names: dict[str, set[str]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, term: str, protein: str, title: str = "") -> None:
        """Note that a protein is a member of a term."""
        self.terms.setdefault(term, set()).add(protein)
        if title and title != term:
            self.titles.setdefault(term, title)

    def also_called(self, protein: str, names: Iterable[str]) -> None:
        """Note other names of a protein."""
        for name in names:
            if name and name != protein:
                self.other_names.setdefault(name, set()).add(protein)

    @property
    def aliases(self) -> Mapping[str, str]:
        """Other names that mean one protein alone, and are nobody's own name."""
        members = set().union(*self.terms.values())
        return {
            name: next(iter(proteins))
            for name, proteins in self.other_names.items()
            if len(proteins) == 1 and name not in members and not members.isdisjoint(proteins)
        }


@dataclass(frozen=True, slots=True)
class StandardFormat:
    """One format of standards.

    Parameters
    ----------
    name : str
        Name that the user gives to choose it.
    title : str
        Name for people, and what is read, in one line.
    recognises : callable
        Tells a file of it by its beginning.
    read : callable
        Returns what the file tells, or raises InputError.
    options : set of str
        What of `Choice` it heeds.
    """

    name: str
    title: str
    recognises: Callable[[TextFile], bool]
    read: Callable[[TextFile, Choice], Found]
    options: frozenset[str] = frozenset()


def stem_of(path: Path) -> str:
    """Return the name of a file without the endings of its kind."""
    name = path.name.removesuffix(".gz")
    return name.rpartition(".")[0] or name

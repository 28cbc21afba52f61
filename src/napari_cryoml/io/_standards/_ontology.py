"""Gene Ontology as an OBO file has it: which terms are parts or kinds of others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.io._standards._text import TextFile, open_text

_RELATIONS = ("part_of",)


@dataclass(frozen=True, slots=True)
class Ontology:
    """Terms, and the more general terms above each.

    Parameters
    ----------
    names : dict of str to str
        Name of each term that is in use.
    namespaces : dict of str to str
        "cellular_component", "molecular_function" or "biological_process".
    parents : dict of str to tuple of str
        Terms that a term is a kind (is_a) or a part (part_of) of.
    subsets : dict of str to set of str
        Terms of each slim.
    replaced : dict of str to str
        The term in use behind an alternative identifier.
    """

    names: dict[str, str]
    namespaces: dict[str, str]
    parents: dict[str, tuple[str, ...]]
    subsets: dict[str, frozenset[str]]
    replaced: dict[str, str]

    def current(self, term: str) -> str | None:
        """Return the identifier in use of a term, or None for one that is obsolete or unknown."""
        term = self.replaced.get(term, term)
        return term if term in self.names else None

    def ancestors(self, term: str) -> frozenset[str]:
        """Return a term in use and all terms above it in its own namespace."""
        space = self.namespaces.get(term)
        found: set[str] = set()
        waiting = [term]
        while waiting:
            at = waiting.pop()
            if at not in found:  # a broken file may go round in circles
                found.add(at)
                waiting += [up for up in self.parents.get(at, ()) if up in self.names]
        return frozenset(up for up in found if self.namespaces.get(up) == space)

    def slimmed(self, term: str, slim: frozenset[str]) -> frozenset[str]:
        """Return the most specific terms of a slim that a term falls under."""
        within = self.ancestors(term) & slim
        covered = {up for one in within for up in self.ancestors(one) if up != one}
        return within - covered

    def subset(self, name: str) -> frozenset[str]:
        """Return the terms of a slim.

        Raises
        ------
        InputError
            If there is none of this name.
        """
        if name not in self.subsets:
            known = ", ".join(sorted(self.subsets)) or "none"
            raise InputError(f"The ontology has no slim {name!r}; it has {known}.")
        return self.subsets[name]


def read_ontology(path: str | Path) -> Ontology:
    """Read an OBO file, plain or packed by gzip.

    Raises
    ------
    InputError
        If it cannot be read or holds no terms.
    """
    file = open_text(path)
    if not is_ontology(file):
        raise InputError(
            f"{file.path.name} is no ontology: an OBO file with [Term] entries was expected, as "
            "go-basic.obo is."
        )
    return _gathered(file)


def is_ontology(file: TextFile) -> bool:
    """Tell an OBO file by its beginning."""
    head = file.head
    return head[0].startswith("format-version:") or "[Term]" in (line.strip() for line in head)


def _gathered(file: TextFile) -> Ontology:
    made = Ontology({}, {}, {}, {}, {})
    subsets: dict[str, set[str]] = {}
    for term in _terms(file):
        identifier = term.get("id", [""])[0]
        if not identifier or "true" in term.get("is_obsolete", ()):
            continue
        made.names[identifier] = term.get("name", [identifier])[0]
        made.namespaces[identifier] = term.get("namespace", [""])[0]
        made.parents[identifier] = tuple(_parents(term))
        made.replaced.update(dict.fromkeys(term.get("alt_id", ()), identifier))
        for subset in term.get("subset", ()):
            subsets.setdefault(subset, set()).add(identifier)
    if not made.names:
        raise InputError(f"{file.path.name} has no terms in use: download the ontology again.")
    made.subsets.update({name: frozenset(terms) for name, terms in subsets.items()})
    return made


def _terms(file: TextFile) -> Iterator[dict[str, list[str]]]:
    """Yield the tags of each [Term], without comments behind their values."""
    tags: dict[str, list[str]] | None = None
    for _, line in file.lines():
        line = line.strip()
        if line.startswith("["):
            if tags:
                yield tags
            tags = {} if line == "[Term]" else None
        elif tags is not None:
            tag, _, value = line.partition(":")
            tags.setdefault(tag, []).append(value.partition(" ! ")[0].strip())
    if tags:
        yield tags


def _parents(term: dict[str, list[str]]) -> Iterator[str]:
    for value in term.get("is_a", ()):
        yield value.split()[0] if value else ""
    for value in term.get("relationship", ()):
        relation, _, parent = value.partition(" ")
        if relation in _RELATIONS:
            yield parent.split()[0] if parent else ""

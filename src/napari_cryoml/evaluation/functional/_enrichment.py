"""Which terms a group of proteins is rich in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Standard

_Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EnrichedTerm:
    """One term in a group of proteins.

    Parameters
    ----------
    term, title : str
        The term, and its name for people.
    k, n_group : int
        Proteins of the group in the term, and in all.
    n, n_universe : int
        Proteins of the universe in the term, and in all.
    p : float
        Chance of `k` or more in a random group of this size: upper tail of the hypergeometric
        distribution.
    q : float
        Of all terms that are as rich or richer, the share expected to be so by chance (Benjamini
        and Hochberg).
    members : tuple of str
        Proteins of the group in the term, sorted.
    """

    term: str
    title: str
    k: int
    n_group: int
    n: int
    n_universe: int
    p: float
    q: float
    members: tuple[str, ...]

    @property
    def fold(self) -> float:
        """How many times more proteins of the term the group has than a random one."""
        return self.k * self.n_universe / (self.n * self.n_group)


def enrichment(
    members: Iterable[str],
    universe: Iterable[str],
    standard: Standard,
    *,
    least: int = 2,
    most: int | None = None,
) -> list[EnrichedTerm]:
    """Return the terms of a group of proteins, the least likely first.

    Parameters
    ----------
    members : iterable of str
        The group, as the standard has the names; see `data.map_names`.
    universe : iterable of str
        All proteins that could have been in it: those with vectors, or with places on the map.
        Proteins without any term count too.
    standard : Standard
    least, most : int
        Terms of fewer or more proteins of the universe are not tested; all large ones are by
        default.

    Returns
    -------
    list of EnrichedTerm
        Terms with a protein of the group. All terms of the sizes asked for count as tested.

    Raises
    ------
    InputError
        If the group is empty, or is not within the universe.

    References
    ----------
    Rivals, Personnaz, Taing, Potier 2007, Bioinformatics 23:401. Benjamini and Hochberg 1995,
    J. Royal Statistical Society B 57:289.
    """
    group, everyone = frozenset(map(str, members)), frozenset(map(str, universe))
    if not group:
        raise InputError("No proteins are selected: select some to see their terms.")
    if strangers := group - everyone:
        raise InputError(
            f"{len(strangers)} of the proteins selected ({', '.join(sorted(strangers)[:5])}) are "
            "not in the universe: it must hold all that could have been selected."
        )
    tested = standard.restricted(everyone).sized(least, most or len(everyone) + least)
    if not len(tested):
        return []
    hits = {term: group & names for term, names in tested.terms.items()}
    k = np.array([len(found) for found in hits.values()])
    n = np.array([len(names) for names in tested.terms.values()])
    p = _tail(k, n, len(group), len(everyone))
    from scipy.stats import false_discovery_control

    q = false_discovery_control(p)
    rows = [
        EnrichedTerm(
            term,
            tested.title(term),
            int(k[at]),
            len(group),
            int(n[at]),
            len(everyone),
            float(p[at]),
            float(q[at]),
            tuple(sorted(hits[term])),
        )
        for at, term in enumerate(tested.terms)
        if k[at]
    ]
    return sorted(rows, key=lambda row: (row.p, -row.k, row.term))


def _tail(k: _Counts, n: _Counts, size: int, universe: int) -> npt.NDArray[np.float64]:
    """Return the chance of k or more of the n members of each term in a group."""
    from scipy.stats import hypergeom

    return np.clip(hypergeom.sf(k - 1, universe, n, size), 0, 1)

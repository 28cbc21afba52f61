"""Candidates in order, and compared with what is known and with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from napari_cryoml.averaging.discovery._candidate import Candidate
from napari_cryoml.averaging.discovery._config import DiscoveryConfig
from napari_cryoml.averaging.discovery._discrepancy import discrepancies
from napari_cryoml.jobs import Event, Job

Volume = npt.NDArray[np.float32]


def ranking(
    found: Sequence[Candidate],
    known: Mapping[str, Volume],
    config: DiscoveryConfig,
    pixel_size: float | None,
) -> Job[tuple[Candidate, ...]]:
    """Return candidates, the best first, each with what it is most like.

    Parameters
    ----------
    found : sequence of Candidate
    known : mapping of str to array (z, y, x)
        Known structures.
    config : DiscoveryConfig
    pixel_size : float, optional
        Angstrom per voxel; without it, candidates are not compared with each other.
    """
    ranked = sorted(found, key=lambda one: -one.merit)
    for number, (name, volume) in enumerate(known.items()):
        yield Event(done=number, total=len(known), message=f"Comparing averages with {name}.")
        ranked = _beside_known(ranked, name, volume, config, pixel_size)
    if pixel_size is not None:
        ranked = yield from _without_repeats(ranked, config, pixel_size)
    return tuple(ranked)


def _beside_known(
    ranked: list[Candidate],
    name: str,
    volume: Volume,
    config: DiscoveryConfig,
    pixel_size: float | None,
) -> list[Candidate]:
    """Return candidates of which those that are most like this structure say so."""
    sizes = _differences(ranked, volume, config, pixel_size)
    return [
        replace(one, nearest=name, discrepancy=size) if not size >= one.discrepancy else one
        for one, size in zip(ranked, sizes, strict=True)
    ]


def _without_repeats(
    ranked: list[Candidate], config: DiscoveryConfig, pixel_size: float
) -> Job[list[Candidate]]:
    """Return candidates of which each names the best one of the same structure."""
    for rank, one in enumerate(ranked):
        left = [at for at in range(rank + 1, len(ranked)) if ranked[at].same_as is None]
        if one.same_as is not None or not left:
            continue
        yield Event(done=rank, total=len(ranked), message="Comparing averages with each other.")
        others = [ranked[at] for at in left]
        sizes = _differences(others, one.average.average, config, pixel_size)
        for at, size in zip(left, sizes, strict=True):
            if size <= config.same_angstrom:
                ranked[at] = replace(ranked[at], same_as=rank)
    return ranked


def _differences(
    candidates: Sequence[Candidate],
    volume: Volume,
    config: DiscoveryConfig,
    pixel_size: float | None,
) -> list[float]:
    """Return the size of the features in which each average differs from a volume."""
    if not candidates:
        return []
    averages = np.stack([one.average.average for one in candidates])
    align = config.classes.align
    found = discrepancies(averages, volume, pixel_size=pixel_size, config=align)
    return [one.size for one in found]

"""Picks of which three in ten are junk, and a lasso that follows what lies together on the map."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from skimage.measure import find_contours

from _record import table
from napari_cryoml.data import Embedding, ImageSource, Picks, PicksTable
from napari_cryoml.embedding import cluster, clusterings, encoders, extract, project, projections
from napari_cryoml.embedding.drawing import lasso_mask
from napari_cryoml.evaluation import match
from napari_cryoml.io import open_images, write_mrc
from napari_cryoml.jobs import run_inline
from napari_cryoml.picking import baselines
from napari_cryoml.picking.live import LiveConfig
from napari_cryoml.preprocess import PickCrops
from napari_cryoml.simulate import MicrographConfig, SimulatedMicrograph, simulate_micrograph

JUNK_SHARE = 0.3
LOOKED_AT = 12
"""Crops of a cluster that are looked at before it is lassoed."""
N_CLUSTERS = 30
_N_IMAGES = 12
_CONFIG = MicrographConfig(ice=9, gold=14, aggregates=9, fragments=25, carbon=0.4)
_SOLID = ("ice", "gold", "aggregate", "carbon")
_GRID = 200

Row = dict[str, Any]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class JunkSet:
    """Picks and the truth about them.

    Parameters
    ----------
    name : str
    images : sequence of ImageSource
    picks : PicksTable
        With a column `junk`.
    """

    name: str
    images: Sequence[ImageSource]
    picks: PicksTable


def lasso(seeds: int) -> Iterator[Row]:
    """Map the picks of two kinds of sets, and take the junk away by lasso."""
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            simulated = _simulate(Path(folder), seed)
            images = open_images([folder])
            for each in (
                _contaminated("ice, gold, heaps, carbon", images, simulated, _SOLID, seed),
                _contaminated("and fragments", images, simulated, (*_SOLID, "fragment"), seed),
                _blobs(images, simulated, seed),
            ):
                yield from _clean(each, seed)


def lasso_table(rows: Sequence[Row]) -> str:
    """Return the table for the page."""
    shown = []
    for name, method in dict.fromkeys((row["set"], row["map"]) for row in rows):
        some = [row for row in rows if (row["set"], row["map"]) == (name, method)]
        shown.append(
            [
                name,
                method,
                round(np.mean([row["picks"] for row in some])),
                *(f"{100 * np.mean([row[key] for row in some]):.0f} %" for key in ("junk", "kept")),
                *(_spread([row[key] for row in some]) for key in ("removed", "lost")),
                f"{np.mean([row['lassos'] for row in some]):.1f}",
            ]
        )
    header = ["set", "map", "picks", "junk before", "junk after", "junk removed", "particles lost"]
    return table([*header, "outlines"], shown)


def _spread(values: Sequence[float]) -> str:
    return f"{100 * np.mean(values):.1f} % ({100 * min(values):.1f}-{100 * max(values):.1f})"


def _simulate(folder: Path, seed: int) -> dict[str, SimulatedMicrograph]:
    found = {}
    for number in range(_N_IMAGES):
        each = simulate_micrograph(_CONFIG, seed=1000 * (seed + 1) + number)
        name = f"micrograph_{number:03d}.mrc"
        write_mrc(folder / name, each.image, each.pixel_size)
        found[name] = each
    return found


def _contaminated(
    title: str,
    images: Sequence[ImageSource],
    simulated: dict[str, SimulatedMicrograph],
    kinds: Sequence[str],
    seed: int,
) -> JunkSet:
    """Return particles, and picks on contaminants of some kinds."""
    rng = np.random.default_rng(seed)
    good = {name: each.picks.positions for name, each in simulated.items()}
    bad = {name: _on_contaminants(each, kinds, rng) for name, each in simulated.items()}
    share = _share(*(sum(len(rows) for rows in each.values()) for each in (good, bad)))
    tables = []
    for name in good:
        some = bad[name][rng.random(len(bad[name])) < share]
        tables.append(_jittered(name, good[name], some, rng))
    return JunkSet(title, images, PicksTable.of(tables))


def _on_contaminants(
    each: SimulatedMicrograph, kinds: Sequence[str], rng: np.random.Generator
) -> Floats:
    """Return places on contaminants that a careless picker might choose, off the particles."""
    size, diameter = np.array(each.image.shape), float(each.picks.diameter or 0)
    found = [np.empty((0, 2))]
    for one in each.contaminants:
        if one.kind not in kinds:
            continue
        if one.kind in ("gold", "fragment"):
            found.append(np.array([one.position]))
            continue
        places = rng.random((400, 2)) * size
        edge = one.covers(places) & ~one.covers(places, -0.5 * diameter)
        found.append(_apart(places[edge], diameter))
    places = np.concatenate(found)
    inside = ((places > 0) & (places < size - 1)).all(axis=1)
    gaps = np.linalg.norm(places[:, None] - each.picks.positions, axis=-1).min(axis=1)
    return places[inside & (gaps > diameter / 2)]


def _apart(places: Floats, distance: float) -> Floats:
    kept: list[Floats] = []
    for place in places:
        if all(np.linalg.norm(place - other) >= distance for other in kept):
            kept.append(place)
    return np.array(kept).reshape(-1, 2)


def _jittered(name: str, good: Floats, bad: Floats, rng: np.random.Generator) -> Picks:
    places = np.concatenate([good, bad])
    junk = np.arange(len(places)) >= len(good)
    places = places + rng.normal(0, 0.04 * _CONFIG.diameter, places.shape)
    places = places.clip(0, np.array(_CONFIG.shape) - 1)
    return Picks(name, places, columns={"junk": junk}, diameter=_CONFIG.diameter)


def _blobs(
    images: Sequence[ImageSource], simulated: dict[str, SimulatedMicrograph], seed: int
) -> JunkSet:
    """Return the best picks of a blob picker, as many as particles, less some of the junk."""
    picker = baselines.create("log").build(LiveConfig(diameter=_CONFIG.diameter).preprocessor())
    tables = [picker.pick(image) for image in images]
    n_particles = sum(len(each.picks) for each in simulated.values())
    scores = np.concatenate([table.scores for table in tables])
    tables = [table.above(float(np.sort(scores)[-n_particles])) for table in tables]
    reach = 0.35 * _CONFIG.diameter
    junk = [match(t.positions, simulated[t.image].picks.positions, reach) < 0 for t in tables]
    share = _share(sum((~marks).sum() for marks in junk), sum(marks.sum() for marks in junk))
    rng = np.random.default_rng(seed)
    kept = []
    for t, marks in zip(tables, junk, strict=True):
        named = Picks(t.image, t.positions, t.scores, t.pixel_size, t.diameter, {"junk": marks})
        kept.append(named.take(~marks | (rng.random(len(marks)) < share)))
    return JunkSet("of a blob picker (LoG)", images, PicksTable.of(kept))


def _share(n_good: int, n_bad: int) -> float:
    """Return which share of the junk makes it three in ten of all."""
    return n_good * JUNK_SHARE / (1 - JUNK_SHARE) / n_bad


def _clean(each: JunkSet, seed: int) -> Iterator[Row]:
    crops = PickCrops(each.images, each.picks, round(1.5 * _CONFIG.diameter))
    config = encoders.create("live", keep=False)
    embedding = run_inline(extract(crops, config, columns=crops.columns))
    junk = np.asarray(embedding.table["junk"], bool)
    groups = run_inline(
        cluster(embedding.vectors, clusterings.create("kmeans", k=N_CLUSTERS, seed=seed))
    )
    for method in ("tsne", "umap", "pca"):
        layout = run_inline(project(embedding.vectors, projections.create(method, seed=seed)))
        chosen = _junk_clusters(groups.labels, junk, seed)
        outlines = _outlines(layout.layout, np.isin(groups.labels, chosen))
        taken = np.zeros(len(junk), bool)
        for outline in outlines:
            taken |= lasso_mask(layout.layout, outline)
        yield {
            "set": each.name,
            "map": method,
            "seed": seed,
            "picks": len(junk),
            "junk": junk.mean(),
            "kept": junk[~taken].mean(),
            "removed": taken[junk].mean(),
            "lost": taken[~junk].mean(),
            "lassos": len(outlines),
            "neighbours": _purity(embedding, junk),
        }


def _purity(embedding: Embedding, junk: Mask) -> float:
    """Return which share of the ten nearest neighbours of junk is junk."""
    from sklearn.neighbors import NearestNeighbors

    vectors = embedding.vectors.astype(np.float32)
    nearest = NearestNeighbors(n_neighbors=11).fit(vectors).kneighbors(vectors[junk])[1][:, 1:]
    return float(junk[nearest].mean())


def _junk_clusters(labels: npt.NDArray[np.int32], junk: Mask, seed: int) -> list[int]:
    """Return the clusters that show more junk than particles in the crops that are looked at."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(labels.max() + 1):
        rows = np.flatnonzero(labels == number)
        seen = rng.choice(rows, min(LOOKED_AT, len(rows)), replace=False)
        if junk[seen].mean() > 0.5:
            found.append(number)
    return found


def _outlines(layout: npt.NDArray[np.float32], members: Mask) -> list[Floats]:
    """Return polygons on the map around where the members outnumber the others."""
    low, high = layout.min(axis=0), layout.max(axis=0)
    margin = 0.05 * (high - low)
    low, step = low - margin, (high - low + 2 * margin) / (_GRID - 1)
    cells = np.rint((layout - low) / step).astype(int)
    density = []
    for rows in (members, ~members):
        counts = np.zeros((_GRID, _GRID))
        np.add.at(counts, tuple(cells[rows].T), 1.0)
        density.append(gaussian_filter(counts, 2.0, mode="constant"))
    excess = density[0] - density[1] - 1e-3 * density[0].max()
    return [contour * step + low for contour in find_contours(excess, 0.0)]

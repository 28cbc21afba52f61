"""Classes of the explorer: from a few rows, of what was not seen before, and from neighbours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from _embedding_known import KnownSet, by_name, known_sets
from _embedding_maps import grouped_vectors
from _record import table
from napari_cryoml.embedding import (
    FewShotRequest,
    MapService,
    ProjectRequest,
    UmapConfig,
    few_shot,
    novelty,
    spread_labels,
)
from napari_cryoml.jobs import ChildService

N_SPEED = 100_000
N_SELECTED = 3
N_BEST = 50
LABELS_A_CLASS = 10
LABELLED_SHARE = 0.2
TARGET_S = 1.0

_SELECTED = (3, 30)
_SPEED_DRAWS = 10
_DRAWS = 5
_NOVELTY_DRAWS = 2
_N_WARM = 500  # rows of the map that is asked for first, so that nothing is left to compile

Row = dict[str, Any]
Floats = npt.NDArray[np.float64]


def few_rows(seeds: int) -> Iterator[Row]:
    """Time classes from a few rows of many, and say what they are worth where classes are known."""
    yield from _speed()
    for name, some in by_name(known_sets(seeds)):
        found = [
            _found(each, kind, draw) for each in some for kind in each.names for draw in _draws()
        ]
        yield _summary(name, some, found)


def few_rows_table(rows: Sequence[Row]) -> str:
    """Return a table of times and one of what was found."""
    speed = [
        [
            f"{row['rows']:,} x {row['columns']}",
            row["asked"],
            row["selected"],
            row["draws"],
            f"{row['median_s']:.2f} s",
            f"{row['worst_s']:.2f} s",
            f"{TARGET_S:.0f} s",
        ]
        for row in rows
        if "asked" in row
    ]
    header = ["vectors", "asked", "selected rows", "draws", "median", "worst", "target"]
    found = [
        [
            *_of_set(row),
            *(_spread(row, key) for key in ("best", "nearest", "precision", "recall")),
            f"{100 * row['none']:.0f} %",
        ]
        for row in rows
        if "best" in row
    ]
    quality = ["set", "rows", "classes", "like their neighbours", "draws"]
    quality += [f"right of the best {N_BEST}", f"of the {N_BEST} nearest", "right of the proposal"]
    quality += ["share of the class proposed", "nothing proposed"]
    return f"{table(header, speed)}\n\n{table(quality, found)}"


def new_class(seeds: int) -> Iterator[Row]:
    """Leave each class without labels in turn, and look for it."""
    for name, some in by_name(known_sets(seeds)):
        found = [
            _unseen(each, kind, draw)
            for each in some
            for kind in each.names
            for draw in range(_NOVELTY_DRAWS)
        ]
        yield _summary(name, some, found)


def new_class_table(rows: Sequence[Row]) -> str:
    """Return one row a kind of set."""
    header = ["set", "rows", "classes", "like their neighbours", "draws", "AUROC", "worst"]
    header += ["AUROC said", "false alarms at 5 %", "worst", "share of the new class found"]
    body = [
        [
            *_of_set(row),
            _spread(row, "auroc", percent=False),
            f"{row['auroc_least']:.2f}",
            _spread(row, "said", percent=False),
            _spread(row, "false_alarms"),
            f"{100 * row['false_alarms_most']:.0f} %",
            _spread(row, "hits"),
        ]
        for row in rows
    ]
    return table(header, body)


def spreading(seeds: int) -> Iterator[Row]:
    """Label ten rows of each class, and let the classes spread to the others."""
    for name, some in by_name(known_sets(seeds)):
        found = [_spread_from(each, draw) for each in some for draw in _draws()]
        yield _summary(name, some, found)


def spreading_table(rows: Sequence[Row]) -> str:
    """Return one row a kind of set."""
    header = ["set", "rows", "classes", "like their neighbours", "draws", "held-out accuracy said"]
    header += ["accuracy of all guesses", "apart", "rows given a class", "right of these"]
    header += ["mean confidence of these"]
    keys = ("said", "accuracy", "apart", "given", "right", "confidence")
    return table(header, [[*_of_set(row), *(_spread(row, key) for key in keys)] for row in rows])


def _speed() -> Iterator[Row]:
    # As the explorer keeps them.
    vectors = grouped_vectors(N_SPEED).astype(np.float16)
    for selected in _SELECTED:
        yield _times("in the same process", selected, vectors, lambda rows: few_shot(vectors, rows))
    with ChildService.start(MapService, vectors) as service:
        _answered(service, ProjectRequest(UmapConfig(), np.arange(_N_WARM)))
        for selected in _SELECTED:
            yield _times(
                "of the process that the explorer asks",
                selected,
                vectors,
                lambda rows: _answered(service, FewShotRequest(rows)),
            )


def _answered(service: ChildService[Any, Any], request: object) -> object:
    answer = service.wait(service.ask(request))
    if answer.error is not None:
        raise RuntimeError(answer.error)
    return answer.reply


def _times(
    asked: str,
    selected: int,
    vectors: npt.NDArray[np.float16],
    ask: Callable[[npt.NDArray[np.intp]], object],
) -> Row:
    """Return median and worst time of several draws; what is loaded once is not counted."""
    ask(np.arange(selected))
    seconds = []
    for draw in range(_SPEED_DRAWS):
        rows = np.random.default_rng(draw).choice(len(vectors), selected, replace=False)
        start = time.perf_counter()
        ask(rows)
        seconds.append(time.perf_counter() - start)
    return {
        "asked": asked,
        "rows": len(vectors),
        "columns": vectors.shape[1],
        "selected": selected,
        "draws": len(seconds),
        "median_s": float(np.median(seconds)),
        "worst_s": max(seconds),
    }


def _found(each: KnownSet, name: str, draw: int) -> Row:
    """Return what three rows of a class make of it; the rows themselves are not counted."""
    rows = each.draw(name, N_SELECTED, np.random.default_rng(draw))
    found = few_shot(each.vectors, rows)
    wanted = each.kinds == name
    n_left = wanted.sum() - len(rows)
    row = {
        "best": wanted[np.setdiff1d(found.order, rows, assume_unique=True)[:N_BEST]].mean(),
        "nearest": wanted[_nearest(each.vectors, rows)].mean(),
        "recall": wanted[found.proposed].sum() / n_left,
        "none": float(not len(found.proposed)),
    }
    if len(found.proposed):
        row["precision"] = wanted[found.proposed].mean()
    return row


def _nearest(vectors: npt.NDArray[np.floating], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return the other rows that are nearest to the mean of some."""
    whole = vectors.astype(np.float32)
    distances = np.linalg.norm(whole - whole[rows].mean(axis=0), axis=1)
    distances[rows] = np.inf
    return np.argsort(distances, kind="stable")[:N_BEST]


def _unseen(each: KnownSet, name: str, draw: int) -> Row:
    """Return how well a class stands out of which no row is labelled."""
    from sklearn.metrics import roc_auc_score

    is_new = each.kinds == name
    labelled = (np.random.default_rng(draw).random(len(is_new)) < LABELLED_SHARE) & ~is_new
    found = novelty(each.vectors, np.where(labelled, each.kinds, ""))
    return {
        "auroc": roc_auc_score(is_new[~labelled], found.scores[~labelled]),
        "said": found.mean_auroc,
        "false_alarms": found.is_new[~labelled & ~is_new].mean(),
        "hits": found.is_new[is_new].mean(),
    }


def _spread_from(each: KnownSet, draw: int) -> Row:
    """Return what classes are worth that came from ten labelled rows each."""
    rng = np.random.default_rng(draw)
    labels = np.full(len(each.kinds), "", each.kinds.dtype)
    for name in each.names:
        labels[each.draw(name, LABELS_A_CLASS, rng)] = name
    found = spread_labels(each.vectors, labels)
    rest = labels == ""
    given = rest & (found.classes != "")
    right = found.guesses == each.kinds
    accuracy = right[rest].mean()
    row = {
        "said": found.accuracy,
        "accuracy": accuracy,
        "apart": abs(found.accuracy - accuracy),
        "given": given.sum() / rest.sum(),
    }
    if given.any():
        row |= {"right": right[given].mean(), "confidence": found.confidence[given].mean()}
    return row


def _draws() -> range:
    return range(_DRAWS)


def _summary(name: str, some: Sequence[KnownSet], found: Sequence[Row]) -> Row:
    """Return mean, deviation and extremes over all draws that have a figure."""
    row: Row = {
        "set": name,
        "sets": len(some),
        "rows": round(np.mean([len(each.kinds) for each in some])),
        "classes": len(some[0].names),
        "purity": float(np.mean([each.purity() for each in some])),
        "draws": len(found),
    }
    for key in dict.fromkeys(key for each in found for key in each):
        values = np.array([each[key] for each in found if key in each], float)
        figures = values.mean(), values.std(), values.min(), values.max()
        endings = "", "_deviation", "_least", "_most"
        row |= {f"{key}{end}": float(one) for end, one in zip(endings, figures, strict=True)}
    return row


def _of_set(row: Row) -> list[Any]:
    return [
        row["set"], row["rows"], row["classes"], f"{100 * row['purity']:.0f} %", row["draws"],
    ]  # fmt: skip


def _spread(row: Row, key: str, *, percent: bool = True) -> str:
    if key not in row:
        return "–"
    mean, deviation = row[key], row[f"{key}_deviation"]
    if percent:
        return f"{100 * mean:.0f} ± {100 * deviation:.0f} %"
    return f"{mean:.2f} ± {deviation:.2f}"

"""Four simulated tomograms with 27 objects of nine classes each: few-shot, and live picking."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import h5py
import numpy as np
import numpy.typing as npt

from _cells import measured
from _data import DATA
from _record import table
from _sections import Row
from _subtomo_accuracy import mean_and_spread
from napari_cryoml.classification import UNKNOWN, LabelledCrops, classify, systems
from napari_cryoml.data import POSITIVE, Annotations, ArrayImage, Picks, PicksTable
from napari_cryoml.evaluation import evaluate_picks
from napari_cryoml.jobs import run_inline
from napari_cryoml.picking.live import LiveConfig, LivePicker, LiveRequest
from napari_cryoml.preprocess import PickCrops

FEW, LIVE = "subtomo-few-shot", "subtomo-live"
_FOLDER = DATA / "tomograms" / "simulated_100cubed"
_N_TOMOGRAMS, _N_DRAWS, _BOX = 4, 5, 24
_DIAMETER_PX, _WITHIN_PX = 14.0, 5.0
_LABELS = (3, 5, 10, 27)


@dataclass(frozen=True)
class Tomogram:
    """A tomogram, where its objects lie (zyx), and the class of each."""

    image: ArrayImage
    positions: npt.NDArray[np.float64]
    classes: npt.NDArray[np.str_]


@cache
def tomograms() -> tuple[Tomogram, ...]:
    """Return the four; none where the folder of data is absent."""
    if not _FOLDER.is_dir():
        return ()
    return tuple(_read(number) for number in range(1, _N_TOMOGRAMS + 1))


def _read(number: int) -> Tomogram:
    with h5py.File(_FOLDER / f"tomo{number}_data.h5") as file:
        array = np.asarray(file["dataset"], np.float32).transpose()  # indexed x, y, z
    places, classes = [], []
    for one in ET.parse(_FOLDER / f"tomo{number}_objlist.xml").getroot():  # noqa: S314
        places.append([float(one.get(axis)) for axis in "zyx"])
        classes.append(one.get("class_label") or one.get("class_name") or "")
    name = f"tomo{number}"
    return Tomogram(ArrayImage(array, name), np.array(places), np.array(classes))


def few_shot(*, fresh: bool = False) -> Iterable[Row]:
    """Classify the objects of one tomogram from a few labels in the others."""
    cells = [
        {"system": name, "labels": labels, "tested": tested, "draw": draw}
        for name in ("few_shot", "rif_svm")
        for labels in (5, 9)
        for tested in range(len(tomograms()))
        for draw in range(_N_DRAWS if labels == 5 else 1)
    ]
    return measured(FEW, cells, _few, fresh=fresh)


def _few(system: str, labels: int, tested: int, draw: int) -> Row:
    sets = tomograms()
    names = tuple(sorted(set(sets[0].classes)))
    truth = np.concatenate([[names.index(one) for one in each.classes] for each in sets])
    table_of = PicksTable.of(Picks(each.image.name, each.positions) for each in sets)
    crops = PickCrops([each.image for each in sets], table_of, _BOX)
    owner = np.repeat(np.arange(len(sets)), [len(each.classes) for each in sets])
    told = _drawn(truth, owner != tested, labels, draw)
    data = LabelledCrops(crops, names, told)
    classifier = run_inline(systems.create(system, seed=draw).fit(data))
    given = run_inline(classify(crops, classifier)).labels
    here = owner == tested
    return {"accuracy": float(np.mean(given[here] == truth[here]))}


def _drawn(
    truth: npt.NDArray[np.intp], allowed: npt.NDArray[np.bool_], labels: int, seed: int
) -> npt.NDArray[np.intp]:
    rng = np.random.default_rng(seed)
    told = np.full(len(truth), UNKNOWN, np.intp)
    for one in np.unique(truth):
        rows = rng.permutation(np.flatnonzero(allowed & (truth == one)))[:labels]
        told[rows] = one
    return told


def few_shot_table(rows: Sequence[Row]) -> str:
    """Return accuracy by system and number of labels a class."""
    lines = []
    for name in dict.fromkeys(row["system"] for row in rows):
        cells = [
            mean_and_spread(
                [r["accuracy"] for r in rows if (r["system"], r["labels"]) == (name, labels)]
            )
            for labels in (5, 9)
        ]
        lines.append([f"`{name}`", *cells])
    return table(["system", "5 labels a class", "all 9 labels a class"], lines)


def live(*, fresh: bool = False) -> Iterable[Row]:
    """Label some objects of one tomogram, and pick the other three."""
    cells = [
        {"labels": labels, "labelled": labelled, "draw": draw}
        for labels in _LABELS
        for labelled in range(len(tomograms()))
        for draw in range(1 if labels == _LABELS[-1] else 3)
    ]
    return measured(LIVE, cells, _live, fresh=fresh)


@cache
def _picker() -> LivePicker:
    return LivePicker.of([each.image for each in tomograms()])


def _live(labels: int, labelled: int, draw: int) -> Row:
    sets = tomograms()
    own = sets[labelled]
    rows = np.random.default_rng(draw).permutation(len(own.positions))[:labels]
    clicks = {own.image.name: Annotations(own.positions[rows], np.full(len(rows), POSITIVE))}
    picker = _picker()
    config = LiveConfig(diameter=_DIAMETER_PX, ndim=3)
    found = []
    for each in sets:
        if each is own:
            continue
        request = LiveRequest(clicks, each.image.name, config)
        picks = picker.answer(request).picks
        truth = Picks(each.image.name, each.positions)
        found.append(evaluate_picks(PicksTable.of([picks]), PicksTable.of([truth]), _WITHIN_PX))
    return {"ap": float(np.mean([one.pooled.average_precision for one in found]))}


def live_table(rows: Sequence[Row]) -> str:
    """Return the AP by number of labels."""
    cells = [mean_and_spread([r["ap"] for r in rows if r["labels"] == n]) for n in _LABELS]
    return table(["labels", *(str(n) for n in _LABELS)], [["AP on the other three", *cells]])

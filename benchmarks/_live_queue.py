"""Clicks that the queue of next-best clicks needs, beside particles clicked at random."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from _data import PickingSet
from _live_accuracy import average_precision
from _live_sets import live_sets, load_live_set
from _record import table
from napari_cryoml.data import NEGATIVE, POSITIVE, Annotations
from napari_cryoml.picking.live import LiveConfig, LivePicker, Suggestion, suggest_clicks

RANDOM_CLICKS = (20, 50)
FIRST_CLICKS = 3
MOST_CLICKS = 20
_STEPS = (5, 10, 15, 20)
_ON_PARTICLE = 0.5
"""A user clicks a particle whose centre lies within this share of a diameter of the place."""

Row = dict[str, Any]


def queue(seeds: int) -> Iterator[Row]:
    """Let a simulated user answer the queue, and click at random."""
    for name in live_sets():
        data = load_live_set(name)
        picker = LivePicker.of(data.images)
        config = LiveConfig(diameter=data.diameter)
        for seed in range(seeds):
            yield queue_row(data, picker, config, seed)


def queue_row(data: PickingSet, picker: LivePicker, config: LiveConfig, seed: int) -> Row:
    """Return the average precision after random clicks, and along the answers to the queue."""
    row: Row = {"set": data.name, "seed": seed}
    for n in RANDOM_CLICKS:
        labels = data.draw_labels(n, seed)
        row[f"random_{n}"] = average_precision(data, picker, config, labels)
    labels = data.draw_labels(FIRST_CLICKS, seed)
    for n in range(FIRST_CLICKS, MOST_CLICKS + 1):
        if n > FIRST_CLICKS:
            place = _next_place(data, picker, config, labels)
            labels = _answered(labels, *_answer(data, place))
        if n in _STEPS:
            row[f"queue_{n}"] = average_precision(data, picker, config, labels)
    row["particles"] = sum(len(entry.positives) for entry in labels.values())
    return row


def _next_place(
    data: PickingSet, picker: LivePicker, config: LiveConfig, labels: Mapping[str, Annotations]
) -> Suggestion:
    images = {image.name: image for image in data.training}
    maps = {name: picker.features(name, config) for name in images}
    return suggest_clicks(picker.fit(labels, config), images, maps, labels, n=1)[0]


def _answer(data: PickingSet, place: Suggestion) -> tuple[str, np.ndarray, bool]:
    """Return what the user clicks: the particle, where it is, or the place as none."""
    truth = data.truth[place.image]
    gaps = np.linalg.norm(truth - place.position, axis=1)
    yes = bool(gaps.min(initial=np.inf) <= _ON_PARTICLE * data.diameter)
    return place.image, truth[int(gaps.argmin())] if yes else place.position, yes


def _answered(
    labels: Mapping[str, Annotations], image: str, position: np.ndarray, yes: bool
) -> dict[str, Annotations]:
    before = labels.get(image, Annotations.empty(len(position)))
    after = Annotations(
        np.concatenate([before.positions, position[None]]),
        np.append(before.labels, POSITIVE if yes else NEGATIVE),
    )
    return {**labels, image: after}


def queue_table(rows: Sequence[Row]) -> str:
    """Return mean and standard deviation over the seeds, one row a set."""
    columns = [f"random_{n}" for n in RANDOM_CLICKS] + [f"queue_{n}" for n in _STEPS]
    header = ["set"]
    header += [f"{n} random" for n in RANDOM_CLICKS] + [f"{n} with the queue" for n in _STEPS]
    body = []
    for name in dict.fromkeys(row["set"] for row in rows):
        chosen = [row for row in rows if row["set"] == name]
        body.append([name, *(_cell(chosen, column) for column in columns), _reached(chosen)])
    return table([*header, "reaches 50 random with"], body)


def _cell(rows: Sequence[Row], column: str) -> str:
    figures = np.array([row[column] for row in rows])
    return f"{figures.mean():.3f} ± {figures.std():.3f}"


def _reached(rows: Sequence[Row]) -> str:
    """Return the least number of clicks that is as good as 50 random ones, in the mean."""
    aim = np.mean([row["random_50"] for row in rows])
    enough = [n for n in _STEPS if np.mean([row[f"queue_{n}"] for row in rows]) >= aim]
    return f"{enough[0]}" if enough else f"more than {MOST_CLICKS}"

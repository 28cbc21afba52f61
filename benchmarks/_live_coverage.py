"""Whether bounds and intervals hold: certified precision and particles per image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from _data import PickingSet
from _live_sets import simulated_set
from _record import table
from napari_cryoml.evaluation import match
from napari_cryoml.picking.live import (
    LiveConfig,
    LivePicker,
    certify,
    plan_review,
    review_threshold,
)
from napari_cryoml.simulate import MicrographConfig

_LABELS = (10, 30, 100)
_SNR = (0.05, 1.0)
_MATCH = 0.5
"""A pick is right within this share of a diameter of a particle."""

Row = dict[str, Any]


def coverage(n_sets: int) -> Iterator[Row]:
    """Pick, review and count in many simulated sets, each of another structure and quality."""
    for number in range(n_sets):
        config = _random_config(number)
        name = f"coverage {number}"
        data = simulated_set(name, config, n_images=2, first_seed=10_000 + 2 * number)
        there = sum(len(positions) for positions in data.truth.values())
        # Who has marked nearly all knows their number.
        n_labels = min(_LABELS[number % len(_LABELS)], there // 2)
        row = {"set": number, "snr": config.snr, "labels": n_labels}
        yield row | _judge(data, n_labels, number)


def _random_config(number: int) -> MicrographConfig:
    rng = np.random.default_rng([7, number])
    low, high = np.log(_SNR)
    return MicrographConfig(
        shape=(512, 512),
        diameter=float(rng.uniform(18, 32)),
        pixel_size=float(rng.uniform(3.5, 8)),
        n_particles=int(rng.integers(25, 150)),
        snr=float(np.exp(rng.uniform(low, high))),
        symmetry=str(rng.choice(["C1", "C2", "C4", "D2", "D7"])),
        structure=20_000 + number,
        carbon=float(rng.choice([0, 0.5])),
        fragments=float(rng.uniform(0, 30)),
        ice=float(rng.uniform(0, 3)),
    )


def _judge(data: PickingSet, n_labels: int, seed: int) -> Row:
    """Label some particles of all images at random, pick, and compare with the truth."""
    everywhere = PickingSet(data.name, [*data.images, *data.images], data.truth, data.diameter)
    labels = everywhere.draw_labels(n_labels, seed)
    picker, config = LivePicker.of(data.images), LiveConfig(diameter=data.diameter)
    model = picker.fit(labels, config)
    scores, right = [], []
    for image in data.images:
        picks = model.pick(image, picker.features(image.name, config))[1]
        scores.append(picks.scores)
        truth = data.truth[image.name]
        right.append(match(picks.positions, truth, _MATCH * data.diameter) >= 0)
    found, prior = _review(np.concatenate(scores), np.concatenate(right), seed), model.prior
    true_number = float(np.mean([len(data.truth[name]) for name in labels]))
    return found | {
        "true_number": true_number,
        "number": prior.value,
        "low": prior.low,
        "high": prior.high,
    }


def _review(scores: np.ndarray, right: np.ndarray, seed: int) -> Row:
    plan = plan_review(scores, threshold=review_threshold(scores), seed=seed)
    answers = {int(i): "yes" if right[i] else "no" for i in plan.stage(0)}
    certificate = certify(plan, answers)
    true_precision = float(right[scores >= certificate.threshold].mean())
    return {
        "bound": certificate.precision_bound,
        "precision": true_precision,
        "bound_holds": certificate.precision_bound <= true_precision + 1e-9,
        "questions": len(answers),
        "reaches_target": certificate.precision_bound >= 0.9,
    }


def coverage_table(rows: Sequence[Row]) -> str:
    """Return how often bounds hold, over all sets and by signal."""
    edges = [("all", *_SNR), ("faint, SNR below 0.15", 0.0, 0.15), ("SNR 0.15 and more", 0.15, 9)]
    header = ["sets", "number", "bound on precision holds", "90 % reached"]
    header += ["particles within 25 %", "interval holds", "estimate / truth, median"]
    body = []
    for name, low, high in edges:
        part = [row for row in rows if low <= row["snr"] < high]
        if not part:
            continue
        ratio = np.array([row["number"] / row["true_number"] for row in part])
        holds = [row["low"] <= row["true_number"] <= row["high"] for row in part]
        body.append(
            [
                name,
                len(part),
                _percent([row["bound_holds"] for row in part]),
                _percent([row["reaches_target"] for row in part]),
                _percent(np.abs(ratio - 1) <= 0.25),
                _percent(holds),
                f"{np.median(ratio):.2f}",
            ]
        )
    return table(header, body)


def _percent(flags: Any) -> str:
    return f"{100 * float(np.mean(flags)):.0f} %"

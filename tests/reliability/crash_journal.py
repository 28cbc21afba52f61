"""What a project must hold after each step: a plain record of edits, without a file."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_cryoml.data import Annotations, Picks, ScoreMap
from napari_cryoml.project import DIAMETER, THRESHOLD, Project, Relabel

IMAGES = ("a", "b", "c")
_SIDE = 64.0
_KINDS = (
    *("label",) * 8,
    *("remove", "move", "several", "diameter", "classify") * 2,
    *("undo", "redo") * 3,
    *("threshold", "picks", "all_picks", "model", "job") * 2,
)


@dataclass
class Journal:
    """States that undo can reach, and what undo does not touch.

    Parameters
    ----------
    states : list of dict
        What can be undone to, oldest first: labels, classes and the diameter.
    at : int
        Which of them is the present one.
    kept : dict
        Threshold, picks, models and number of jobs.
    """

    states: list[dict[str, Any]] = field(
        default_factory=lambda: [{"labels": {}, "classes": {}, "diameter": None}]
    )
    at: int = 0
    kept: dict[str, Any] = field(
        default_factory=lambda: {"threshold": None, "picks": {}, "models": [], "jobs": 0}
    )

    @property
    def state(self) -> dict[str, Any]:
        """The present state."""
        return self.states[self.at]

    def choose(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a step that changes something."""
        kind = str(rng.choice(_KINDS))
        labels = sorted(self.state["labels"])
        if kind in ("remove", "move") and not labels:
            kind = "label"
        if (kind == "undo" and not self.at) or (kind == "redo" and self.at + 1 == len(self.states)):
            kind = "label"
        image = str(rng.choice(IMAGES))
        places = [tuple(place) for place in rng.uniform(0, _SIDE, (3, 2)).tolist()]
        step = {"kind": kind, "image": image, "places": places, "number": int(rng.integers(2**40))}
        if kind in ("remove", "move"):
            step["image"], *step["gone"] = labels[int(rng.integers(len(labels)))]
        return step

    def apply(self, step: dict[str, Any]) -> None:
        """Do a step."""
        kind, kept = step["kind"], self.kept
        if kind == "undo":
            self.at -= 1
        elif kind == "redo":
            self.at += 1
        elif kind == "threshold":
            kept["threshold"] = step["number"] / 2**40
        elif kind == "picks":
            kept["picks"][step["image"]] = step["number"]
        elif kind == "all_picks":
            kept["picks"] |= dict.fromkeys(IMAGES, step["number"])
        elif kind == "model":
            kept["models"] = [*kept["models"], digest_of(checkpoint_of(step))]
        elif kind == "job":
            kept["jobs"] += 1
        else:
            self._edit(step)

    def _edit(self, step: dict[str, Any]) -> None:
        new = copy.deepcopy(self.state)
        kind, labels, image = step["kind"], new["labels"], step["image"]
        if kind == "diameter":
            new["diameter"] = step["number"] / 2**40
        elif kind == "classify":
            new["classes"] |= {f"{image}@{y:.1f},{x:.1f}": "junk" for y, x in step["places"]}
        elif kind == "several":
            labels |= {(one, *step["places"][0]): 0 for one in IMAGES}
        else:
            if "gone" in step:
                del labels[(image, *step["gone"])]
            if kind != "remove":
                labels[(image, *step["places"][0])] = 1
        del self.states[self.at + 1 :]
        self.states.append(new)
        self.at += 1


def carry_out(project: Project, step: dict[str, Any]) -> None:
    """Do a step in a project."""
    kind, image, places = step["kind"], step["image"], step["places"]
    first = Annotations.of_positives([places[0]])
    if kind in ("undo", "redo"):
        getattr(project, kind)()
    elif kind == "diameter":
        project.set_setting(DIAMETER, step["number"] / 2**40, undoable=True)
    elif kind == "threshold":
        project.set_setting(THRESHOLD, step["number"] / 2**40)
    elif kind == "classify":
        project.classify([f"{image}@{y:.1f},{x:.1f}" for y, x in places], "junk")
    elif kind == "several":
        no = Annotations(np.array([places[0]]), np.zeros(1, np.int8))
        project.annotate_many({one: Relabel(add=no) for one in IMAGES})
    elif kind == "picks":
        _set_picks(project, image, step["number"])
    elif kind == "all_picks":
        with project.transaction():
            for one in IMAGES:
                _set_picks(project, one, step["number"])
    elif kind == "model":
        project.add_model(checkpoint_of(step), {"number": step["number"]})
    elif kind == "job":
        from datetime import UTC, datetime

        project.log_job("train", datetime.now(UTC), datetime.now(UTC), "done", {})
    else:
        gone = [_id_at(project, image, step["gone"])] if "gone" in step else []
        project.annotate(image, add=None if kind == "remove" else first, remove=gone)


def seen(project: Project) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the state of a project as a journal keeps it: what undo reaches, and the rest."""
    labels = {}
    for image in IMAGES:
        found = project.annotations(image)
        pairs = zip(found.positions.tolist(), found.labels.tolist(), strict=True)
        labels |= {(image, *place): int(label) for place, label in pairs}
    picks = {}
    for image in IMAGES:
        one, score_map = project.picks(image), project.score_map(image)
        if one is not None and score_map is not None and np.ptp(score_map.values) == 0:
            picks[image] = int(one.columns["number"][0])
    models = []
    for entry in project.models():
        row = project._store.row("SELECT checkpoint FROM models WHERE id = ?", entry.id)
        models.append(digest_of(row[0] if row is not None else b""))
    state = {"labels": labels, "classes": project.classes(), "diameter": project.setting(DIAMETER)}
    kept = {"threshold": project.setting(THRESHOLD), "picks": picks, "models": models}
    return state, kept | {"jobs": len(project.jobs())}


def checkpoint_of(step: dict[str, Any]) -> bytes:
    """Return bytes that stand for a checkpoint: some pages of the file."""
    return np.random.default_rng(step["number"]).bytes(30_000)


def digest_of(content: bytes) -> str:
    """Return a short name of bytes."""
    return hashlib.sha256(content).hexdigest()[:12]


def _set_picks(project: Project, image: str, number: int) -> None:
    picks = Picks(image, np.full((50, 2), 3.0), columns={"number": np.full(50, number)})
    level = np.full((20, 20), number % 7, np.float32)
    project.set_picks(image, picks, edit=0, score_map=ScoreMap(level, np.ones(2), np.zeros(2)))


def _id_at(project: Project, image: str, place: list[float]) -> int:
    found = project.annotations(image).positions.tolist()
    return int(project.annotation_ids(image)[found.index(list(place))])

"""Crops to classify, and what the services of the Classify dock answer."""

import numpy as np

from napari_cryoml.classification import FitRequest, FittedReply, Predictions, systems
from napari_cryoml.data import ArrayCrops, Picks
from napari_cryoml.evaluation import ClassificationReport

PLACES = np.array([[20.0, 20], [40, 40], [60, 60], [80, 80]])


def give_picks(opened, names=("a.mrc", "b.mrc", "c.mrc")):
    """Give an open Picker four picks an image."""
    session = opened.session
    session.set_diameter_in("a.mrc", 16)
    for name in names:
        scores = np.array([4.0, 3, 2, 1], np.float32)
        session.project.set_picks(name, Picks(name, PLACES, scores))
        session.count_again(name)
    opened.desk.show_picks(0.0)


def write_boxes(path, n=8, side=16, ndim=3, **columns):
    """Write an .npz of n boxes of noise."""
    rng = np.random.default_rng(0)
    crops = rng.normal(size=(n, 1, *(side,) * ndim)).astype(np.float32)
    np.savez(path, crops=crops, **columns)
    return path


def boxes(n=8, side=16, ndim=3):
    """Return n crops of noise in an array."""
    rng = np.random.default_rng(0)
    return ArrayCrops.of(rng.normal(size=(n, 1, *(side,) * ndim)).astype(np.float32))


def fits(service):
    """Return the requests for a classifier that a service has had."""
    return [request for request, _ in service.asked if isinstance(request, FitRequest)]


def fitted(state, classes, system="few_shot", token=0, chances=None, report=True):
    """Return a reply that gives rows the classes in turn, ever less sure."""
    n = len(state)
    table = np.zeros((n, len(classes)), np.float32)
    sure = np.linspace(0.95, 0.55, n) if chances is None else np.asarray(chances)
    table[:] = ((1 - sure) / max(len(classes) - 1, 1))[:, None]
    table[np.arange(n), np.arange(n) % len(classes)] = sure
    found = None
    if report:
        confusion = np.eye(len(classes), dtype=np.int64) * 3
        confusion[0, -1] = 1
        found = ClassificationReport(tuple(classes), confusion)
    return FittedReply(
        token,
        systems.create(system),
        tuple(classes),
        Predictions(state.crops.ids, table, tuple(classes)),
        found,
    )


def note(view):
    """Return the last sentence that was shown, and whether it is an error."""
    call = view.show_message.call_args
    return call.args[0], call.kwargs.get("error", False)

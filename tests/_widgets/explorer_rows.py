"""Rows to put on a map, and what the services of the Explorer answer."""

from types import SimpleNamespace

import numpy as np

from napari_cryoml._widgets.embedding._columns import state_of
from napari_cryoml._widgets.embedding._taken import Taken
from napari_cryoml.data import Embedding
from napari_cryoml.embedding import Projection

N = 12


def embedding(n=N, images=("a.mrc", "b.mrc", "c.mrc"), **table):
    """Return n rows, as many in each image, on a grid of 20 px."""
    rng = np.random.default_rng(0)
    rows = np.arange(n)
    ids = np.array([f"row {row}" for row in rows])
    names = None if images is None else np.array([images[row % len(images)] for row in rows])
    places = None if images is None else np.stack([20.0 + 10 * (rows // 3), 40.0 + 0 * rows], 1)
    return Embedding(rng.normal(size=(n, 4)), ids, names, places, table)


def show(explorer, rows=None, crops=None, **table):
    """Put rows on the map as they come from a job."""
    found = embedding(**table) if rows is None else rows
    explorer.sources.taken.emit(Taken(state_of(found), found.vectors, crops))
    return explorer.desk.state


def layout(n=N):
    return np.stack([np.arange(n), np.zeros(n)], 1).astype(np.float32)


def made_map(n=N, notes=(), origin=""):
    return Projection(layout(n), None, tuple(notes), origin)


def mask(*rows, n=N):
    chosen = np.zeros(n, bool)
    chosen[list(rows)] = True
    return chosen


def found(**values):
    return SimpleNamespace(**{"notes": (), **values})


def note(view):
    """Return the last sentence that was shown, and whether it is an error."""
    call = view.show_message.call_args
    return call.args[0], call.kwargs.get("error", False)

"""Drive the Explorer beside a Picker that has picks, and take pictures of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtCore import Qt

from napari_cryoml.data import Picks

LENIENT = -3.0
"""Least log-odds of the picks that are mapped: low enough to have junk among them."""
N_CLUSTERS = 12
WIDE_PX = 780


def explorer_pictures(
    viewer: Any,
    picker: Any,
    truth: dict[str, Picks],
    picture: Callable[[Any, str], None],
    wait: Callable[[Callable[[], bool]], None],
) -> None:
    """Map the picks, select what is no particle, and look at it in the image and the gallery.

    Parameters
    ----------
    viewer : napari.Viewer
    picker : PickerController
        With picks in all images.
    truth : mapping of str to Picks
        Particles by image.
    picture : callable
        Takes the viewer and the name of a picture.
    wait : callable
        Keeps the window alive until something is so.
    """
    picker.results.set_threshold(LENIENT)
    picker.layers.layer("scores").visible = False
    dock, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Explorer")
    explorer = widget.controller
    wait(lambda: not explorer.busy)
    picture(viewer, "explorer-empty")
    explorer.map_or_stop()
    wait(lambda: explorer.desk.state is not None)
    wait(lambda: not explorer.busy)
    explorer.view.groups.show_config("kmeans", {"k": N_CLUSTERS})
    explorer.grouping.run()
    wait(lambda: not explorer.busy)
    explorer.selecting.rows(worst_cluster(explorer.desk.state, truth))
    wait(lambda: not explorer.busy)
    for theme in ("light", "dark"):
        viewer.theme = theme
        picture(viewer, f"explorer-{theme}")
    window = dock.window()
    window.resizeDocks([dock], [WIDE_PX], Qt.Orientation.Horizontal)
    explorer.view.canvas.set_clouds(True)
    picture(viewer, "explorer-wide")
    explorer.teardown()


def worst_cluster(state: Any, truth: dict[str, Picks]) -> np.ndarray:
    """Return the rows of the cluster with the largest share of junk among those of some size."""
    embedding, clusters = state.embedding, state.column("cluster")
    is_junk = np.ones(len(embedding), bool)
    for name, particles in truth.items():
        rows = np.flatnonzero(embedding.images == name)
        gaps = embedding.positions[rows][:, None] - particles.positions
        nearest = np.linalg.norm(gaps, axis=-1).min(axis=1)
        is_junk[rows] = nearest > float(particles.diameter or 0) / 2
    sizes = np.bincount(clusters)
    share = np.bincount(clusters, is_junk) / sizes
    share[sizes < len(clusters) / 40] = 0
    return np.flatnonzero(clusters == share.argmax())

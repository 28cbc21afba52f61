"""Which control and which key does what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_cryoml._widgets.classes import (
    connect_classes,
    connect_gallery,
    connect_results,
    connect_training,
)

if TYPE_CHECKING:
    from napari_cryoml._widgets.classify._controller import ClassifyController


def key_actions(controller: ClassifyController) -> dict[str, Callable[[], object]]:
    """Return what to call for each `DockKey.action`."""
    return {
        "cut": controller.sources.cut_or_stop,
        "add": controller.labelling.add,
        "label": controller.labelling.toggle_in_image,
        "train": controller.training.train_or_stop,
        "look": controller.looking.toggle_in_viewer,
        "average": controller.averaging.run_or_stop,
        "undo": controller.labelling.undo,
        "redo": controller.labelling.redo,
    }


def connect_view(controller: ClassifyController) -> None:
    """Connect every signal of the dock."""
    view, looking = controller.view, controller.looking
    view.paths_opened.connect(controller.sources.open_paths)
    view.source.cut_requested.connect(controller.sources.cut_or_stop)
    view.source.changed.connect(controller.keep_options)
    connect_classes(view.classes, controller.labelling)
    connect_gallery(
        view.gallery,
        controller.browsing,
        controller.labelling,
        lambda row, how: _on_crop(controller, row, how),
    )
    connect_training(view.train, controller.training, controller.answering)
    view.train.changed.connect(controller.keep_options)
    connect_results(view.result, controller.results)
    view.look.class_chosen.connect(looking.choose_class)
    view.look.viewer_toggled.connect(looking.set_in_viewer)
    view.look.opacity_changed.connect(looking.set_opacity)
    view.average.average_requested.connect(controller.averaging.run_or_stop)
    view.average.save_requested.connect(controller.averaging.save)
    view.export.lists_requested.connect(controller.exporting.lists)
    view.export.matrix_requested.connect(controller.exporting.matrix)


def _on_crop(controller: ClassifyController, row: int, how: str) -> None:
    """Look at a crop that was clicked; with Shift go to its image."""
    if how == "shift+left":
        controller.linking.look_at(row)
    else:
        controller.looking.look(row)

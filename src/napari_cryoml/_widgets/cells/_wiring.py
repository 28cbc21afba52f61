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
    from napari_cryoml._widgets.cells._controller import CellsController


def key_actions(controller: CellsController) -> dict[str, Callable[[], object]]:
    """Return what to call for each `DockKey.action`."""
    return {
        "cut": controller.sources.cut_or_stop,
        "segment": controller.sources.segment,
        "add": controller.labelling.add,
        "label": controller.labelling.toggle_in_image,
        "suggest": controller.suggesting.suggest,
        "train": controller.training.train_or_stop,
        "undo": controller.labelling.undo,
        "redo": controller.labelling.redo,
    }


def connect_view(controller: CellsController) -> None:
    """Connect every signal of the dock."""
    view = controller.view
    _connect_source(controller)
    connect_classes(view.classes, controller.labelling)
    view.suggest.clicked.connect(lambda: controller.suggesting.suggest())
    connect_gallery(
        view.gallery, controller.browsing, controller.labelling, controller.linking.on_crop
    )
    view.gallery.crops.double_clicked.connect(controller.linking.look_at)
    connect_training(view.train, controller.training, controller.answering)
    view.train.changed.connect(controller.keep_options)
    view.standard.clicked.connect(lambda: controller.watching.ask())
    connect_results(view.result, controller.results)
    view.check.find_requested.connect(controller.checking.find)
    view.check.chosen.connect(controller.checking.look)
    view.check.take_requested.connect(controller.checking.take)
    view.check.gallery_requested.connect(controller.checking.show_all)
    view.map.map_requested.connect(controller.mapping.run)
    view.export.table_requested.connect(controller.exporting.table)
    view.export.matrix_requested.connect(controller.exporting.matrix)


def _connect_source(controller: CellsController) -> None:
    view, sources = controller.view, controller.sources
    view.paths_opened.connect(sources.open_paths)
    view.source.cut_requested.connect(sources.cut_or_stop)
    view.source.segment_requested.connect(sources.segment)
    view.source.layers_changed.connect(sources.take_roles)
    view.source.changed.connect(controller.keep_options)
    view.source.changed.connect(sources.recut)
    view.source.segment_changed.connect(controller.keep_options)

"""Which control and which key does what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

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
    view = controller.view
    view.paths_opened.connect(controller.sources.open_paths)
    view.source.cut_requested.connect(controller.sources.cut_or_stop)
    view.source.changed.connect(controller.keep_options)
    _connect_classes(controller)
    _connect_gallery(controller)
    _connect_tabs(controller)


def _connect_classes(controller: ClassifyController) -> None:
    classes, labelling = controller.view.classes, controller.labelling
    classes.class_chosen.connect(labelling.choose)
    classes.add_requested.connect(labelling.add)
    classes.renamed.connect(labelling.rename)
    classes.remove_requested.connect(labelling.remove)
    classes.recoloured.connect(labelling.recolour)
    classes.label_mode_toggled.connect(labelling.set_in_image)
    classes.undo_requested.connect(labelling.undo)
    classes.redo_requested.connect(labelling.redo)


def _connect_gallery(controller: ClassifyController) -> None:
    gallery, browsing = controller.view.gallery, controller.browsing
    crops, labelling = gallery.crops, controller.labelling
    gallery.show_chosen.connect(browsing.choose)
    crops.needed.connect(browsing.need)
    crops.sort_changed.connect(browsing.order)
    crops.hovered.connect(browsing.catch_up)
    crops.clicked.connect(lambda row, how: _on_crop(controller, row, how))
    crops.key_pressed.connect(lambda row, digit: _on_digit(controller, row, digit))
    crops.erase_requested.connect(labelling.take)
    crops.label_requested.connect(
        lambda row, label: (
            labelling.give_current(row) if label == "positive" else labelling.take(row)
        )
    )


def _on_digit(controller: ClassifyController, row: int, digit: int) -> None:
    """Give a crop the class of a key, and go on to the next one."""
    controller.labelling.give_digit(row, digit)
    if controller.labelling.knows(digit):
        controller.view.gallery.crops.grid.advance()


def _on_crop(controller: ClassifyController, row: int, how: str) -> None:
    """Look at a crop that was clicked; with Shift go to its image, with right give it its class."""
    if how == "right":
        controller.labelling.give_current(row)
    elif how == "shift+left":
        controller.linking.look_at(row)
    else:
        controller.looking.look(row)


def _connect_tabs(controller: ClassifyController) -> None:
    view, training, looking = controller.view, controller.training, controller.looking
    view.train.system_chosen.connect(training.choose)
    view.train.train_requested.connect(training.train_or_stop)
    view.train.save_requested.connect(controller.answering.ask_where_to_save)
    view.train.load_requested.connect(training.ask_what_to_load)
    view.train.changed.connect(controller.keep_options)
    view.result.colour_by_chosen.connect(controller.results.choose_colour)
    view.result.threshold_changed.connect(controller.results.set_threshold)
    view.result.cell_clicked.connect(controller.results.show_cell)
    view.result.class_clicked.connect(controller.results.show_class)
    view.look.class_chosen.connect(looking.choose_class)
    view.look.viewer_toggled.connect(looking.set_in_viewer)
    view.look.opacity_changed.connect(looking.set_opacity)
    view.average.average_requested.connect(controller.averaging.run_or_stop)
    view.average.save_requested.connect(controller.averaging.save)
    view.export.lists_requested.connect(controller.exporting.lists)
    view.export.matrix_requested.connect(controller.exporting.matrix)

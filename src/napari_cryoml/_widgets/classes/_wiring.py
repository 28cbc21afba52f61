"""Which control of the shared parts does what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_cryoml._widgets.classes._answering import Answering
    from napari_cryoml._widgets.classes._browsing import Browsing
    from napari_cryoml._widgets.classes._class_gallery import ClassGallery
    from napari_cryoml._widgets.classes._class_group import ClassGroup
    from napari_cryoml._widgets.classes._labelling import Labelling
    from napari_cryoml._widgets.classes._result_tab import ResultTab
    from napari_cryoml._widgets.classes._results import Results
    from napari_cryoml._widgets.classes._train_tab import TrainTab
    from napari_cryoml._widgets.classes._training import Training


def connect_classes(group: ClassGroup, labelling: Labelling) -> None:
    """Connect the list of classes."""
    group.class_chosen.connect(labelling.choose)
    group.add_requested.connect(labelling.add)
    group.renamed.connect(labelling.rename)
    group.remove_requested.connect(labelling.remove)
    group.recoloured.connect(labelling.recolour)
    group.label_mode_toggled.connect(labelling.set_in_image)
    group.undo_requested.connect(labelling.undo)
    group.redo_requested.connect(labelling.redo)


def connect_gallery(
    gallery: ClassGallery,
    browsing: Browsing,
    labelling: Labelling,
    on_crop: Callable[[int, str], object],
) -> None:
    """Connect the gallery; `on_crop` gets a row and how it was clicked, unless that was right."""

    def click(row: int, how: str) -> None:
        if how == "right":
            labelling.give_current(row)
        else:
            on_crop(row, how)

    def press(row: int, digit: int) -> None:
        """Give a crop the class of a key, and go on to the next one."""
        labelling.give_digit(row, digit)
        if labelling.knows(digit):
            gallery.crops.grid.advance()

    def label(row: int, what: str) -> None:
        labelling.give_current(row) if what == "positive" else labelling.take(row)

    crops = gallery.crops
    gallery.show_chosen.connect(browsing.choose)
    crops.needed.connect(browsing.need)
    crops.sort_changed.connect(browsing.order)
    crops.hovered.connect(browsing.catch_up)
    crops.clicked.connect(click)
    crops.key_pressed.connect(press)
    crops.erase_requested.connect(labelling.take)
    crops.label_requested.connect(label)


def connect_training(tab: TrainTab, training: Training, answering: Answering) -> None:
    """Connect what learns."""
    tab.system_chosen.connect(training.choose)
    tab.train_requested.connect(training.train_or_stop)
    tab.save_requested.connect(answering.ask_where_to_save)
    tab.load_requested.connect(training.ask_what_to_load)


def connect_results(tab: ResultTab, results: Results) -> None:
    """Connect what came of it."""
    tab.colour_by_chosen.connect(results.choose_colour)
    tab.threshold_changed.connect(results.set_threshold)
    tab.cell_clicked.connect(results.show_cell)
    tab.class_clicked.connect(results.show_class)

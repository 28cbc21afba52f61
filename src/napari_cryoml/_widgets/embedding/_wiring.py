"""Which control and which key does what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_cryoml.data import NEGATIVE, POSITIVE

if TYPE_CHECKING:
    from napari_cryoml._widgets.embedding._controller import ExplorerController


def key_actions(controller: ExplorerController) -> dict[str, Callable[[], object]]:
    """Return what to call for each `DockKey.action`."""
    view, naming, selecting = controller.view, controller.naming, controller.selecting
    return {
        "particles": naming.particles,
        "negatives": naming.negatives,
        "classes": view.open_classes,
        "undo": selecting.undo,
        "redo": selecting.redo,
        "map": controller.map_or_stop,
        "pan": lambda: view.choose_tool("pan"),
        "lasso": lambda: view.choose_tool("lasso"),
        "rectangle": lambda: view.choose_tool("rectangle"),
        "fit": view.fit,
        "more": controller.finding.more,
        "map_selection": controller.maps.selection,
        "clear": selecting.clear,
    }


def connect_view(controller: ExplorerController) -> None:
    """Connect every signal of the dock."""
    view = controller.view
    view.paths_opened.connect(controller.open_paths)
    view.source.map_requested.connect(controller.map_or_stop)
    view.source.kept_chosen.connect(controller.sources.open_kept)
    view.source.method_chosen.connect(controller.choose_method)
    view.tools.colour_chosen.connect(controller.choose_colour)
    view.tools.export_requested.connect(controller.exporting.run)
    _connect_canvas(controller)
    _connect_selection(controller)
    _connect_tabs(controller)


def _connect_canvas(controller: ExplorerController) -> None:
    canvas, selecting = controller.view.canvas, controller.selecting
    canvas.selected.connect(selecting.take)
    canvas.clicked.connect(selecting.click)
    canvas.legend_clicked.connect(selecting.category)
    canvas.hovered.connect(controller.browsing.hover)
    canvas.hovered.connect(controller.linking.point_at)


def _connect_selection(controller: ExplorerController) -> None:
    view, naming, selecting = controller.view, controller.naming, controller.selecting
    row, gallery = view.selection, view.gallery
    row.particles_requested.connect(naming.particles)
    row.negatives_requested.connect(naming.negatives)
    row.class_chosen.connect(naming.classify)
    row.clear_requested.connect(selecting.clear)
    row.undo_requested.connect(selecting.undo)
    row.redo_requested.connect(selecting.redo)
    gallery.needed.connect(controller.browsing.need)
    gallery.sort_changed.connect(controller.browsing.sort)
    gallery.clicked.connect(lambda row, how: _on_crop(controller, row, how))
    gallery.double_clicked.connect(lambda row: _look_at(controller, row))
    gallery.hovered.connect(lambda row: _point_at(controller, row))
    gallery.label_requested.connect(
        lambda row, label: _label(controller, row, POSITIVE if label == "positive" else NEGATIVE)
    )
    gallery.key_pressed.connect(lambda row, digit: _classify(controller, row, digit))
    view.average.save_requested.connect(controller.averaging.save)


def _on_crop(controller: ExplorerController, row: int, how: str) -> None:
    """Label a crop that was clicked; with Shift go to its image, with Alt leave it out.

    Cells of proteins are no rows of the map: they are looked at alone.
    """
    if _shows_cells(controller) or _is_of_cells(controller):
        if how == "shift+left":
            _look_at(controller, row)
    elif how == "left":
        controller.naming.label_row(row, POSITIVE)
    elif how == "right":
        controller.naming.label_row(row, NEGATIVE)
    elif how == "alt+left":
        controller.selecting.click(row, "subtract")
    else:
        controller.linking.look_at(row)


def _shows_cells(controller: ExplorerController) -> bool:
    """Tell whether the gallery shows cells of proteins, which are no rows of the map."""
    state = controller.desk.state
    return state is not None and state.row_cells is not None


def _is_of_cells(controller: ExplorerController) -> bool:
    """Tell whether rows of the map are cells of another dock, which no Picker labels."""
    state = controller.desk.state
    return state is not None and state.look_at is not None


def _look_at(controller: ExplorerController, row: int) -> None:
    """Bring a crop of the gallery to the middle of its image."""
    state = controller.desk.state
    if state is not None and state.row_cells is not None:
        state.row_cells.look_at(row)
    else:
        controller.linking.look_at(row)


def _point_at(controller: ExplorerController, row: int) -> None:
    if not _shows_cells(controller):
        controller.view.ring([row] if row >= 0 else [])
        controller.linking.point_at(row)


def _label(controller: ExplorerController, row: int, label: int) -> None:
    if not _shows_cells(controller):
        controller.naming.label_row(row, label)


def _classify(controller: ExplorerController, row: int, digit: int) -> None:
    if not _shows_cells(controller):
        controller.naming.classify_by_digit(row, digit)


def _connect_tabs(controller: ExplorerController) -> None:
    view, finding, linking = controller.view, controller.finding, controller.linking
    view.groups.group_requested.connect(controller.grouping.run)
    view.groups.group_chosen.connect(controller.selecting.group)
    view.new.more_requested.connect(finding.more)
    view.new.novelty_requested.connect(finding.novelty)
    view.new.spread_requested.connect(finding.spread)
    view.new.take_requested.connect(finding.take_spread)
    view.options.again_requested.connect(controller.maps.again)
    view.options.selection_requested.connect(controller.maps.selection)
    view.options.changed.connect(controller.keep_options)
    view.link.follow_toggled.connect(linking.set_follow)
    view.link.show_as_chosen.connect(linking.choose_paint)
    view.link.columns_requested.connect(linking.write_columns)
    tab, proteins = view.proteins, controller.proteins
    tab.sought.connect(proteins.seek)
    tab.neighbour_chosen.connect(lambda one: proteins.go(one.row))
    tab.term_chosen.connect(lambda one: proteins.select_term(one.key))
    tab.move_chosen.connect(lambda one: proteins.go_to_moved(one.name))
    tab.standard_requested.connect(proteins.open_standard)
    tab.compare_requested.connect(proteins.compare_or_stop)

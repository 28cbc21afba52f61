"""Classify simulated cells in the Cells dock, map proteins in the Explorer, and take pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_cryoml.simulate import (
    CellFieldsConfig,
    CellsSimulationConfig,
    simulate_cell_fields,
    simulate_cells,
)

PLACES = ("cell periphery", "nucleus", "mitochondrion", "vacuolar membrane", "Golgi")
N_CELLS, N_PROTEINS = 150, 100
N_LABELS = 10
WIDE_PX = 720

Wait = Callable[[Callable[[], bool]], None]


def cells_pictures(
    viewer: Any, folder: Path, picture: Callable[[Any, str], None], wait: Wait
) -> None:
    """Find cells, label some of each kind, look at the result, and map the proteins of a screen.

    Parameters
    ----------
    viewer : napari.Viewer
        Without docks.
    folder : Path
        Empty; crops of a screen are written into it.
    picture : callable
        Takes the viewer and the name of a picture.
    wait : callable
        Keeps the window alive until something is so.
    """
    field = one_field()
    for name, colour, pixels in zip(
        ("RFP", "GFP"), ("magenta", "green"), field.image[::-1], strict=True
    ):
        limits = np.percentile(pixels, [1, 99.8])
        viewer.add_image(
            pixels, name=name, colormap=colour, blending="additive", contrast_limits=limits
        )
    dock, widget = viewer.window.add_plugin_dock_widget("napari-cryoml", "Cells")
    cells = widget.controller
    picture(viewer, "cells-empty")
    cells.sources.segment()
    wait(lambda: cells.desk.state is not None and not cells.busy)
    label(cells, field, wait)
    for theme in ("light", "dark"):
        viewer.theme = theme
        picture(viewer, f"cells-{theme}")
    check(cells, wait)
    picture(viewer, "cells-check")
    for layer in list(viewer.layers):
        layer.visible = False
    map_proteins(viewer, dock, cells, folder, picture, wait)
    cells.teardown()


def one_field() -> Any:
    """Return a simulated image of yeast cells with the truth about them."""
    config = CellFieldsConfig(
        n_proteins=10,
        n_fields=1,
        cells_per_field=N_CELLS,
        proteins_per_field=10,
        classes=PLACES,
        crowding=0.5,
        photons=120.0,
        dead=0.0,
    )
    return simulate_cell_fields(config, seed=2).fields[0]


def label(cells: Any, field: Any, wait: Wait) -> None:
    """Add the classes, and give a few cells of each theirs."""
    for name in PLACES:
        cells.labelling.add()
        cells.labelling.rename(cells.desk.current, name)
    state = cells.desk.cells
    gaps = np.linalg.norm(state.places.positions[:, None] - field.positions, axis=2)
    truth = field.columns["class"].astype(str)[gaps.argmin(axis=1)]
    for digit, name in enumerate(PLACES, 1):
        for row in np.flatnonzero((truth == name) & (gaps.min(axis=1) < 5))[:N_LABELS]:
            cells.labelling.give_digit(int(row), digit)
    wait(lambda: cells.desk.state.fitted is not None and not cells.busy)
    cells.view.show_tab("Result")


def check(cells: Any, wait: Wait) -> None:
    """Give a cell a wrong class, and find it."""
    state = cells.desk.cells
    row = int(np.flatnonzero(state.classes.texts == PLACES[1])[0])
    cells.labelling.give(row, PLACES[0])
    wait(lambda: not cells.busy)
    cells.view.show_tab("Check")
    cells.checking.find()
    wait(lambda: not cells.busy and "likely wrong" in cells.view.check.text.text())
    table = cells.view.check.table
    table.selectRow(0)
    cells.checking.look(table.rows[0].row)


def map_proteins(
    viewer: Any,
    dock: Any,
    cells: Any,
    folder: Path,
    picture: Callable[[Any, str], None],
    wait: Wait,
) -> None:
    """Open the crops of a small screen, map its proteins, and compare its two conditions."""
    paths = write_screen(folder)
    cells.sources.open_paths(paths[:2])
    wait(lambda: len(cells.desk.state) > N_CELLS * 2 and not cells.busy)
    cells.mapping.run()
    explorer = open_explorers().of(viewer)
    wait(lambda: explorer.desk.state is not None and not explorer.busy)
    explorer.proteins.read_standard(paths[2])
    wait(lambda: not explorer.busy and bool(explorer.desk.state.columns))
    window = dock.window()
    window.resizeDocks([dock], [WIDE_PX], horizontal())
    explorer.choose_colour(next(iter(explorer.desk.state.columns)))
    explorer.proteins.go(4)
    wait(lambda: not explorer.busy)
    picture(viewer, "cells-proteins")
    explorer.proteins.compare_or_stop()
    wait(lambda: explorer.desk.state.arrows is not None and not explorer.busy)
    picture(viewer, "cells-conditions")
    explorer.teardown()


def write_screen(folder: Path) -> list[Path]:
    """Write crops of a screen in two conditions, their table, and what is known of the proteins."""
    config = CellsSimulationConfig(
        n_proteins=N_PROTEINS,
        cells_per_protein=16,
        conditions=2,
        moving=0.15,
        photons=300.0,
        dead=0.0,
    )
    made = simulate_cells(config, seed=3)
    crops, table, known = (folder / name for name in ("screen.npz", "screen.csv", "known.gmt"))
    np.savez(crops, crops=made.crops.array, ids=made.crops.ids)
    columns = {name: made.crops.columns[name] for name in ("protein", "plate", "condition")}
    pd.DataFrame({"id": made.crops.ids, **columns}).to_csv(table, index=False)
    known.write_text("".join(gmt_lines(made.standards)))
    return [crops, table, known]


def gmt_lines(standards: Any) -> Iterable[str]:
    """Yield the places in the cell that are known of each protein."""
    for standard in list(standards.values())[:1]:
        for term, members in standard.terms.items():
            yield "\t".join([term, standard.name, *sorted(members)]) + "\n"


def open_explorers() -> Any:
    """Return the Explorers that are open."""
    from napari_cryoml._widgets.embedding import explorers

    return explorers


def horizontal() -> Any:
    """Return the direction in which docks lie beside the canvas."""
    from qtpy.QtCore import Qt

    return Qt.Orientation.Horizontal

"""napari-cryoml cells: from images of cells to what their proteins do. One line a command."""

from __future__ import annotations

import typer

from napari_cryoml.cli import (
    _cells_crop,
    _cells_embed,
    _cells_evaluate,
    _cells_map,
    _cells_measure,
    _cells_pretrain,
    _cells_simulate,
    _cells_train,
)

app = typer.Typer(no_args_is_help=True, help="Cut, label, classify and map cells and proteins.")


@app.callback()
def _cells() -> None:
    """Cut, label, classify and map cells and proteins."""


app.command("simulate")(_cells_simulate.simulate)
app.command("crop")(_cells_crop.crop)
app.command("train")(_cells_train.train)
app.command("pretrain")(_cells_pretrain.pretrain)
app.command("embed")(_cells_embed.embed)
app.command("measure")(_cells_measure.measure)
app.command("map")(_cells_map.map_proteins)
app.command("evaluate")(_cells_evaluate.evaluate)

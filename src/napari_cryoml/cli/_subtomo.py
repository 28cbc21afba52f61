"""napari-cryoml subtomo: from tomograms to named structures. One line a command."""

from __future__ import annotations

import typer

from napari_cryoml.cli import (
    _subtomo_align,
    _subtomo_average,
    _subtomo_classify,
    _subtomo_discover,
    _subtomo_embed,
    _subtomo_extract,
    _subtomo_pretrain,
    _subtomo_simulate,
    _subtomo_train,
)

app = typer.Typer(no_args_is_help=True, help="Cut, classify, map and average subtomograms.")


@app.callback()
def _subtomo() -> None:
    """Cut, classify, map and average subtomograms."""


app.command("simulate")(_subtomo_simulate.simulate)
app.command("extract")(_subtomo_extract.extract)
app.command("train")(_subtomo_train.train)
app.command("pretrain")(_subtomo_pretrain.pretrain)
app.command("classify")(_subtomo_classify.classify)
app.command("embed")(_subtomo_embed.embed)
app.command("align")(_subtomo_align.align)
app.command("average")(_subtomo_average.average)
app.command("discover")(_subtomo_discover.discover)

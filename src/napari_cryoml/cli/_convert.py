"""napari-cryoml convert: coordinates from one program to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_cryoml.cli._options import JSON, check_folder, open_inputs
from napari_cryoml.cli._output import report


def convert(
    source: Annotated[Path, typer.Argument(help="A coordinate file, or a folder of them.")],
    target: Annotated[Path, typer.Argument(help="What to write; the suffix says the format.")],
    flip_y: Annotated[
        bool, typer.Option("--flip-y", help="Mirror top to bottom, before --scale; needs --images.")
    ] = False,
    scale: Annotated[
        float | None, typer.Option(help="Pixels of the new images per pixel of the old ones.")
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(help="The images of the coordinates, where their size is needed."),
    ] = None,
    source_format: Annotated[
        str | None, typer.Option("--from", help="Format of the source, if its suffix misleads.")
    ] = None,
    target_format: Annotated[
        str | None, typer.Option("--to", help="Format of the target, if its suffix misleads.")
    ] = None,
    box_size: Annotated[float | None, typer.Option(help="Edge of the boxes, in pixels.")] = None,
    pixel_size: Annotated[float | None, typer.Option(help="Angstrom per pixel.")] = None,
    image: Annotated[
        str | None, typer.Option(help="Name of the image, for files that do not say it.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Convert coordinates: STAR, box, cbox, JSON, cs, tbl, mod, ndjson, CSV, text."""
    from napari_cryoml.io import convert_picks

    shapes = {entry.name: entry.shape for entry in open_inputs(images)} if images else None
    check_folder(target.parent)
    files = convert_picks(
        source,
        target,
        flip_y=flip_y,
        scale=scale,
        source_format=source_format,
        target_format=target_format,
        image=image,
        box_size=box_size,
        pixel_size=pixel_size,
        shapes=shapes,
    )
    report({"files": [str(file) for file in files]}, as_json=as_json)

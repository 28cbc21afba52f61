"""One module a coordinate format, and the list of them."""

from napari_cryoml.io._formats import (
    cbox,
    coords,
    cryosparc,
    delimited,
    dynamo,
    eman_box,
    eman_json,
    imod,
    json_points,
    motl,
    relion_files,
    star,
    stopgap,
)
from napari_cryoml.io._formats._format import Format, Hints

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        relion_files.FORMAT,
        stopgap.FORMAT,
        star.FORMAT,
        star.CENTRED_FORMAT,
        cryosparc.FORMAT,
        cbox.FORMAT,
        eman_box.HELICON_FORMAT,
        eman_box.FORMAT,
        json_points.COPICK_FORMAT,
        eman_json.FORMAT,
        json_points.PORTAL_FORMAT,
        delimited.FORMAT,
        delimited.TOPAZ_FORMAT,
        coords.FORMAT,
        dynamo.FORMAT,
        imod.FORMAT,
        motl.FORMAT,
    )
}
"""All formats by name; of those with one suffix, the first that recognises a file reads it."""

__all__ = ["FORMATS", "Format", "Hints"]

"""One module a format of standards, and the list of them."""

from napari_cryoml.io._standards import complex_tab, gaf, gmt, loqate, matrix, sgd, table
from napari_cryoml.io._standards._format import StandardFormat

STANDARD_FORMATS: dict[str, StandardFormat] = {
    entry.name: entry
    for entry in (
        gaf.FORMAT,
        complex_tab.FORMAT,
        sgd.SLIM_FORMAT,
        sgd.COMPLEX_FORMAT,
        loqate.FORMAT,
        matrix.FORMAT,
        gmt.FORMAT,
        table.FORMAT,
    )
}
"""All formats by name; the first that recognises a file reads it."""

__all__ = ["STANDARD_FORMATS", "StandardFormat"]

"""Formats that other programs turn into ones that are read here."""

from __future__ import annotations

_EMAN2 = "convert it with EMAN2: "
_BIOFORMATS = "convert it to TIFF with bfconvert of Bio-Formats, or with Fiji"

_HOW = {
    ".eer": (
        "it is a movie: motion-correct it (RELION, MotionCor3 or cryoSPARC), or convert it with "
        "relion_convert_to_tiff or e2proc2d.py of EMAN2, and open the resulting image"
    ),
    ".dm3": "convert it with 'dm2mrc in.dm3 out.mrc' of IMOD, or with e2proc2d.py of EMAN2",
    ".dm4": "convert it with 'dm2mrc in.dm4 out.mrc' of IMOD, or with e2proc2d.py of EMAN2",
    ".dm2": _EMAN2 + "'e2proc2d.py in.dm2 out.mrc'",
    ".ser": _EMAN2 + "'e2proc2d.py in.ser out.mrc'",
    ".hdf": _EMAN2 + "'e2proc3d.py in.hdf out.mrc'",
    ".hdf5": "save its array with napari_cryoml.io.write_mrc, or use e2proc3d.py of EMAN2",
    ".h5": "save its array with napari_cryoml.io.write_mrc, or use e2proc3d.py of EMAN2",
    ".em": _EMAN2 + "'e2proc3d.py in.em out.mrc'",
    ".spi": _EMAN2 + "'e2proc2d.py in.spi out.mrc'",
    ".img": _EMAN2 + "'e2proc2d.py in.img out.mrcs'",
    ".hed": _EMAN2 + "'e2proc2d.py in.hed out.mrcs'",
    ".raw": "give it a header with raw2mrc of IMOD",
    ".npy": "save its array with napari_cryoml.io.write_mrc",
    ".npz": "save its array with napari_cryoml.io.write_mrc",
    ".bmp": "convert it to PNG, for instance with 'magick in.bmp out.png' of ImageMagick",
    ".gif": "convert it to PNG, for instance with 'magick in.gif out.png' of ImageMagick",
    ".webp": "convert it to PNG, for instance with 'magick in.webp out.png' of ImageMagick",
    ".czi": _BIOFORMATS,
    ".lif": _BIOFORMATS,
    ".nd2": _BIOFORMATS,
    ".ims": _BIOFORMATS,
}

FOREIGN_SUFFIXES = frozenset(_HOW)


def how_to_convert(suffix: str) -> str:
    """Return what to do with a file of a format that is not read, as half a sentence."""
    if suffix.endswith((".gz", ".bz2")):
        return "unpack it with gunzip or bunzip2"
    return _HOW.get(suffix, "convert it to MRC or TIFF with the program that wrote it")

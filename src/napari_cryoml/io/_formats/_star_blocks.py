"""STAR files as named blocks: starfile's parser, without its tracebacks and its gaps."""

from __future__ import annotations

import linecache
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import starfile

from napari_cryoml._errors import InputError
from napari_cryoml.io._formats._files import read_text, write_text

Block: TypeAlias = "pd.DataFrame | dict[str, Any]"

_NAMES = [
    "rlnMicrographName",
    "rlnTomoName",
    "rlnImageName",
    "rlnMicrographCoordinates",
    "rlnTomoParticleName",
    "rlnTomoImportParticleFile",
    "rlnGroupName",
    "rlnOpticsGroupName",
]
"""Columns that stay text even where every cell looks like a number."""


def read_blocks(path: Path) -> dict[str, Block]:
    """Return the data blocks of a STAR file by name, the loops as data frames.

    Raises
    ------
    InputError
        If the file is not a STAR file, or holds no data block.
    """
    text = read_text(path)
    if "data_" not in text:
        raise InputError(
            f"{path} is not a STAR file, having no data_ block: choose another file, or give its "
            "format."
        )
    try:
        return _parse(path)
    except Exception:
        # Comment lines between an empty loop and the next block trip the parser.
        return _parse_without_comments(path, text)


def write_blocks(path: Path, blocks: Mapping[str, Block]) -> None:
    """Write blocks as a STAR file, floats with twelve significant digits.

    Names with a ``#``, which would start a comment, are quoted.
    """
    quoted = {name: _quoted(block) for name, block in blocks.items()}
    text = starfile.to_string(quoted, float_format="%.12g")
    _, _, without_date = text.partition("\n")  # the same picks make the same file
    write_text(path, without_date)


def loop_of(block: Block) -> pd.DataFrame:
    """Return a block as a data frame; a block that is no loop becomes one row."""
    return block if isinstance(block, pd.DataFrame) else pd.DataFrame([block])


def _parse(path: Path) -> dict[str, Block]:
    linecache.checkcache(str(path))  # starfile reads through it, and would show an older file
    blocks: dict[str, Block] = starfile.read(path, always_dict=True, parse_as_string=_NAMES)
    return blocks


def _parse_without_comments(path: Path, text: str) -> dict[str, Block]:
    kept = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "blocks.star"
        copy.write_text("\n".join(kept) + "\n", encoding="utf-8")
        try:
            return _parse(copy)
        except Exception as error:
            raise InputError(
                f"{path} is damaged: its STAR blocks cannot be read ({error}); every row of a loop "
                "needs one value for each label."
            ) from None


def _quoted(block: Block) -> Block:
    if isinstance(block, dict):
        return block
    return block.map(lambda x: f'"{x}"' if isinstance(x, str) and "#" in x and " " not in x else x)

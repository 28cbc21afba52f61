"""Words in file names that tell labels images: cell_01_cp_masks.tif."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from napari_cryoml.io._channel_words import split_channel

_ENDING = re.compile(
    r"[_\-. ]*(cp[_\-. ]?masks?|seg(mentation)?|masks?|label(s|led)?|cells?|objects?|outlines?"
    r"|stardist|cellpose|ome)$",
    re.IGNORECASE,
)


def label_key(name: str) -> str:
    """Return a file name without its ending and the words that tell labels, in lower case."""
    stem = Path(name).stem.lower()
    while (shorter := _ENDING.sub("", stem)) != stem and shorter:
        stem = shorter
    return stem


def without_labels(files: Iterable[Path]) -> list[Path]:
    """Return files without labels of others, as ``a_labels.tif`` beside ``a.tif``."""
    every = list(files)
    plain = {path.stem.lower() for path in every}
    plain |= {split_channel(stem)[0] for stem in plain}
    plain |= {stem.removesuffix(".ome") for stem in plain}
    return [path for path in every if not _is_label(path.stem.lower(), plain)]


def _is_label(stem: str, plain: set[str]) -> bool:
    key = label_key(f"{stem}.tif")
    return key not in (stem, stem.removesuffix(".ome")) and key in plain

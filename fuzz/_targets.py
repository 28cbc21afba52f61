"""Every reader, and good files of our own making for it to start from."""

from __future__ import annotations

import bz2
import gzip
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_cryoml.data import ArrayCrops, Embedding, Picks, PicksTable
from napari_cryoml.io import (
    FORMATS,
    open_image,
    open_images,
    read_cells,
    read_crops,
    read_embedding,
    read_picks,
    read_standard,
    write_crops,
    write_embedding,
    write_mrc,
    write_picks,
)

_RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Target:
    """A reader, and what it is fed.

    Parameters
    ----------
    name : str
    suffix : str
        Of the files it reads.
    read : callable
        Reads a file to its end; may raise InputError, and nothing else.
    seeds : callable
        Writes good files into a folder and returns them.
    """

    name: str
    suffix: str
    read: Callable[[Path], Any]
    seeds: Callable[[Path], list[Path]]


def targets() -> dict[str, Target]:
    """Return all targets by name."""
    found = [
        *_images(),
        *_coordinates(),
        *_crops(),
        *_embeddings(),
        *_standards(),
        *_cells(),
        *_our_own(),
    ]
    return {target.name: target for target in found}


def _pixels(*shape: int) -> np.ndarray:
    return _RNG.normal(size=shape).astype(np.float32)


def _picks(ndim: int = 2) -> PicksTable:
    def of(image: str, n: int) -> Picks:
        return Picks(
            image, _RNG.uniform(5, 90, (n, ndim)), _pixels(n), 1.5, 12.0, {"extra": np.arange(n)}
        )

    return PicksTable.of([of("a.mrc", 5), of("b.mrc", 3)])


def _read_image(path: Path) -> Any:
    return open_image(path).read()


def _images() -> list[Target]:
    def mrc(folder: Path) -> list[Path]:
        write_mrc(folder / "flat.mrc", _pixels(12, 14), 1.2)
        write_mrc(folder / "deep.mrc", _pixels(5, 6, 7), 1.2)
        return [folder / "flat.mrc", folder / "deep.mrc"]

    def packed(folder: Path, suffix: str, compress: Callable[[bytes], bytes]) -> list[Path]:
        (plain, _) = mrc(folder)
        path = folder / f"flat.mrc{suffix}"
        path.write_bytes(compress(plain.read_bytes()))
        return [path]

    def raster(folder: Path, suffix: str) -> list[Path]:
        import imageio.v3

        pixels = (255 * _RNG.random((20, 24))).astype(np.uint8)
        imageio.v3.imwrite(folder / f"image{suffix}", pixels)
        return [folder / f"image{suffix}"]

    def tiff(folder: Path) -> list[Path]:
        import tifffile

        tifffile.imwrite(folder / "flat.tif", _pixels(12, 14))
        tifffile.imwrite(folder / "deep.tif", _pixels(3, 12, 14), compression="lzw")
        return [folder / "flat.tif", folder / "deep.tif"]

    return [
        Target("image mrc", ".mrc", _read_image, mrc),
        Target("image mrc.gz", ".mrc.gz", _read_image, lambda f: packed(f, ".gz", gzip.compress)),
        Target("image mrc.bz2", ".mrc.bz2", _read_image, lambda f: packed(f, ".bz2", bz2.compress)),
        Target("image tiff", ".tif", _read_image, tiff),
        Target("image png", ".png", _read_image, lambda f: raster(f, ".png")),
        Target("image jpeg", ".jpg", _read_image, lambda f: raster(f, ".jpg")),
        Target("list txt", ".txt", open_images, _list("txt")),
        Target("list star", ".star", open_images, _list("star")),
    ]


def _list(kind: str) -> Callable[[Path], list[Path]]:
    def made(folder: Path) -> list[Path]:
        write_mrc(folder / "a.mrc", _pixels(4, 5), 1.0)
        head = "data_micrographs\n\nloop_\n_rlnMicrographName\n" if kind == "star" else "# list\n"
        (folder / f"list.{kind}").write_text(f"{head}{folder / 'a.mrc'}\n")
        return [folder / f"list.{kind}"]

    return made


def _coordinates() -> list[Target]:
    found = []
    for name, entry in FORMATS.items():
        if entry.read is None or not entry.suffixes:
            continue
        suffix = entry.suffixes[0]
        found.append(Target(f"picks {name}", suffix, _reader(name), _written(name, suffix)))
    return found


def _reader(name: str) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        shapes = {"a.mrc": (100, 100), "b.mrc": (100, 100)}
        return read_picks(path, format=name, shapes=shapes)

    return read


def _written(name: str, suffix: str) -> Callable[[Path], list[Path]]:
    def made(folder: Path) -> list[Path]:
        if FORMATS[name].write is None:
            return _by_hand(name, suffix, folder)
        ndim = FORMATS[name].ndims[0]
        table = _picks(ndim)
        if FORMATS[name].per_image:
            table = PicksTable.of([next(iter(table))])
        shapes = dict.fromkeys(table.images, (100,) * ndim)
        files = write_picks(
            table, folder / f"picks{suffix}", format=name, shapes=shapes, box_size=12
        )
        if name == "relion-files":
            return [_with_places(next(file for file in files if "_autopick" not in file.name))]
        return [file for file in files if file.suffix == suffix]

    return made


def _with_places(index: Path) -> Path:
    """Put the files that an index names where the inputs will lie: beside them it looks."""
    for file in index.parent.rglob("*_autopick.star"):
        shutil.copy(file, index.parents[1])
    return index


_TEXTS = {
    "eman_json": '{"boxes": [[10.5, 20, "manual"], [30, 40, "manual", 0.9]]}',
    "helicon": "#micrograph: a.mrc\n#segment length: 20\n#helix: (10,20),(30,40),12\n",
}


def _by_hand(name: str, suffix: str, folder: Path) -> list[Path]:
    path = folder / f"hand{suffix}"
    if suffix == ".cs":
        dtype = [("uid", "u8"), ("location/center_x_frac", "f4"), ("location/center_y_frac", "f4")]
        with path.open("wb") as file:
            np.save(file, np.zeros(4, dtype))
        return [path]
    path.write_text(next((text for key, text in _TEXTS.items() if key in name), "1 2 3\n4 5 6\n"))
    return [path]


def _crops() -> list[Target]:
    def stack(suffix: str) -> Callable[[Path], list[Path]]:
        def made(folder: Path) -> list[Path]:
            crops = ArrayCrops.of(_pixels(3, 1, 8, 8, 8), pixel_size=2.0)
            write_crops(folder / f"boxes{suffix}", crops)
            return [folder / f"boxes{suffix}"]

        return made

    def read(path: Path) -> Any:
        crops = read_crops(path)
        return crops.read(np.arange(min(len(crops), 4)))

    def npy(folder: Path) -> list[Path]:
        np.save(folder / "boxes.npy", _pixels(3, 8, 8))
        return [folder / "boxes.npy"]

    def npz(folder: Path) -> list[Path]:
        np.savez(folder / "boxes.npz", images=_pixels(3, 8, 8))
        return [folder / "boxes.npz"]

    def mrcs(folder: Path) -> list[Path]:
        write_mrc(folder / "boxes.mrcs", _pixels(3, 8, 8), 2.0)
        return [folder / "boxes.mrcs"]

    return [
        Target("crops mrcs", ".mrcs", read, mrcs),
        Target("crops npy", ".npy", read, npy),
        Target("crops npz", ".npz", read, npz),
    ]


def _embeddings() -> list[Target]:
    def made(suffix: str) -> Callable[[Path], list[Path]]:
        def write(folder: Path) -> list[Path]:
            ids = np.array([f"row {n}" for n in range(5)])
            table = {"class": np.array(list("aabbc")), "score": np.arange(5.0)}
            embedding = Embedding(_pixels(5, 4), ids, table=table)
            return [write_embedding(embedding, folder / f"rows{suffix}")]

        return write

    suffixes = (".csv", ".parquet", ".h5ad")
    return [Target(f"rows {one}", one, read_embedding, made(one)) for one in suffixes]


def _standards() -> list[Target]:
    texts = {
        ".gmt": "ribosome\tbig\tA\tB\tC\nspliceosome\t\tB\tD\n",
        ".gaf": "!gaf-version: 2.2\nSGD\tS1\tACT1\tinvolved_in\tGO:0000001\tR:1\tIMP\t\tP\t"
        "\tYFL039C\tprotein\ttaxon:559292\t20200101\tSGD\t\t\n",
        ".csv": "protein,term\nA,one\nB,one\nC,two\n",
        ".tsv": "protein\tterm\nA\tone\nB\tone\nC\ttwo\n",
    }

    def made(suffix: str) -> Callable[[Path], list[Path]]:
        def write(folder: Path) -> list[Path]:
            path = folder / f"standard{suffix}"
            path.write_text(texts[suffix])
            return [path]

        return write

    return [Target(f"standard {one}", one, read_standard, made(one)) for one in texts]


def _cells() -> list[Target]:
    def read(path: Path) -> Any:
        crops = read_cells(path)
        return crops.read(np.arange(min(len(crops), 4)))

    def npz(folder: Path) -> list[Path]:
        names = np.array(["A", "B", "A"])
        np.savez(folder / "cells.npz", images=_pixels(3, 2, 8, 8), names=names)
        return [folder / "cells.npz"]

    def hdf5(folder: Path) -> list[Path]:
        import h5py

        with h5py.File(folder / "cells.h5", "w") as file:
            file["images"] = _pixels(3, 2, 8, 8)
        return [folder / "cells.h5"]

    return [Target("cells npz", ".npz", read, npz), Target("cells hdf5", ".h5", read, hdf5)]


def _our_own() -> list[Target]:
    from napari_cryoml import checkpoint
    from napari_cryoml.project import Project
    from napari_cryoml.recipes import Recipe

    def project(folder: Path) -> list[Path]:
        path = folder / "p.cryoml"
        write_mrc(folder / "a.mrc", _pixels(8, 8), 1.0)
        with Project.create(path) as made:
            made.add_images([open_image(folder / "a.mrc")])
        return [path]

    def open_project(path: Path) -> Any:
        with Project.open(path) as opened:
            return opened.images()

    def model(folder: Path) -> list[Path]:
        import torch

        path = folder / "model.safetensors"
        checkpoint.save(path, {"w": torch.zeros(3, 4)}, {"kind": "picker", "version": "0.1"})
        return [path]

    def recipe(folder: Path) -> list[Path]:
        options = {"images": ["a.mrc"], "seed": 1, "json": True}
        return [Recipe("pick live", options).write(folder / "recipe.yaml")]

    return [
        Target("project", ".cryoml", open_project, project),
        Target("checkpoint", ".safetensors", checkpoint.load, model),
        Target("recipe", ".yaml", Recipe.read, recipe),
    ]


def quiet() -> None:
    """Keep warnings about input to ourselves: they are as they should be."""
    warnings.simplefilter("ignore")

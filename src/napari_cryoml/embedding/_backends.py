"""Programs other than our own that can compute a map; none is required."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.embedding._layouts import Layout, Vectors

_PACKAGES = {"cuml": "cuml", "torchdr": "torchdr", "umap-learn": "umap"}
_NAMES = {"cuml": "cuML", "torchdr": "TorchDR", "umap-learn": "umap-learn"}
_FOR_GPUS = ("cuml", "torchdr")


def choose_backend(asked: str) -> str:
    """Return what is to compute a map.

    Parameters
    ----------
    asked : {"auto", "cpu", "umap-learn", "torchdr", "cuml"}
        "auto" is a package for GPUs if there is one, and a GPU, and "cpu" otherwise.

    Raises
    ------
    InputError
        If what was asked for is not installed, or has no GPU to run on.
    """
    if asked == "auto":
        return next((name for name in _FOR_GPUS if _installed(name) and has_gpu()), "cpu")
    if asked in _PACKAGES and not _installed(asked):
        raise InputError(
            f"{_NAMES[asked]} is not installed: install it, or choose the backend cpu."
        )
    if asked in _FOR_GPUS and not has_gpu():
        raise InputError(
            f"{_NAMES[asked]} needs an NVIDIA GPU, and there is none: choose the backend cpu."
        )
    return asked


def has_gpu() -> bool:
    """Return whether there is a CUDA device."""
    import torch

    return torch.cuda.is_available()


def _installed(name: str) -> bool:
    return importlib.util.find_spec(_PACKAGES[name]) is not None


def lay_out_with(
    backend: str, kind: str, vectors: Vectors, options: Mapping[str, Any], seed: int
) -> Layout:
    """Return a map made by another program, from beginning to end.

    Parameters
    ----------
    backend : {"umap-learn", "torchdr", "cuml"}
    kind : {"UMAP", "TSNE"}
        The class that makes it.
    vectors : array of shape (n, d), float32
    options : mapping
        Of that class.
    seed : int

    Returns
    -------
    array of shape (n, 2), float32
    """
    places = {"umap-learn": "umap", "torchdr": "torchdr", "cuml": "cuml.manifold"}
    maker = getattr(importlib.import_module(places[backend]), kind)
    own = _torchdr_options() if backend == "torchdr" else {}
    made = maker(n_components=2, random_state=seed, **own, **options).fit_transform(vectors)
    # GPU arrays come to the host on request only.
    for to_host in ("detach", "cpu", "get"):
        if not isinstance(made, np.ndarray) and hasattr(made, to_host):
            made = getattr(made, to_host)()
    return np.asarray(made, dtype=np.float32)


def _torchdr_options() -> dict[str, Any]:
    # Without faiss it must be told to compare all rows.
    faiss = importlib.util.find_spec("faiss") is not None
    return {"device": "cuda"} if faiss else {"device": "cuda", "backend": None}


def origin_of(backend: str, seed: int) -> str:
    """Return the sentence on whether a map can be had again, or on what made it elsewhere."""
    if backend == "cpu":
        return f"Seed {seed} gives this map again, on any number of threads."
    return f"Made by {_NAMES[backend]}: intermediate maps are not shown."

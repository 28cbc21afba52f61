"""Which column of a table of vectors is what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding

Columns = dict[str, npt.NDArray[Any]]

METADATA_KEY = "napari-cryoml"
"""Where a file keeps the provenance."""

ID, IMAGE, VECTOR = "id", "image", "vector"
MAPS = {"X_umap": "UMAP", "X_tsne": "tSNE", "X_pca": "PCA"}
"""Maps by their names in AnnData: the beginning of the names of their columns."""

_AXES = ("z", "y", "x")
_OURS = (ID, IMAGE, VECTOR, *_AXES)
_ID_NAMES = (ID, "index", "__index_level_0__", "", "unnamed: 0")
_NO_FEATURES = re.compile(
    r"(id|index|__index_level_0__|unnamed: 0|image|x|y|z|score|label|class|cluster"
    r"|manual_cluster_id|metadata_.*|(umap|tsne|pca)\d+)?",
    re.IGNORECASE,
)
_FORMAT_VERSION = 1


def place_columns(embedding: Embedding) -> Columns:
    """Return the columns that say which row is which: id and, if known, image, (z,) y and x."""
    columns: Columns = {ID: embedding.ids}
    if embedding.images is not None and embedding.positions is not None:
        axes = _AXES[-embedding.positions.shape[1] :]
        columns |= {IMAGE: embedding.images}
        columns |= dict(zip(axes, embedding.positions.T, strict=True))
    return columns


def free_names(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a name for each column of a table that no other column has: its own if it can be.

    Upper and lower case are the same name here. Slashes become underscores: HDF5 takes them for
    folders.
    """
    used = {name.lower() for name in (*_OURS, *taken)}
    free: dict[str, str] = {}
    for name in names:
        written = name.replace("/", "_") or "_"
        while written.lower() in used:
            written += "_"
        used.add(written.lower())
        free[name] = written
    return free


def to_json(embedding: Embedding, names: Mapping[str, str]) -> str:
    """Return the provenance, and which columns were renamed, as one line of JSON."""
    renamed = {written: name for name, written in names.items() if written != name}
    content = {"version": _FORMAT_VERSION, "provenance": dict(embedding.provenance)}
    return json.dumps({**content, "renamed": renamed}, default=_plain)


def _plain(value: Any) -> Any:
    """Return what JSON takes in the place of a value it does not."""
    if isinstance(value, Mapping):
        return dict(value)
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)


def from_json(text: str | bytes | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return provenance and renamed columns; both empty where a text is none of ours."""
    try:
        content = json.loads(text) if text else {}
        provenance, renamed = content.get("provenance", {}), content.get("renamed", {})
        return dict(provenance), {str(a): str(b) for a, b in dict(renamed).items()}
    except (ValueError, TypeError, AttributeError):
        return {}, {}


def vector_columns(names: Sequence[str], numeric: Iterable[str], where: str) -> list[str]:
    """Return the columns that hold one number of the vector each.

    Parameters
    ----------
    names : sequence of str
        All columns.
    numeric : iterable of str
        Those that hold numbers.
    where : str
        The file, for the complaint.

    Raises
    ------
    InputError
        If there is none.
    """
    numbers = set(numeric)
    for beginning in ("f", ""):
        series = numbered(names, beginning)
        if series:
            check_numbers(series, numbers, where)
            return series
    features = [name for name in names if name in numbers and not _NO_FEATURES.fullmatch(name)]
    if not features:
        found = ", ".join(names[:8]) or "none"
        raise InputError(
            f"{where} holds no vectors: a column 'vector', or columns of numbers f0, f1, ... were "
            f"expected; its columns are {found}."
        )
    return features


def numbered(names: Iterable[str], beginning: str) -> list[str]:
    """Return the names that are `beginning` and 0, 1, 2, ..., up to the first that is missing."""
    known = set(names)
    found: list[str] = []
    while (name := f"{beginning}{len(found)}") in known:
        found.append(name)
    return found


def check_numbers(names: Iterable[str], numbers: set[str], where: str) -> None:
    """Complain of the first column that holds no numbers.

    Raises
    ------
    InputError
        If there is one.
    """
    for name in names:
        if name not in numbers:
            raise InputError(
                f"{where}: the column {name!r} holds text where numbers were expected; mend or "
                "remove it."
            )


def assemble(
    vectors: npt.NDArray[Any], columns: Columns, metadata: str | bytes | None, where: str
) -> Embedding:
    """Return the embedding of vectors and all other columns of a file.

    Raises
    ------
    InputError
        If two rows have one id, or positions are no numbers.
    """
    rest = dict(columns)
    images, positions = _take_places(rest, where)
    ids = _take_ids(rest, len(vectors))
    provenance, renamed = from_json(metadata)
    table = {renamed.get(name, name): values for name, values in rest.items()}
    try:
        return Embedding(vectors, ids, images, positions, table, provenance)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _take_ids(columns: Columns, n_rows: int) -> npt.NDArray[np.str_]:
    """Remove the ids from the columns and return them."""
    by_name = {name.lower(): name for name in reversed(columns)}
    name = next((by_name[known] for known in _ID_NAMES if known in by_name), None)
    name = name if name is not None else _first_distinct(columns)
    return np.arange(n_rows).astype(np.str_) if name is None else as_text(columns.pop(name))


def _first_distinct(columns: Columns) -> str | None:
    for name, values in columns.items():
        is_text = values.dtype.kind == "U" and name.lower() != IMAGE
        if is_text and len(set(values.tolist())) == len(values):
            return name
    return None


def as_text(values: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return values as text; whole numbers without a point."""
    if values.dtype.kind == "f" and bool(
        np.all(values == np.trunc(values)) & np.isfinite(values).all()
    ):
        values = values.astype(np.int64)
    return values.astype(np.str_)


def _take_places(
    columns: Columns, where: str
) -> tuple[npt.NDArray[np.str_] | None, npt.NDArray[np.float64] | None]:
    """Remove images and positions from the columns and return them, if they are all there."""
    by_name = {name.lower(): name for name in reversed(columns)}
    if not {IMAGE, "y", "x"} <= by_name.keys():
        return None, None
    axes = [by_name[axis] for axis in _AXES if axis in by_name]
    # Of a column without rows, no file of text tells the type.
    numbers = {name for name in axes if columns[name].dtype.kind in "iuf" or not len(columns[name])}
    check_numbers(axes, numbers, where)
    positions = np.stack([columns.pop(name) for name in axes], axis=1).astype(np.float64)
    return as_text(columns.pop(by_name[IMAGE])), positions


def empty_vectors(
    n_rows: int, n_columns: int, dtype: npt.DTypeLike, where: str
) -> npt.NDArray[Any]:
    """Return room for vectors: float16 for those of half precision, float32 for all others.

    Raises
    ------
    InputError
        If there is not enough memory.
    """
    kind = np.float16 if np.dtype(dtype) == np.float16 else np.float32
    try:
        return np.empty((n_rows, n_columns), kind)
    except (MemoryError, ValueError) as error:
        raise InputError(
            f"{where} announces {n_rows} vectors of {n_columns} numbers, which do not fit into "
            "memory: save fewer rows, or their principal components."
        ) from error

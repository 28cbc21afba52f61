"""Read and write embeddings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.io import _embeddings_csv, _embeddings_h5ad, _embeddings_parquet
from napari_cryoml.io._formats._files import replacing
from napari_cryoml.io._image_format import reading

_PICKLED = (".temb", ".tumap", ".pkl", ".pickle", ".p", ".joblib")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file: how it is called in messages, how it is read and written."""

    label: str
    read: Callable[[Path], Embedding]
    write: Callable[[Embedding, Path], None]


_CSV = _Kind("CSV", _embeddings_csv.read, _embeddings_csv.write)
_KINDS = {
    ".parquet": _Kind("Parquet", _embeddings_parquet.read, _embeddings_parquet.write),
    ".h5ad": _Kind("AnnData", _embeddings_h5ad.read, _embeddings_h5ad.write),
    ".csv": _CSV,
    ".tsv": _CSV,
}


EMBEDDING_SUFFIXES = tuple(_KINDS)
"""Lower-case endings of the names of embeddings, with the dot."""


def read_embedding(path: str | Path) -> Embedding:
    """Read an embedding of ours, or vectors that another program wrote.

    Of tables (Parquet, CSV) the vectors are the first of these that is there: a column of lists
    named ``vector``, or the only column of lists; columns ``f0``, ``f1``, ...; columns ``0``,
    ``1``, ...; all columns of numbers but positions, coordinates of maps, and those named
    ``score``, ``label``, ``class``, ``cluster``, ``MANUAL_CLUSTER_ID`` or ``Metadata_...``. The
    ids are the column ``id`` or ``index`` (or that of a pandas index), else the first column of
    text whose values all differ, else the rows are numbered from 0. Columns ``image``, ``y`` and
    ``x`` (and ``z``), in upper or lower case, are positions in pixels. Everything else is kept in
    the table. A CSV file whose first line holds decimal numbers has no header: the first column
    of text then holds the ids, and columns of numbers the vectors.

    Of AnnData, the vectors are ``X``, dense or sparse, the ids ``obs_names``, and the table
    ``obs`` and the columns UMAP0, UMAP1, ... of ``obsm["X_umap"]``, likewise tSNE and PCA.
    ``obsm["spatial"]`` holds x, y(, z), as scanpy and squidpy have it; it is read where ``obs``
    names the images.

    Nothing in a file is executed.

    Parameters
    ----------
    path : path
        Ends in .parquet, .h5ad, .csv or .tsv.

    Returns
    -------
    Embedding
        Vectors as float16 if the file holds them so, else as float32. Empty cells are NaN, or ""
        in columns of text.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another kind or holds no vectors, a column of the
        vectors holds text, or two rows have one id.

    Warns
    -----
    InputWarning
        If a column was left out because it holds neither numbers nor text.
    """
    path = Path(path).expanduser()
    kind = _kind_of(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; a file of {kind.label} was expected.")
    with reading(path, kind.label):
        return kind.read(path)


def write_embedding(embedding: Embedding, path: str | Path) -> Path:
    """Write an embedding, whole or not at all.

    Parquet keeps everything as it is. AnnData (.h5ad) keeps it too: vectors in ``X``, the table
    in ``obs``, positions as x, y(, z) in ``obsm["spatial"]``, the columns UMAP0, UMAP1, ... in
    ``obsm["X_umap"]`` (likewise tSNE and PCA), and the provenance as JSON in
    ``uns["napari-cryoml"]``. CSV and TSV have the columns id, image, z, y, x, f0, f1, ... and
    the table; they keep neither the provenance nor the difference between 7 and "7".

    Parameters
    ----------
    embedding : Embedding
    path : path
        Ends in .parquet, .h5ad, .csv or .tsv; a file that was there is replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the name ends otherwise, the vectors have no numbers, or the file cannot be written.
    """
    path = Path(path).expanduser()
    kind = _kind_of(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the name of a file in it.")
    if not embedding.n_features:
        raise InputError("There are no vectors to write: each of them has 0 numbers.")
    with replacing(path) as temporary:
        kind.write(embedding, temporary)
    return path


def _kind_of(path: Path) -> _Kind:
    suffix = path.suffix.lower()
    if suffix in _PICKLED:
        load = "joblib.load" if suffix == ".joblib" else "pandas.read_pickle"
        raise InputError(
            f"{path.name} is a pickle, as TomoTwin and cryoDRGN write them, and opening one can "
            "run any code: where you trust it, save its table or array as Parquet by "
            f"pandas.DataFrame({load}({path.name!r})).rename(columns=str)"
            f".to_parquet({path.stem + '.parquet'!r})."
        )
    if suffix not in _KINDS:
        raise InputError(
            f"{path.name} is no embedding by its name: one that ends in {', '.join(_KINDS)} was "
            "expected."
        )
    return _KINDS[suffix]

"""From crops to an embedding: batch after batch, kept on disk, and taken up again."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml import __version__
from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops, Embedding, ImageSource
from napari_cryoml.embedding._encoder import CropEncoder, CropEncoderConfig
from napari_cryoml.embedding._store import VectorStore
from napari_cryoml.embedding._whitening import Kind, Whitening
from napari_cryoml.features import feature_key
from napari_cryoml.io import pose_columns
from napari_cryoml.jobs import Command, Event, InlinePool, Job, Outcome, Pool

_LOOKED_AT = 8
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted(Event):
    """Some crops have their vectors.

    Parameters
    ----------
    rate : float
        Crops a second, without those that were kept from before; 0 while it is unknown.
    """

    rate: float = 0.0


def extract(
    crops: Crops,
    config: CropEncoderConfig,
    *,
    columns: Mapping[str, npt.NDArray[Any]] | None = None,
    store: Path | None = None,
    batch: int = 256,
    whiten: Kind = "none",
    components: int = 32,
    pool: Pool | None = None,
) -> Job[Embedding]:
    """Encode crops.

    Parameters
    ----------
    crops : Crops
    config : CropEncoderConfig
        The encoder.
    columns : mapping of str to array of shape (n,), optional
        Goes into the table of the embedding, beside what the crops know of themselves:
        their columns, and their rotations as `io.POSE_COLUMNS`.
    store : Path, optional
        A file that vectors are written to as they are made. If it holds some of these crops and
        this encoder from a job that was stopped or killed, they are not made again.
    batch : int, default 256
        Crops encoded at a time.
    whiten : {"none", "standard", "pca"}, default "none"
        What is done to the vectors at the end, see `Whitening`. The encoders' own scale is best
        for maps and clusters of particles; the principal components make vectors shorter.
    components : int, default 32
        Components kept in "pca".
    pool : Pool, optional
        Workers that encode batches; this process by default.

    Yields
    ------
    Extracted
        After each batch; with a message for an image whose crops had to be left out.

    Returns
    -------
    Embedding
        Half precision, in the order of the crops. Rows that could not be encoded are NaN, and the
        notes in its provenance say how many. A stopped job returns the rows that were done.

    Raises
    ------
    InputError
        If these crops cannot be encoded this way, or none of them could be; if a column has
        another length; if the store cannot be used.
    """
    poses = pose_columns(getattr(crops, "rotations", None))
    table = {**poses, **getattr(crops, "columns", {}), **(columns or {})}
    _check(table, len(crops), batch)
    config.check(crops)
    work = _Encoding(config, crops)
    _ = work.encoder  # a file or device that is missing is said before anything else
    state = _Extraction.of(len(crops))
    with contextlib.ExitStack() as stack:
        kept = None
        if store is not None:
            kept = stack.enter_context(VectorStore(Path(store), _digest(crops, config)))
        yield from _encode_all(state, work, batch, kept, pool or InlinePool())
    state.settle(config, crops)
    state.finish(crops.ids)
    yield Extracted(done=state.n_done, total=len(crops), message=state.news())
    whitening = Whitening.fit(state.vectors, whiten, components)
    provenance = _provenance(crops, config, whitening, state.notes)
    done, vectors = state.done, state.vectors[state.done]
    return Embedding(
        vectors=vectors if whiten == "none" else _half(whitening.apply(vectors)),
        ids=crops.ids[done],
        images=None if crops.images is None else crops.images[done],
        positions=None if crops.positions is None else crops.positions[done],
        table={name: np.asarray(values)[done] for name, values in table.items()},
        provenance=provenance,
    )


@dataclass(slots=True, eq=False)
class _Extraction:
    """The vectors of all crops as far as they are made.

    Parameters
    ----------
    vectors : array of shape (n, d), float16
        Of no width until the first are made; NaN where there is none.
    done : array of shape (n,), bool
        Which were tried.
    notes : list of str
        What the user should know.
    refusal : InputError, optional
        The last one.
    """

    vectors: npt.NDArray[np.float16]
    done: npt.NDArray[np.bool_]
    notes: list[str] = field(default_factory=list)
    refusal: InputError | None = None
    _n_said: int = 0

    @classmethod
    def of(cls, n: int) -> _Extraction:
        return cls(np.empty((n, 0), np.float16), np.zeros(n, np.bool_))

    @property
    def n_done(self) -> int:
        return int(self.done.sum())

    def put(self, rows: npt.NDArray[np.intp], vectors: npt.NDArray[np.float16]) -> None:
        """Take the vectors (k, d) of some rows (k,)."""
        if not self.vectors.shape[1]:
            self.vectors = np.full((len(self.done), vectors.shape[1]), np.nan, np.float16)
        self.vectors[rows] = vectors
        self.done[rows] = True

    def refuse(self, rows: npt.NDArray[np.intp], error: InputError) -> None:
        """Leave out rows whose image cannot be used; it is said once."""
        self.refusal = error
        self.done[rows] = True
        if str(error) not in self.notes:
            self.notes.append(str(error))

    def news(self) -> str:
        """Return the notes that were not returned before."""
        fresh, self._n_said = self.notes[self._n_said :], len(self.notes)
        return " ".join(fresh)

    def settle(self, config: CropEncoderConfig, crops: Crops) -> None:
        """Let the encoder see all vectors at once; see `CropEncoderConfig.finished`."""
        if not self.vectors.shape[1]:
            return
        found, notes = config.finished(self.vectors[self.done], crops)
        self.vectors = np.full((len(self.done), found.shape[1]), np.nan, np.float16)
        self.vectors[self.done] = _half(np.asarray(found))
        self.notes += notes

    def finish(self, ids: npt.NDArray[np.str_]) -> None:
        """Say which rows have no vector.

        Raises
        ------
        InputError
            The last refusal, if no row has one.
        """
        if self.refusal is not None and not self.vectors.shape[1]:
            raise self.refusal
        missing = np.flatnonzero(self.done & ~np.isfinite(self.vectors).all(axis=1))
        if len(missing):
            self.notes.append(
                f"{len(missing)} of {self.n_done} crops could not be encoded and have no vector, "
                f"the first of them {ids[missing[0]]}."
            )


def _encode_all(
    state: _Extraction, work: _Encoding, batch: int, store: VectorStore | None, pool: Pool
) -> Job[None]:
    """Encode what is not kept yet, until all is done or the owner says stop."""
    if store is not None:
        _take_up(state, store)
    n_before, n_crops = state.n_done, len(work.crops)
    # Before the work, a sign that it begins.
    command = yield Extracted(done=n_before, total=n_crops, message=state.news())
    batches = _batches(work.crops, batch, state.done)
    start = time.perf_counter()
    with contextlib.closing(pool.outcomes(work, list(itertools.chain(*batches)))) as outcomes:
        for parts in batches:
            if command is Command.STOP:
                return
            for rows in parts:
                _take(state, rows, next(outcomes), store)
            rate = (state.n_done - n_before) / max(time.perf_counter() - start, 1e-9)
            command = yield Extracted(
                done=state.n_done, total=n_crops, message=state.news(), rate=rate
            )


def _batches(
    crops: Crops, batch: int, done: npt.NDArray[np.bool_]
) -> list[list[npt.NDArray[np.intp]]]:
    """Return what is left of each batch, image by image: one that is bad is to spoil no other."""
    images = crops.images  # once: they may be made of a table each time
    left = (rows[~done[rows]] for rows in crops.batches(batch))
    return [_by_image(images, rows) for rows in left if len(rows)]


def _take_up(state: _Extraction, store: VectorStore) -> None:
    """Take what a store holds from before."""
    if store.note:
        state.notes.append(store.note)
    rows, vectors = store.kept.rows, store.kept.vectors
    inside = (rows >= 0) & (rows < len(state.done))
    if inside.any():
        state.put(rows[inside], vectors[inside])


@dataclass(eq=False)
class _Encoding:
    """What makes vectors of crops, here or in another process, which builds its own encoder."""

    config: CropEncoderConfig
    crops: Crops

    @functools.cached_property
    def encoder(self) -> CropEncoder:
        """The encoder of this process."""
        return self.config.build()

    def __call__(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float16]:
        """Return the vectors of some rows.

        Raises
        ------
        InputError
            If their image cannot be used.
        """
        return _half(self.encoder.encode(self.crops, rows))

    def __reduce__(self) -> tuple[type[_Encoding], tuple[CropEncoderConfig, Crops]]:
        """Travel without the encoder."""
        return _Encoding, (self.config, self.crops)


def _take(
    state: _Extraction,
    rows: npt.NDArray[np.intp],
    outcome: Outcome[npt.NDArray[np.float16]],
    store: VectorStore | None,
) -> None:
    """Take the vectors of some rows, and keep them if there is a store."""
    if outcome.value is None:
        state.refuse(rows, InputError(outcome.error or ""))
        return
    state.put(rows, outcome.value)
    if store is not None:
        store.add(rows, outcome.value)


def _by_image(
    images: npt.NDArray[np.str_] | None, rows: npt.NDArray[np.intp]
) -> list[npt.NDArray[np.intp]]:
    """Return the rows of each image: one that cannot be used is to spoil no other."""
    if images is None:
        return [rows]
    names = images[rows]
    return [rows[names == name] for name in np.unique(names)]


def _half(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    """Return vectors in half precision; what is too large for it becomes the largest it holds."""
    held = np.clip(vectors, -_LARGEST, _LARGEST).astype(np.float16)
    held[~np.isfinite(vectors)] = np.nan
    return held


def _provenance(
    crops: Crops, config: CropEncoderConfig, whitening: Whitening, notes: Sequence[str]
) -> dict[str, Any]:
    """Return how the vectors were made, as JSON takes it; nothing of it was drawn by chance."""
    return {
        "encoder": config.name,
        "options": config.model_dump(mode="json"),
        "state": config.state(),
        "whitening": whitening.to_json(),
        "version": __version__,
        "box": getattr(crops, "box", None),
        "diameter": getattr(crops, "diameter", None),
        "size": list(crops.shape),
        "channels": crops.n_channels,
        "pixel_size": getattr(crops, "pixel_size", None),
        "notes": list(notes),
    }


def _digest(crops: Crops, config: CropEncoderConfig) -> str:
    """Return a name of all that vectors depend on: the encoder, the crops, their images."""
    what = [
        config.name,
        config.model_dump(mode="json"),
        config.state(),
        list(crops.shape),
        crops.n_channels,
        getattr(crops, "box", None),
        [_key(source) for source in getattr(crops, "sources", ())],
    ]
    digest = hashlib.blake2b(json.dumps(what, sort_keys=True).encode(), digest_size=16)
    digest.update("\n".join(crops.ids.tolist()).encode())
    if crops.images is None and len(crops):
        # Nothing but pixels tells them from others that are numbered the same.
        some = np.unique(np.linspace(0, len(crops) - 1, _LOOKED_AT).astype(np.intp))
        digest.update(crops.read(some).tobytes())
    return digest.hexdigest()


def _key(source: ImageSource) -> str:
    try:
        return feature_key(source)
    except InputError:
        return ""  # it has gone, which encoding its crops will say


def _check(table: Mapping[str, npt.NDArray[Any]], n: int, batch: int) -> None:
    """Refuse what would fail at the end only."""
    if batch < 1:
        raise InputError(f"A batch has 1 crop or more; {batch} was given.")
    for name, values in table.items():
        if len(values) != n:
            raise InputError(f"{n} crops need {n} values of {name!r}, not {len(values)}.")

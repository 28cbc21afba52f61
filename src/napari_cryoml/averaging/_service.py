"""The service that brings crops and their averages to the screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._average import ClassAverage, average_crops
from napari_cryoml.averaging._config import AverageConfig
from napari_cryoml.averaging._messages import AverageRequest, Thumbnails, ThumbnailsRequest
from napari_cryoml.averaging._reading import Rows, read_what_can
from napari_cryoml.averaging._thumbnails import PictureCache, crossed, thumbnails
from napari_cryoml.data import Crops
from napari_cryoml.jobs import Job

CACHE_BYTES = 2**26
_BATCH_PIXELS = 2**24
_MASK_IN_DIAMETERS = 1.2
_AVERAGE_PIXELS = 2**27


class CropService:
    """Answers with thumbnails and averages of crops; see `jobs.ChildService`.

    Parameters
    ----------
    crops : Crops
    cache_bytes : int, default 64 MiB
        Memory for thumbnails, so that scrolling back needs no files.

    Examples
    --------
    A key for each kind of request lets a quick lasso leave older requests behind; the average in
    hand is told to stop, so that thumbnails do not wait for it:

    >>> service = ChildService.start(CropService, crops)  # doctest: +SKIP
    >>> service.ask(ThumbnailsRequest(rows), replaces="thumbnails")  # doctest: +SKIP
    >>> service.stop(average)  # doctest: +SKIP
    >>> average = service.ask(AverageRequest(rows), replaces="average")  # doctest: +SKIP
    """

    def __init__(self, crops: Crops, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._crops = crops
        self._cache = PictureCache(cache_bytes)

    def answer(self, request: ThumbnailsRequest | AverageRequest) -> Thumbnails | Job[ClassAverage]:
        """Return thumbnails, or the job that averages crops."""
        if isinstance(request, AverageRequest):
            return self._average(request)
        return self._thumbnails(request)

    def idle(self) -> bool:
        """Load what the first average needs, which takes a second or two."""
        import torch_fourier_shell_correlation  # noqa: F401

        return False

    def _thumbnails(self, request: ThumbnailsRequest) -> Thumbnails:
        rows = np.asarray(request.rows, np.intp)
        side, style = request.side, (request.side, request.smooth)
        ready = {int(row): self._cache.get((int(row), *style)) for row in rows}
        missing = np.array([row for row, kept in ready.items() if kept is None], np.intp)
        notes: dict[str, None] = {}
        for part in self._batches(missing):
            found, could, said = read_what_can(self._crops, part)
            notes |= dict.fromkeys(said)
            pictures = thumbnails(found, side, request.smooth)
            self._cache.put([(int(row), *style) for row in part[could]], pictures)
            ready |= zip(part[could].tolist(), pictures, strict=True)
        empty = crossed(side, *([3] if self._crops.n_channels > 1 else []))
        images = [empty if (one := ready[int(row)]) is None else one for row in rows]
        stack = np.stack(images) if images else np.empty((0, *empty.shape), np.uint8)
        return Thumbnails(rows, stack, tuple(notes))

    def _batches(self, rows: Rows) -> Iterator[Rows]:
        pixels = int(np.prod(self._crops.shape)) * self._crops.n_channels
        step = max(_BATCH_PIXELS // pixels, 1)
        for start in range(0, len(rows), step):
            yield rows[start : start + step]

    def _average(self, request: AverageRequest) -> Job[ClassAverage]:
        """Read no more crops than are averaged: the others would cost time and memory."""
        rows = np.asarray(request.rows, np.intp)
        config = self._masked(request.config)
        most = min(config.most, max(_AVERAGE_PIXELS // int(np.prod(self._crops.shape)), 2))
        sample, notes = np.arange(len(rows)), []
        if len(rows) > most:
            notes.append(f"A random {most} of {len(rows):,} crops were averaged.")
            rng = np.random.default_rng(config.seed)
            sample = np.sort(rng.choice(len(rows), most, replace=False))
        found, could, said = self._read(rows[sample], request.channel)
        if said and not could.any():
            raise InputError(said[0])
        size = request.pixel_size or getattr(self._crops, "pixel_size", None)
        wedge = getattr(self._crops, "wedge", None)
        average = yield from average_crops(found, config, pixel_size=size, wedge=wedge)
        if average.frc is not None:
            average = replace(average, frc=replace(average.frc, reduction=self._reduction))
        return average.among(sample[could], len(rows), (*notes, *said))

    @property
    def _reduction(self) -> float:
        """Pixels of the images per pixel of the crops."""
        side = self._crops.shape[-1]
        return float(getattr(self._crops, "box", side)) / side

    def _masked(self, config: AverageConfig) -> AverageConfig:
        """Return the options with a mask that keeps the neighbours of a particle out."""
        diameter = getattr(self._crops, "diameter", None)
        if config.diameter is not None or not diameter:
            return config
        wanted = _MASK_IN_DIAMETERS * float(diameter) / self._reduction
        return config.model_copy(update={"diameter": min(wanted, float(min(self._crops.shape)))})

    def _read(
        self, rows: Rows, channel: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], tuple[str, ...]]:
        """Return one channel of crops, which of them could be read, and what to say."""
        parts: list[Any] = [read_what_can(self._crops, part) for part in self._batches(rows)]
        if not parts:
            return np.empty((0, *self._crops.shape), np.float32), np.empty(0, bool), ()
        found = np.concatenate([part[0][:, channel] for part in parts])
        could = np.concatenate([part[1] for part in parts])
        return found, could, tuple(dict.fromkeys(note for part in parts for note in part[2]))

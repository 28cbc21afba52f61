"""The live picker in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.data import ImageSource
from napari_cryoml.features import FeatureCache, neighbours
from napari_cryoml.picking.live._channels import live_key
from napari_cryoml.picking.live._engine import LiveAnswer, LivePicker, LiveRequest


class LiveService:
    """Answers one edit after the other, and works ahead meanwhile; see `jobs.ChildService`.

    Parameters
    ----------
    images : sequence of ImageSource
    folder : Path, optional
        Where features are kept on disk; None to keep them in memory alone.
    n_ahead : int, default 4
        Images around the one on show whose features are made while nothing is asked.
    """

    def __init__(
        self, images: Sequence[ImageSource], folder: Path | None = None, *, n_ahead: int = 4
    ) -> None:
        self._picker = LivePicker.of(images, FeatureCache(folder=folder))
        self._n_ahead = n_ahead
        self._last: LiveRequest | None = None
        self._refused: set[str] = set()

    def answer(self, request: LiveRequest) -> LiveAnswer:
        """Return what the live picker finds, see `LivePicker.answer`."""
        self._last = request
        return self._picker.answer(request)

    def idle(self) -> bool:
        """Make the features of one image near the one on show; return whether others wait."""
        name = next(self._missing(), None)
        if name is None or self._last is None:
            return False
        try:
            self._picker.features(name, self._last.config)
        except InputError:
            self._refused.add(name)  # said when the user comes to it
        return next(self._missing(), None) is not None

    def _missing(self) -> Iterator[str]:
        if self._last is None or self._last.image is None:
            return
        images, config = self._picker.images, self._last.config
        for name in neighbours(list(images), self._last.image, self._n_ahead):
            if (
                name not in self._refused
                and live_key(images[name], config) not in self._picker.cache
            ):
                yield name

"""The live picker in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml.data import ImageSource
from napari_cryoml.features import FeatureCache, neighbours
from napari_cryoml.picking.live._channels import live_key
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._engine import LivePicker
from napari_cryoml.picking.live._messages import LiveAnswer, LiveRequest, SuggestRequest
from napari_cryoml.picking.live._queue import Suggestion, suggest_clicks

_LABELLED_TO_ASK = 4
_UNSEEN_TO_ASK = 4
_LOOKED_AT = 16


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
        self._asks = False

    def answer(self, request: LiveRequest) -> LiveAnswer | tuple[Suggestion, ...]:
        """Return what the live picker finds, or the places to ask about next.

        See `LivePicker.answer` and `suggest_clicks`. Suggestions come from a few of the labelled
        images, and from a few of those without labels whose features are at hand; where there are
        none, those of one image are made.
        """
        if isinstance(request, SuggestRequest):
            return self._suggest(request)
        if self._last is not None and self._last.config != request.config:
            self._refused.clear()  # a diameter that fits, say
        self._last = request
        return self._picker.answer(request)

    def _suggest(self, request: SuggestRequest) -> tuple[Suggestion, ...]:
        self._asks = True
        config, picker = request.config, self._picker
        model = picker.fit(request.labels, config)
        labelled = [name for name, entry in request.labels.items() if len(entry)]
        labelled = sorted(labelled, key=lambda name: (-len(request.labels[name]), name))
        names = {*labelled[:_LABELLED_TO_ASK], *self._unseen(request, set(labelled))}
        maps = {name: picker.features(name, config) for name in picker.images if name in names}
        images = {name: picker.images[name] for name in maps}
        return suggest_clicks(model, images, maps, request.labels)

    def _unseen(self, request: SuggestRequest, labelled: set[str]) -> list[str]:
        """Return images without labels whose features are at hand, or one whose are made now."""
        names, shown = list(self._picker.images), request.image or ""
        near = {shown, *_spread(names, _UNSEEN_TO_ASK), *neighbours(names, shown, _LOOKED_AT)}
        fresh = [name for name in names if name not in labelled | self._refused]
        ready = [name for name in fresh if name in near and self._is_ready(name, request.config)]
        if ready:
            return _spread(ready, _UNSEEN_TO_ASK)
        for name in neighbours(fresh, shown, 1):
            try:
                self._picker.features(name, request.config)
            except InputError:
                self._refused.add(name)
                return []
            return [name]
        return []

    def _is_ready(self, name: str, config: LiveConfig) -> bool:
        try:
            return live_key(self._picker.images[name], config) in self._picker.cache
        except InputError:
            return False  # its file has gone

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
        names = list(self._picker.images)
        wanted = neighbours(names, self._last.image, self._n_ahead)
        if self._asks:
            wanted += _spread(names, _UNSEEN_TO_ASK)
        for name in wanted:
            if name not in self._refused and not self._is_ready(name, self._last.config):
                yield name


def _spread(names: Sequence[str], n: int) -> list[str]:
    """Return up to `n` names from all over a list."""
    step = len(names) / max(min(n, len(names)), 1)
    return [names[int((index + 0.5) * step)] for index in range(min(n, len(names)))]

"""The live picker of a list of images: features at hand, a model for the labels of the moment."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.features import FeatureCache, FeatureMap
from napari_cryoml.picking.live._channels import live_features, live_key
from napari_cryoml.picking.live._config import LEAST_CLICKS, LiveConfig
from napari_cryoml.picking.live._examples import ImageExamples, image_examples
from napari_cryoml.picking.live._fit import LiveFit, fit_live, in_order
from napari_cryoml.picking.live._messages import LiveAnswer, LiveRequest
from napari_cryoml.picking.live._model import LiveModel, raw_peaks
from napari_cryoml.picking.live._notes import LabelChecks

_MOST_TAUGHT = 1000
"""Labelled images whose examples are kept, about 300 kB each."""


@dataclass(eq=False)
class LivePicker:
    """Images, their features and the model of the labels of the moment.

    Parameters
    ----------
    images : mapping of str to ImageSource
    cache : FeatureCache
    """

    images: Mapping[str, ImageSource]
    cache: FeatureCache
    _latest: tuple[bytes, LiveFit] | None = field(default=None, init=False)
    _checks: LabelChecks = field(default_factory=LabelChecks, init=False)
    _taught: dict[str, tuple[bytes, ImageExamples]] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, images: Sequence[ImageSource], cache: FeatureCache | None = None) -> LivePicker:
        """Return a live picker of images, each by its name."""
        return cls({image.name: image for image in images}, cache or FeatureCache())

    def features(self, name: str, config: LiveConfig) -> FeatureMap:
        """Return the features of an image, made now unless they are at hand.

        Raises
        ------
        InputError
            If there is no such image, or it cannot be used.
        """
        image = self._image(name)
        return self.cache.get_or_make(live_key(image, config), lambda: live_features(image, config))

    def fit(self, labels: Mapping[str, Annotations], config: LiveConfig) -> LiveModel:
        """Return a model fitted to labels, see `fit_live`."""
        return self._fit(labels, config).model

    def _fit(self, labels: Mapping[str, Annotations], config: LiveConfig) -> LiveFit:
        """Fit to labels, unless they are those of the last time: another image is shown."""
        key = _key_of(labels, config)
        if self._latest is None or self._latest[0] != key:
            self._latest = key, self._fit_again(labels, config)
        return self._latest[1]

    def _fit_again(self, labels: Mapping[str, Annotations], config: LiveConfig) -> LiveFit:
        checked = self._checks.check(self.images, self.features, labels, config)
        named = {name: self._image(name) for name in checked.labels}
        maps = _Maps(list(named), lambda name: self.features(name, config))

        def taught(name: str, entry: Annotations) -> ImageExamples:
            return self.examples(name, entry, config)

        fitted = fit_live(named, maps, checked.labels, config, parts=taught)
        return replace(fitted, model=replace(fitted.model, notes=checked.notes))

    def examples(self, name: str, entry: Annotations, config: LiveConfig) -> ImageExamples:
        """Return what an image and its labels teach; it is kept, a fit need not look again."""
        entry = in_order(entry)
        key, state = live_key(self._image(name), config), _key_of({name: entry}, config)
        kept = self._taught.pop(key, None)
        if kept is None or kept[0] != state:
            kept = state, image_examples(self.features(name, config), entry, config.seed)
        self._taught[key] = kept
        while len(self._taught) > _MOST_TAUGHT:
            self._taught.pop(next(iter(self._taught)))
        return kept[1]

    def answer(self, request: LiveRequest) -> LiveAnswer:
        """Refit to the labels, and pick the image on show.

        Raises
        ------
        InputError
            If nothing is labelled, or an image cannot be used.
        """
        config, name = request.config, request.image
        if name is None:
            raise InputError("There is no image on show to pick: choose one in the list.")
        seconds: dict[str, float] = {}
        with _timed(seconds, "features"):
            self.features(name, config)
        with _timed(seconds, "fit"):
            fitted = self._fit(request.labels, config)
        model, image, features = fitted.model, self._image(name), self.features(name, config)
        with _timed(seconds, "score"):
            found = fitted.found.get(name) or raw_peaks(model.head, features, config, image)
            score_map, picks = model.picked(image, features, found)
        return LiveAnswer(
            name,
            picks,
            score_map,
            seconds,
            model.n_positives + model.n_negatives,
            model.prior,
            model.threshold,
            (*_too_few(model), *model.notes),
            model.preview,
        )

    def _image(self, name: str) -> ImageSource:
        if name not in self.images:
            raise InputError(f"There is no image named {name!r} in the list: open it first.")
        return self.images[name]


@dataclass(frozen=True, slots=True)
class _Maps(Mapping[str, FeatureMap]):
    """Features by image, made or read when they are asked for: not all may fit into memory."""

    names: list[str]
    make: Callable[[str], FeatureMap]

    def __getitem__(self, name: str) -> FeatureMap:
        return self.make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _key_of(labels: Mapping[str, Annotations], config: LiveConfig) -> bytes:
    """Return a digest of what a model depends on."""
    digest = hashlib.blake2b(config.model_dump_json().encode())
    for name, entry in sorted(labels.items()):
        digest.update(repr((name, len(entry))).encode())
        digest.update(entry.positions.tobytes() + entry.labels.tobytes())
    return digest.digest()


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def _too_few(model: LiveModel) -> tuple[str, ...]:
    missing = LEAST_CLICKS - model.n_positives
    if missing <= 0:
        return ()
    more = "one more particle" if missing == 1 else f"{missing} more particles"
    return (f"Click on {more}: until then this shows what looks alike.",)

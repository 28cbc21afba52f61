"""What can be used of the labels, and what the user is told about the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ImageSource
from napari_cryoml.features import FeatureMap
from napari_cryoml.picking.live._channels import live_key
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._label_checks import contradictions, ignored_labels, near_border
from napari_cryoml.picking.live._scale import propose_diameter

_MOST_NOTES = 3
_MOST_KEPT = 2000
_LOOKS = (3, 5, 8)
"""Numbers of labelled particles at which the diameter is looked at (again)."""


@dataclass(frozen=True, slots=True, eq=False)
class CheckedLabels:
    """Labels that can be learnt from.

    Parameters
    ----------
    labels : mapping of str to Annotations
    notes : tuple of str
        Sentences about the labels that cannot be used, or cannot be meant.
    """

    labels: Mapping[str, Annotations]
    notes: tuple[str, ...]


class LabelChecks:
    """Looks at labels before they are learnt from; remembers what has not changed."""

    def __init__(self) -> None:
        self._checked: dict[tuple[str, bytes], tuple[Annotations, tuple[str, ...]]] = {}
        self._proposed: tuple[tuple[str, int], float | None] | None = None

    def check(
        self,
        images: Mapping[str, ImageSource],
        features: Callable[[str, LiveConfig], FeatureMap],
        labels: Mapping[str, Annotations],
        config: LiveConfig,
    ) -> CheckedLabels:
        """Return the labels that can be used, and what is to be said about the others.

        Left out are labels of images that are not in the list or cannot be used, labels outside
        an image, and labels where no particle may be centred.

        Parameters
        ----------
        images : mapping of str to ImageSource
        features : callable
            Returns, or makes, the features of an image.
        labels : mapping of str to Annotations
        config : LiveConfig

        Raises
        ------
        InputError
            If there are labelled particles, and none of them can be used.
        """
        kept: dict[str, Annotations] = {}
        notes: list[str] = []
        several = sum(len(entry) > 0 for entry in labels.values()) > 1
        for name, entry in sorted(labels.items()):
            if not len(entry):
                continue
            try:
                kept[name], sentences = self._check_image(images, name, features, entry, config)
            except InputError as error:
                notes.append(f"Labels were left out: {error}")
                continue
            notes += [f"{name}: {sentence}" if several else sentence for sentence in sentences]
        kept = {name: entry for name, entry in kept.items() if len(entry)}
        if notes and not any(len(entry.positives) for entry in kept.values()):
            raise InputError(" ".join(_shortened(notes)))
        proposal = self._proposal(images, kept, config)
        return CheckedLabels(kept, (*proposal, *_shortened(notes)))

    def _check_image(
        self,
        images: Mapping[str, ImageSource],
        name: str,
        features: Callable[[str, LiveConfig], FeatureMap],
        entry: Annotations,
        config: LiveConfig,
    ) -> tuple[Annotations, tuple[str, ...]]:
        if name not in images:
            raise InputError(f"There is no image named {name!r} in the list: open it first.")
        image = images[name]
        key = live_key(image, config), _digest(entry)
        if key not in self._checked:
            self._checked[key] = check_labels(image, features(name, config), entry, config)
            while len(self._checked) > _MOST_KEPT:
                self._checked.pop(next(iter(self._checked)))
        return self._checked[key]

    def _proposal(
        self,
        images: Mapping[str, ImageSource],
        labels: Mapping[str, Annotations],
        config: LiveConfig,
    ) -> tuple[str, ...]:
        """Return a sentence if the particles of the image with most of them have another size."""
        if not labels:
            return ()
        name = min(labels, key=lambda each: (-len(labels[each].positives), each))
        image, clicks = images[name], labels[name].positives
        if len(clicks) < _LOOKS[0]:
            self._proposed = None
            return ()
        key = live_key(image, config), max(look for look in _LOOKS if look <= len(clicks))
        diameter_px = config.diameter_in(image)
        if self._proposed is None or self._proposed[0] != key:
            seen = propose_diameter(image.read(), clicks, diameter_px, seed=config.seed)
            self._proposed = key, seen
        found = self._proposed[1]
        if found is None:
            return ()
        proposed = found * config.diameter / diameter_px
        return (
            f"The labelled particles seem to be about {proposed:.2g} px wide, and the diameter is "
            f"{config.diameter:.3g} px: set it to {proposed:.2g}, unless you know better.",
        )


def check_labels(
    image: ImageSource, features: FeatureMap, labels: Annotations, config: LiveConfig
) -> tuple[Annotations, tuple[str, ...]]:
    """Return the labels of an image that can be learnt from, and sentences about them.

    Parameters
    ----------
    image : ImageSource
        Not read.
    features : FeatureMap
        Of the image.
    labels : Annotations
    config : LiveConfig

    Raises
    ------
    InputError
        If the labels have another number of axes.
    """
    if labels.positions.shape[1] != len(image.shape):
        raise InputError(
            f"The labels of {image.name!r} have {labels.positions.shape[1]} coordinates, and the "
            f"image has {len(image.shape)} axes: use labels of this image."
        )
    ignored = ignored_labels(labels, image.shape, features.mask)
    used = Annotations(labels.positions[~ignored], labels.labels[~ignored])
    sentences = (
        *near_border(labels, image.shape, features.mask),
        *contradictions(used, config.diameter_in(image)),
    )
    return used, sentences


def _digest(entry: Annotations) -> bytes:
    parts = entry.positions.tobytes() + entry.labels.tobytes()
    return hashlib.blake2b(parts, digest_size=16).digest()


def _shortened(notes: list[str]) -> list[str]:
    more = len(notes) - _MOST_NOTES
    if more <= 0:
        return notes
    rest = "is one more remark" if more == 1 else f"are {more} more remarks"
    return [*notes[:_MOST_NOTES], f"There {rest} like these."]

"""What turns one image into picks, in this process or in another one."""

from __future__ import annotations

import functools
import hashlib
import math
import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cryoml.data import ImageSource, Picks, ScoreMap
from napari_cryoml.picking._scoring import picks_from_map

if TYPE_CHECKING:
    from napari_cryoml.picking._baseline import Baseline
    from napari_cryoml.picking._config import PickerConfig
    from napari_cryoml.picking._picker import Picker


@dataclass(frozen=True, slots=True, eq=False)
class PickedImage:
    """What was found in an image.

    Parameters
    ----------
    picks : Picks
        By falling score.
    score_map : ScoreMap or None
        None where nobody wants it.
    device : str
        Where it was computed, in a user's words.
    seconds : mapping of str to float
        What parts of the work took, where it is measured.
    """

    picks: Picks
    score_map: ScoreMap | None
    device: str
    seconds: Mapping[str, float] = field(default_factory=dict)


class ImageWork(ABC):
    """Picks an image; pickled, it carries no more than another process needs to do the same."""

    @abstractmethod
    def __call__(self, image: ImageSource) -> PickedImage:
        """Return what is found in an image.

        Raises
        ------
        InputError
            If the image cannot be used.
        """

    @abstractmethod
    def digest(self) -> str:
        """Return a name of all that the picks depend on beside the image."""


@dataclass(frozen=True)
class NetworkWork(ImageWork):
    """Picks with a trained picker.

    Parameters
    ----------
    model : Path
        The file that training wrote; a worker elsewhere reads it by the same path.
    threshold : float
        Least score (log-odds) of a pick.
    device : str
    """

    model: Path
    threshold: float
    device: str = "auto"

    def __call__(self, image: ImageSource) -> PickedImage:
        """Return what the network finds in an image."""
        from napari_cryoml.training import choose_device, describe_device

        where = choose_device(self.device)
        picker = _loaded(self.model, _changed(self.model), str(where))
        score_map = picker.score(image, device=where)
        diameter, separation = picker.diameter_in(image), picker.config.separation
        picks = picks_from_map(score_map, image, diameter, separation, self.threshold)
        return PickedImage(picks, score_map, describe_device(where))

    def digest(self) -> str:
        """Return a name of the content of the model and the threshold."""
        content = hashlib.blake2b(self.model.read_bytes(), digest_size=16).hexdigest()
        return f"network {content} {self.threshold!r}"


def _changed(model: Path) -> int:
    """Return when a file was changed; 0 for one that is not there, as reading it will say."""
    return model.stat().st_mtime_ns if model.exists() else 0


@functools.lru_cache(maxsize=2)
def _loaded(model: Path, changed: int, device: str) -> Picker:
    """Return the picker of a file, read once a process as long as the file stays as it is."""
    from napari_cryoml.picking._picker import Picker

    picker = Picker.load(model)
    picker.detector.to(device)
    return picker


@dataclass(frozen=True)
class BaselineWork(ImageWork):
    """Picks without training.

    Parameters
    ----------
    baseline : Baseline
    config : PickerConfig
        Separation and expected particles.
    """

    baseline: Baseline
    config: PickerConfig

    def __call__(self, image: ImageSource) -> PickedImage:
        """Return the best peaks of an image, or those that the method itself accepts."""
        baseline, config = self.baseline, self.config
        score_map = baseline.score(image)
        if config.particles_per_image is None and baseline.least_score > -math.inf:
            least = baseline.least_score
            picks = baseline.peaks(score_map, image, config.separation, least)
        else:
            most = round(config.expected_particles(image.shape))
            picks = baseline.peaks(score_map, image, config.separation).take(slice(most))
        return PickedImage(picks, score_map, "CPU")

    def digest(self) -> str:
        """Return a name of the fitted method and the settings."""
        return f"baseline {hashlib.blake2b(pickle.dumps(self), digest_size=16).hexdigest()}"


@dataclass(frozen=True)
class WithoutMap(ImageWork):
    """The picks of another work without its score maps, which would cost the way back."""

    work: ImageWork

    def __call__(self, image: ImageSource) -> PickedImage:
        """Return the picks of an image."""
        return replace(self.work(image), score_map=None)

    def digest(self) -> str:
        """Return that of the work: the picks are the same."""
        return self.work.digest()

"""What the live picker does with one image, in this process or in another one."""

from __future__ import annotations

import hashlib
import pickle
import time
from dataclasses import dataclass, field
from pathlib import Path

from napari_cryoml.data import ImageSource
from napari_cryoml.features import FeatureCache, FeatureMap
from napari_cryoml.picking._image_work import ImageWork, PickedImage
from napari_cryoml.picking.live._channels import live_features, live_key
from napari_cryoml.picking.live._model import LiveModel


@dataclass(frozen=True)
class LiveWork(ImageWork):
    """Picks with what the live picker has learnt.

    Parameters
    ----------
    model : LiveModel
    folder : Path, optional
        Where features are kept on disk.
    cache : FeatureCache, optional
        Features at hand in this process; another process has its own.
    """

    model: LiveModel
    folder: Path | None = None
    cache: FeatureCache | None = field(default=None, compare=False)

    def __call__(self, image: ImageSource) -> PickedImage:
        """Return what the model finds in an image."""
        from napari_cryoml.training import choose_device, describe_device

        config = self.model.config
        spent: dict[str, float] = {}

        def made() -> FeatureMap:
            start = time.perf_counter()
            features = live_features(image, config)
            spent["features"] = time.perf_counter() - start
            return features

        cache = self.cache or FeatureCache(0, self.folder)
        features = cache.get_or_make(live_key(image, config), made)
        start = time.perf_counter()
        score_map, picks = self.model.pick(image, features)
        spent["score"] = time.perf_counter() - start
        where = describe_device(choose_device(config.device))
        return PickedImage(picks, score_map, where, spent)

    def digest(self) -> str:
        """Return a name of the fitted model and its settings."""
        packed = pickle.dumps(self.model)
        return f"live {hashlib.blake2b(packed, digest_size=16).hexdigest()}"

    def __reduce__(self) -> tuple[type[LiveWork], tuple[LiveModel, Path | None]]:
        """Travel without the features at hand."""
        return LiveWork, (self.model, self.folder)

"""From an image to its features: analytic channels, and learned ones beside them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ArrayImage, ImageSource
from napari_cryoml.features import FEATURES_VERSION, FeatureMap, feature_key, harmonic_channels
from napari_cryoml.models import load_encoder
from napari_cryoml.picking.live._config import LiveConfig
from napari_cryoml.picking.live._encoded import encoded, encoder_digest
from napari_cryoml.preprocess import Rescaling, usable_mask
from napari_cryoml.training import choose_device

if TYPE_CHECKING:
    import torch

_MEDIAN_POINTS = 5000


def live_key(image: ImageSource, config: LiveConfig) -> str:
    """Return the name under which the features of an image are cached."""
    return feature_key(
        image,
        version=FEATURES_VERSION,
        harmonics=config.harmonics(),
        preprocessor=config.preprocessor().to_json(),
        encoder=encoder_digest(config.ndim) if config.encoder else "",
        mask=config.mask_borders,
    )


def particle_channel(config: LiveConfig) -> int | None:
    """Return the channel that was trained to be high at any particle, if there is an encoder."""
    has_one = config.encoder and load_encoder(config.ndim) is not None
    return config.harmonics().n_channels if has_one else None


def live_features(image: ImageSource, config: LiveConfig) -> FeatureMap:
    """Compute the features of an image.

    Parameters
    ----------
    image : ImageSource
        Read once, and whole.
    config : LiveConfig

    Returns
    -------
    FeatureMap
        Harmonic features, then the channels of the encoder if there is one for this number of
        axes, on every second working pixel.

    Raises
    ------
    InputError
        If the image cannot be read, shows nothing, or has another number of axes.
    """
    if len(image.shape) != config.ndim:
        raise InputError(
            f"The live picker was set to {config.ndim}-D images, but {image.name!r} has "
            f"{len(image.shape)} axes: give it images of one kind."
        )
    read = ArrayImage(image.read(), image.name, image.pixel_size)
    preprocessor = config.preprocessor()
    with warnings.catch_warnings():
        # Another pixel size is what the user told us; the working grid makes up for it.
        warnings.filterwarnings("ignore", "(?s).*same scale", InputWarning)
        try:
            working, step = preprocessor.apply(read)
        except InputError as error:
            named = image.name in str(error)
            raise error if named else InputError(f"{image.name}: {error}") from error
    harmonics = config.harmonics()
    stride = harmonics.stride
    mask = _mask(read, config, step, stride) if config.mask_borders else None
    values = _centred_channels(working, config, mask)
    return FeatureMap(values, step.scale * stride, np.zeros(config.ndim), mask)


def _centred_channels(
    working: npt.NDArray[np.float32], config: LiveConfig, mask: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.float16]:
    """Return the channels less their medians in this image.

    Ice is thicker and defocus larger in one image than in the next: what all of an image has in
    common says nothing about its particles.
    """
    import torch

    harmonics = config.harmonics()
    encoder = load_encoder(config.ndim) if config.encoder else None
    device = choose_device(config.device)
    learned = None if encoder is None else encoded(encoder, working, device)
    n_learned = 0 if learned is None else len(learned)
    grid = tuple(-(-size // harmonics.stride) for size in working.shape)
    values = np.empty((harmonics.n_channels + n_learned, *grid), np.float16)
    radius = config.working_diameter / 2
    # One at a time: all channels of a volume in single precision would not fit into memory.
    for channel, found in harmonic_channels(working, radius, harmonics, device=device):
        values[channel] = _centred(found.cpu(), mask)
    if learned is not None:
        for channel, found in enumerate(torch.from_numpy(learned), harmonics.n_channels):
            values[channel] = _centred(found, mask)
    return values


def _centred(channel: torch.Tensor, mask: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.float16]:
    flat = channel.numpy().ravel()
    seen = flat if mask is None or not mask.any() else flat[mask.ravel()]
    middle = float(np.median(seen[:: max(len(seen) // _MEDIAN_POINTS, 1)]))
    # Torch rounds to half precision some ten times faster than numpy.
    return np.asarray((channel - middle).half().numpy())


def _mask(
    image: ArrayImage, config: LiveConfig, step: Rescaling, stride: int
) -> npt.NDArray[np.bool_]:
    usable = usable_mask(image.read(), config.diameter_in(image), step)
    return np.ascontiguousarray(usable[(slice(None, None, stride),) * usable.ndim])

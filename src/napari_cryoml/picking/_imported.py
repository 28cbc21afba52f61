"""A picker from weights that Topaz has trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from napari_cryoml import __version__
from napari_cryoml._errors import InputError
from napari_cryoml._registry import describe
from napari_cryoml.data import ImageSource
from napari_cryoml.models import DetectorConfig, NetworkOptions, import_topaz
from napari_cryoml.picking._config import PickerConfig
from napari_cryoml.picking._picker import Picker
from napari_cryoml.preprocess import Preprocessor


def picker_from_topaz(
    path: str | Path,
    *,
    trust: bool,
    diameter: float,
    downsampling: float,
    images: Sequence[ImageSource] = (),
    pixel_size: float | None = None,
    seed: int = 0,
) -> Picker:
    """Return a picker with the weights of a Topaz model.

    Parameters
    ----------
    path : path
        The `.sav` file of a model that Topaz saved.
    trust : bool
        That the file comes from somebody you trust: reading it runs whatever code is in it.
    diameter : float
        Particle diameter in pixels of the images that are to be picked.
    downsampling : float
        How many of these pixels make one pixel of the images Topaz was trained on: the factor
        given to ``topaz preprocess`` or ``topaz downsample``, if the images are the same.
    images : sequence of ImageSource, optional
        Some of the images to be picked. Their grey values are then normalised by a mixture shared
        by all, as Topaz's were; without images, each by its own percentiles.
    pixel_size : float, optional
        Angstrom per pixel, where the images do not say.
    seed : int, default 0
        Of the pixels that the mixture is fitted to.

    Returns
    -------
    Picker

    Raises
    ------
    InputError
        As `import_topaz`, or if the lengths or the images do not suit the network.
    """
    network, weights = import_topaz(path, trust=trust)
    config = _config(network, diameter, downsampling, seed, shared=bool(images))
    preprocessor = _preprocessor(images, config, pixel_size)
    detector = network.build()
    detector.load_state_dict(weights)
    summary = {"imported_from": Path(path).name, "seed": seed, "version": __version__}
    return Picker(config, detector.eval(), preprocessor, summary)


def _config(
    network: DetectorConfig, diameter: float, downsampling: float, seed: int, *, shared: bool
) -> PickerConfig:
    if not 0 < downsampling < float("inf"):
        raise InputError(
            f"The downsampling is a number above 0, as 8 for images that Topaz saw at an eighth "
            f"of their size; {downsampling:g} was given."
        )
    options = network.model_dump(include=set(NetworkOptions.model_fields))
    try:
        return PickerConfig(
            diameter=diameter,
            ndim=network.ndim,
            model=network.name,
            network=options,
            working_diameter=diameter / downsampling,
            normalisation="mixture" if shared else "percentile",
            training={"seed": seed},
        )
    except ValidationError as error:
        raise InputError(
            f"A diameter of {diameter:g} px and a downsampling of {downsampling:g} do not go "
            f"together ({describe(error)}): check both."
        ) from error


def _preprocessor(
    images: Sequence[ImageSource], config: PickerConfig, pixel_size: float | None
) -> Preprocessor:
    other = next((image for image in images if len(image.shape) != config.ndim), None)
    if other is not None:
        raise InputError(
            f"This model picks {config.ndim}-D images, but {other.name!r} has "
            f"{len(other.shape)} axes: give images of the kind it was trained on."
        )
    steps, seed = config.preprocess_config(), config.training.seed
    if not images:
        return Preprocessor(config.diameter, steps, seed, pixel_size)
    fitted = Preprocessor.fit(images, config.diameter, steps, seed)
    return replace(fitted, pixel_size=fitted.pixel_size or pixel_size)

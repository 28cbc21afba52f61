"""What follows from the diameter, in words."""

from __future__ import annotations

from napari_cryoml.picking import PickerConfig


def derived_text(config: PickerConfig, shape: tuple[int, ...], pixel_size: float | None) -> str:
    """Return what training and picking will use, one line a value.

    Parameters
    ----------
    config : PickerConfig
    shape : tuple of int
        Shape of an image in pixels.
    pixel_size : float or None
        Angstrom per pixel.
    """
    working = config.preprocess_config().working_diameter
    reduction = config.diameter / working
    field = config.detector_config().receptive_field
    lines = [
        f"Diameter: {_length(config.diameter, pixel_size)}",
        f"Image reduced {reduction:.3g} times: a particle is {working:.3g} px there",
        f"Network sees {_length(field * reduction, pixel_size)} around a place",
        f"Least distance of picks: {_length(config.separation * config.diameter, pixel_size)}",
        f"Particles expected in an image: {config.expected_particles(shape):.0f}",
    ]
    return "\n".join(lines)


def _length(pixels: float, pixel_size: float | None) -> str:
    if pixel_size:
        return f"{pixels * pixel_size:.0f} Å ({pixels:.0f} px)"
    return f"{pixels:.0f} px"

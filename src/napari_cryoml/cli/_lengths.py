"""Lengths as a user types them."""

from __future__ import annotations

from napari_cryoml._errors import InputError


def parse_length(text: str, pixel_size: float | None, what: str) -> float:
    """Return a length in pixels.

    Parameters
    ----------
    text : str
        A number of pixels, or of angstrom if it ends in ``A``.
    pixel_size : float or None
        Angstrom per pixel, where known.
    what : str
        Name of the option, for the message.

    Raises
    ------
    InputError
        If it is no positive number, or in angstrom of an unknown pixel size.
    """
    in_angstrom = text.strip().upper().endswith("A")
    digits = text.strip()[:-1] if in_angstrom else text.strip()
    try:
        length = float(digits)
    except ValueError:
        length = float("nan")
    if not 0 < length < float("inf"):
        raise InputError(
            f"{what} takes a length above 0 in pixels (108) or angstrom (180A); {text!r} was given."
        )
    if not in_angstrom:
        return length
    if not pixel_size:
        raise InputError(
            f"{what} was given in angstrom, but the images do not say one pixel size: give it in "
            "pixels, or add --pixel-size."
        )
    return length / pixel_size

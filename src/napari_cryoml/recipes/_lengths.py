"""Lengths as a user types them."""

from __future__ import annotations

from napari_cryoml._errors import InputError

_ANGSTROM = {"nm": 10.0, "a": 1.0}
_NAMES = {"nm": "nanometres", "a": "angstrom"}


def parse_length(text: str, pixel_size: float | None, what: str) -> float:
    """Return a length in pixels.

    Parameters
    ----------
    text : str
        A number of pixels, of angstrom if it ends in ``A``, of nanometres if in ``nm``.
    pixel_size : float or None
        Angstrom per pixel, where known.
    what : str
        Name of the option, for the message.

    Raises
    ------
    InputError
        If it is no positive number, or in angstrom of an unknown pixel size.
    """
    typed = text.strip().lower()
    unit = next((unit for unit in _ANGSTROM if typed.endswith(unit)), None)
    try:
        length = float(typed.removesuffix(unit or ""))
    except ValueError:
        length = float("nan")
    if not 0 < length < float("inf"):
        raise InputError(
            f"{what} takes a length above 0 in pixels (108), angstrom (180A) or nanometres (18nm); "
            f"{text!r} was given."
        )
    if unit is None:
        return length
    if not pixel_size:
        raise InputError(
            f"{what} was given in {_NAMES[unit]}, but the images do not say one pixel size: give "
            "it in pixels, or add --pixel-size."
        )
    return length * _ANGSTROM[unit] / pixel_size

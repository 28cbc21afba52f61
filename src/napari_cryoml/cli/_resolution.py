"""What commands tell of the resolution of an average."""

from __future__ import annotations

from typing import Any

from napari_cryoml.averaging import ShellCorrelation


def resolution_figures(curve: ShellCorrelation | None) -> dict[str, Any]:
    """Return the resolution of an average by the correlation of its halves.

    Parameters
    ----------
    curve : ShellCorrelation, optional
        None of an average without halves.

    Returns
    -------
    dict
        ``resolution``, a period at which the halves correlate by 0.143, or None;
        ``resolution_is_bound``, where they agree throughout, so that the resolution is finer than
        what is told; and with a curve its ``unit``.
    """
    if curve is None:
        return {"resolution": None, "resolution_is_bound": False}
    bound = curve.holds()
    return {
        "resolution": curve.finest if bound else curve.resolution(),
        "resolution_is_bound": bound,
        "unit": curve.unit,
    }

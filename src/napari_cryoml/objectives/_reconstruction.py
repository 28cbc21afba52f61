"""The reconstruction term, which regularises training with few labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def reconstruction_weight(n_labels: int) -> float:
    """Return the usual weight of the reconstruction term.

    Parameters
    ----------
    n_labels : int
        Labelled particles.

    Returns
    -------
    float
        ``10 / n_labels``: the fewer labels, the more the images themselves have to teach
        (Bepler et al. 2018, arXiv:1803.08207, "Overview").
    """
    return 10 / max(n_labels, 1)


def reconstruction_loss(images: Tensor, reconstructions: Tensor) -> Tensor:
    """Return the squared error, summed over the pixels and averaged over the crops.

    Parameters
    ----------
    images : tensor of shape (n, 1, *spatial)
        Crops; where they are larger than the reconstructions, their centres count.
    reconstructions : tensor of shape (n, 1, *size)
        What the decoder made of them.

    Returns
    -------
    tensor, a scalar
        0 (with a gradient) if n is 0.
    """
    target = images
    for axis, size in enumerate(reconstructions.shape[2:], start=2):
        target = target.narrow(axis, (images.shape[axis] - size) // 2, size)
    error = (target - reconstructions).float().square().sum()
    return error / max(len(images), 1)

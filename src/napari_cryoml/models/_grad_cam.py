"""Grad-CAM: which places of a crop spoke for a class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_cryoml.models._classifier import Classifier


def grad_cam(network: Classifier, crops: Tensor, labels: Tensor) -> Tensor:
    """Return by how much each place of some crops spoke for a class, in 2-D or 3-D.

    Each channel of the feature map is weighted by the mean gradient of the score of the class, and
    the sum is cut off at 0, drawn out linearly to the crop and divided by its maximum. The network
    works as in evaluation; its mode and the gradients of its weights are left as they are.

    Parameters
    ----------
    network : Classifier
    crops : tensor of shape (b, C, *shape)
        Normalised, on the device of the network.
    labels : tensor of shape (b,), int64
        The class to explain of each crop, predicted or not.

    Returns
    -------
    tensor of shape (b, *shape), float32
        From 0 to 1 in each crop; all 0 where no place spoke for the class.

    References
    ----------
    Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2.
    """
    with _evaluated(network), torch.inference_mode(False):
        with torch.no_grad():
            feature_map = network.feature_map(crops).float().clone()
        gradient = _gradient(network, feature_map, labels)
        weights = gradient.mean(dim=tuple(range(2, gradient.ndim)), keepdim=True)
        evidence = (weights * feature_map.detach()).sum(dim=1, keepdim=True).relu()
    return _drawn_out(evidence, crops.shape[2:])


def _gradient(network: Classifier, feature_map: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient of the score of each crop's class with respect to its feature map."""
    with torch.enable_grad():
        feature_map.requires_grad_()
        scores = network.head(network.vectors(feature_map))
        chosen = scores.gather(1, labels[:, None].to(scores.device))
        (gradient,) = torch.autograd.grad(chosen.sum(), feature_map)
    return gradient


def _drawn_out(evidence: Tensor, shape: torch.Size) -> Tensor:
    """Return maps (b, *shape), each divided by its maximum, of coarse ones (b, 1, *grid)."""
    mode = "bilinear" if len(shape) == 2 else "trilinear"
    fine = functional.interpolate(evidence, size=tuple(shape), mode=mode).squeeze(1)
    peak = fine.amax(dim=tuple(range(1, fine.ndim)), keepdim=True)
    return fine / peak.clamp(min=torch.finfo(fine.dtype).tiny)


@contextmanager
def _evaluated(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation, and each of its modules back into its mode at the end."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode

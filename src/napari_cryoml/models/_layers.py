"""The layers a detector is described with: plain data, no torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What one valid convolution does to the grid, the same on each axis."""

    kernel: int
    stride: int
    dilation: int


@dataclass(frozen=True, slots=True)
class Convolution:
    """A valid convolution, batch norm and an activation.

    Parameters
    ----------
    kernel : int
        Edge of the kernel, px.
    channels : int
        Feature channels that come out.
    stride : int
        Step between the outputs, px.
    """

    kernel: int
    channels: int
    stride: int = 1

    @property
    def steps(self) -> tuple[Step, ...]:
        """The convolutions one after the other."""
        return (Step(self.kernel, self.stride, 1),)


@dataclass(frozen=True, slots=True)
class Residual:
    """Two valid convolutions of 3 px and a shortcut past them that is cropped to fit.

    Parameters
    ----------
    hidden, channels : int
        Feature channels between the two convolutions, and that come out.
    stride, dilation : int
        Of the second convolution; the first has neither.
    """

    hidden: int
    channels: int
    stride: int = 1
    dilation: int = 1

    @property
    def steps(self) -> tuple[Step, ...]:
        """The convolutions one after the other."""
        return (Step(3, 1, 1), Step(3, self.stride, self.dilation))


Layer = Convolution | Residual


def total_stride(layers: Iterable[Layer]) -> int:
    """Return how many input pixels lie between neighbouring outputs."""
    stride = 1
    for layer in layers:
        for step in layer.steps:
            stride *= step.stride
    return stride


def receptive_field(layers: Iterable[Layer]) -> int:
    """Return the edge, in input pixels, of what one output sees."""
    edge, spacing = 1, 1
    for layer in layers:
        for step in layer.steps:
            edge += (step.kernel - 1) * step.dilation * spacing
            spacing *= step.stride
    return edge

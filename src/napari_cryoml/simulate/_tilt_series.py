"""The tilt series of a tomogram: its angles, its optics and its noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from scipy import fft

from napari_cryoml._registry import Config
from napari_cryoml.data import MissingWedge
from napari_cryoml.simulate._optics import ctf

Floats = npt.NDArray[np.float64]


class TiltSeriesConfig(Config):
    """How a tilt series is taken."""

    pixel_size: float = Field(10.0, gt=0, description="Angstrom per voxel.")
    tilt_max: float = Field(60.0, gt=0, le=90, description="Last tilt, degrees.")
    tilt_min: float | None = Field(
        None, ge=-90, lt=90, description="First tilt, degrees; the last one reversed if not given."
    )
    tilt_step: float = Field(3.0, gt=0, le=30, description="Degrees from tilt to tilt, about.")
    snr: float | None = Field(
        0.1,
        gt=0,
        description="Variance of the reconstructed particle over that of the reconstructed "
        "noise, both in the whole box; no noise if not given.",
    )
    noise_before_ctf: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the variance of the noise that comes from the specimen and goes "
        "through the lens; the rest comes from the detector.",
    )
    defocus_um: float = Field(5.0, gt=0, description="Underfocus in micrometres.")
    voltage_kv: float = Field(300.0, gt=0, description="Acceleration voltage in kilovolts.")
    cs_mm: float = Field(2.0, ge=0, description="Spherical aberration in millimetres.")
    amplitude_contrast: float = Field(
        0.07, ge=0, le=1, description="Share of amplitude contrast, 0.07 to 0.1 for ice."
    )
    ctf: bool = Field(True, description="Whether the lens has a contrast transfer function.")
    mtf: bool = Field(
        True, description="Whether the detector blurs: sinc(pi w / 2), w the share of Nyquist."
    )
    dark: bool = Field(False, description="Whether particles are dark, as in raw tomograms.")

    @model_validator(mode="after")
    def _check(self) -> TiltSeriesConfig:
        if self.low >= self.tilt_max or self.tilt_step > self.tilt_max - self.low:
            raise ValueError(
                "tilt_min must be less than tilt_max, and tilt_step no more than both are apart"
            )
        return self

    @property
    def low(self) -> float:
        """First tilt, degrees."""
        return -self.tilt_max if self.tilt_min is None else self.tilt_min

    @property
    def tilts(self) -> Floats:
        """All tilts in order, degrees; steps are stretched so that both ends are among them."""
        n_steps = max(round((self.tilt_max - self.low) / self.tilt_step), 1)
        return np.linspace(self.low, self.tilt_max, n_steps + 1)

    @property
    def wedge(self) -> MissingWedge:
        """What the tilts measure."""
        return MissingWedge(self.low, self.tilt_max)


def signal_transfer(config: TiltSeriesConfig, shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return what lens and detector do to the matter, on the frequencies of ``scipy.fft.rfft2``.

    Beyond the Nyquist frequency (the corners) nothing is kept, so that what is seen does not
    depend on how the detector is turned.

    Returns
    -------
    array of shape (y, x // 2 + 1)
        Positive at low frequencies unless `config.dark`.
    """
    return np.asarray(_lens(config, shape) * _detector(config, shape), np.float32)


def noise_transfer(config: TiltSeriesConfig, shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return the amplitude that white noise has in an image, on the frequencies of ``rfft2``.

    The noise of the specimen passes lens and detector, that of the detector only the latter; as
    both are white and independent, their powers add.
    """
    share = config.noise_before_ctf
    power = share * np.square(_lens(config, shape)) + (1 - share)
    return np.asarray(np.sqrt(power) * _detector(config, shape), np.float32)


def _lens(config: TiltSeriesConfig, shape: Sequence[int]) -> Floats:
    sign = -1.0 if config.dark else 1.0
    if not config.ctf:
        return np.full((shape[0], shape[1] // 2 + 1), sign)
    # `ctf` makes matter dark.
    return -sign * ctf(
        shape,
        config.pixel_size,
        config.defocus_um,
        voltage_kv=config.voltage_kv,
        cs_mm=config.cs_mm,
        amplitude_contrast=config.amplitude_contrast,
    )


def _detector(config: TiltSeriesConfig, shape: Sequence[int]) -> Floats:
    radius = np.hypot(fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])) / 0.5
    blur = np.sinc(radius / 2) if config.mtf else 1.0
    return np.asarray(blur * (radius <= 1), np.float64)

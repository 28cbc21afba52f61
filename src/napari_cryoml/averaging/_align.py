"""Subtomograms aligned to references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_cryoml._errors import InputError
from napari_cryoml.averaging._align_config import AlignConfig
from napari_cryoml.averaging._band import Band
from napari_cryoml.averaging._boxes import (
    checked_boxes,
    checked_references,
    standardised,
    usable,
    within_ball,
)
from napari_cryoml.averaging._mask import DEFAULT_SHARE
from napari_cryoml.averaging._rigid import Alignment, RigidPoses
from napari_cryoml.averaging._rotations import nearby_rotations, rotations_apart
from napari_cryoml.averaging._screen import Screen, pattern
from napari_cryoml.averaging._search import Places, Search
from napari_cryoml.averaging._transform import Transforms
from napari_cryoml.data import MissingWedge
from napari_cryoml.jobs import Command, Event, Job

_BANK_BYTES = 2**30

Rows = npt.NDArray[np.intp]


def align_crops(
    images: npt.ArrayLike,
    references: npt.ArrayLike,
    wedge: MissingWedge | None = None,
    config: AlignConfig | None = None,
    *,
    pixel_size: float | None = None,
    device: str = "auto",
) -> Job[Alignment]:
    """Find how each subtomogram is turned and moved, and which reference it shows: a job.

    The amplitudes of each reference in many rotations, which no shift changes, are compared with
    those of the particle where the wedge left them (Xu and Alber 2012). The likeliest rotations
    are compared again with phases, at the best shift, and the best of them are varied by smaller
    and smaller angles. Everything is divided by the noise of its shell.

    Parameters
    ----------
    images : array of shape (n, z, y, x)
        Cubes of the contrast of the references. Those with values that are no numbers, or that
        are all one value, are passed over.
    references : array of shape (k, z, y, x) or (z, y, x)
        At the voxel size of the images.
    wedge : MissingWedge, optional
        Tilts that the tomograms were reconstructed from; all by default.
    config : AlignConfig, optional
    pixel_size : float, optional
        Angstrom, for `AlignConfig.resolution`.
    device : str, default "auto"
        "cpu", "cuda", "cuda:1"; a CUDA device if there is one by default.

    Yields
    ------
    Event
        After each batch. After `Command.STOP` what was not reached has no pose.

    Returns
    -------
    Alignment

    Raises
    ------
    InputError
        If images or references are no cubes of one side, or the wedge leaves nothing to compare.

    References
    ----------
    Xu, Beck, Alber 2012, High-throughput subtomogram alignment and classification by Fourier
    space constrained fast volumetric matching, J Struct Biol 178:152.
    """
    boxes = checked_boxes(images)
    volumes = checked_references(references, boxes)
    config = AlignConfig() if config is None else config
    view = _View(boxes.shape[1], wedge, config, pixel_size, device)
    particles = _Particles(boxes, view)
    found = Alignment.unknown(len(boxes), len(volumes))
    batches = list(particles.batches())
    groups = list(view.groups(len(volumes)))
    done, total = 0, len(batches) * len(groups)
    for group in groups:
        aligners = [_Aligner(volumes[index], particles.noise, view) for index in group]
        for rows in batches:
            for index, aligner in zip(group, aligners, strict=True):
                found.update(rows, index, aligner(particles, rows))
            done += 1
            if (yield Event(done=done, total=total)) is Command.STOP:
                return found
    return found


class _View:
    """What is compared, and where: the same for all references."""

    def __init__(
        self,
        side: int,
        wedge: MissingWedge | None,
        config: AlignConfig,
        pixel_size: float | None,
        device: str,
    ) -> None:
        self.config, self.side = config, side
        self.device = compute_device(device)
        high = config.highest(side, pixel_size)
        self.band = Band(side, config.low, high, wedge, self.device)
        self.whole = Band(side, config.low, (side - 1) // 2, wedge, self.device)
        if not len(self.band):
            raise InputError(
                "Nothing is left to compare between the finest and the coarsest detail within the "
                "tilts: widen one of them."
            )
        self.rotations = self.tensor(rotations_apart(config.angular_step, config.symmetry))

    def tensor(self, array: npt.NDArray[Any]) -> torch.Tensor:
        """Return an array as single precision on the device."""
        return torch.as_tensor(np.asarray(array, np.float32), device=self.device)

    def groups(self, k: int) -> Iterator[range]:
        """Yield references whose screens fit into memory together."""
        each = 4 * len(self.rotations) * len(self.band)
        step = max(_BANK_BYTES // each, 1)
        for start in range(0, k, step):
            yield range(start, min(start + step, k))


class _Particles:
    """Images as they are compared, a batch at a time."""

    def __init__(self, boxes: npt.NDArray[Any], view: _View) -> None:
        self._boxes, self._view = boxes, view
        diameter = view.config.diameter or DEFAULT_SHARE * view.side
        self._diameter = diameter + 2 * view.config.reach(view.side)
        self._rows = np.flatnonzero(usable(boxes))
        self._spectra = torch.zeros(len(boxes), len(view.band), dtype=torch.complex64)
        bands = [view.band, view.whole] if view.config.full_size else [view.band]
        self.noise = dict.fromkeys(bands, torch.ones(1))
        self._measure(bands)

    def batches(self) -> Iterator[Rows]:
        """Yield the rows that can be aligned, a batch at a time."""
        step = self._view.config.batch
        for start in range(0, len(self._rows), step):
            yield self._rows[start : start + step]

    def spectra(self, rows: Rows, band: Band) -> torch.Tensor:
        """Return whitened spectra (b, m) of length 1."""
        known = band is self._view.band
        found = self._spectra[rows].to(band.device) if known else band.spectra(self._masked(rows))
        found = found / self.noise[band]
        return found / found.norm(dim=1, keepdim=True).clamp(min=1e-30)

    def _masked(self, rows: Rows) -> npt.NDArray[np.float32]:
        return within_ball(standardised(self._boxes[rows]), self._diameter)

    def _measure(self, bands: list[Band]) -> None:
        """Keep the spectra, and the noise of each shell: the particles are a small part of it."""
        powers = [torch.zeros(0)] * len(bands)
        for rows in self.batches():
            masked = self._masked(rows)
            for number, band in enumerate(bands):
                spectra = band.spectra(masked)
                power = band.by_shell(spectra.abs().square()).sum(dim=0)
                powers[number] = power if not powers[number].numel() else powers[number] + power
                if number == 0:
                    self._spectra[rows] = spectra.cpu()
        for band, power in zip(bands, powers, strict=True):
            if power.numel():
                level = (power / len(self._rows)).sqrt()[band.shells]
                self.noise[band] = level.clamp(min=1e-6 * float(level.max()) + 1e-30)


class _Aligner:
    """Aligns particles to one reference.

    Parameters
    ----------
    volume : array of shape (z, y, x)
    noise : mapping of Band to Tensor
    view : _View
    """

    def __init__(
        self, volume: npt.NDArray[np.float32], noise: dict[Band, torch.Tensor], view: _View
    ) -> None:
        self._view = view
        config, band = view.config, view.band
        masked = view.tensor(within_ball(volume[None], config.diameter))
        last = view.whole if config.full_size else band
        transforms = Transforms(masked, last.high)
        reach = config.reach(view.side)
        self._screen = Screen(band, transforms, 1 / noise[band], view.rotations)
        self._search = Search(band, transforms, 1 / noise[band], reach)
        self._last = Search(last, transforms, 1 / noise[last], reach)

    def __call__(self, particles: _Particles, rows: Rows) -> RigidPoses:
        """Return the poses of some rows."""
        config, band = self._view.config, self._view.band
        spectra = particles.spectra(rows, band)
        likely = self._screen.likeliest(pattern(band, spectra), config.candidates)
        places = self._search.over_shifts(spectra, likely).best(config.beams)
        degrees = config.angular_step / 2
        for _ in range(config.rounds):
            places = self._varied(self._search, spectra, places, degrees)
            degrees /= 2
        if config.full_size:
            spectra = particles.spectra(rows, self._view.whole)
            places = self._varied(self._last, spectra, places, degrees)
        best = places.best(1)
        return RigidPoses(
            best.rotations[:, 0].double().cpu().numpy(),
            best.shifts[:, 0].double().cpu().numpy(),
            best.scores[:, 0].double().cpu().numpy(),
        )

    def _varied(
        self, search: Search, spectra: torch.Tensor, places: Places, degrees: float
    ) -> Places:
        around = self._view.tensor(nearby_rotations(degrees))
        return search.around(spectra, places, around).best(1)


def compute_device(name: str) -> torch.device:
    """Return the device called `name`; "auto" passes over Apple's, which lacks what is needed."""
    from napari_cryoml.training import choose_device

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return choose_device(name)

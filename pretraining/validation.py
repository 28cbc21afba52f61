"""How well few clicks find the particles of species that were never seen."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from bank import SIZE, WORKING_DIAMETER, Bank
from scipy import fft
from sklearn.linear_model import LogisticRegression
from weights import read

from napari_cryoml.data import Picks
from napari_cryoml.evaluation import evaluate_picks
from napari_cryoml.models import load_encoder
from napari_cryoml.picking import find_peaks

Floats = npt.NDArray[np.float64]
Channels = Callable[[npt.NDArray[np.float32]], Floats]

_BANDS = {"faint (< 0.1)": (0.0, 0.1), "middle": (0.1, 0.4), "clear (> 0.4)": (0.4, 9.0)}
_RADIUS_PX = WORKING_DIAMETER / 2
_CLICKS = (10, 100)
_TWO_SPECIES, _SHARE = "two species", 0.7
_UNLABELLED = 1500
_MIRRORED_PX = 64
_PADDING = (32, 33)  # makes 320 px, which Fourier transforms like
_RINGS = (0.0, *np.repeat((0.35, 0.7, 1.05, 1.4, 2.0), 6))
_ANGLES = (0, *(0, 1, 2, 3, 4, 6) * 5)


def validate(bank: Bank, weights: Path | None, seed: int) -> dict[str, dict[str, float]]:
    """Return the mean average precision by kind of channels, number of clicks and band of SNR.

    One micrograph of each species is labelled; the others are picked. Under "two species" the
    micrographs of another species lie over them, whose particles are not looked for.
    """
    kinds: dict[str, Channels] = {"harmonics": harmonics, "encoder": encoded(weights)}
    found: dict[str, dict[str, list[float]]] = {}
    for species in range(len(bank.snr)):
        images = bank.images[species].astype(np.float32)
        other = bank.images[species - 1].astype(np.float32)
        mixed = (images + _SHARE * other) / float(np.hypot(1, _SHARE))
        band = next(b for b, (low, high) in _BANDS.items() if low <= bank.snr[species] < high)
        for column, shown in ((band, images), (_TWO_SPECIES, mixed)):
            maps = {kind: [make(image) for image in shown] for kind, make in kinds.items()}
            maps["both"] = [np.concatenate(pair) for pair in zip(*maps.values(), strict=True)]
            for kind, clicks in product(maps, _CLICKS):
                rng = np.random.default_rng([seed, species])
                precision = _average_precision(maps[kind], bank.centres[species], clicks, rng)
                row = found.setdefault(f"{kind}, {clicks} clicks", {})
                row.setdefault(column, []).append(precision)
    columns = (*_BANDS, _TWO_SPECIES)
    return {
        row: {band: round(float(np.nanmean(bands[band])), 3) for band in columns if band in bands}
        for row, bands in found.items()
    }


def _average_precision(
    maps: list[Floats], centres: npt.NDArray[np.float32], clicks: int, rng: np.random.Generator
) -> float:
    """Return the pooled precision on all micrographs but the first, which is labelled."""
    true = [c[~np.isnan(c[:, 0])].astype(np.float64) for c in centres]
    if not len(true[0]) or not any(len(c) for c in true[1:]):
        return float("nan")
    clicked = true[0][rng.permutation(len(true[0]))[:clicks]]
    clicked = clicked + rng.normal(scale=0.7, size=clicked.shape)
    score = _fit(maps[0], clicked, rng)
    picks, truth = [], []
    for number, (channels, positions) in enumerate(zip(maps[1:], true[1:], strict=True)):
        peaks, scores = find_peaks(score(channels), 0.8 * _RADIUS_PX / 2, -np.inf)
        picks.append(Picks(str(number), 2 * peaks, scores=scores))
        truth.append(Picks(str(number), positions))
    return evaluate_picks(picks, truth, 0.8 * _RADIUS_PX).pooled.average_precision


def _fit(
    channels: Floats, clicked: Floats, rng: np.random.Generator
) -> Callable[[Floats], npt.NDArray[np.float32]]:
    """Return the scores of a logistic head: clicks against a sample of all pixels."""
    grid = np.stack(np.mgrid[0:SIZE:2, 0:SIZE:2], axis=-1)
    distance = np.linalg.norm(grid[:, :, None] - clicked, axis=-1).min(axis=-1)
    rows = channels.reshape(len(channels), -1).T
    positive = rows[distance.ravel() < 2]
    unlabelled = rows[rng.choice(len(rows), _UNLABELLED, replace=False)]
    mean, deviation = unlabelled.mean(axis=0), unlabelled.std(axis=0) + 1e-6
    features = (np.concatenate([positive, unlabelled]) - mean) / deviation
    target = np.repeat([1, 0], [len(positive), _UNLABELLED])
    head = LogisticRegression(C=0.03, class_weight="balanced", max_iter=200).fit(features, target)
    weight = head.coef_[0] / deviation

    def score(channels: Floats) -> npt.NDArray[np.float32]:
        return np.tensordot(weight, channels, 1).astype(np.float32)

    return score


def encoded(weights: Path | None) -> Channels:
    """Return what makes the channels of an encoder from a working image."""
    encoder = read(weights) if weights else load_encoder(2)
    if encoder is None:
        raise SystemExit("there is no packaged encoder: name one by --weights")

    def encode(image: npt.NDArray[np.float32]) -> Floats:
        wide = np.pad(image, _MIRRORED_PX, mode="symmetric")
        with torch.inference_mode():
            channels = encoder(torch.from_numpy(wide)[None, None])[0].double().numpy()
        start, size = _MIRRORED_PX // 2, (SIZE + 1) // 2
        return np.asarray(channels[:, start : start + size, start : start + size])

    return encode


def harmonics(image: npt.NDArray[np.float32]) -> Floats:
    """Return circular-harmonic responses at stride 2: the analytic channels to compare with."""
    low, high = _PADDING
    wide = np.pad(image, ((low, high), (low, high)), mode="symmetric")
    spectrum = fft.fft2(wide)
    responses = (fft.ifft2(spectrum * kernel) for kernel in _ring_spectra(wide.shape))
    inner = slice(low, low + SIZE, 2)
    kept = []
    for response, angle in zip(responses, _ANGLES, strict=True):
        crop = response[inner, inner]
        # The first of each ring has no angle and keeps its sign.
        kept.append(np.abs(crop) if angle else crop.real)
    return np.stack(kept).astype(np.float64)


@cache
def _ring_spectra(shape: tuple[int, int]) -> list[npt.NDArray[np.complex64]]:
    """Return the Fourier transforms of the ring kernels."""
    y, x = (fft.fftfreq(size) * size for size in shape)
    radius, angle = np.hypot(y[:, None], x), np.arctan2(y[:, None], x)
    spectra = []
    for ring, order in zip(_RINGS, _ANGLES, strict=True):
        profile = np.exp(-(((radius / _RADIUS_PX - ring) / 0.23) ** 2) / 2)
        kernel = profile / profile.sum() * np.exp(1j * order * angle)
        spectra.append(fft.fft2(kernel).astype(np.complex64))
    return spectra

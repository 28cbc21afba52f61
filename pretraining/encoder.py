"""Pretrain the encoder of the live picker on simulated micrographs.

    python pretraining/encoder.py bank --bank FOLDER
    python pretraining/encoder.py train --bank FOLDER --minutes 60 --out encoder_2d.safetensors
    python pretraining/encoder.py validate --bank FOLDER --weights encoder_2d.safetensors

Everything comes from one seed; only the number of steps depends on the machine, and it is
written into the file.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bank import Bank, write_bank
from episodes import EpisodeLoss, draw_batch, draw_support
from torch import Tensor, nn
from validation import validate
from weights import read, save

from napari_cryoml import __version__
from napari_cryoml.models import Encoder, EncoderConfig

_SAVE_EVERY_S = 300
_PRINT_EVERY = 100
_EMA = 0.998
_WARM_UP = 0.02
_HEAD_RATE = 5.0


def main() -> None:
    """Run the command line."""
    options = _options()
    torch.set_num_threads(options.threads)
    if options.command == "bank":
        write_bank(options.bank, options.species, options.held_out, options.seed)
    elif options.command == "train":
        train(options)
    else:
        held_out = Bank.load(sorted(options.bank.glob("held_out_*.npz")))
        print(json.dumps(validate(held_out, options.weights, options.seed), indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=("bank", "train", "validate"))
    parser.add_argument("--bank", type=Path, required=True, help="folder of the bank")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--species", type=int, default=1600, help="species to train on")
    parser.add_argument("--held-out", type=int, default=80, help="species to validate on")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--minutes", type=float, default=60, help="length of the training")
    parser.add_argument("--batch", type=int, default=4, help="species in a step")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--width", type=int, default=EncoderConfig().width)
    parser.add_argument("--start", type=Path, help="encoder to train on; default random weights")
    parser.add_argument("--out", type=Path, default=Path("encoder_2d.safetensors"))
    parser.add_argument("--weights", type=Path, help="encoder to validate; default the packaged")
    return parser.parse_args()


@dataclass
class _Progress:
    """How far the training is, by the clock."""

    minutes: float
    started: float

    @classmethod
    def start(cls, minutes: float) -> _Progress:
        return cls(minutes, time.monotonic())

    @property
    def share(self) -> float:
        return (time.monotonic() - self.started) / (60 * self.minutes)

    def rate(self) -> float:
        """Return the learning rate in units of the highest: a ramp, then half a cosine."""
        if self.share < _WARM_UP:
            return max(self.share / _WARM_UP, 0.01)
        return 0.5 * (1 + math.cos(math.pi * min(self.share, 1.0)))


def train(options: argparse.Namespace) -> None:
    """Train an encoder and write it, and every few minutes what there is of it."""
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    bank = Bank.load(sorted(options.bank.glob("train_*.npz")))
    encoder = read(options.start) if options.start else EncoderConfig(width=options.width).build()
    encoder = encoder.train().requires_grad_(True).to(options.device)
    encoder = encoder.to(memory_format=torch.channels_last)
    loss = EpisodeLoss().to(options.device)
    average = copy.deepcopy(encoder)
    progress = _Progress.start(options.minutes)
    saved = time.monotonic()
    for step in _steps(encoder, average, loss, bank, rng, options, progress):
        if time.monotonic() - saved > _SAVE_EVERY_S:
            saved = time.monotonic()
            save(average, bank, _about(options, step, len(bank.snr)), options.out)
    save(average, bank, _about(options, step, len(bank.snr)), options.out)


def _steps(
    encoder: Encoder,
    average: Encoder,
    loss: EpisodeLoss,
    bank: Bank,
    rng: np.random.Generator,
    options: argparse.Namespace,
    progress: _Progress,
) -> Iterator[int]:
    """Train, yielding the number of each step that is done."""
    parameters = [*encoder.parameters(), *loss.parameters()]
    groups = [
        {"params": encoder.parameters(), "share": 1.0},
        {"params": loss.parameters(), "share": _HEAD_RATE, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=options.rate, weight_decay=1e-3)
    recent: list[list[float]] = []
    step = 0
    while progress.share < 1:
        for group in optimiser.param_groups:
            group["lr"] = group["share"] * options.rate * progress.rate()
        losses = _losses(encoder, loss, bank, rng, options)
        optimiser.zero_grad(set_to_none=True)
        loss.total(losses).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        step += 1
        _follow(average, encoder, min(_EMA, step / (step + 10)))
        recent.append([losses[name].item() for name in ("episodes", "any")])
        if step % _PRINT_EVERY == 0:
            _report(step, progress, recent, loss)
            recent = []
        yield step


def _losses(
    encoder: Encoder,
    loss: EpisodeLoss,
    bank: Bank,
    rng: np.random.Generator,
    options: argparse.Namespace,
) -> dict[str, Tensor]:
    batch = draw_batch(bank, options.batch, rng).to(options.device)
    support = draw_support(tuple(batch.counts.shape), rng).to(options.device)
    images = batch.images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(torch.device(options.device).type, torch.bfloat16):
        channels = encoder(images)
    losses: dict[str, Tensor] = loss(channels.float(), batch, support)
    return losses


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    for old, new in zip(average.parameters(), model.parameters(), strict=True):
        old.lerp_(new, 1 - decay)


def _report(step: int, progress: _Progress, recent: list[list[float]], loss: EpisodeLoss) -> None:
    episodes, anything = np.mean(recent, axis=0)
    head = [p.detach().cpu().numpy().round(2).tolist() for p in loss.parameters()]
    print(
        f"{time.strftime('%H:%M:%S')} step {step} ({100 * progress.share:.0f} %): "
        f"episodes {episodes:.4f}, any particle {anything:.4f}; head {head}",
        flush=True,
    )


def _about(options: argparse.Namespace, step: int, n_species: int) -> dict[str, Any]:
    """Return where an encoder comes from."""
    return {
        "written_by": __version__,
        "trained_on": f"{n_species} simulated species, 3 micrographs each; no real data",
        "started_from": None if options.start is None else options.start.name,
        "steps": step,
        "batch": options.batch,
        "minutes": options.minutes,
        "rate": options.rate,
        "seed": options.seed,
        "device": options.device,
    }


if __name__ == "__main__":
    main()

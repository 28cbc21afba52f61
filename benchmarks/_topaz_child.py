"""Answers requests inside an environment that has Topaz: a line of JSON each, in and out."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.metadata
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import topaz.commands.extract
import topaz.commands.preprocess
import topaz.commands.train
import topaz.stats
import topaz.training
import torch
from topaz.algorithms import non_maximum_suppression
from topaz.model.classifier import LinearClassifier
from topaz.model.factory import get_feature_extractor, load_model

from _peak import peak_gb

Answer = dict[str, Any]

_SCORED: dict[str, torch.nn.Module] = {}


def describe() -> Answer:
    """Return the releases and the number of threads."""
    return {
        "topaz": importlib.metadata.version("topaz-em"),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def preprocess(images: list[str], factor: int, out: str) -> Answer:
    """Reduce and normalise images, as MRC files, as the command of that name does."""
    return _command(topaz.commands.preprocess, ["-s", factor, "-o", out, *images])


def train(
    images: str,
    labels: str,
    radius: int,
    particles: float,
    updates: int,
    correct_prior: bool,
    out: str,
) -> Answer:
    """Train with the command's defaults, but one epoch of `updates`; keep the network in `out`."""
    words = ["--train-images", images, "--train-targets", labels, "--radius", radius]
    words += ["--num-particles", particles, "--epoch-size", updates, "--num-epochs", 1]
    words += ["--device", -1, "--num-workers", 0]
    words += ["--save-prefix", Path(out).with_suffix(""), "--output", Path(out).with_suffix(".log")]
    with _noted_prior() as prior, _disc_pixels() if correct_prior else contextlib.nullcontext():
        answer = _command(topaz.commands.train, words)
    saved = sorted(Path(out).parent.glob(Path(out).stem + "_epoch*.sav"))
    saved[-1].replace(out)
    return answer | prior


@contextlib.contextmanager
def _noted_prior() -> Iterator[Answer]:
    """Yield a dictionary that gets the class prior and the labelled share that training uses."""
    noted: Answer = {}
    make = topaz.training.make_training_step_method

    def note(classifier: Any, n_positive: int, labelled: float, **options: Any) -> Any:
        noted.update(prior=float(options["pi"]), labelled_share=float(labelled))
        made = make(classifier, n_positive, labelled, **options)
        noted["objective"] = type(made[0]).__name__
        return made

    with mock.patch.object(topaz.training, "make_training_step_method", note):
        yield noted


@contextlib.contextmanager
def _disc_pixels() -> Iterator[None]:
    """Count the pixels of a disc where Topaz 0.3.20 counts those of a cylinder 2r + 1 high."""
    with contextlib.ExitStack() as stack:
        for module in (topaz.stats, topaz.training):
            stack.enter_context(mock.patch.object(module, "pixels_given_radius", pixels_in_ball))
        yield


def pixels_in_ball(radius: int, dims: int = 2) -> int:
    """Return the number of pixels at most `radius` from a pixel, itself among them."""
    squares = np.arange(-radius, radius + 1) ** 2
    distances = functools.reduce(np.add.outer, [squares] * dims)
    return int((distances <= radius**2).sum())


def extract(images: list[str], model: str, radius: int, threshold: float, out: str) -> Answer:
    """Score images and write their picks, as the command of that name does."""
    words = ["-m", model, "-r", radius, "-t", threshold, "-d", -1, "-o", out, *images]
    return _command(topaz.commands.extract, words)


def _command(command: ModuleType, words: list[Any]) -> Answer:
    """Run one of Topaz's commands with the words of its command line."""
    parser = command.add_arguments(argparse.ArgumentParser())
    arguments = parser.parse_args([str(word) for word in words])
    start = time.perf_counter()
    command.main(arguments)
    return {"seconds": time.perf_counter() - start}


def make_network(name: str, out: str) -> Answer:
    """Ready a network for `score`, trained if Topaz brings it so; its weights go to `out`."""
    torch.manual_seed(0)
    pretrained = name.startswith("resnet")
    if pretrained:
        model = load_model(f"{name}_u32")
    else:
        # As the command does, whose default is not that of the function.
        model = LinearClassifier(get_feature_extractor(name, units=32, unit_scaling=2))
    torch.save(model.state_dict(), out)
    model.eval()
    model.fill()
    _SCORED["network"] = model
    return {"pretrained": pretrained}


def score(image: str, keep_graph: bool, out: str) -> Answer:
    """Score every pixel of an image at once; Topaz keeps the graph as if it were to train."""
    pixels = torch.from_numpy(np.load(image))[None, None]
    start = _clocks()
    with torch.set_grad_enabled(keep_graph):
        scores = _SCORED["network"](pixels)
        values = scores.detach()[0, 0].numpy()
    seconds = _since(start)
    np.save(out, values)
    return {"seconds": seconds, "peak_gb": peak_gb()}


def _clocks() -> list[float]:
    return [time.perf_counter(), time.process_time()]


def _since(start: list[float]) -> list[float]:
    """Return the seconds by the clock, and those of all processors together."""
    return [now - then for now, then in zip(_clocks(), start, strict=True)]


def suppress(scores: str, radius: int, threshold: float, out: str) -> Answer:
    """Find the peaks of a score map; their positions, yx, go to `out`."""
    values = np.load(scores)
    start = _clocks()
    _, positions = non_maximum_suppression(values, radius, threshold)
    seconds = _since(start)
    np.save(out, positions[:, ::-1])
    return {"seconds": seconds}


_REQUESTS: dict[str, Callable[..., Answer]] = {
    function.__name__: function
    for function in (describe, preprocess, train, extract, make_network, score, suppress)
}


def main() -> None:
    """Answer until the input ends."""
    # What Topaz prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = _REQUESTS[request.pop("request")](**request)
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

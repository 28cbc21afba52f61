"""Accuracy of Topaz and of our picker on the same files and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from _data import PickingSet, available_sets, load_set
from _record import table
from _topaz import Row, Topaz, counted, load_average, scratch_folder
from napari_cryoml.data import ImageSource, Picks
from napari_cryoml.evaluation import RECALLS, evaluate_picks
from napari_cryoml.io import open_image, write_mrc

_N_LABELS = 100
_THRESHOLD = -6.0
_PRETRAINED = "resnet8_u32"


def compare_accuracy(
    environment: Path, threads: int, updates: int, assignment: float, ours: Callable[..., Row]
) -> Iterator[Row]:
    """Yield the figures of Topaz and of our picker on the same files and labels.

    Parameters
    ----------
    environment : Path
        Of Topaz.
    threads : int
        Of each picker.
    updates : int
        Of Topaz's training.
    assignment : float
        Matching radius as a share of the particle radius.
    ours : callable
        Takes the set, the number of labels and the seed; returns our picker's figures.
    """
    import torch

    data = load_set(available_sets()[0])
    torch.set_num_threads(threads)
    common = {"threads": threads}
    yield {"picker": "napari-cryoml", **common, "load": load_average(), **ours(data, _N_LABELS, 0)}
    with scratch_folder() as folder, Topaz(environment, threads) as topaz:
        common["topaz"] = topaz.ask("describe")["topaz"]
        prepared = _Prepared(data, folder, topaz)
        for name, correct in (
            ("pretrained, not trained", None),
            ("as shipped", False),
            ("class prior corrected", True),
        ):
            trained = {} if correct is None else prepared.train(updates, correct)
            result = prepared.test(trained.pop("model", _PRETRAINED), assignment)
            row = {
                "picker": f"topaz-em, {name}",
                "start": _PRETRAINED,
                **common,
                "load": load_average(),
            }
            yield row | trained | result


class _Prepared:
    """A set as Topaz's users would prepare it, with RELION's rules for scale and radii."""

    def __init__(self, data: PickingSet, folder: Path, topaz: Topaz) -> None:
        self._data, self._folder, self._topaz = data, folder, topaz
        self._factor = max(4, round(2 * data.diameter / 71))
        self._labels = data.draw_labels(_N_LABELS, seed=0)
        self._seconds = 0.0
        self._training = self._reduce(data.training, folder / "training")
        self._testing = self._reduce(data.testing, folder / "testing")

    def _reduce(self, images: Sequence[ImageSource], out: Path) -> list[Path]:
        """Return the images as Topaz reduces and normalises them, in the same order."""
        raw = self._folder / "raw"
        raw.mkdir(exist_ok=True)
        # Names without dots: Topaz takes what follows one for a suffix.
        paths = [raw / f"image_{number:03}.mrc" for number in range(len(images))]
        for image, path in zip(images, paths, strict=True):
            write_mrc(path, np.asarray(image.read(), dtype=np.float32))
        answer = self._topaz.ask("preprocess", images=paths, factor=self._factor, out=out)
        self._seconds += answer["seconds"]
        return [out / path.name for path in paths]

    def train(self, updates: int, correct_prior: bool) -> Row:
        """Return the path of a trained network and what its training took."""
        particles = float(np.mean([len(self._data.truth[i.name]) for i in self._data.training]))
        model = self._folder / f"model_{int(correct_prior)}.sav"
        answer = self._topaz.ask(
            "train",
            images=self._training[0].parent,
            labels=self._write_labels(),
            radius=self._radius(8),
            particles=particles,
            updates=updates,
            correct_prior=correct_prior,
            out=model,
        )
        shape = [np.prod(open_image(path).shape) for path in self._training]
        return {
            "model": model,
            "steps": updates,
            "train_seconds": answer.pop("seconds"),
            "particles_per_image": particles,
            "label_radius": self._radius(8),
            "image_pixels": float(np.mean(shape)),
            **answer,
        }

    def _radius(self, divisor: int) -> int:
        return max(1, round(self._data.diameter / (divisor * self._factor)))

    def _write_labels(self) -> Path:
        """Write the labels in reduced pixels: Topaz rounds them to whole ones as it reads."""
        path = self._folder / "labels.txt"
        lines = ["image_name\tx_coord\ty_coord"]
        for image, reduced in zip(self._data.training, self._training, strict=True):
            if image.name in self._labels:
                positions = self._labels[image.name].positions / _ratio(image, reduced)
                lines += [f"{reduced.stem}\t{x}\t{y}" for y, x in positions]
        path.write_text("\n".join(lines) + "\n")
        return path

    def test(self, model: Path | str, assignment: float) -> Row:
        """Return the figures of a network on the second half of the images."""
        out = self._folder / "picks.txt"
        answer = self._topaz.ask(
            "extract",
            images=self._testing,
            model=model,
            radius=self._radius(2),
            threshold=_THRESHOLD,
            out=out,
        )
        picks = self._read_picks(out)
        radius = assignment * self._data.diameter / 2
        result = evaluate_picks(picks, self._data.test_picks(), radius).pooled
        return {
            "set": self._data.name,
            "labels": _N_LABELS,
            "seed": 0,
            "ap": result.average_precision,
            **{f"p{recall:g}": result.precision_at_recall[recall] for recall in RECALLS},
            "pick_seconds": answer["seconds"],
            "preprocess_seconds": self._seconds,
            "picks": sum(len(part.positions) for part in picks),
            "reduced_by": self._factor,
            "extraction_radius": self._radius(2),
        }

    def _read_picks(self, path: Path) -> list[Picks]:
        """Return Topaz's picks in pixels of the images."""
        rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
        picks = []
        for image, reduced in zip(self._data.testing, self._testing, strict=True):
            own = [row[1:] for row in rows if row[0] == reduced.stem]
            x, y, score = np.array(own, dtype=np.float64).reshape(-1, 3).T
            positions = np.column_stack([y, x]) * _ratio(image, reduced)
            picks.append(Picks(image.name, positions, score.astype(np.float32)))
        return picks


def _ratio(image: ImageSource, reduced: Path) -> npt.NDArray[np.float64]:
    """Return the true scale between an image and its reduced one, which Topaz rounds."""
    return np.array(image.shape) / np.array(open_image(reduced).shape)


def accuracy_table(rows: Sequence[Row]) -> str:
    """Return one row a picker."""
    header = ["picker", "start", "class prior", "updates", "AP"]
    header += [f"precision at recall {recall:g}" for recall in RECALLS]
    header += ["training", "picking"]
    body = [
        [
            row["picker"],
            row.get("start", "none"),
            f"{row['prior']:.4f}" if "prior" in row else "",
            row.get("steps", 0),
            *[f"{row[key]:.3f}" for key in ("ap", *(f"p{recall:g}" for recall in RECALLS))],
            f"{row['train_seconds']:.0f} s" if "train_seconds" in row else "",
            f"{row['pick_seconds']:.0f} s",
        ]
        for row in rows
    ]
    first, last = rows[0], rows[-1]
    text = (
        f"{first['set']}, {first['labels']} labels, {counted(first['threads'])} each. "
        f"topaz-em {last['topaz']}; its default is 10,000 updates. It starts from its pretrained "
        "network, ours from random weights, and its draws cannot be seeded. Its times go without "
        f"the {last['preprocess_seconds']:.0f} s it took to reduce and normalise all the images; "
        "ours include that."
    )
    return table(header, body) + "\n\n" + text

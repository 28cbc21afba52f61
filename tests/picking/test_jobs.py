"""The jobs of a picker, on images small enough to train in a second."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_cryoml import checkpoint
from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, ArrayImage, Picks
from napari_cryoml.evaluation import evaluate_picks
from napari_cryoml.jobs import Command, run_inline
from napari_cryoml.picking import (
    ImagePicked,
    Picker,
    PickerConfig,
    check_labels,
    pick_images,
    train_picker,
)
from napari_cryoml.training import TrainingConfig, TrainingEvent

DIAMETER = 14.0


def _blobs(seed: int, ndim: int = 2, size: int = 96, name: str = "a.mrc") -> tuple:
    """Return an image of dark balls in noise, and their centres."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(12, size - 12, 22)] * ndim, indexing="ij"), -1)
    centres = grid.reshape(-1, ndim) + rng.integers(-3, 4, (grid.size // ndim, ndim))
    axes = np.indices((size,) * ndim)
    image = rng.normal(100, 1, (size,) * ndim)
    for centre in centres:
        squares = sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True))
        image -= 4 * np.exp(-squares / (2 * (DIAMETER / 4) ** 2))
    return ArrayImage(image.astype(np.float32), name), centres.astype(float)


def _config(**options) -> PickerConfig:
    training = {"minutes": None, "steps": 40, "crops": 4, "crop_size": 64, "validate_every": 1e6}
    training |= options.pop("training", {})
    return PickerConfig(diameter=DIAMETER, training=training, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a picker trained on eight labels."""
    image, centres = _blobs(0)
    out = tmp_path_factory.mktemp("model") / "picker.safetensors"
    labels = {"a.mrc": Annotations.of_positives(centres[:8])}
    return run_inline(train_picker([image], labels, _config(), out=out))


def test_a_trained_picker_finds_the_particles_of_another_image(trained: Path) -> None:
    image, centres = _blobs(1, name="b.mrc")
    picks = Picker.load(trained).pick(image)
    truth = [Picks("b.mrc", centres)]
    assert evaluate_picks([picks], truth, DIAMETER / 3).pooled.average_precision > 0.8


def test_a_picker_survives_its_file(trained: Path, tmp_path: Path) -> None:
    picker = Picker.load(trained)
    picker.save(tmp_path / "again.safetensors")
    again = Picker.load(tmp_path / "again.safetensors")
    image, _ = _blobs(2)
    assert np.array_equal(picker.score(image).values, again.score(image).values)
    assert again.config == picker.config
    assert again.summary["positives"] == 8
    assert again.state.step == 40


@pytest.mark.parametrize("full", [False, True])
def test_grid_points_sit_on_their_pixels(trained: Path, full: bool) -> None:
    image, centres = _blobs(3)
    score_map = Picker.load(trained).score(image, full_resolution=full)
    peak = np.unravel_index(score_map.values.argmax(), score_map.values.shape)
    distance = np.linalg.norm(centres - score_map.to_image([peak]), axis=1).min()
    assert distance < 4


@pytest.mark.parametrize(
    "options",
    [
        {"objective": "pn"},
        {"objective": "nnpu"},
        {"objective": "ge_kl"},
        {"autoencoder": "auto"},
        {"training": {"sampler": "patches", "patches": 32, "labelled_patches": 4}},
        {"model": "resnet8", "working_diameter": 14, "training": {"crop_size": 80}},
        {"normalisation": "percentile"},
    ],
    ids=str,
)
def test_every_choice_trains(options: dict, tmp_path: Path) -> None:
    image, centres = _blobs(0)
    options["training"] = {"steps": 3, **options.get("training", {})}
    labels = {"a.mrc": Annotations(centres[:6], [1, 1, 1, 1, 0, 0])}
    job = train_picker([image], labels, _config(**options), out=tmp_path / "m.safetensors")
    assert len(Picker.load(run_inline(job)).pick(image)) >= 0


def test_tomograms_take_the_same_path(tmp_path: Path) -> None:
    image, centres = _blobs(0, ndim=3, size=48)
    config = _config(ndim=3, training={"steps": 2, "crops": 1, "crop_size": 40})
    labels = {"a.mrc": Annotations.of_positives(centres[:4])}
    path = run_inline(train_picker([image], labels, config, out=tmp_path / "m.safetensors"))
    picks = Picker.load(path).pick(image)
    assert picks.ndim == 3


def _events(job: Iterator) -> list:
    events = []
    run_inline(job, events.append)
    return events


def test_held_out_labels_are_said_and_measured(tmp_path: Path) -> None:
    images, labels = [], {}
    for seed, name in enumerate(["a.mrc", "b.mrc"]):
        image, centres = _blobs(seed, size=128, name=name)
        images.append(image)
        labels[name] = Annotations.of_positives(centres)
    events = _events(train_picker(images, labels, _config(), out=tmp_path / "m.safetensors"))
    training = [event for event in events if isinstance(event, TrainingEvent)]
    assert any("held out" in event.message for event in events)
    assert training[-1].validation > 0.3
    assert training[-1].device.startswith("CPU")


def test_a_preview_comes_with_each_validation(tmp_path: Path) -> None:
    image, centres = _blobs(0)
    labels = {"a.mrc": Annotations.of_positives(centres[:8])}
    config = _config(training={"steps": 3, "validate_every": 1e-9})
    job = train_picker([image], labels, config, out=tmp_path / "m.safetensors", preview=image)
    previews = [event for event in _events(job) if isinstance(event, ImagePicked)]
    assert len(previews) == 3  # one a step, the last step not twice
    assert previews[0].score_map.values.shape == (24, 24)


def test_stopping_keeps_a_picker(tmp_path: Path) -> None:
    image, centres = _blobs(0)
    labels = {"a.mrc": Annotations.of_positives(centres[:8])}
    job = train_picker([image], labels, _config(), out=tmp_path / "m.safetensors")
    steps = []
    run_inline(job, steps.append, lambda: any(isinstance(e, TrainingEvent) for e in steps))
    assert Picker.load(tmp_path / "m.safetensors").summary["steps"] < 40


def test_going_on_from_a_picker_counts_its_steps(trained: Path, tmp_path: Path) -> None:
    image, centres = _blobs(0)
    labels = {"a.mrc": Annotations.of_positives(centres[:8])}
    config = _config(training={"steps": 2})
    out = tmp_path / "m.safetensors"
    path = run_inline(train_picker([image], labels, config, out=out, start=trained))
    assert Picker.load(path).state.step == 42


def test_going_on_at_another_diameter_is_a_sentence(trained: Path, tmp_path: Path) -> None:
    image, centres = _blobs(0)
    labels = {"a.mrc": Annotations.of_positives(centres[:8])}
    config = _config().model_copy(update={"diameter": 30.0})
    job = train_picker([image], labels, config, out=tmp_path / "m.safetensors", start=trained)
    with pytest.raises(InputError, match=r"trained for particles of 14 px, but .* 30 px"):
        run_inline(job)


def test_picking_a_list_tells_of_every_image(trained: Path) -> None:
    images = [_blobs(seed, name=f"{seed}.mrc")[0] for seed in range(3)]
    events: list = []
    table = run_inline(pick_images(images, trained), events.append)
    assert [event.image for event in events] == table.images == ["0.mrc", "1.mrc", "2.mrc"]
    assert events[-1].done == events[-1].total == 3
    assert len(events[0].picks) == len(table["0.mrc"])


def test_an_image_that_cannot_be_picked_is_left_out(trained: Path) -> None:
    flat = ArrayImage(np.ones((96, 96), np.float32), "flat.mrc")
    events: list = []
    table = run_inline(pick_images([flat, _blobs(1)[0]], trained), events.append)
    assert table.images == ["a.mrc"]
    assert "Left out" in events[0].message
    with pytest.raises(InputError, match=r"flat\.mrc"):
        run_inline(pick_images([flat], trained))


def test_a_tomogram_given_to_a_2d_picker_is_a_sentence(trained: Path) -> None:
    with pytest.raises(InputError, match="trained on 2-D images"):
        Picker.load(trained).score(ArrayImage(np.zeros((9, 9, 9))))


def test_stopping_a_list_keeps_what_is_done(trained: Path) -> None:
    job = pick_images([_blobs(seed, name=f"{seed}")[0] for seed in range(3)], trained)
    next(job)
    with pytest.raises(StopIteration) as stop:
        job.send(Command.STOP)
    assert stop.value.value.images == ["0"]


@pytest.mark.parametrize(
    ("positions", "sentence"),
    [
        ([], "there are none"),
        ([[500, 500], [-40, 3]], "All 2 labels lie outside"),
        ([[20, 20]], "at least 2 labelled particles, and 1 was given"),
        ([[20, 20, 20], [9, 9, 9]], "3 coordinates and the images 2 axes"),
    ],
)
def test_labels_that_cannot_be_trained_on(positions: list, sentence: str) -> None:
    labels = {"a.mrc": Annotations.of_positives(np.array(positions))}
    with pytest.raises(InputError, match=sentence):
        check_labels([_blobs(0)[0]], labels)


def test_no_image_is_a_sentence() -> None:
    with pytest.raises(InputError, match="at least one image"):
        check_labels([], {})


def test_a_checkpoint_of_something_else_is_a_sentence(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "x.safetensors", {}, {"kind": "other"})
    with pytest.raises(InputError, match="not one of a picker"):
        Picker.load(tmp_path / "x.safetensors")


def test_events_reach_another_process_without_torch() -> None:
    code = (
        "import sys; from napari_cryoml.training import TrainingEvent, TrainingConfig; "
        "from napari_cryoml.picking import ImagePicked, PickerConfig; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_two_threads_of_a_seed_agree(tmp_path: Path) -> None:
    image, centres = _blobs(0)
    labels = {"a.mrc": Annotations.of_positives(centres[:8])}
    config = _config(training=TrainingConfig(steps=3, minutes=None).model_dump(include={"steps"}))
    maps = []
    for name in ("one", "two"):
        path = run_inline(train_picker([image], labels, config, out=tmp_path / name))
        maps.append(Picker.load(path).score(image).values)
    assert np.array_equal(*maps)


@pytest.mark.parametrize("weights", [(0, 1), (1, 0)])
def test_going_on_with_or_without_the_reconstruction(weights: tuple, tmp_path: Path) -> None:
    image, centres = _blobs(0)
    labels = {"a.mrc": Annotations.of_positives(centres[:8])}
    paths = [tmp_path / "first.safetensors", tmp_path / "second.safetensors"]
    for out, start, weight in zip(paths, [None, paths[0]], weights, strict=True):
        config = _config(autoencoder=weight, training={"steps": 2})
        run_inline(train_picker([image], labels, config, out=out, start=start))
    assert Picker.load(paths[1]).state.step == 4


def test_going_on_with_another_size_of_network_is_a_sentence(trained: Path, tmp_path: Path) -> None:
    image, centres = _blobs(0)
    labels = {"a.mrc": Annotations.of_positives(centres[:8])}
    config = _config(network={"units": 4})
    job = train_picker([image], labels, config, out=tmp_path / "m.safetensors", start=trained)
    with pytest.raises(InputError, match=r"holds a 2-D conv31 of 32 units .* of 4 units"):
        run_inline(job)


def test_an_empty_image_without_labels_is_left_out_of_the_training(tmp_path: Path) -> None:
    image, centres = _blobs(0)
    empty = ArrayImage(np.ones((96, 96), np.float32), "empty.mrc")
    labels = {"a.mrc": Annotations.of_positives(centres[:8])}
    config = _config(training={"steps": 2})
    events = _events(train_picker([empty, image], labels, config, out=tmp_path / "m"))
    assert any(event.message.startswith("Left out: empty.mrc") for event in events)
    assert Picker.load(tmp_path / "m").summary["images"] == 1


def test_an_empty_image_with_labels_is_a_sentence(tmp_path: Path) -> None:
    image, centres = _blobs(0)
    empty = ArrayImage(np.ones((96, 96), np.float32), "empty.mrc")
    labels = {name: Annotations.of_positives(centres[:8]) for name in ("a.mrc", "empty.mrc")}
    job = train_picker([image, empty], labels, _config(), out=tmp_path / "m")
    with pytest.raises(InputError, match=r"empty\.mrc"):
        run_inline(job)

"""From labelled boxes to a classifier, classes, lists of particles and vectors, by the shell."""

from pathlib import Path

import numpy as np
import pytest

from napari_cryoml.classification import PretrainedEncoder, load_classifier
from napari_cryoml.data import Picks, PicksTable
from napari_cryoml.io import read_embedding, read_picks, write_mrc, write_picks

SIDE, N = 12, 24
TINY = ["--set", "network_options.units=8", "--device", "cpu"]
QUICK = ["--epochs", 1, *TINY, "--set", "training.precision=float32"]


def cube_or_plate(kind: int) -> np.ndarray:
    box = np.zeros((SIDE,) * 3, np.float32)
    middle = slice(4, 8)
    box[(middle, middle, middle) if kind == 0 else (slice(5, 7), slice(1, 11), slice(1, 11))] = 1
    return box


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Path:
    """Return a stack of cubes and plates, of which it knows the kinds."""
    rng = np.random.default_rng(0)
    boxes = np.stack([cube_or_plate(row % 2) for row in range(N)])
    boxes += 0.1 * rng.normal(size=boxes.shape).astype(np.float32)
    path = tmp_path_factory.mktemp("boxes") / "boxes.npz"
    kinds = np.array(["cube", "plate"])[np.arange(N) % 2]
    ids = np.array([f"b{row}" for row in range(N)])
    np.savez(path, crops=boxes, ids=ids, kind=kinds, pixel_size=10.0)
    return path


@pytest.fixture(scope="module")
def tomogram(tmp_path_factory) -> tuple[Path, Path]:
    """Return a tomogram with eight particles, and the list of them."""
    folder = tmp_path_factory.mktemp("tomogram")
    grid = np.stack(np.meshgrid([8], range(10, 58, 14), [10, 30], indexing="ij"), -1)
    places = grid.reshape(-1, 3)
    volume = 0.1 * np.random.default_rng(1).normal(size=(16, 64, 40)).astype(np.float32)
    for row, place in enumerate(places):
        at = tuple(slice(p - SIDE // 2, p + SIDE // 2) for p in place)
        volume[at] += cube_or_plate(row % 2)
    write_mrc(folder / "t.mrc", volume, 10.0)
    kinds = np.array(["cube", "plate"])[np.arange(len(places)) % 2]
    picks = Picks("t.mrc", places.astype(float), pixel_size=10.0, columns={"class": kinds})
    write_picks(PicksTable.of([picks]), folder / "p.csv")
    return folder / "t.mrc", folder / "p.csv"


@pytest.fixture(scope="module")
def model(stack, tmp_path_factory) -> Path:
    """Return a classifier that the shell has trained for a moment; do not change it."""
    from napari_cryoml.cli import main

    path = tmp_path_factory.mktemp("model") / "c.safetensors"
    words = ["subtomo", "train", stack, "--class-column", "kind", "--system", "contrastive"]
    words += ["--network", "compact", "--set", "pretraining.objective=none"]
    words += ["--set", "last_layer=trained", "--out", path, *QUICK]
    assert main([str(word) for word in words]) == 0
    return path


def test_a_classifier_is_trained_and_measured(shell, stack, tmp_path):
    out = tmp_path / "c.safetensors"
    words = ["--class-column", "kind", "--system", "supervised3d", "--set", "keep=last"]
    words += ["--network", "compact", "--learning-rate", 0.01, "--batch", 8, "--seed", 1]
    said = shell("subtomo", "train", stack, *words, *QUICK, "--out", out, "--json")
    assert said.code == 0, said.err
    figures = said.json
    assert (figures["system"], figures["labels"]) == ("supervised3d", {"cube": 12, "plate": 12})
    assert (figures["held_out"], np.sum(figures["confusion"])) == (4, 4)
    assert 0 <= figures["accuracy"] <= 1
    classifier = load_classifier(out)
    system = classifier.system
    assert (system.network, system.training.batch, system.training.seed) == ("compact", 8, 1)
    assert system.training.optimizer.learning_rate == 0.01
    assert system.network_config().units == 8
    assert (classifier.pixel_size, classifier.wedge) == (10.0, None)


def test_labels_come_from_a_file_and_the_wedge_from_a_flag(shell, stack, tmp_path):
    rows = [f"b{row},{'cube' if row % 2 == 0 else 'plate'}" for row in range(12)]
    (tmp_path / "labels.csv").write_text("\n".join(["id,class", *rows]))
    words = ["--labels", tmp_path / "labels.csv", "--tilt", "-40,60", "--system", "dsrf3d"]
    out = tmp_path / "c.safetensors"
    said = shell("subtomo", "train", stack, *words, *QUICK, "--out", out, "--json")
    assert said.code == 0, said.err
    assert sum(said.json["labels"].values()) == 12
    assert (load_classifier(out).wedge.low, load_classifier(out).wedge.high) == (-40, 60)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "no column 'class' with classes; there are kind"),
        (["--class-column", "kind", "--system", "vgg"], "no system named 'vgg'"),
        (["--class-column", "kind", "--system", "moco", "--batch", "10"], "batch must divide it"),
        (["--class-column", "kind", "--system", "moco", "--set", "a=1"], "--set a: choose one of"),
        (["--class-column", "kind", "--system", "rb3d", "--epochs", "0"], "greater than or equal"),
        (["--class-column", "kind", "--tilt", "much"], "--tilt takes degrees"),
        (["--class-column", "kind", "--box", "8"], "--box cuts boxes around picks"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(shell, stack, tmp_path, words, sentence):
    said = shell("subtomo", "train", stack, *words, "--out", tmp_path / "c.safetensors", "--json")
    assert said.code == 2
    assert sentence in said.json["error"]
    assert not (tmp_path / "c.safetensors").exists()


def test_pretrained_weights_go_into_training(shell, stack, tmp_path):
    encoder, out = tmp_path / "e.safetensors", tmp_path / "c.safetensors"
    small = ["--set", "network_options.hidden=16", "--device", "cpu"]
    said = shell("subtomo", "pretrain", stack, "--epochs", 1, *small, "--out", encoder, "--json")
    assert said.code == 0, said.err
    assert (said.json["objective"], said.json["network"]) == ("simclr", "harmonic")
    words = ["--class-column", "kind", "--start-from", encoder, "--epochs", 1, "--device", "cpu"]
    said = shell("subtomo", "train", stack, *words, "--out", out, "--json")
    assert said.code == 0, said.err
    assert said.json["system"] == "contrastive"
    assert load_classifier(out).system.network_config().hidden == 16


@pytest.mark.parametrize("objective", ["moco", "simclr", "swav", "autoencoding"])
def test_each_published_pretraining_has_its_settings(shell, stack, tmp_path, objective):
    out = tmp_path / "e.safetensors"
    small = ["--set", "network_options.variant=32"] if objective != "autoencoding" else TINY[:2]
    words = ["--objective", objective, "--epochs", 1, "--device", "cpu", *small]
    said = shell("subtomo", "pretrain", stack, *words, "--out", out, "--json")
    assert said.code == 0, said.err
    encoder = PretrainedEncoder.load(out)
    assert encoder.objective == objective
    assert encoder.network.name == ("autoencoder" if objective == "autoencoding" else "rb3d")


def test_pretraining_with_labels_is_refused(shell, stack, tmp_path):
    words = ["--objective", "supervised", "--out", tmp_path / "e.safetensors"]
    said = shell("subtomo", "pretrain", stack, *words)
    assert said.code == 2
    assert "--objective takes what needs no labels" in said.sentences[-1]


def test_one_box_is_compared_with_none(shell, tmp_path):
    box = np.random.default_rng(0).normal(size=(1, 1, 8, 8, 8))
    np.savez(tmp_path / "one.npz", crops=box)
    said = shell("subtomo", "pretrain", tmp_path / "one.npz", "--out", tmp_path / "e.safetensors")
    assert said.code == 2
    assert "two at least are needed" in said.sentences[-1]


def test_boxes_of_a_stack_get_classes(shell, stack, model, tmp_path):
    out, folder = tmp_path / "classes.csv", tmp_path / "each"
    words = ["--model", model, "--out", out, "--per-class", folder]
    said = shell("subtomo", "classify", stack, *words, "--json")
    assert said.code == 0, said.err
    assert said.json["n"] == sum(said.json["classes"].values()) == N
    header, first, *_ = out.read_text().splitlines()
    assert header == "id,class,confidence,margin,probability_cube,probability_plate"
    assert first.startswith("b0,")
    files = said.json["per_class"]
    lines = sum(len(Path(path).read_text().splitlines()) - 1 for path in files.values())
    assert lines == N
    refused = shell("subtomo", "classify", stack, "--model", model, "--out", tmp_path / "c.star")
    assert refused.code == 2
    assert "no places in tomograms" in refused.sentences[-1]


def test_particles_of_a_tomogram_get_classes(shell, tomogram, model, tmp_path):
    volume, picks = tomogram
    words = ["--picks", picks, "--box", SIDE, "--model", model]
    out, folder = tmp_path / "found.star", tmp_path / "each"
    said = shell(
        "subtomo", "classify", volume, *words, "--out", out, "--per-class", folder, "--json"
    )
    assert said.code == 0, said.err
    (found,) = read_picks(out)
    assert len(found) == 8
    assert set(found.columns["class"].tolist()) <= {"cube", "plate"}
    assert (found.columns["confidence"] >= 0.5).all()
    counted = {
        name: len(read_picks(path).picks[0]) for name, path in said.json["per_class"].items()
    }
    assert counted == {name: n for name, n in said.json["classes"].items() if n}
    more = ["--out", tmp_path / "x.csv", "--least-confidence", 1, "--json"]
    said = shell("subtomo", "classify", volume, *words, *more)
    assert "less sure than asked for" in said.json["notes"][0]


def test_boxes_of_another_size_are_refused(shell, tomogram, model, tmp_path):
    volume, picks = tomogram
    words = ["--picks", picks, "--box", 10, "--model", model, "--out", tmp_path / "x.csv"]
    said = shell("subtomo", "classify", volume, *words)
    assert said.code == 2
    assert "trained on crops of 12 x 12 x 12 pixels of 10 A" in said.sentences[-1]


def test_subtomograms_become_vectors(shell, stack, model, tmp_path):
    said = shell("subtomo", "embed", stack, "--out", tmp_path / "e.parquet", "--json")
    assert said.code == 0, said.err
    assert (said.json["encoder"], said.json["n"]) == ("rotation_invariant", N)
    words = ["--model", model, "--out", tmp_path / "m.parquet", "--json"]
    assert shell("subtomo", "embed", stack, *words).json["n_features"] == 2
    said = shell("subtomo", "embed", stack, "--layer", "vectors", *words)
    assert said.json["n_features"] == 64
    embedding = read_embedding(tmp_path / "m.parquet")
    assert embedding.table["kind"].tolist() == ["cube", "plate"] * (N // 2)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--layer", "scores"], "--layer is of a model"),
        (["--encoder", "classifier"], "needs a model"),
        (["--encoder", "rings", "--model", "x"], "exclude each other"),
        (["--encoder", "eyes"], "no encoder named 'eyes'"),
    ],
)
def test_what_cannot_be_embedded_is_one_sentence(shell, stack, tmp_path, words, sentence):
    said = shell("subtomo", "embed", stack, *words, "--out", tmp_path / "e.parquet")
    assert said.code == 2
    assert sentence in said.sentences[-1]

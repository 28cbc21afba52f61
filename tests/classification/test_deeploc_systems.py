"""The systems for cells: their published settings, proteins as classes, transfer to new classes."""

import numpy as np
import pytest
from shapes import crops_of_shapes

from napari_cryoml._errors import InputError
from napari_cryoml.classification import (
    LabelledCrops,
    PretrainedEncoder,
    classify,
    load_classifier,
    systems,
    transfer,
)
from napari_cryoml.data import ArrayCrops
from napari_cryoml.jobs import run_inline
from napari_cryoml.models import classifiers

TINY = {"width": 1 / 16, "hidden": 16, "latent": 8}
QUICK = {"device": "cpu", "precision": "float32", "batch": 16, "seeds": 1}


def cells(n=30, side=16, n_classes=3, names=("protein", "marker")):
    """Return crops of two channels, the first of which shows a shape."""
    shapes = crops_of_shapes(n, side=side, ndim=2, noise=0.1, n_classes=n_classes)
    noise = np.random.default_rng(1).normal(size=shapes.array.shape).astype(np.float32)
    array = np.concatenate([shapes.array, noise], axis=1)
    proteins = np.array([f"P{row % (2 * n_classes)}" for row in range(n)])
    columns = {"class": shapes.columns["kind"], "protein": proteins}
    return ArrayCrops.of(array, columns=columns, channels=names)


def test_the_settings_of_2022():
    system = systems.create("deeploc")
    optimizer, training = system.training.optimizer, system.training
    assert (system.network, system.network_options, system.normalisation) == (
        "deeploc",
        {},
        "channel",
    )
    assert system.learning_rates == (1e-3, 6e-4, 3e-4, 1e-4, 5e-5)
    assert (system.seeds, system.keep, training.epochs, training.batch) == (3, "loss", 30, 128)
    assert (optimizer.kind, optimizer.schedule, optimizer.weight_decay) == ("adam", "constant", 0)
    assert (training.augmentation.kind, training.augmentation.turns) == ("cells", "right")
    parts = (1 - system.held_out_share) * training.validation_share, system.held_out_share
    assert parts == (pytest.approx(0.1), pytest.approx(0.1))


def test_the_settings_of_2017():
    system = systems.create("deeploc_2017").spelled_out()
    optimizer, training = system.training.optimizer, system.training
    assert (system.network, system.normalisation) == ("deeploc_2017", "percentile")
    assert (system.network_options["norm_momentum"], system.least_steps) == (0.5, 10_000)
    assert (optimizer.kind, optimizer.learning_rate, optimizer.schedule) == (
        "adam",
        0.1,
        "staircase",
    )
    assert (optimizer.stair, optimizer.stair_steps, training.batch) == (0.96, 25, 128)


def test_the_settings_of_pifia():
    system = systems.create("pifia").spelled_out()
    options, optimizer = system.network_options, system.training.optimizer
    assert (options["hidden"], options["latent"], options["dropout"]) == (128, 64, 0.02)
    assert (optimizer.learning_rate, optimizer.schedule, system.training.epochs) == (
        3e-4,
        "cosine",
        30,
    )
    assert (system.label_column, system.keep) == ("protein", "watched")


@pytest.mark.parametrize(
    ("name", "side", "column"),
    [("deeploc", 52, "class"), ("deeploc_2017", 16, "class"), ("pifia", 52, "protein")],
)
def test_each_learns_from_two_channels(name, side, column, tmp_path):
    data = LabelledCrops.of(cells(side=side), column)
    options = QUICK | {"epochs": 1, "learning_rates": (), "network_options": TINY}
    classifier = run_inline(systems.create(name, **options).fit(data))
    assert len(classifier.classes) == (6 if name == "pifia" else 3)
    images = data.crops.read([0, 1, 2])
    assert classifier.vectors(images).shape == (3, 8)
    assert (classifier.vectors(images) >= 0).all()
    classifier.save(tmp_path / "c.safetensors")
    again = load_classifier(tmp_path / "c.safetensors")
    assert np.allclose(again.predict(images), classifier.predict(images), atol=1e-5)
    assert again.system.normalisation == systems.create(name).normalisation


def test_only_the_channels_that_are_named_are_looked_at():
    crops = cells(60)
    data = LabelledCrops.of(crops, "class")
    options = QUICK | {"network": "flat", "epochs": 3, "channels": ("protein",)}
    classifier = run_inline(systems.create("deeploc", **options, learning_rate=1e-2).fit(data))
    assert (classifier.n_channels, classifier.channels) == (1, ("protein",))
    other = ArrayCrops.of(np.flip(crops.array, axis=1), channels=("marker", "protein"))
    found = [run_inline(classify(given, classifier)).probabilities for given in (crops, other)]
    assert np.array_equal(*found)
    for names, there in ((("GFP", "RFP"), "the names GFP, RFP"), (None, "no names")):
        bad = LabelledCrops.of(cells(60, names=names), "class")
        with pytest.raises(
            InputError, match=f"channels protein are to be looked at, but .* {there}"
        ):
            run_inline(systems.create("deeploc", **options).fit(bad))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the file of a DeepLoc that knows three classes."""
    path = tmp_path_factory.mktemp("trained") / "deeploc.safetensors"
    data = LabelledCrops.of(cells(60), "class")
    options = QUICK | {"epochs": 12, "network_options": TINY, "learning_rate": 3e-3}
    run_inline(systems.create("deeploc_2017", **options).fit(data)).save(path)
    return path


class Kept:
    """Keeps the vectors of a few crops before the first step and after every epoch."""

    def __init__(self, rows):
        self.rows, self.vectors = rows, []

    def __call__(self, epoch, vectors):
        self.vectors.append(vectors(self.rows))
        return {}


class TestTransfer:
    def test_it_follows_the_protocol(self, trained):
        data = LabelledCrops.of(cells(40, n_classes=2), "class")
        system = transfer(trained, data)
        assert (system.network, system.normalisation) == ("deeploc_2017", "percentile")
        options = system.network_options
        assert (options["dropout"], options["width"], options["latent"]) == (0.5, 1 / 16, 8)
        optimizer = system.training.optimizer
        assert (optimizer.kind, optimizer.learning_rate, optimizer.schedule) == (
            "adam",
            3e-3,
            "constant",
        )
        assert (system.training.epochs, system.least_steps, system.seeds) == (200, 0, 1)

    @pytest.mark.parametrize(
        ("per_class", "epochs"), [(1, 500), (10, 500), (25, 200), (50, 150), (100, 100), (101, 50)]
    )
    def test_few_labels_are_seen_more_often(self, trained, per_class, epochs):
        crops = ArrayCrops.of(np.zeros((2 * per_class, 2, 16, 16), np.float32))
        labels = np.arange(2 * per_class) % 2
        data = LabelledCrops(crops, ("a", "b"), labels, least=1)
        assert transfer(trained, data).training.epochs == epochs
        assert transfer(trained, data, epochs=3).training.epochs == 3

    def test_all_layers_go_on_from_where_they_were(self, trained):
        known = load_classifier(trained)
        data = LabelledCrops.of(cells(40, n_classes=2), "class")
        rows = np.arange(4)
        watch = Kept(rows)
        system = transfer(trained, data, epochs=2, **QUICK)
        classifier = run_inline(system.fit(data, watch))
        assert np.allclose(watch.vectors[0], known.vectors(data.crops.read(rows)), atol=1e-4)
        assert classifier.classes == ("ball", "bar")
        before = known.objective.network.state_dict()
        after = classifier.objective.network.state_dict()
        assert after["head.weight"].shape == (2, 8)
        layers = [
            name for name in before if name.endswith("weight") and not name.startswith("head")
        ]
        assert len(layers) == 20
        assert not any((before[name] == after[name]).all() for name in layers)

    def test_one_label_of_each_class_is_enough(self, trained):
        crops = cells(30, n_classes=2)
        labels = np.full(30, -1)
        labels[:2] = (0, 1)
        data = LabelledCrops(crops, ("ball", "bar"), labels, least=1)
        options = QUICK | {"epochs": 10, "augmentation": "none"}
        classifier = run_inline(transfer(trained, data, **options).fit(data))
        found = run_inline(classify(crops, classifier)).labels
        assert (found == np.arange(30) % 2).mean() > 0.8
        assert any("The accuracy is not known" in note for note in classifier.notes)

    def test_another_normalisation_is_refused(self, trained):
        data = LabelledCrops.of(cells(40, n_classes=2), "class")
        system = transfer(trained, data, normalisation="channel")
        with pytest.raises(InputError, match="normalised by 'percentile', and these are to be"):
            run_inline(system.fit(data))

    def test_other_crops_are_refused(self, trained):
        data = LabelledCrops.of(cells(40, side=20), "class")
        with pytest.raises(InputError, match="trained on crops of 16 x 16"):
            transfer(trained, data)


def test_a_rate_may_fall_in_stairs():
    from napari_cryoml.training import OptimizerConfig
    from napari_cryoml.training._optimizer import rate_share

    config = OptimizerConfig(schedule="staircase", stair=0.5, stair_steps=10, warm_up=0)
    shares = [rate_share(config, step, 0.0) for step in (0, 9, 10, 29, 30)]
    assert shares == [1, 1, 0.5, 0.25, 0.125]


def test_the_networks_of_the_systems_are_there():
    for name in ("deeploc", "deeploc_2017", "pifia"):
        assert systems.create(name).network in classifiers


def test_a_trained_one_is_an_encoder_too(trained):
    encoder = PretrainedEncoder.load(trained)
    images = cells(4).read([0, 1])
    expected = load_classifier(trained).vectors(images)
    found = encoder.vectors(images, device="cpu", precision="float32")
    assert np.allclose(found, expected, atol=1e-5)

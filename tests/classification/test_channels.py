"""Crops of several channels, through every step from training to a file and back."""

import numpy as np
import pytest
from shapes import crops_of_shapes

from napari_cryoml._errors import InputError
from napari_cryoml.classification import (
    LabelledCrops,
    PretrainedEncoder,
    classify,
    fine_tuning,
    fitting_crops,
    load_classifier,
    pretrain,
    systems,
)
from napari_cryoml.data import ArrayCrops
from napari_cryoml.jobs import run_inline

QUICK = {"precision": "float32", "device": "cpu", "batch": 16, "epochs": 1}
SYSTEMS = {
    "contrastive": {
        "network": "compact",
        "network_options": {"units": 8},
        "pretraining": {"training": {"epochs": 1}},
    },
    "autoencoding": {"network_options": {"units": 4, "hidden": 8}},
    "m2": {"network_options": {"hidden": 8}},
    "moco": {
        "network_options": {"variant": "32", "blocks": 1},
        "pretraining": {"training": {"epochs": 1}},
    },
}


def named(array, channels):
    return ArrayCrops.of(array, channels=channels)


def two_channels(n=30, ndim=2):
    """Return crops whose first channel is noise and whose second shows a shape."""
    shapes = crops_of_shapes(n, ndim=ndim, noise=0.1)
    noise = np.random.default_rng(1).normal(size=shapes.array.shape).astype(np.float32)
    crops = named(np.concatenate([noise, shapes.array], axis=1), ("marker", "protein"))
    kinds = shapes.columns["kind"].tolist()
    return LabelledCrops.of(crops, dict(zip(crops.ids.tolist(), kinds, strict=True)))


def only(data, channels):
    """Return the crops with some channels, and no names of them."""
    return ArrayCrops.of(data.crops.array[:, channels])


@pytest.fixture(scope="module")
def fitted():
    system = systems.create("few_shot", n_shells=4, degree=2, across=1)
    data = two_channels(60)
    return data, run_inline(system.fit(data))


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("name", list(SYSTEMS))
def test_a_network_takes_channels_from_training_to_a_file(name, ndim, tmp_path):
    data = two_channels(ndim=ndim)
    classifier = run_inline(systems.create(name, **QUICK | SYSTEMS[name]).fit(data))
    images = data.crops.read([0, 1, 2])
    assert (classifier.n_channels, classifier.channels) == (2, ("marker", "protein"))
    classifier.save(tmp_path / "c.safetensors")
    again = load_classifier(tmp_path / "c.safetensors")
    assert (again.n_channels, again.channels) == (2, ("marker", "protein"))
    assert np.allclose(again.predict(images), classifier.predict(images), atol=1e-5)
    if name in ("autoencoding", "m2"):
        assert classifier.reconstruct(images).shape == images.shape
    if name != "m2":
        assert classifier.attention(images, [0, 1, 2]).shape == (3, *data.crops.shape)
    with pytest.raises(InputError, match="crops of 2 channels and 12 x 12"):
        classifier.predict(images[:, :1])


def test_a_feature_system_joins_what_it_finds_in_each_channel(fitted):
    data, classifier = fitted
    images = data.crops.read(np.arange(4))
    of_both = classifier.features(images)
    of_each = [classifier.features(images[:, [channel]]) for channel in (0, 1)]
    assert np.array_equal(of_both, np.concatenate(of_each, axis=1))
    assert classifier.report.accuracy > 0.9  # of a channel that is not the first


def test_a_model_finds_its_channels_by_name(fitted):
    data, classifier = fitted
    array = data.crops.array
    turned = named(
        np.stack([array[:, 1], 0 * array[:, 0], array[:, 0]], axis=1),
        ("protein", "nucleus", "marker"),
    )
    plain = run_inline(classify(data.crops, classifier))
    found = run_inline(classify(turned, classifier))
    assert np.array_equal(found.probabilities, plain.probabilities)
    fitting = fitting_crops(turned, classifier)
    assert (fitting.n_channels, fitting.channels) == (2, ("marker", "protein"))
    assert fitting.ids.tolist() == turned.ids.tolist()


def test_without_names_their_number_counts(fitted):
    data, classifier = fitted
    assert fitting_crops(only(data, [0, 1]), classifier).n_channels == 2
    renamed = named(data.crops.array, ("RFP", "GFP"))
    assert fitting_crops(renamed, classifier) is renamed
    with pytest.raises(InputError, match=r"of 2 channels \(marker, protein\); these have 1: give"):
        fitting_crops(only(data, [1]), classifier)


def test_channels_are_rescaled_one_by_one(fitted):
    data, classifier = fitted
    fine = np.repeat(np.repeat(data.crops.array, 2, axis=2), 2, axis=3)
    about = {"pixel_size": 5.0}
    trained = run_inline(classifier.system.fit(_with_pixel_size(data, 10.0)))
    both = fitting_crops(ArrayCrops.of(fine, **about), trained).read([0, 1])
    assert both.shape == (2, 2, 12, 12)
    swapped = fitting_crops(ArrayCrops.of(fine[:, ::-1], **about), trained).read([0, 1])
    assert np.array_equal(both[:, ::-1], swapped)


def test_a_pretrained_network_remembers_channels_and_normalisation(tmp_path):
    data = two_channels()
    options = QUICK | SYSTEMS["contrastive"]
    system = systems.create("contrastive", **options, normalisation="min_max")
    path = tmp_path / "e.safetensors"
    encoder = run_inline(pretrain(data.crops, system))
    encoder.save(path)
    again = PretrainedEncoder.load(path)
    assert (again.n_channels, again.channels) == (2, ("marker", "protein"))
    assert again.normalisation == "min_max"
    images = data.crops.read([0, 1])
    assert np.allclose(again.vectors(images), encoder.vectors(images), atol=1e-5)
    assert np.allclose(again.vectors(7 * images + 3), again.vectors(images), atol=1e-3)
    fine_tuning(path, data)
    one = LabelledCrops(only(data, [1]), data.classes, data.labels)
    with pytest.raises(InputError, match="trained on crops of 2 channels"):
        fine_tuning(path, one)
    more = named(np.repeat(data.crops.array[:, :1], 3, axis=1), ("marker", "x", "protein"))
    with pytest.raises(InputError, match="channels marker, protein, and these crops have marker"):
        fine_tuning(path, LabelledCrops(more, data.classes, data.labels))
    start = systems.create("contrastive", start_from=path, normalisation="min_max", **options)
    with pytest.raises(InputError, match="pixels and 2 channels, does not fit"):
        run_inline(start.fit(one))


def _with_pixel_size(data, size):
    crops = ArrayCrops.of(data.crops.array, pixel_size=size)
    return LabelledCrops(crops, data.classes, data.labels)

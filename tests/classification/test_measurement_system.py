import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.classification import (
    LabelledCrops,
    default_system,
    load_classifier,
    systems,
    train,
)
from napari_cryoml.classification._normal_scores import NormalScores
from napari_cryoml.data import ArrayCrops
from napari_cryoml.jobs import run_inline

NAMES = ("nucleus", "border", "spots")


def proteins(n=60, seed=0, n_channels=2):
    """Return cells whose protein fills the nucleus, the border or spots, as bright as it likes."""
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    offsets = np.indices((24, 24)) - 12
    distance = np.hypot(*offsets)
    cell = distance < 9
    kinds = np.arange(n) % 3
    images = np.empty((n, n_channels, 24, 24))
    for row, kind in enumerate(kinds):
        spots = np.zeros((24, 24))
        spots[tuple(rng.integers(7, 17, (2, 4)))] = 8
        forms = [2.0 * (distance < 4), 1.0 * (cell & (distance > 6)), spots]
        shown = ndimage.gaussian_filter(forms[kind] + 0.3 * cell, 0.8)
        images[row, 0] = rng.uniform(20, 400) * shown
        images[row, 1:] = rng.uniform(100, 300) * ndimage.gaussian_filter(1.0 * cell, 1)
    images += 100 + 2 * rng.normal(size=images.shape)
    return images.astype(np.float32), kinds


def labelled(n=60, per_class=5, seed=0, **options):
    images, kinds = proteins(n, seed)
    labels = np.full(n, -1)
    for kind in range(3):
        labels[np.flatnonzero(kinds == kind)[:per_class]] = kind
    return LabelledCrops(ArrayCrops.of(images, **options), NAMES, labels), kinds


def test_five_labels_a_class_are_enough_whatever_the_brightness():
    data, _ = labelled(channels=("protein", "marker"))
    classifier = run_inline(train(data, systems.create("measurements")))
    new, truth = proteins(45, seed=1)
    chances = classifier.predict(new)
    assert (chances.argmax(axis=1) == truth).mean() > 0.9
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert classifier.report.n == 15
    assert classifier.report.accuracy > 0.8
    assert classifier.channels == ("protein", "marker")
    np.testing.assert_allclose(classifier.predict(3 * new + 50), chances, atol=0.05)


def test_a_file_gives_the_same_answers(tmp_path):
    data, _ = labelled()
    classifier = run_inline(train(data, systems.create("measurements", brightness=True)))
    classifier.save(tmp_path / "cells.safetensors")
    again = load_classifier(tmp_path / "cells.safetensors")
    new, _ = proteins(9, seed=2)
    np.testing.assert_allclose(again.predict(new), classifier.predict(new), atol=1e-5)
    assert again.system == classifier.system


def test_cells_of_several_channels_are_measured_by_default():
    assert default_system(labelled()[0]).name == "measurements"
    single = ArrayCrops.of(proteins(6)[0][:, :1])
    volumes = ArrayCrops.of(np.zeros((6, 2, 6, 6, 6), np.float32))
    labels = [0, 0, 1, 1, -1, -1]
    for crops in (single, volumes):
        assert default_system(LabelledCrops(crops, ("a", "b"), labels)).name == "few_shot"


def test_brightness_and_options_of_the_set_change_what_is_kept():
    images, _ = proteins(3)
    plain, bright = systems.create("measurements"), systems.create("measurements", brightness=True)
    few = systems.create("measurements", set_options={"groups": ["pair"]})
    widths = [system.features_of(images).shape[1] for system in (few, plain, bright)]
    assert widths[0] < widths[1] < widths[2]
    assert len({system.description() for system in (few, plain, bright)}) == 3
    assert plain.description() == systems.create("measurements", folds=3, seed=4).description()


def test_cells_that_show_nothing_get_no_class_and_do_no_harm():
    data, kinds = labelled(n=45)
    images = data.crops.array.copy()
    images[40, 0] = 7
    images[41] = np.nan
    crops = ArrayCrops.of(images)
    classifier = run_inline(
        train(LabelledCrops(crops, NAMES, data.labels), systems.create("measurements"))
    )
    chances = classifier.predict(images)
    assert np.isnan(chances[[40, 41]]).all()
    rest = np.setdiff1d(np.arange(45), [40, 41])
    assert (chances[rest].argmax(axis=1) == kinds[rest]).mean() > 0.9


def test_a_class_whose_cells_show_nothing_is_a_sentence():
    data, _ = labelled(n=30, per_class=2)
    images = data.crops.array.copy()
    images[data.labels == 1] = 3
    empty = LabelledCrops(ArrayCrops.of(images), NAMES, data.labels)
    with pytest.raises(InputError, match="'border' has no labelled crop"):
        run_inline(train(empty, systems.create("measurements")))


def test_vectors_of_a_trained_network_take_the_place_of_measurements(tmp_path):
    data, _ = labelled(n=24, per_class=4)
    network = systems.create(
        "contrastive",
        network="compact",
        network_options={"units": 8},
        epochs=1,
        precision="float32",
        device="cpu",
        pretraining={"objective": None},
        held_out_share=0,
    )
    path = tmp_path / "network.safetensors"
    run_inline(train(data, network)).save(path)
    system = systems.create("measurements", start_from=path)
    classifier = run_inline(train(data, system))
    assert classifier.predict(proteins(4)[0]).shape == (4, 3)
    with pytest.raises(InputError, match="trained on crops of 2 x 24 x 24"):
        system.features_of(np.zeros((1, 1, 24, 24), np.float32))
    path.unlink()
    with pytest.raises(InputError, match=r"network\.safetensors"):
        system.features_of(proteins(4)[0])


def test_an_unknown_set_is_a_sentence():
    with pytest.raises(InputError, match="no set of measurements named 'other'"):
        systems.create("measurements", measurement_set="other").features_of(proteins(2)[0])


def test_normal_scores_keep_the_order_and_ties_and_know_no_scale():
    rng = np.random.default_rng(0)
    given = np.column_stack([np.exp(3 * rng.normal(size=500)), rng.integers(0, 3, 500)])
    scores = NormalScores.fit(given).of(given)
    assert (np.argsort(scores[:, 0], kind="stable") == np.argsort(given[:, 0])).mean() > 0.9
    assert scores[:, 0].std() == pytest.approx(1, abs=0.1)
    assert len(np.unique(scores[:, 1].round(5))) == 3
    scaled = NormalScores.fit(1e6 * given + 3).of(1e6 * given + 3)
    np.testing.assert_allclose(scaled, scores, atol=1e-4)
    beyond = NormalScores.fit(given).of(np.array([[1e9, 99.0], [-5.0, -5.0]]))
    assert np.abs(beyond).max() < 3


@pytest.mark.slow
def test_yeast_proteins_are_told_apart_without_their_brightness(shared_data):
    """The baseline, a logistic head on spectra of most of the cells, is right for 64.7 %."""
    with np.load(shared_data / "cells/yeast/yeast_crops_64.npz", allow_pickle=False) as file:
        crops = ArrayCrops.of(file["images"])
        names, truth = np.unique(file["protein"], return_inverse=True)
    system = systems.create("measurements")
    features = system.features_of(crops.array)
    for n_labels, least in ((5, 0.53), (10, 0.6), (50, 0.7)):
        right = []
        for seed in range(3):
            rng = np.random.default_rng(seed)
            drawn = [rng.permutation(np.flatnonzero(truth == k))[:n_labels] for k in range(5)]
            given = np.full(len(truth), -1)
            given[np.concatenate(drawn)] = truth[np.concatenate(drawn)]
            data = LabelledCrops(crops, tuple(names), given)
            chances = system.fit_features(features, data).predict_features(features)
            right.append((chances.argmax(axis=1) == truth)[given < 0].mean())
        assert np.mean(right) > least

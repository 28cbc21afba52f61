"""What encoders make of crops with the help of a classifier or a pretrained network."""

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.classification import LabelledCrops, pretrain, systems
from napari_cryoml.data import ArrayCrops
from napari_cryoml.embedding import encoders, extract
from napari_cryoml.features import rotation_invariant
from napari_cryoml.jobs import run_inline

SMALL = {"network_options": {"hidden": 16}, "precision": "float32", "device": "cpu", "epochs": 1}


@pytest.fixture(scope="module")
def crops():
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(12, 1, 10, 10, 10)).astype(np.float32)
    return ArrayCrops.of(pixels, pixel_size=8.0)


@pytest.fixture(scope="module")
def files(crops, tmp_path_factory):
    """Return the file of a classifier and of a pretrained network."""
    folder = tmp_path_factory.mktemp("models")
    labels = {str(row): "abc"[row % 3] for row in range(12)}
    system = systems.create("contrastive", **SMALL, pretraining={"training": {"epochs": 1}})
    run_inline(system.fit(LabelledCrops.of(crops, labels))).save(folder / "c.safetensors")
    run_inline(pretrain(crops, system)).save(folder / "e.safetensors")
    return folder / "c.safetensors", folder / "e.safetensors"


def encode(crops, name="classifier", **options):
    return encoders.create(name, **options).build().encode(crops, np.arange(len(crops)))


def test_scores_and_vectors_of_a_classifier(files, crops):
    assert encode(crops, model=files[0]).shape == (12, 3)
    assert encode(crops, model=files[0], layer="vectors").shape == (12, 16)


def test_vectors_of_a_pretrained_network(files, crops):
    assert encode(crops, model=files[1]).shape == (12, 16)
    job = extract(crops, encoders.create("classifier", model=files[1]), batch=5)
    embedding = run_inline(job)
    assert embedding.finite.all()
    assert embedding.provenance["options"]["model"] == str(files[1])


def test_a_crop_with_gaps_has_no_vector(files, crops):
    pixels = crops.array.copy()
    pixels[3, 0, 0, 0, 0] = np.nan
    found = encode(ArrayCrops.of(pixels, pixel_size=8.0), model=files[0])
    assert np.isnan(found).all(axis=1).tolist() == [row == 3 for row in range(12)]


def test_finer_crops_are_rescaled_and_others_refused(files):
    fine = ArrayCrops.of(np.random.default_rng(0).normal(size=(2, 1, 20, 20, 20)), pixel_size=4.0)
    assert encode(fine, model=files[0]).shape == (2, 3)
    config = encoders.create("classifier", model=files[0])
    with pytest.raises(InputError, match="trained on crops of 10 x 10 x 10 pixels of 8 A"):
        config.check(ArrayCrops.of(np.zeros((2, 1, 8, 8, 8)), pixel_size=8.0))


def test_a_file_that_is_not_there_is_said(tmp_path):
    config = encoders.create("classifier", model=tmp_path / "no.safetensors")
    with pytest.raises(InputError, match="cannot be read"):
        config.state()
    with pytest.raises(InputError, match="no checkpoint"):
        config.build()


def test_invariant_vectors_are_the_features_of_each_channel():
    pixels = np.random.default_rng(0).normal(size=(3, 2, 12, 12)).astype(np.float32)
    found = encode(ArrayCrops.of(pixels), "rotation_invariant", shells=4, degree=3, across=1)
    expected = [rotation_invariant(pixels[:, channel], 4, 3, 1) for channel in range(2)]
    np.testing.assert_array_equal(found, np.concatenate(expected, axis=1))

"""Every registered encoder of crops, in 2-D and 3-D, keeps these promises."""

import numpy as np
import pytest
from scipy import ndimage

from napari_cryoml._errors import InputError
from napari_cryoml.data import ArrayCrops, ArrayImage, Picks, PicksTable
from napari_cryoml.embedding import encoders
from napari_cryoml.picking import Picker, PickerConfig
from napari_cryoml.preprocess import PickCrops, PreprocessConfig, Preprocessor

DIAMETER = 12
BOX = 15
N = 7
SHAPES = {2: (64, 60), 3: (40, 36, 38)}

OPTIONS = {"live": {"diameter": DIAMETER, "keep": False, "device": "cpu"}}
"""Options that have no default or would write to the disk of the user."""


def small_picker(folder, ndim):
    """Return the file of a picker that was never trained."""
    import torch

    torch.manual_seed(0)
    config = PickerConfig(diameter=DIAMETER, ndim=ndim, model="conv31", network={"units": 2})
    preprocess = PreprocessConfig(working_diameter=DIAMETER, normalisation="percentile")
    path = folder / f"picker_{ndim}d.safetensors"
    detector = config.detector_config().build().eval()
    Picker(config, detector, Preprocessor(DIAMETER, preprocess, 0)).save(path)
    return path


def small_classifier(folder, ndim):
    """Return the file of a classifier of crops that was hardly trained."""
    from napari_cryoml.classification import LabelledCrops, systems
    from napari_cryoml.jobs import run_inline

    pixels = np.random.default_rng(0).normal(size=(8, 1, *(BOX,) * ndim)).astype(np.float32)
    labels = {str(row): "ab"[row % 2] for row in range(8)}
    options = {"network_options": {"hidden": 16}, "precision": "float32", "device": "cpu"}
    system = systems.create(
        "contrastive", **options, epochs=1, pretraining={"objective": None}, held_out_share=0
    )
    classifier = run_inline(system.fit(LabelledCrops.of(ArrayCrops.of(pixels), labels)))
    path = folder / f"classifier_{ndim}d.safetensors"
    classifier.save(path)
    return path


@pytest.fixture(params=[2, 3], ids=["2d", "3d"])
def ndim(request):
    return request.param


@pytest.fixture(params=list(encoders))
def config(request, ndim, tmp_path):
    options = OPTIONS.get(request.param, {})
    if request.param == "detector":
        options = {"picker": small_picker(tmp_path, ndim), "device": "cpu"}
    if request.param == "classifier":
        options = {"model": small_classifier(tmp_path, ndim)}
    return encoders.create(request.param, **options)


@pytest.fixture
def crops(ndim):
    """Return crops of two images of smooth noise."""
    rng = np.random.default_rng(0)
    images, table = [], []
    for name in ("one.mrc", "two.mrc"):
        image = ndimage.gaussian_filter(rng.normal(size=SHAPES[ndim]), 1.0)
        images.append(ArrayImage((100 + 50 * image).astype(np.float32), name))
        table.append(Picks(name, rng.uniform(2, np.array(SHAPES[ndim]) - 3, (N, ndim))))
    return PickCrops(images, PicksTable.of(table), BOX)


def test_the_config_survives_json(config):
    assert type(config).model_validate_json(config.model_dump_json()) == config
    assert encoders[config.name] is type(config)
    assert all(field.description for field in type(config).model_fields.values())
    assert config.state() == config.state()


def test_vectors_are_finite_single_precision_one_a_crop(config, crops):
    config.check(crops)
    vectors = config.build().encode(crops, np.arange(2 * N))
    assert vectors.dtype == np.float32
    assert vectors.shape == (2 * N, vectors.shape[1])
    assert vectors.shape[1] > 1
    assert np.isfinite(vectors).all()


def test_different_crops_have_different_vectors(config, crops):
    vectors = config.build().encode(crops, np.arange(2 * N))
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)[~np.eye(2 * N, dtype=bool)]
    assert distances.min() > 1e-4 * np.linalg.norm(vectors, axis=1).max()


def test_the_same_crop_has_the_same_vector_whenever_it_is_made(config, crops):
    first = config.build().encode(crops, np.arange(2 * N))
    again = config.build().encode(crops, np.arange(2 * N))
    np.testing.assert_array_equal(again, first)


def test_a_vector_knows_nothing_of_the_others_of_its_batch(config, crops):
    encoder = config.build()
    rows = np.array([9, 2, 2, 13, 0])
    whole = encoder.encode(crops, np.arange(2 * N))
    np.testing.assert_allclose(encoder.encode(crops, rows), whole[rows], rtol=1e-3, atol=1e-4)
    alone = np.concatenate([encoder.encode(crops, [row]) for row in rows])
    np.testing.assert_allclose(alone, whole[rows], rtol=1e-3, atol=1e-4)


def test_no_crops_have_no_vectors(config, crops):
    assert len(config.build().encode(crops, np.empty(0, np.intp))) == 0


def test_crops_of_no_image_are_encoded_or_refused(config, crops):
    bare = ArrayCrops.of(crops.read(np.arange(2 * N)))
    try:
        config.check(bare)
    except InputError as error:
        assert config.name in str(error)
        return
    expected = config.build().encode(crops, np.arange(2 * N))
    np.testing.assert_allclose(config.build().encode(bare, np.arange(2 * N)), expected, atol=1e-5)


def smooth_crops(ndim, n=4, edge=31):
    """Return smooth crops, some more than others, that fade towards the border."""
    rng = np.random.default_rng(1)
    distance = np.sqrt(np.square(np.indices([edge] * ndim) - edge // 2).sum(axis=0))
    fade = np.exp(-((distance / (0.35 * edge)) ** 4))
    crops = [
        ndimage.gaussian_filter(rng.normal(size=[edge] * ndim), sigma) * fade
        for sigma in np.geomspace(1, 6, n)
    ]
    return np.stack([crop / crop.std() for crop in crops])[:, None].astype(np.float32)


def invariant_configs():
    configs = [
        encoders.create(name, **OPTIONS.get(name, {}))
        for name in encoders
        if name not in ("detector", "classifier")
    ]
    return [
        *[config for config in configs if config.rotation_invariant],
        encoders.create("spectrum", radial=True),
    ]


@pytest.mark.parametrize("config", invariant_configs(), ids=lambda config: config.name)
def test_what_is_said_not_to_change_with_a_turn_does_not(config, ndim):
    assert config.rotation_invariant
    pixels = smooth_crops(ndim)
    encoder, rows = config.build(), np.arange(len(pixels))
    plain = encoder.encode(ArrayCrops.of(pixels), rows)
    length = np.linalg.norm(plain, axis=1).max()
    turns = [(2, 3)] if ndim == 2 else [(2, 3), (2, 4), (3, 4)]
    for axes in turns:
        turned = encoder.encode(ArrayCrops.of(np.rot90(pixels, axes=axes)), rows)
        np.testing.assert_allclose(turned, plain, atol=1e-3)
        askew = ndimage.rotate(pixels, 31.0, axes=axes, reshape=False, order=3)
        change = np.linalg.norm(encoder.encode(ArrayCrops.of(askew), rows) - plain, axis=1)
        assert change.max() < 0.1 * length
    others = np.linalg.norm(plain - np.roll(plain, 1, axis=0), axis=1)
    assert others.min() > 0.1 * length

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.classification import LabelledCrops, load_classifier, systems, train
from napari_cryoml.classification._shared_covariance import fit_shared_covariance
from napari_cryoml.data import ArrayCrops, MissingWedge
from napari_cryoml.jobs import Command, run_inline

NAMES = ["few_shot", "rif_svm"]
SMALL = {"n_shells": 4, "degree": 3}


def _shapes(n: int, shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy balls, shells and rods by turns, the rods in two directions."""
    rng = np.random.default_rng(seed)
    offsets = np.indices(shape) - np.reshape([side // 2 for side in shape], (-1, *[1] * len(shape)))
    distance = np.linalg.norm(offsets, axis=0)
    rods = [(np.abs(offsets[axis]) < 5) & (np.abs(offsets[1 - axis]) < 2) for axis in (0, 1)]
    forms = [distance < 3, (distance > 3) & (distance < 5), *rods]
    kinds = rng.permutation(np.arange(n) % 3)
    turned = rng.random(n) < 0.5
    images = np.stack(
        [forms[3 if kind == 2 and turn else kind] for kind, turn in zip(kinds, turned, strict=True)]
    )
    noisy = images + 0.3 * rng.normal(size=images.shape)
    return noisy[:, None].astype(np.float32), kinds


def _data(
    shape: tuple[int, ...], labelled: int = 5, n: int = 60
) -> tuple[LabelledCrops, np.ndarray]:
    images, kinds = _shapes(n, shape)
    labels = np.full(n, -1)
    for kind in range(3):
        rows = np.flatnonzero(kinds == kind)[:labelled]
        labels[rows] = kind
    crops = ArrayCrops.of(images, pixel_size=10.0)
    return LabelledCrops(crops, ("ball", "shell", "rod"), labels, MissingWedge()), kinds


@pytest.mark.parametrize("shape", [(14, 15), (12, 13, 12)])
@pytest.mark.parametrize("name", NAMES)
def test_five_labels_a_class_are_enough(name: str, shape: tuple[int, ...]) -> None:
    data, _ = _data(shape)
    classifier = run_inline(train(data, systems.create(name, **SMALL)))
    new, truth = _shapes(30, shape, seed=1)
    chances = classifier.predict(new)
    assert chances.shape == (30, 3)
    assert chances.dtype == np.float32
    assert np.allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert (chances.argmax(axis=1) == truth).mean() > 0.9
    assert classifier.report.n == 15
    assert classifier.report.accuracy > 0.8
    assert (classifier.shape, classifier.pixel_size) == (shape, 10.0)
    assert classifier.wedge == MissingWedge()
    n_pairs = 5 if name == "few_shot" else 0  # of four shells, two apart at most
    assert classifier.features(new).shape == (30, 16 + 3 * n_pairs)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_gives_the_same_answers(name: str, tmp_path) -> None:
    data, _ = _data((12, 12, 12))
    classifier = run_inline(train(data, systems.create(name, **SMALL)))
    classifier.save(tmp_path / "classifier.safetensors")
    again = load_classifier(tmp_path / "classifier.safetensors")
    new, _ = _shapes(12, (12, 12, 12), seed=2)
    assert np.allclose(again.predict(new), classifier.predict(new), atol=1e-6)
    assert again.system == classifier.system
    assert again.classes == classifier.classes
    assert again.temperature == pytest.approx(classifier.temperature)
    assert np.array_equal(again.report.confusion, classifier.report.confusion)


@pytest.mark.parametrize("name", NAMES)
def test_tensors_of_another_system_are_a_sentence(name: str) -> None:
    with pytest.raises(InputError, match=f"no head of the system '{name}'"):
        systems.create(name).restore({}, {})


@pytest.mark.parametrize("name", NAMES)
def test_features_that_are_kept_give_the_same_classifier(name: str) -> None:
    data, _ = _data((12, 12, 12))
    system = systems.create(name, **SMALL)
    features = system.features_of(data.crops.read(np.arange(60)))
    kept = system.fit_features(features, data)
    trained = run_inline(train(data, system))
    new, _ = _shapes(9, (12, 12, 12), seed=3)
    assert np.allclose(kept.predict(new), trained.predict(new), atol=1e-5)
    assert np.allclose(kept.predict_features(system.features_of(new)), kept.predict(new))


@pytest.mark.parametrize("name", NAMES)
def test_two_labels_a_class_are_fitted_and_called_few(name: str) -> None:
    data, _ = _data((12, 12), labelled=2)
    classifier = run_inline(train(data, systems.create(name, **SMALL)))
    assert classifier.report.n == 6
    assert classifier.temperature == 1.0
    assert "6 labels only" in classifier.notes[0]


@pytest.mark.parametrize("name", NAMES)
def test_two_classes_are_as_good_as_many(name: str) -> None:
    images, kinds = _shapes(40, (12, 12, 12))
    some = kinds < 2
    crops = ArrayCrops.of(images[some])
    labels = kinds[some].copy()
    labels[16:] = -1
    data = LabelledCrops(crops, ("ball", "shell"), labels)
    chances = run_inline(train(data, systems.create(name, **SMALL))).predict(images[some][16:])
    assert (chances.argmax(axis=1) == kinds[some][16:]).mean() > 0.9


def test_crops_without_a_label_help() -> None:
    """Three labels each place two clouds badly among twenty features, four of which differ."""
    alone, helped = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = np.arange(400) % 2
        rows = rng.normal(size=(400, 20)).astype(np.float32)
        rows[:, :4] += 2 * truth[:, None]
        labels = np.where(np.arange(400) < 6, truth, -1)
        for found, known in ((alone, labels >= 0), (helped, slice(None))):
            head = fit_shared_covariance(rows[known], labels[known], 2, 0)
            found.append((head.scores(rows).argmax(axis=1) == truth).mean())
    assert np.mean(helped) > 0.95 > 0.85 > np.mean(alone)


def test_features_that_do_not_vary_do_no_harm() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    rows[:, 1] = 7
    rows[10:, 0] += 10
    labels = np.arange(20) // 10
    scores = fit_shared_covariance(rows, labels, 2, 0).scores(rows)
    assert np.isfinite(scores).all()
    assert (scores.argmax(axis=1) == labels).all()


def test_a_stop_leaves_out_crops_without_a_label() -> None:
    data, _ = _data((10, 10), n=300)
    job = train(data, systems.create("few_shot", **SMALL))
    first = next(job)
    assert first.total == 300
    with pytest.raises(StopIteration) as stop:
        job.send(Command.STOP)
    assert stop.value.value.report.n == 15


def test_the_published_system_reads_labelled_crops_alone() -> None:
    data, _ = _data((10, 10), n=90)
    events = list(train(data, systems.create("rif_svm", **SMALL)))
    assert events[-1].total == 15


@pytest.mark.parametrize("name", NAMES)
def test_there_is_nothing_to_look_at(name: str) -> None:
    data, _ = _data((10, 10))
    classifier = run_inline(train(data, systems.create(name, **SMALL)))
    with pytest.raises(InputError, match="no feature map"):
        classifier.attention(np.zeros((1, 1, 10, 10), np.float32), [0])
    with pytest.raises(InputError, match="no decoder"):
        classifier.reconstruct(np.zeros((1, 1, 10, 10), np.float32))


def test_crops_with_gaps_have_an_answer() -> None:
    data, _ = _data((10, 10))
    classifier = run_inline(train(data, systems.create("few_shot", **SMALL)))
    odd = np.zeros((2, 1, 10, 10), np.float32)
    odd[0, 0, 3, 3] = np.nan
    assert np.isfinite(classifier.predict(odd)).all()
    assert np.isnan(classifier.predict_features(np.full((1, 16), np.nan, np.float32))).all()


def test_what_cannot_be_trained_on_is_a_sentence() -> None:
    data, _ = _data((10, 10))
    system = systems.create("few_shot", **SMALL)
    features = system.features_of(data.crops.read(np.arange(60)))
    features[data.labels == 1] = np.nan
    with pytest.raises(InputError, match="'shell' has no labelled crop"):
        system.fit_features(features, data)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 8)])
@pytest.mark.parametrize("name", NAMES)
def test_a_crop_without_a_finite_pixel_teaches_nothing(name, shape) -> None:
    data, _ = _data(shape, 3, 12)
    blank = np.flatnonzero(data.labels == 1)[0]
    data.crops.array[blank] = np.nan
    system = systems.create(name, **SMALL)
    classifier = run_inline(train(data, system))
    assert classifier.held_out[blank] == -1
    assert np.isnan(classifier.predict(data.crops.read([blank]))).all()

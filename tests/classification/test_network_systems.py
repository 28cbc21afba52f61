import json
from dataclasses import replace

import numpy as np
import pytest
from shapes import labelled_shapes

from napari_cryoml._errors import InputError
from napari_cryoml.classification import (
    NetworkSystem,
    PretrainedEncoder,
    load_classifier,
    pretrain,
    systems,
)
from napari_cryoml.classification._label_split import Split
from napari_cryoml.classification._shared_covariance import fit_shared_covariance
from napari_cryoml.jobs import Command, run_inline
from napari_cryoml.models import classifiers
from napari_cryoml.objectives import crop_objectives
from napari_cryoml.training import CropSampler

NETWORK_SYSTEMS = [name for name in systems if issubclass(systems[name], NetworkSystem)]

SMALL = {
    "inception3d": {"units": 2},
    "dsrf3d": {"units": 2, "hidden": 8},
    "dsrf3d_v2": {"units": 2},
    "cb3d": {"units": 2, "hidden": 8},
    "rb3d": {"variant": "32", "blocks": 1},
    "autoencoder": {"units": 4},
    "compact": {"units": 8},
    "flat": {"hidden": 16},
    "harmonic": {"rings": 3, "degree": 2, "mixtures": 4, "hidden": 16},
    "paired_inpainting": {"width": 1 / 16},
    "deeploc": {"width": 1 / 16, "hidden": 16, "latent": 8},
    "deeploc_2017": {"width": 1 / 16, "hidden": 16, "latent": 8},
}
QUICK = {"precision": "float32", "device": "cpu", "batch": 16}


def small(name, **options):
    """Return a system whose network and training take a moment."""
    network = options.get("network", systems[name]().network)
    group = {"training": {"epochs": 1}}
    pretraining = group | options.pop("pretraining", {})
    known = {"network_options": SMALL[network], "epochs": 1, "pretraining": pretraining}
    return systems.create(name, **QUICK | known | options)


def side_for(network):
    """Return a side of crops that a network can be built for."""
    return max(12, classifiers[network]().least_side)


def steps_of(job):
    """Return the result of a job and its events."""
    events = []
    return run_inline(job, events.append), events


def every_system():
    """Yield each system in 2-D and 3-D; those that need large boxes take long in 3-D."""
    for name in NETWORK_SYSTEMS:
        yield pytest.param(name, 2, id=f"{name}-2")
        large = side_for(systems[name]().network) > 40
        yield pytest.param(name, 3, id=f"{name}-3", marks=[pytest.mark.slow] * large)


@pytest.mark.parametrize(("name", "ndim"), list(every_system()))
def test_each_system_trains_and_is_the_same_from_a_file(name, ndim, tmp_path):
    data = labelled_shapes(30, 6, ndim=ndim, side=side_for(systems[name]().network))
    system = small(name)
    classifier, events = steps_of(system.fit(data))
    assert classifier.report.n == round(30 * system.held_out_share)
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert events[-1].done == events[-1].total
    images = data.crops.read(np.arange(5))
    chances = classifier.predict(images)
    assert chances.shape == (5, 3)
    assert np.allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert classifier.features(images).shape == (5, 3)
    classifier.save(tmp_path / "c.safetensors")
    again = load_classifier(tmp_path / "c.safetensors")
    assert again.system == classifier.system
    assert np.allclose(again.predict(images), chances, atol=1e-5)
    assert np.allclose(again.vectors(images), classifier.vectors(images), atol=1e-4)


@pytest.mark.parametrize("name", NETWORK_SYSTEMS)
def test_each_system_is_made_of_options_with_descriptions(name):
    system = systems[name]()
    assert type(system).model_validate_json(system.model_dump_json()) == system
    nested = ("pretraining", "training")
    fields = type(system).model_fields.items()
    assert all(field.description for key, field in fields if key not in nested)
    assert system.published or name == "contrastive"


def test_published_settings():
    seed_1 = systems.create("dsrf3d").training
    descent = seed_1.optimizer
    assert (seed_1.epochs, seed_1.batch, seed_1.augmentation.kind) == (20, 64, "none")
    assert (descent.kind, descent.learning_rate, descent.momentum) == ("sgd", 0.01, 0.9)
    assert (descent.nesterov, descent.schedule, descent.decay) == (True, "inverse_time", 1e-6)
    moco = systems.create("moco")
    first, second = moco.pretraining.training, moco.training
    assert (moco.network, moco.pretraining.objective) == ("rb3d", "moco")
    assert (first.epochs, first.batch, first.augmentation.kind) == (200, 16, "paper")
    assert (first.optimizer.kind, first.optimizer.learning_rate) == ("adam", 1e-4)
    assert (second.epochs, second.optimizer.kind, second.optimizer.learning_rate) == (
        50,
        "sgd",
        5e-4,
    )
    assert (second.optimizer.schedule, moco.keep) == ("cosine", "accuracy")
    seed_3 = systems.create("autoencoding")
    adam = seed_3.training.optimizer
    assert (adam.kind, adam.learning_rate, adam.betas) == ("adam", 1e-4, (0.9, 0.99))
    assert (seed_3.training.epochs, seed_3.training.validation_share) == (100, 0.1)
    assert systems.create("cascade").pretraining.objective_config().beta == 0


def test_short_words_and_parts_of_groups_leave_the_rest():
    system = systems.create("moco", epochs=3, minutes=10, seed=7, training={"patience": 2})
    assert (system.training.epochs, system.training.patience, system.training.batch) == (3, 2, 16)
    assert system.training.optimizer == systems.create("moco").training.optimizer
    assert (system.pretraining.training.minutes, system.training.minutes) == (6, 4)
    assert (system.pretraining.training.seed, system.training.seed) == (7, 7)
    assert systems.create("dsrf3d", minutes=10).training.minutes == 10
    assert systems.create("moco", learning_rate=0.5).training.optimizer.learning_rate == 0.5
    assert systems.create("moco", augmentation="full").training.augmentation.kind == "full"


def test_few_crops_are_drawn_more_often_unless_epochs_are_asked_for():
    data = labelled_shapes(ndim=2)
    usual = systems.create("contrastive")
    assert (usual.least_steps, usual.pretraining.least_steps) == (300, 1500)
    asked = systems.create("contrastive", epochs=3, pretraining={"training": {"epochs": 2}})
    assert (asked.least_steps, asked.pretraining.least_steps) == (0, 0)
    assert type(usual).model_validate(usual.model_dump()) == usual
    _, events = steps_of(small("contrastive", least_steps=7, held_out_share=0).fit(data))
    assert events[-1].step == 8  # of 2 an epoch


def test_options_of_another_network_are_not_taken_over():
    data = {"network": "compact", "network_options": {"units": 16}}
    system = systems.create("contrastive", **data)
    assert system.network_config().units == 16
    other = systems.create("cascade", pretraining={"objective": "moco"})
    assert other.pretraining.objective_config() == crop_objectives.create("moco")
    assert system.spelled_out().network_options["dropout"] == 0.1
    assert json.loads(system.spelled_out().model_dump_json())["objective_options"]


@pytest.mark.parametrize("network", list(classifiers))
@pytest.mark.parametrize("objective", list(crop_objectives))
def test_any_network_goes_with_any_objective(network, objective):
    data = labelled_shapes(16, 4, ndim=2, n_classes=2, side=side_for(network))
    learns = crop_objectives[objective].uses_labels
    words = {"objective": objective} if learns else {"pretraining": {"objective": objective}}
    system = small("supervised3d", network=network, held_out_share=0, keep="last", **words)
    classifier, _ = steps_of(system.fit(data))
    assert np.isfinite(classifier.predict(data.crops.read([0, 1]))).all()


@pytest.mark.parametrize("network", ["harmonic", "compact"])
@pytest.mark.parametrize(
    "words",
    [
        {"pretraining": {"objective": "moco"}},
        {"pretraining": {"objective": "swav"}},
        {"objective": "self_training"},
        {"objective": "autoencoding"},
    ],
    ids=lambda words: str(next(iter(words.values()))),
)
def test_kept_variations_go_with_any_objective(network, words):
    system = small("contrastive", network=network, held_out_share=0, **words)
    assert system.training.augmentation.copies == 6
    data = labelled_shapes(16, 4, ndim=2, n_classes=2)
    classifier, _ = steps_of(system.fit(data))
    assert np.isfinite(classifier.predict(data.crops.read([0, 1]))).all()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"network": "vgg"}, "no network named 'vgg': choose one of"),
        ({"objective": "moco"}, "moco learns nothing from labels"),
        ({"network_options": {"unit": 3}}, "network 'harmonic': unit: Extra inputs"),
        ({"pretraining": {"objective": "byol"}}, "no objective named 'byol'"),
        ({"pretraining": {"objective": "moco"}, "batch": 10}, "the batch must divide it"),
        ({"device": "abacus"}, "'abacus' cannot be used"),
    ],
)
def test_options_that_do_not_fit_are_said(words, sentence):
    with pytest.raises(InputError, match=sentence):
        run_inline(systems.create("contrastive", **words).fit(labelled_shapes(ndim=2)))


@pytest.fixture
def drawn(monkeypatch):
    """The batches that objectives are trained on."""
    batches = []
    draw = CropSampler.draw

    def see(sampler):
        batches.append(draw(sampler))
        return batches[-1]

    monkeypatch.setattr(CropSampler, "draw", see)
    return batches


@pytest.mark.parametrize("surest", [0.01, 1.0])
def test_self_training_draws_no_crop_without_a_label(surest, drawn):
    data = labelled_shapes(60, 48, ndim=2)
    options = {"threshold": surest, "warm_up": 1}
    words = {"held_out_share": 0, "keep": "last", "epochs": 2, "objective_options": options}
    run_inline(small("self_training", **words).fit(data))
    assert len(drawn) == 8
    assert all((batch.labels >= 0).all() for batch in drawn)
    joined = [bool((data.labels[batch.rows] < 0).any()) for batch in drawn]
    assert joined == [False] * 4 + [surest < 1] * 4


def test_a_share_of_labels_is_drawn_where_it_is_asked_for(drawn):
    data = labelled_shapes(64, 58, ndim=2)
    words = {"held_out_share": 0, "keep": "last"}
    run_inline(small("autoencoding", **words).fit(data))
    assert sum(int((batch.labels >= 0).sum()) for batch in drawn) == 6
    drawn.clear()
    share = {"epochs": 1, "labelled_share": 0.25}
    run_inline(small("autoencoding", **words, training=share).fit(data))
    assert [int((batch.labels >= 0).sum()) for batch in drawn] == [4, 4, 4, 4]


@pytest.mark.parametrize("name", NETWORK_SYSTEMS)
def test_published_systems_draw_crops_as_they_come(name):
    system = systems.create(name)
    assert system.training.labelled_share is None
    assert system.pretraining.training.labelled_share is None


def test_crops_that_are_too_small_are_refused():
    data = labelled_shapes(side=6, ndim=2)
    with pytest.raises(InputError, match="8 px or more"):
        run_inline(small("contrastive").fit(data))


def test_the_same_seed_gives_the_same_classifier():
    data = labelled_shapes(ndim=2)
    images = data.crops.read([0, 1, 2])
    one, two = (run_inline(small("moco", seed=3).fit(data)) for _ in range(2))
    assert np.array_equal(one.features(images), two.features(images))
    other = run_inline(small("moco", seed=4).fit(data))
    assert not np.array_equal(one.features(images), other.features(images))


def test_held_out_labels_are_never_drawn():
    data = labelled_shapes(60, 15, ndim=2)
    split = Split.of(data, systems.create("moco"))
    assert len(split.held) == 9
    assert len(split.chosen_on) > 0
    seen = set(split.all_rows.tolist())
    assert not seen & set(split.held.tolist())
    assert not seen & set(split.chosen_on.tolist())
    assert set(split.labelled.tolist()) <= seen
    assert set(np.flatnonzero(data.labels < 0).tolist()) <= seen


def test_few_labels_are_all_trained_on_and_nothing_is_claimed():
    data = labelled_shapes(12, 6, ndim=2)
    classifier = run_inline(small("moco").fit(data))
    assert classifier.report is None
    assert classifier.temperature == 1
    assert any("accuracy is not known: 'ball' (2 labels)" in note for note in classifier.notes)
    assert any("last epoch was kept" in note for note in classifier.notes)


def test_shapes_are_learnt():
    data = labelled_shapes(90, ndim=2, noise=0.3)
    words = {"epochs": 12, "augmentation": "none", "pretraining": {"objective": None}}
    system = small("contrastive", **words)
    classifier = run_inline(system.fit(data))
    assert classifier.report.accuracy >= 0.9
    assert classifier.temperature != 1


def stop_when(event_is):
    """Return a callback pair for `run_inline` that stops at the first such event."""
    seen = []
    return seen.append, lambda: event_is(seen[-1])


def test_a_stop_in_pretraining_teaches_the_last_layer_at_once():
    data = labelled_shapes(60, ndim=2, noise=0.3)
    long = {"training": {"epochs": 1000}}
    system = small("contrastive", pretraining=long)
    see, stop = stop_when(lambda event: event.step >= 3)
    classifier = run_inline(system.fit(data), see, stop)
    assert classifier.notes == (
        "Pretraining was stopped; only the last layer has learnt the labels.",
    )
    assert classifier.report.n == 12
    assert classifier.report.accuracy > 0.4


def test_a_stop_in_training_keeps_what_is_learnt():
    data = labelled_shapes(ndim=2)
    system = small("supervised3d", epochs=1000)
    see, stop = stop_when(lambda event: event.step >= 4)
    classifier = run_inline(system.fit(data), see, stop)
    assert classifier.notes[0].startswith("Training was stopped; the weights are of epoch")
    assert classifier.report is not None


def test_messages_tell_the_stage():
    _, events = steps_of(small("moco").fit(labelled_shapes(ndim=2)))
    assert events[0].message.startswith("Pretraining (moco): epoch 1 of 1, loss ")
    assert "Training: epoch 1 of 1" in events[-1].message
    assert "validation" in events[-1].message


@pytest.mark.parametrize("ndim", [2, 3])
def test_attention_and_reconstructions(ndim):
    data = labelled_shapes(ndim=ndim)
    classifier = run_inline(small("autoencoding").fit(data))
    images = data.crops.read([0, 1])
    shown = classifier.attention(images, [0, 2])
    assert shown.shape == (2, *data.crops.shape)
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert classifier.reconstruct(images).shape == images.shape


def test_what_a_system_cannot_show_is_said():
    data = labelled_shapes(ndim=2)
    images = data.crops.read([0])
    plain = run_inline(small("dsrf3d").fit(data))
    with pytest.raises(InputError, match="dsrf3d has no decoder"):
        plain.reconstruct(images)
    with pytest.raises(InputError, match="numbered from 0 to 2"):
        plain.attention(images, [3])
    with pytest.raises(InputError, match="crops of one channel and 12 x 12 pixels"):
        plain.predict(np.zeros((1, 1, 10, 12), np.float32))
    flat = run_inline(small("m2").fit(data))
    with pytest.raises(InputError, match="no feature map"):
        flat.attention(images, [0])
    assert flat.reconstruct(images).shape == images.shape


def test_pretrained_weights_are_kept_and_taken_over(tmp_path):
    data = labelled_shapes(ndim=2)
    system = small("contrastive", network="compact")
    encoder = run_inline(pretrain(data.crops, system))
    path = tmp_path / "encoder.safetensors"
    encoder.save(path)
    again = PretrainedEncoder.load(path)
    images = data.crops.read([0, 1, 2])
    assert np.array_equal(again.vectors(images, "cpu"), encoder.vectors(images, "cpu"))
    assert (again.objective, again.pixel_size, again.shape) == ("simclr", 10.0, (12, 12))
    expected = encoder.vectors(images, "cpu", "float32")
    started = small("contrastive", network="compact", start_from=path, learning_rate=1e-12)
    classifier, events = steps_of(started.fit(data))
    assert not any("Pretraining" in event.message for event in events)
    assert np.allclose(classifier.vectors(images), expected, atol=1e-3)


def test_the_network_of_a_classifier_is_taken_over_by_one_of_other_classes(tmp_path):
    three = run_inline(small("contrastive", network="compact").fit(labelled_shapes(ndim=2)))
    path = tmp_path / "three.safetensors"
    three.save(path)
    data = labelled_shapes(ndim=2, n_classes=2)
    two = run_inline(
        small("contrastive", network="compact", start_from=path, learning_rate=1e-12).fit(data)
    )
    images = data.crops.read([0, 1])
    assert np.allclose(two.vectors(images), three.vectors(images), atol=1e-3)
    assert two.predict(images).shape == (2, 2)


def test_pretrained_weights_of_another_network_are_refused(tmp_path):
    data = labelled_shapes(ndim=2)
    path = tmp_path / "encoder.safetensors"
    run_inline(pretrain(data.crops, small("contrastive"))).save(path)
    with pytest.raises(InputError, match="pretrained harmonic network, for crops of 12 x 12"):
        run_inline(small("moco", start_from=path).fit(data))
    with pytest.raises(InputError, match="holds an encoder without classes"):
        load_classifier(path)
    with pytest.raises(InputError, match="learns from labels alone"):
        run_inline(pretrain(data.crops, small("dsrf3d")))


def test_a_damaged_file_is_named(tmp_path):
    from napari_cryoml import checkpoint

    classifier = run_inline(small("supervised3d").fit(labelled_shapes(ndim=2)))
    path = tmp_path / "c.safetensors"
    classifier.save(path)
    tensors, header = checkpoint.load(path)
    tensors.popitem()
    checkpoint.save(path, tensors, header)
    with pytest.raises(InputError, match="not those of a autoencoder network"):
        load_classifier(path)


def test_a_stop_of_pretraining_keeps_the_weights():
    data = labelled_shapes(ndim=2)
    job = pretrain(data.crops, small("contrastive", pretraining={"training": {"epochs": 99}}))
    next(job)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert end.value.value.notes == ("Pretraining was stopped early.",)
    assert replace(end.value.value, notes=()).weights


def test_the_last_layer_is_fitted_as_that_of_few_shot():
    data = labelled_shapes(30, 12, ndim=2, n_classes=2)
    small_one = small("contrastive", pretraining={"objective": None}, held_out_share=0)
    fitted = run_inline(small_one.fit(data))
    images = data.crops.read(np.arange(30))
    vectors = fitted.vectors(images)
    expected = fit_shared_covariance(vectors, data.labels, 2, seed=0).scores(vectors)
    assert np.allclose(fitted.features(images), expected, rtol=1e-2, atol=1e-2)
    trained = run_inline(small_one.model_copy(update={"last_layer": "trained"}).fit(data))
    assert np.allclose(trained.vectors(images), vectors, atol=1e-4)
    assert not np.allclose(trained.features(images), expected, atol=0.1)
    assert not fitted.notes


def test_a_last_layer_of_too_many_features_stays_as_it_was_trained():
    data = labelled_shapes(16, 6, ndim=2, n_classes=2, side=33)
    words = {"network": "inception3d", "network_options": {"units": 8}}
    system = small("contrastive", pretraining={"objective": None}, **words)
    assert "left as it was trained" in " ".join(run_inline(system.fit(data)).notes)

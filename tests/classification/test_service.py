import pickle
import time

import numpy as np
import pytest
from shapes import NAMES, crops_of_shapes

from napari_cryoml._errors import InputError
from napari_cryoml.classification import (
    Attention,
    AttentionRequest,
    ClassifyService,
    FitRequest,
    FittedReply,
    LoadRequest,
    PretrainedEncoder,
    PretrainRequest,
    ReconstructRequest,
    SaveRequest,
    default_system,
    fine_tuning,
    systems,
)
from napari_cryoml.classification._service import _labelled
from napari_cryoml.jobs import ChildService, Command, run_inline

QUICK = {"epochs": 1, "precision": "float32", "device": "cpu", "network_options": {"hidden": 16}}
NO_PRETRAINING = {"pretraining": {"objective": None}}


@pytest.fixture(scope="module")
def crops():
    return crops_of_shapes(36, ndim=2, noise=0.3)


def labels_of(crops, n_unlabelled=6):
    labels = np.array([NAMES.index(name) for name in crops.columns["kind"]])
    labels[len(labels) - n_unlabelled :] = -1
    return labels


def request(crops, **options):
    words = {**QUICK, **NO_PRETRAINING, **options}
    return FitRequest(labels_of(crops), NAMES, systems.create("contrastive", **words))


def test_a_fit_is_answered_for_all_crops(crops):
    service = ClassifyService(crops)
    events = []
    reply = run_inline(service.answer(request(crops)), events.append)
    assert isinstance(reply, FittedReply)
    assert reply.predictions.ids.tolist() == crops.ids.tolist()
    assert reply.predictions.known.all()
    assert reply.report.n == 6
    assert any(hasattr(event, "loss") for event in events)
    assert pickle.dumps((reply, events, request(crops)))


def test_attention_and_reconstructions_of_a_held_classifier(crops):
    service = ClassifyService(crops)
    words = {"network": "autoencoder", "network_options": {"units": 4}, "objective": "autoencoding"}
    reply = run_inline(service.answer(request(crops, **words)))
    seen = service.answer(AttentionRequest(reply.token, 3))
    assert isinstance(seen, Attention)
    assert seen.name == reply.predictions.named[3]
    assert seen.crop.shape == seen.attention.shape == crops.shape
    assert service.answer(AttentionRequest(reply.token, 3, label=1)).name == "bar"
    drawn = service.answer(ReconstructRequest(reply.token, np.array([0, 5])))
    assert drawn.given.shape == drawn.drawn.shape == (2, *crops.shape)
    assert np.allclose(drawn.given.std(axis=(1, 2)), 1, atol=1e-3)
    assert np.isfinite(drawn.errors).all()


def test_a_classifier_is_saved_and_opened_again(crops, tmp_path):
    service = ClassifyService(crops)
    reply = run_inline(service.answer(request(crops)))
    path = tmp_path / "c.safetensors"
    assert service.answer(SaveRequest(reply.token, path)) == path
    again = run_inline(ClassifyService(crops).answer(LoadRequest(path)))
    assert np.allclose(again.predictions.probabilities, reply.predictions.probabilities, atol=1e-5)
    assert again.classes == NAMES


def test_only_the_latest_classifiers_are_held(crops):
    service = ClassifyService(crops)
    tokens = [run_inline(service.answer(request(crops))).token for _ in range(5)]
    assert len(set(tokens)) == 5
    service.answer(AttentionRequest(tokens[-1], 0))
    with pytest.raises(InputError, match="no longer held"):
        service.answer(AttentionRequest(tokens[0], 0))


def test_classes_without_a_label_are_left_out(crops):
    labels = np.array([2, 2, 0, 0, -1] + [-1] * 31)
    data = _labelled(crops, FitRequest(labels, NAMES), None)
    assert data.classes == ("ball", "ring")
    assert data.labels.tolist() == [1, 1, 0, 0] + [-1] * 32
    with pytest.raises(InputError, match="numbered from 0 to 1"):
        _labelled(crops, FitRequest(labels, NAMES[:2]), None)
    with pytest.raises(InputError, match="no crop is labelled"):
        _labelled(crops, FitRequest(np.full(36, -1), NAMES), None)


def test_a_pretrained_network_makes_fine_tuning_the_default(crops, tmp_path):
    service, path = ClassifyService(crops), tmp_path / "e.safetensors"
    system = systems.create("contrastive", **QUICK, pretraining={"training": {"epochs": 1}})
    assert run_inline(service.answer(PretrainRequest(system, path))) == path
    data = _labelled(crops, FitRequest(labels_of(crops), NAMES), None)
    assert default_system(data).name == "few_shot"
    chosen = default_system(data, path)
    assert (chosen.name, chosen.start_from) == ("contrastive", path)
    assert chosen.network_config() == PretrainedEncoder.load(path).network
    other = _labelled(crops_of_shapes(36, side=24, ndim=2), FitRequest(data.labels, NAMES), None)
    with pytest.raises(InputError, match=r"trained on crops of 12 x 12.*with boxes of 12 of"):
        fine_tuning(path, other)


def test_few_shot_answers_each_click(crops):
    service = ClassifyService(crops)
    events = []
    run_inline(service.answer(FitRequest(labels_of(crops, 24), NAMES)), events.append)
    assert events[-1].done == len(crops)
    events.clear()
    reply = run_inline(service.answer(FitRequest(labels_of(crops, 20), NAMES)), events.append)
    assert events == []  # nothing is described twice
    truth = labels_of(crops, 0)
    assert reply.system.name == "few_shot"
    assert (reply.predictions.labels == truth).mean() > 0.8


def test_crops_are_described_while_nobody_asks(crops):
    service = ClassifyService(crops)
    assert service.idle()
    assert not service.idle()
    events = []
    run_inline(service.answer(FitRequest(labels_of(crops), NAMES)), events.append)
    assert events == []


class Unreadable:
    """Crops of which one batch cannot be read."""

    def __init__(self, crops):
        self._crops = crops

    def __getattr__(self, name):
        return getattr(self._crops, name)

    def __len__(self):
        return len(self._crops)

    def read(self, rows):
        if len(rows) and np.max(rows) >= 30:
            raise InputError("The disk has gone.")
        return self._crops.read(rows)


def test_crops_that_cannot_be_read_have_no_class(crops):
    service, events = ClassifyService(Unreadable(crops)), []
    labels = labels_of(crops, 20)
    reply = run_inline(service.answer(FitRequest(labels, NAMES)), events.append)
    assert reply.predictions.known[:16].all()
    assert not reply.predictions.known[16:].any()
    assert "The disk has gone." in [event.message for event in events]


def test_a_stop_describes_the_labelled_crops_all_the_same():
    crops = crops_of_shapes(300, ndim=2, noise=0.3)
    job = ClassifyService(crops).answer(FitRequest(labels_of(crops, 200), NAMES))
    next(job)
    with pytest.raises(StopIteration) as end:
        event = job.send(Command.STOP)
        while event.done < 100:
            event = next(job)
        next(job)
    known = end.value.value.predictions.known
    assert known[:100].all()
    assert not known.all()


def test_it_works_in_a_process_of_its_own(crops):
    with ChildService.start(ClassifyService, crops, threads=1) as service:
        ticket = service.ask(request(crops, epochs=100_000))
        for _ in range(2000):
            if any(answer.event is not None for answer in service.poll()):
                break
            time.sleep(0.02)
        service.stop(ticket)
        answer = service.wait(ticket, timeout=120)
        assert answer.error is None
        assert answer.reply.notes[0].startswith("Training was stopped")
        assert answer.reply.predictions.known.all()
        seen = service.wait(service.ask(AttentionRequest(answer.reply.token, 0)), timeout=60)
        assert seen.reply.attention.shape == crops.shape
        bad = service.wait(service.ask(FitRequest(np.zeros(36, int), NAMES)), timeout=60)
        assert "only 'ball' has labels" in bad.error

"""Several processes train one network: what they reach is what one process reaches."""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import psutil
import pytest
import team_jobs
import torch
from team_jobs import Learnt
from torch import Tensor, nn

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.jobs import Command
from napari_cryoml.models import Decoder, classifiers, detectors
from napari_cryoml.objectives import CropBatch, Share, crop_objectives, objectives, sharing
from napari_cryoml.picking._loss import DetectionLoss, Trainee
from napari_cryoml.training import DetectionBatch, DevicesConfig, on_devices
from napari_cryoml.training._shared_layers import shared_layers
from napari_cryoml.training._team_step import check_shared

SHAPE, CLASSES = (16, 16), 3
TWO = DevicesConfig(devices=2, accelerator="cpu")


class Threads:
    """Adds up over threads, which stand for processes."""

    def __init__(self, size: int) -> None:
        self._gate = threading.Barrier(size, timeout=20)
        self._parts: list[Tensor] = []

    def add_up(self, values: Tensor) -> Tensor:
        self._parts.append(values.clone())
        self._gate.wait()
        total = torch.stack(self._parts).sum(0)
        if self._gate.wait() == 0:
            self._parts.clear()
        self._gate.wait()
        return values.copy_(total)


def _in_threads(size: int, work: Callable[[int, Share], object]) -> list:
    threads, results = Threads(size), [None] * size

    def run(rank: int) -> None:
        results[rank] = work(rank, Share(rank, size, threads.add_up))

    crew = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return results


def _gradients(module: nn.Module, loss: Callable, batch: object) -> tuple[float, dict]:
    torch.manual_seed(3)
    module.train()
    value = loss(batch)
    value.total.backward()
    found = {name: weight.grad for name, weight in module.named_parameters()}
    return float(value.total.detach()), found


def _sum(parts: list[dict]) -> dict[str, Tensor | None]:
    names = parts[0]
    return {
        name: None
        if all(part[name] is None for part in parts)
        else sum(part[name] for part in parts if part[name] is not None)
        for name in names
    }


def _shared(module: nn.Module, loss_of: Callable, batch, cuts: list[int]) -> tuple[list, dict]:
    copies = [copy.deepcopy(module) for _ in cuts[1:]]

    def work(rank: int, share: Share) -> object:
        part = batch.part(slice(cuts[rank], cuts[rank + 1]))
        layers = shared_layers(copies[rank], share.add_up, torch.Generator())
        with sharing(share), layers:
            return _gradients(copies[rank], loss_of(copies[rank]), part)

    results = _in_threads(len(copies), work)
    buffers = [dict(each.named_buffers()) for each in copies]
    return [*results, buffers], _sum([grads for _, grads in results])


def _assert_same(found: dict, wanted: dict) -> None:
    for name, gradient in wanted.items():
        if gradient is None:
            assert found[name] is None, name
        else:
            scale = float(gradient.abs().max()) + 1e-6
            torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("cuts", [[0, 3, 7], [0, 2, 3, 7]])
@pytest.mark.parametrize("name", [n for n in crop_objectives if n != "m2"])
def test_shares_of_crops_have_together_the_gradient_of_the_batch(name, cuts):
    torch.manual_seed(0)
    channels = 2 if name == "inpainting" else 1
    network = classifiers.create("compact", dropout=0.0).build(SHAPE, CLASSES, channels)
    objective = crop_objectives.create(name).build(network).double()
    views = torch.randn(objective.n_views, 7, channels, *SHAPE, dtype=torch.float64).unbind()
    batch = CropBatch(views, torch.arange(7) % CLASSES, torch.arange(7))
    whole, parts = copy.deepcopy(objective), objective

    loss, gradients = _gradients(whole, whole, batch)
    (*results, buffers), summed = _shared(parts, lambda module: module, batch, cuts)

    assert [value for value, _ in results] == pytest.approx([loss] * len(results))
    _assert_same(summed, gradients)
    for each in buffers:  # running statistics, queues, counts of classes
        for key, value in whole.named_buffers():
            torch.testing.assert_close(each[key], value)


@pytest.mark.parametrize("name", list(objectives))
def test_shares_of_dense_crops_have_together_the_gradient_of_the_batch(name):
    torch.manual_seed(0)
    network = detectors.create("conv31", units=2).build()
    trainee = Trainee(network, Decoder.of(network, 2)).double()
    labels = torch.randint(-2, 2, (5, 3, 3), dtype=torch.int8)
    edge = network.receptive_field + 2 * network.stride
    batch = DetectionBatch(torch.randn(5, 1, edge, edge, dtype=torch.float64), labels)

    def loss_of(module: Trainee) -> DetectionLoss:
        return DetectionLoss(module, objectives.create(name).build(0.2), 0.1, 0)

    whole = copy.deepcopy(trainee)
    loss, gradients = _gradients(whole, loss_of(whole), batch)
    (*results, buffers), summed = _shared(trainee, loss_of, batch, [0, 1, 5])

    assert [value for value, _ in results] == pytest.approx([loss, loss])
    _assert_same(summed, gradients)
    for key, value in whole.named_buffers():
        torch.testing.assert_close(buffers[1][key], value)


def test_an_objective_that_cannot_be_divided_is_refused():
    network = classifiers.create("compact").build(SHAPE, CLASSES)
    with pytest.raises(InputError, match=r"M2 minimises cannot be divided.*train on one"):
        check_shared(crop_objectives.create("m2").build(network))
    with pytest.raises(InputError, match="cannot be divided"):
        check_shared(lambda batch: None)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"nodes": 2}, "Training on 2 computers starts on each of them: run .* torchrun or srun"),
        ({"devices": 64, "accelerator": "cuda"}, "64 GPUs were asked for and this computer has"),
    ],
)
def test_devices_that_are_not_there_are_refused(options, sentence):
    job = on_devices(DevicesConfig(**options), team_jobs.doomed)
    with pytest.raises(InputError, match=sentence):
        next(job)


def test_one_device_starts_no_process():
    others = set(psutil.Process().children())  # of libraries that other tests have used
    _, end = _follow(on_devices(DevicesConfig(), team_jobs.detector, "pn", False, 1))
    assert end.step == 1
    assert set(psutil.Process().children()) <= others


def _follow(job: Iterator, stop_after: int | None = None) -> tuple[list, object]:
    events, command = [], None
    while True:
        try:
            events.append(job.send(command))
        except StopIteration as end:
            return events, end.value
        command = Command.STOP if len(events) == stop_after else None


def _assert_equal(found: Learnt, wanted: Learnt) -> None:
    assert (found.step, found.validation) == (wanted.step, wanted.validation)
    for name, value in wanted.weights.items():
        np.testing.assert_allclose(found.weights[name], value, rtol=1e-4, atol=2e-5, err_msg=name)


@contextmanager
def _no_orphans() -> Iterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    left = set(psutil.Process().children(recursive=True)) - before
    assert not psutil.wait_procs(left, timeout=5)[1]


def test_two_processes_reach_what_one_reaches():
    alone, wanted = _follow(team_jobs.several())
    with _no_orphans():
        together, found = _follow(on_devices(TWO, team_jobs.several))

    assert [event.step for event in together] == [event.step for event in alone]
    losses = [[event.loss for event in events] for events in (together, alone)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert [event.validation for event in together] == [event.validation for event in alone]
    for result, expected in zip(found[:3], wanted[:3], strict=True):
        _assert_equal(result, expected)
    assert found[3] <= {"127.0.0.1"}


@pytest.mark.slow
def test_stop_reaches_all_processes():
    with _no_orphans():
        events, learnt = _follow(on_devices(TWO, team_jobs.detector, "pn", True, 100_000), 3)
    assert len(events) == learnt.step == 3


@pytest.mark.slow
def test_a_killed_process_ends_the_run_and_what_was_learnt_is_kept():
    with _no_orphans(), pytest.warns(InputWarning, match="Process 2 of 2 is lost"):
        events, learnt = _follow(on_devices(TWO, team_jobs.dying, 3))
    _, wanted = _follow(team_jobs.detector("pn", True, 100_000), learnt.step)
    said = [event.message for event in events if event.message]
    assert len(said) == 1
    assert said[0].startswith("Process 2 of 2 is lost. The background process was killed")
    assert said[0].endswith("Training stops here; what was learnt is kept.")
    assert learnt.step in (3, 4)
    for name, value in wanted.weights.items():
        if "running" not in name and "tracked" not in name:
            np.testing.assert_allclose(learnt.weights[name], value, rtol=1e-2, atol=1e-4)


@pytest.mark.slow
def test_the_reason_of_a_process_that_fails_is_told():
    with _no_orphans(), pytest.warns(InputWarning, match="Process 2 of 2 is lost"):
        events, learnt = _follow(on_devices(TWO, team_jobs.doomed))
    assert any("The disk of this toy is full." in event.message for event in events)
    assert learnt.step == 0


@pytest.mark.slow
def test_closing_the_run_ends_all_processes():
    with _no_orphans():
        job = on_devices(TWO, team_jobs.detector, "pn", True, 100_000)
        next(job)
        job.close()


@pytest.mark.slow
def test_fewer_crops_than_devices_are_refused():
    with _no_orphans(), pytest.raises(InputError, match="A step of 1 crops cannot be divided"):
        _follow(on_devices(TWO, team_jobs.detector, "pn", True, 2, 1))

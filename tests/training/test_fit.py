from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import Command
from napari_cryoml.training import (
    CropTrainingConfig,
    Measured,
    OptimizerConfig,
    TrainingConfig,
    TrainingState,
    autocast_dtype,
    choose_device,
    fit,
)

CPU = torch.device("cpu")


@dataclass
class Squares:
    """A source of nothing: the toy loss needs no data."""

    size: int = 4
    sizes: list[int] = field(default_factory=list)

    def to(self, device: torch.device) -> "Squares":
        return self

    def draw(self) -> "Squares":
        self.sizes.append(self.size)
        return self

    def halve(self) -> bool:
        self.size //= 2
        return self.size > 0


@dataclass
class Toy:
    total: Tensor
    terms: dict[str, Tensor]


def _toy() -> tuple[nn.Linear, object]:
    torch.manual_seed(0)
    module = nn.Linear(2, 1)

    def loss(batch: Squares) -> Toy:
        total = (module.weight - 1).square().sum() + module.bias.square().sum()
        return Toy(total, {"distance": total})

    return module, loss


def _run(job: Iterator) -> tuple[list, TrainingState]:
    events = []
    while True:
        try:
            events.append(next(job))
        except StopIteration as stop:
            return events, stop.value


def test_the_loss_falls_and_every_step_is_told() -> None:
    module, loss = _toy()
    config = TrainingConfig(minutes=None, steps=300, learning_rate=0.05, weight_decay=0)
    events, state = _run(fit(module, loss, Squares(), config, device=CPU))
    assert [event.step for event in events] == list(range(1, 301))
    assert events[-1].loss < 0.01 * events[0].loss
    assert events[-1].done == events[-1].total
    assert events[0].terms["distance"] == events[0].loss
    assert state.step == 300


def test_stop_keeps_the_work_done() -> None:
    module, loss = _toy()
    before = module.weight.detach().clone()
    job = fit(module, loss, Squares(), TrainingConfig(steps=1000), device=CPU)
    next(job)
    with pytest.raises(StopIteration) as stop:
        job.send(Command.STOP)
    assert stop.value.value.step == 1
    assert not torch.equal(stop.value.value.weights["weight"], before)


def test_the_best_validation_is_kept_and_patience_ends_the_run() -> None:
    module, loss = _toy()
    merits = iter([0.1, 0.9, *[0.5] * 50])
    seen = []

    def validate() -> float:
        seen.append(module.weight.detach().clone())
        assert not module.training
        return next(merits)

    config = TrainingConfig(minutes=None, steps=500, validate_every=1e-9, patience=3)
    events, state = _run(fit(module, loss, Squares(), config, device=CPU, validate=validate))
    assert len(events) < 20
    assert state.validation == 0.9
    assert torch.equal(state.weights["weight"], seen[1])
    assert torch.equal(module.weight, seen[1])


def test_without_selection_the_last_weights_stay() -> None:
    module, loss = _toy()
    config = TrainingConfig(minutes=None, steps=30, validate_every=1e-9, patience=1)
    job = fit(module, loss, Squares(), config, device=CPU, validate=lambda: 0.5, select=False)
    events, state = _run(job)
    assert state.step == 30
    assert events[-1].validation == 0.5


def test_resuming_goes_on_where_a_run_was_left() -> None:
    config = TrainingConfig(minutes=None, steps=5)
    module, loss = _toy()
    _, state = _run(fit(module, loss, Squares(), config, device=CPU))
    tensors = state.tensors()
    again, loss = _toy()
    restored = TrainingState.from_tensors(tensors, state.step, state.validation)
    events, later = _run(fit(again, loss, Squares(), config, device=CPU, resume=restored))
    assert events[0].step == 6
    assert later.step == 10
    assert later.optimizer["0/step"] == 10


def test_out_of_memory_halves_the_batch_and_says_so() -> None:
    module, loss = _toy()
    source = Squares(4)

    def hungry(batch: Squares) -> Toy:
        if batch.size > 1:
            raise torch.OutOfMemoryError("no memory")
        return loss(batch)

    config = TrainingConfig(minutes=None, steps=3)
    events, _ = _run(fit(module, hungry, source, config, device=CPU))
    assert source.sizes == [4, 2, 1, 1, 1]
    assert "half as large" in events[0].message
    assert [event.step for event in events] == [0, 0, 1, 2, 3]


def test_memory_for_not_even_one_crop_is_a_sentence() -> None:
    module, _ = _toy()

    def hungry(batch: Squares) -> Toy:
        raise torch.OutOfMemoryError("no memory")

    with pytest.raises(InputError, match="too little memory"):
        _run(fit(module, hungry, Squares(2), TrainingConfig(steps=3), device=CPU))


def test_divergence_is_a_sentence_and_one_bad_step_is_none() -> None:
    module, loss = _toy()
    calls = []

    def bad_once(batch: Squares) -> Toy:
        calls.append(1)
        toy = loss(batch)
        return Toy(toy.total * (float("nan") if len(calls) == 2 else 1), {})

    config = TrainingConfig(minutes=None, steps=40)
    events, _ = _run(fit(module, bad_once, Squares(), config, device=CPU))
    assert "left out" in events[1].message
    assert torch.isfinite(module.weight).all()

    def always_bad(batch: Squares) -> Toy:
        return Toy(loss(batch).total * float("nan"), {})

    with pytest.raises(InputError, match="diverged"):
        _run(fit(module, always_bad, Squares(), config, device=CPU))


def test_a_run_needs_an_end() -> None:
    module, loss = _toy()
    with pytest.raises(InputError, match="needs an end"):
        next(fit(module, loss, Squares(), TrainingConfig(minutes=None), device=CPU))


@dataclass
class Epochs(Squares):
    """A source that says how many batches hold all of the data."""

    @property
    def steps_per_epoch(self) -> int:
        return 12 // self.size


def test_epochs_and_validations_are_counted_in_batches() -> None:
    module, loss = _toy()
    config = CropTrainingConfig(epochs=4, validate_every_epochs=2, precision="float32")
    job = fit(module, loss, Epochs(3), config, device=CPU, validate=lambda: 0.5)
    events, state = _run(job)
    assert state.step == 8
    validated = [event.step for event in events if event.validation is not None]
    assert validated == [8, 16]
    assert [event.epoch for event in events if event.validation is not None] == [2, 4]


def test_a_run_is_measured_before_its_first_step_too() -> None:
    module, loss = _toy()
    weights, merits = [], iter([0.9, 0.1, 0.2])

    def validate() -> Measured:
        weights.append(module.weight.detach().clone())
        return Measured(next(merits), {"score": float(len(weights))})

    config = CropTrainingConfig(epochs=2, precision="float32")
    job = fit(module, loss, Epochs(4), config, device=CPU, validate=validate, from_start=True)
    events, state = _run(job)
    told = [event for event in events if event.figures]
    assert [(event.step, event.epoch) for event in told] == [(0, 0), (3, 1), (6, 2)]
    assert [event.figures["score"] for event in told] == [1, 2, 3]
    assert [event.validation for event in told] == [0.9, 0.1, 0.2]
    assert state.validation == 0.2  # the first weights are told, but never kept
    assert torch.equal(module.weight, weights[2])


def test_a_run_that_is_stopped_before_its_first_step_has_its_first_weights() -> None:
    module, loss = _toy()
    before = module.weight.detach().clone()
    config = CropTrainingConfig(epochs=2, precision="float32")
    job = fit(module, loss, Epochs(4), config, device=CPU, validate=lambda: 0, from_start=True)
    next(job)
    with pytest.raises(StopIteration) as stop:
        job.send(Command.STOP)
    assert stop.value.value.step == 0
    assert torch.equal(module.weight, before)


def test_a_run_that_is_measured_without_a_merit_keeps_the_last_weights() -> None:
    module, loss = _toy()
    config = CropTrainingConfig(epochs=2, precision="float32")
    look = Measured(figures={"score": 1.0})
    job = fit(module, loss, Epochs(4), config, device=CPU, validate=lambda: look, select=False)
    events, state = _run(job)
    assert (state.step, state.validation) == (6, None)
    assert [event.step for event in events if event.figures] == [3, 6]


def test_halved_batches_keep_the_number_of_epochs() -> None:
    module, loss = _toy()
    hungry_from = 5

    def hungry(batch: Squares) -> Toy:
        if batch.size > 2 and len(source.sizes) > hungry_from:
            raise torch.OutOfMemoryError("no memory")
        return loss(batch)

    source = Epochs(4)
    config = CropTrainingConfig(epochs=4, precision="float32")
    events, state = _run(fit(module, hungry, source, config, device=CPU))
    # five steps of four, then the seven twelfths that are left in steps of two
    assert state.step == 5 + 14
    assert events[-1].done == events[-1].total


def test_the_optimizer_and_precision_may_be_given() -> None:
    module, loss = _toy()
    dtypes = []

    def product(batch: Squares) -> Toy:
        dtypes.append((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
        return loss(batch)

    optimizer = OptimizerConfig(kind="sgd", schedule="constant", warm_up=0, learning_rate=0.1)
    config = TrainingConfig(minutes=None, steps=1)
    job = fit(module, product, Squares(), config, device=CPU, optimizer=optimizer)
    _run(job)
    _run(fit(module, product, Squares(), config, device=CPU, precision="bfloat16"))
    assert dtypes == [torch.float32, torch.bfloat16]


def test_kernels_lie_channels_last_for_bfloat16_on_a_cpu_alone() -> None:
    kernel = nn.Conv3d(4, 4, 3)

    def loss(batch: Squares) -> Toy:
        total = kernel(torch.ones(1, 4, 3, 3, 3)).float().square().sum()
        return Toy(total, {})

    for precision, last in (("float32", False), ("bfloat16", True)):
        config = CropTrainingConfig(epochs=1, precision=precision)
        _run(fit(kernel, loss, Squares(), config, device=CPU))
        assert kernel.weight.is_contiguous(memory_format=torch.channels_last_3d) == last


def test_precision_follows_the_device() -> None:
    assert autocast_dtype("float32", CPU) is None
    assert autocast_dtype("bfloat16", CPU) is torch.bfloat16
    assert autocast_dtype("float16 on CUDA", CPU) is None
    assert autocast_dtype("float16 on CUDA", torch.device("cuda")) is torch.float16
    assert autocast_dtype("auto", CPU) in (None, torch.bfloat16)
    assert autocast_dtype("auto", torch.device("mps")) is None


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device().type in {"cpu", "cuda", "mps"}
    with pytest.raises(InputError, match="cannot be used"):
        choose_device("no such device")


@pytest.mark.parametrize(
    ("n_labels", "field", "steps", "sampler"),
    [(10, 961, 180, "patches"), (100, 961, 450, "dense"), (10, 71**2, 180, "dense")],
)
def test_what_is_automatic_follows_the_labels(n_labels, field, steps, sampler) -> None:
    decided = TrainingConfig().for_labels(n_labels, field)
    assert (decided.steps, decided.sampler) == (steps, sampler)


def test_what_was_chosen_stays() -> None:
    chosen = TrainingConfig(steps=7, sampler="dense").for_labels(10, 961)
    assert (chosen.steps, chosen.sampler) == (7, "dense")
    assert TrainingConfig(steps=None).for_labels(10, 961).steps is None

"""A training run between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn, optim

_WEIGHTS = "weights/"
_OPTIMIZER = "optimizer/"


@dataclass(frozen=True, slots=True, eq=False)
class TrainingState:
    """Weights, optimiser state and step count: all that a run needs to go on.

    Parameters
    ----------
    weights : mapping of str to Tensor
        The module's state dict, on the CPU.
    optimizer : mapping of str to Tensor
        What the optimiser knows of each parameter, under ``index/name``, on the CPU.
    step : int
        Steps taken.
    validation : float or None
        The figure of merit of these weights, where it was measured.
    """

    weights: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    step: int
    validation: float | None = None

    @classmethod
    def of(
        cls, module: nn.Module, optimizer: optim.Optimizer, step: int, validation: float | None
    ) -> TrainingState:
        """Return a copy of the present state of a run."""
        weights = {name: _keep(value) for name, value in module.state_dict().items()}
        known = optimizer.state_dict()["state"]
        memory = {
            f"{index}/{name}": _keep(value)
            for index, values in known.items()
            for name, value in values.items()
        }
        return cls(weights, memory, step, validation)

    def load_into(self, module: nn.Module, optimizer: optim.Optimizer) -> None:
        """Put the state back into a module and, if it fits, its optimiser."""
        module.load_state_dict(dict(self.weights))
        if not self.optimizer:
            return
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in self.optimizer.items():
            index, name = key.split("/", 1)
            state.setdefault(int(index), {})[name] = value.clone()
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors under one flat namespace, for a file."""
        named = {_WEIGHTS + name: value for name, value in self.weights.items()}
        return named | {_OPTIMIZER + name: value for name, value in self.optimizer.items()}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], step: int, validation: float | None
    ) -> TrainingState:
        """Return the state whose `tensors` are given."""

        def under(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): value
                for name, value in tensors.items()
                if name.startswith(prefix)
            }

        return cls(under(_WEIGHTS), under(_OPTIMIZER), step, validation)


def _keep(value: Tensor) -> Tensor:
    return value.detach().cpu().clone()

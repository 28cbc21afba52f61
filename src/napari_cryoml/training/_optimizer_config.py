"""Which optimiser trains a network, and how its step size goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from napari_cryoml._registry import Config

Share = Annotated[float, Field(gt=0, lt=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class OptimizerConfig(Config):
    """An optimiser and its step size over a run."""

    kind: Literal["adamw", "adam", "sgd", "lars"] = Field(
        "adamw",
        description="Adam with decoupled weight decay, Adam with an L2 penalty, gradient descent "
        "with momentum, or LARS: such descent with steps in proportion to each layer's weights, "
        "for contrastive learning in large batches.",
    )
    learning_rate: float = Field(1e-3, gt=0, description="Step size after the warm-up.")
    betas: tuple[Decay, Decay] = Field(
        (0.9, 0.999), description="Decay per step of Adam's mean and mean square of gradients."
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD and LARS.")
    nesterov: bool = Field(True, description="Let SGD look ahead (Nesterov's momentum).")
    weight_decay: float = Field(
        1e-2, ge=0, description="Weight decay; of Adam and SGD it is an L2 penalty."
    )
    schedule: Literal["linear", "cosine", "inverse_time", "constant", "steps", "staircase"] = Field(
        "linear",
        description="How the step size falls: linearly or by half a cosine to 0 at the end; as "
        "1 / (1 + decay x step), as Keras does; not at all; to a tenth at each milestone; or to a "
        "share of itself every so many steps.",
    )
    decay: float = Field(0.0, ge=0, description="Decay per step of the schedule inverse_time.")
    milestones: tuple[Share, ...] = Field(
        (0.5, 0.67, 0.83),
        description="Shares of the run after which the schedule steps takes a tenth.",
    )
    stair: float = Field(
        0.96, gt=0, le=1, description="Share that the schedule staircase falls to at each stair."
    )
    stair_steps: int = Field(25, ge=1, description="Steps from one stair to the next.")
    warm_up: int = Field(
        20, ge=0, description="Steps over which the step size rises to the learning rate."
    )
    largest_gradient: float | None = Field(
        5.0,
        gt=0,
        description="Norm that the gradient of all weights is clipped to; none for no limit.",
    )

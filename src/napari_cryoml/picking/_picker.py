"""A trained picker: all it takes to get from an image to picks, in one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from napari_cryoml import checkpoint
from napari_cryoml._errors import InputError
from napari_cryoml._registry import describe
from napari_cryoml.data import ImageSource, Picks, ScoreMap
from napari_cryoml.picking._config import PickerConfig
from napari_cryoml.picking._loss import Trainee, weights_of_detector
from napari_cryoml.picking._scoring import LOWEST_SCORE, picks_from_map
from napari_cryoml.preprocess import Preprocessor

if TYPE_CHECKING:
    import torch

    from napari_cryoml.models import Detector
    from napari_cryoml.training import TrainingState


@dataclass(eq=False)
class Picker:
    """A network with the preprocessing and the diameter it was trained for.

    Parameters
    ----------
    config : PickerConfig
    detector : Detector
        In evaluation mode.
    preprocessor : Preprocessor
    summary : mapping
        What is worth knowing about the training run (labels, steps, seed, validation AP).
    state : TrainingState, optional
        What a resumed run goes on from.
    """

    config: PickerConfig
    detector: Detector
    preprocessor: Preprocessor
    summary: Mapping[str, Any] = field(default_factory=dict)
    state: TrainingState | None = None

    @property
    def diameter_angstrom(self) -> float | None:
        """Particle diameter in angstrom, where the pixel size of the images is known."""
        size = self.preprocessor.pixel_size
        return self.config.diameter * size if size else None

    @property
    def threshold(self) -> float:
        """The least score of a pick that training proposes: where the estimated F1 is largest."""
        proposed = self.summary.get("threshold")
        return 0.0 if proposed is None else float(proposed)

    def diameter_in(self, image: ImageSource) -> float:
        """Return the particle diameter in pixels of `image`, by pixel sizes if known."""
        return self.preprocessor.diameter_in(image)

    def score(
        self,
        image: ImageSource,
        *,
        device: torch.device | None = None,
        full_resolution: bool = False,
        on_tile: Callable[[int, int], None] | None = None,
    ) -> ScoreMap:
        """Return the log-odds that a particle is centred at each point of a grid over the image.

        Parameters
        ----------
        image : ImageSource
            Of the picker's number of axes.
        device : torch.device, optional
            Where to compute; the CPU by default.
        full_resolution : bool, default False
            A score for each working pixel instead of each step of the network's stride.
        on_tile : callable, optional
            Called with tiles done and tiles in all.

        Raises
        ------
        InputError
            If the image has another number of axes, or no structure at all.
        """
        from napari_cryoml.picking._scoring import score_working_image

        if len(image.shape) != self.config.ndim:
            raise InputError(
                f"This picker was trained on {self.config.ndim}-D images, but {image.name!r} has "
                f"{len(image.shape)} axes: train one on such images."
            )
        working, rescaling = self.preprocessor.apply(image)
        return score_working_image(
            self.detector,
            working,
            rescaling,
            device=device,
            full_resolution=full_resolution,
            on_tile=on_tile,
        )

    def pick(
        self,
        image: ImageSource,
        threshold: float = LOWEST_SCORE,
        *,
        device: torch.device | None = None,
    ) -> Picks:
        """Return the particles of an image whose score is `threshold` or more."""
        score_map = self.score(image, device=device)
        return picks_from_map(
            score_map, image, self.diameter_in(image), self.config.separation, threshold
        )

    def save(self, path: str | Path) -> None:
        """Write the picker to one safetensors file.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        from napari_cryoml.training import TrainingState

        state = self.state or TrainingState(Trainee(self.detector, None).state_dict(), {}, 0)
        header = {
            "kind": "picker",
            "config": self.config.model_dump(mode="json"),
            "preprocessor": self.preprocessor.to_json(),
            "pixel_size": self.preprocessor.pixel_size,
            "diameter_angstrom": self.diameter_angstrom,
            "step": state.step,
            "validation": state.validation,
            "summary": dict(self.summary),
        }
        checkpoint.save(path, state.tensors(), header)

    @classmethod
    def load(cls, path: str | Path) -> Picker:
        """Return the picker kept in a file.

        Raises
        ------
        InputError
            If the file is none of ours, or from a newer version.
        """
        from napari_cryoml.training import TrainingState

        tensors, header = checkpoint.load(path)
        try:
            config = PickerConfig.model_validate(header["config"])
            preprocessor = Preprocessor.from_json(header["preprocessor"])
            summary = dict(header["summary"])
            state = TrainingState.from_tensors(tensors, header["step"], header["validation"])
            detector = config.detector_config().build()
            detector.load_state_dict(weights_of_detector(state.weights))
        except ValidationError as error:
            raise InputError(f"{path} is no picker of this version: {describe(error)}") from error
        except (KeyError, TypeError, RuntimeError) as error:
            raise InputError(
                f"{path} is a checkpoint, but not one of a picker: choose the file that training "
                "wrote."
            ) from error
        detector.eval()
        return cls(config, detector, preprocessor, summary, state)

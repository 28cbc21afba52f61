"""Particle positions, and what is known about each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Picks:
    """The particles of one image.

    Parameters
    ----------
    image : str
        Name of the image, as in the file the picks came from or as the project calls it.
    positions : array of shape (n, ndim)
        Pixel (z)yx of the named image at its own sampling, as floats; the centre of the first
        pixel is 0.
    scores : array of shape (n,), optional
        A larger score is a surer particle. The scale is that of whatever made the picks.
    pixel_size : float, optional
        Angstrom per pixel of the image.
    diameter : float, optional
        Particle (or box) size in pixels, where the source says one.
    columns : mapping of str to array of shape (n,)
        Whatever else the source holds for each particle, under the source's own names.
    rotations : array of shape (n, 3, 3), optional
        How each particle of a tomogram is turned: acts on columns zyx and brings an offset from
        the centre of the reference to the offset from the particle's position. NaN where it is
        not known.
    """

    image: str
    positions: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float32] | None = None
    pixel_size: float | None = None
    diameter: float | None = None
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    rotations: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        positions = np.asarray(self.positions, dtype=np.float64)
        if positions.size == 0 and positions.ndim != 2:
            positions = positions.reshape(0, 2)
        if positions.ndim != 2 or positions.shape[1] not in (2, 3):
            raise InputError(
                f"Positions of {self.image!r} must be a table of yx or zyx rows; "
                f"an array of shape {positions.shape} was given."
            )
        object.__setattr__(self, "positions", positions)
        if self.scores is not None:
            object.__setattr__(self, "scores", np.asarray(self.scores, dtype=np.float32))
        if self.rotations is not None:
            object.__setattr__(self, "rotations", np.asarray(self.rotations, dtype=np.float64))
        self._check_lengths()

    def _check_lengths(self) -> None:
        rows = {name: len(values) for name, values in self.columns.items()}
        if self.scores is not None:
            rows["scores"] = len(self.scores)
        if self.rotations is not None:
            rows["rotations"] = len(self.rotations)
            self._check_rotations(self.rotations)
        for name, length in rows.items():
            if length != len(self):
                raise InputError(
                    f"Column {name!r} of {self.image!r} has {length} rows; "
                    f"{len(self)} positions need {len(self)}."
                )

    def _check_rotations(self, rotations: npt.NDArray[np.float64]) -> None:
        if self.ndim != 3 or rotations.shape[1:] != (3, 3):
            raise InputError(
                f"Rotations of {self.image!r} must be matrices (n, 3, 3) of particles of a "
                f"tomogram; an array of shape {rotations.shape} came with positions of "
                f"{self.ndim} axes."
            )

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def ndim(self) -> int:
        """Number of image axes, 2 or 3."""
        return int(self.positions.shape[1])

    def take(self, index: npt.NDArray[Any] | slice) -> Picks:
        """Return the picks at `index` (a mask, row numbers or a slice)."""
        return replace(
            self,
            positions=self.positions[index],
            scores=None if self.scores is None else self.scores[index],
            columns={name: np.asarray(values)[index] for name, values in self.columns.items()},
            rotations=None if self.rotations is None else self.rotations[index],
        )

    def above(self, threshold: float) -> Picks:
        """Return the picks whose score is `threshold` or more; all of them if there is no score."""
        return self if self.scores is None else self.take(self.scores >= threshold)


@dataclass(frozen=True, slots=True, eq=False)
class PicksTable:
    """The particles of a set of images, as one coordinate file or one run of a picker gives them.

    Parameters
    ----------
    picks : iterable of Picks
        One entry an image, in the order of the source.
    extra : mapping
        What a source holds beside the particles (optics groups, a global header), kept under the
        name of its format so that a round trip writes it again.
    """

    picks: tuple[Picks, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "picks", tuple(self.picks))

    def __iter__(self) -> Iterator[Picks]:
        return iter(self.picks)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.picks)

    def __getitem__(self, image: str) -> Picks:
        for picks in self.picks:
            if picks.image == image:
                return picks
        raise KeyError(image)

    @property
    def n_picks(self) -> int:
        """Number of particles over all images."""
        return sum(len(picks) for picks in self.picks)

    @property
    def images(self) -> list[str]:
        """Names of the images."""
        return [picks.image for picks in self.picks]

    @classmethod
    def of(cls, picks: Iterable[Picks]) -> PicksTable:
        """Return the table of `picks` without anything beside them."""
        return cls(tuple(picks))

"""Pieces of images of one shape: particles, subtomograms, cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data._places import CropPlaces
from napari_cryoml.data._selected_rows import rows_of
from napari_cryoml.data._wedge import MissingWedge


@runtime_checkable
class Crops(Protocol):
    """Crops that are read when they are needed.

    They travel to a child process by pickling; crops that are cut from files carry paths, not
    pixels.
    """

    @property
    def ids(self) -> npt.NDArray[np.str_]:
        """One name a crop, shape (n,), each unique and the same whenever the crop is made again."""
        ...

    @property
    def images(self) -> npt.NDArray[np.str_] | None:
        """Name of the image each was cut from, shape (n,); None where there is none."""
        ...

    @property
    def positions(self) -> npt.NDArray[np.float64] | None:
        """Centres in those images, pixel (z)yx, shape (n, ndim); None where there is none."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each crop in pixels, (y, x) or (z, y, x)."""
        ...

    @property
    def n_channels(self) -> int:
        """Channels of each crop; 1 for cryo-EM."""
        ...

    def __len__(self) -> int: ...

    def batches(self, size: int) -> Iterator[npt.NDArray[np.intp]]:
        """Yield all row numbers, at most `size` at a time, in an order that is quick to read."""
        ...

    def read(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the crops of some rows, in their order.

        Returns
        -------
        array of shape (k, n_channels, y, x) or (k, n_channels, z, y, x), float32

        Raises
        ------
        InputError
            If an image has gone or cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ArrayCrops:
    """Crops that lie in one array, which may be mapped from a file.

    Parameters
    ----------
    array : array of shape (n, C, y, x) or (n, C, z, y, x)
    ids : sequence of str
        One a crop, unique.
    columns : mapping of str to array of shape (n,)
        What is known about each: protein, plate, class.
    pixel_size : float, optional
        Angstrom per pixel.
    wedge : MissingWedge, optional
        Tilts that subtomograms were reconstructed from.
    rotations : array of shape (n, 3, 3), optional
        Orientations of particles as `Picks` has them, NaN where unknown.
    places : CropPlaces, optional
        Where they were cut out of images, if that is known.
    channels : tuple of str, optional
        Names or roles of the channels, as "protein" and "marker"; of cells the first is the
        protein.
    masks : array of shape (n, y, x) or (n, z, y, x), bool, optional
        Which pixels belong to the cell.

    Raises
    ------
    InputError
        If the array has other axes, ids are not unique, or something else has another length.
    """

    array: npt.NDArray[Any]
    ids: npt.NDArray[np.str_]
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    pixel_size: float | None = None
    wedge: MissingWedge | None = None
    rotations: npt.NDArray[np.float64] | None = None
    places: CropPlaces | None = None
    channels: tuple[str, ...] | None = None
    masks: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.array.ndim not in (4, 5):
            raise InputError(
                "Crops must be an array of axes (n, channel, y, x) or (n, channel, z, y, x); one "
                f"of shape {self.array.shape} was given."
            )
        if len(self.ids) != len(self.array) or len(set(self.ids.tolist())) != len(self.array):
            raise InputError(
                f"{len(self.array)} crops need as many different ids; {len(self.ids)} were given, "
                f"{len(set(self.ids.tolist()))} of them different."
            )
        self._check_places()
        self._check_channels()

    def _check_channels(self) -> None:
        if self.channels is not None:
            object.__setattr__(self, "channels", tuple(map(str, self.channels)))
        if self.channels is not None and len(self.channels) != self.n_channels:
            raise InputError(
                f"Crops of {self.n_channels} channels need as many names; {len(self.channels)} "
                f"({', '.join(self.channels)}) were given."
            )
        wanted = (len(self), *self.shape)
        if self.masks is not None and tuple(self.masks.shape) != wanted:
            raise InputError(
                f"Masks of these crops need the shape {wanted}; an array of shape "
                f"{tuple(self.masks.shape)} was given."
            )

    def _check_places(self) -> None:
        n, ndim = len(self.array), self.array.ndim - 2
        if self.rotations is not None and self.rotations.shape != (n, 3, 3):
            raise InputError(
                f"{n} crops need rotations of shape ({n}, 3, 3); an array of shape "
                f"{self.rotations.shape} was given."
            )
        if self.places is not None and self.places.positions.shape != (n, ndim):
            raise InputError(
                f"{n} crops of {ndim} axes need positions of shape ({n}, {ndim}); an array of "
                f"shape {self.places.positions.shape} was given."
            )

    @classmethod
    def of(
        cls,
        array: npt.NDArray[Any],
        ids: Sequence[str] | None = None,
        columns: Mapping[str, npt.NDArray[Any]] | None = None,
        *,
        pixel_size: float | None = None,
        wedge: MissingWedge | None = None,
        rotations: npt.NDArray[np.float64] | None = None,
        places: CropPlaces | None = None,
        channels: Sequence[str] | None = None,
        masks: npt.NDArray[np.bool_] | None = None,
    ) -> ArrayCrops:
        """Return the crops of an array; they are numbered from 0 if no ids are given."""
        n = len(array)
        # As long as they must be: of ten million crops, numpy's usual length takes a gigabyte.
        width = max(len(str(n - 1)), 1)
        names = np.arange(n).astype(f"U{width}") if ids is None else np.asarray(list(ids), np.str_)
        told = None if channels is None else tuple(channels)
        known = (columns or {}, pixel_size, wedge, rotations, places, told, masks)
        return cls(array, names, *known)

    @property
    def images(self) -> npt.NDArray[np.str_] | None:
        """Name of the image each was cut from, shape (n,); None where nobody knows."""
        return None if self.places is None else self.places.images

    @property
    def positions(self) -> npt.NDArray[np.float64] | None:
        """Positions in those images, pixel (z)yx, shape (n, ndim); None where nobody knows."""
        return None if self.places is None else self.places.positions

    @property
    def offsets(self) -> npt.NDArray[np.float64]:
        """How far each particle lies off the middle pixel of its box, pixels of the image."""
        if self.places is None or self.places.offsets is None:
            return np.zeros((len(self), len(self.shape)))
        return self.places.offsets

    @property
    def box(self) -> int:
        """Side of a crop in pixels of the image; that of the array where nobody knows."""
        told = None if self.places is None else self.places.box
        return self.shape[-1] if told is None else told

    @property
    def diameter(self) -> float | None:
        """Particle diameter in pixels of the image, if it is known."""
        return None if self.places is None else self.places.diameter

    @property
    def image_pixel_size(self) -> float | None:
        """Angstrom per pixel of the image, if it is known."""
        return None if self.pixel_size is None else self.pixel_size * self.shape[-1] / self.box

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each crop in pixels, (y, x) or (z, y, x)."""
        return tuple(self.array.shape[2:])

    @property
    def n_channels(self) -> int:
        """Channels of each crop."""
        return int(self.array.shape[1])

    def __len__(self) -> int:
        return len(self.array)

    def take(self, rows: npt.ArrayLike) -> ArrayCrops:
        """Return some of the crops, with all that is known of them; what lies on disk stays there.

        Parameters
        ----------
        rows : array of shape (k,)
            Row numbers, each at most once, or truth values of shape (n,).
        """
        wanted = np.asarray(rows)
        index = np.arange(len(self))[wanted if wanted.size else wanted.astype(np.intp)]
        return replace(
            self,
            array=rows_of(self.array, index),
            ids=self.ids[index],
            columns={name: np.asarray(values)[index] for name, values in self.columns.items()},
            rotations=None if self.rotations is None else self.rotations[index],
            places=None if self.places is None else self.places.take(index),
            masks=None if self.masks is None else rows_of(self.masks, index),
        )

    def batches(self, size: int) -> Iterator[npt.NDArray[np.intp]]:
        """Yield all row numbers in order, at most `size` at a time."""
        for start in range(0, len(self), size):
            yield np.arange(start, min(start + size, len(self)))

    def read(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the crops of some rows, in their order."""
        return np.asarray(self.array[np.asarray(rows, np.intp)], dtype=np.float32)

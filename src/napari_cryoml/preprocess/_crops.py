"""Crops of images at the positions of picks, cut when they are needed."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import ImageSource, MissingWedge, PicksTable
from napari_cryoml.preprocess._box_cutting import BoxCutting, box_starts
from napari_cryoml.preprocess._crop_rows import boxes_inside, common_diameter, pick_rows, warn
from napari_cryoml.preprocess._known_ids import known_ids

Image = npt.NDArray[np.float32]

_SAME_PIXEL_SIZE = 0.005
_WHOLE_SHARE = 0.25  # of an image that crops must cover to read it as a whole
_WHOLE_PIXELS = 2**27  # 512 MiB; of larger images only regions are read
_PIXELS_AT_ONCE = 2**24
_SAME_IN_DIAMETERS = 0.25
_USUAL_BOX = 1.5  # diameters


class PickCrops:
    """Boxes around picks, read from the images when they are asked for.

    They are `Crops`: pickled, they carry the sources and the positions, and no pixels of files.
    The pixel at ``box // 2`` is the one nearest to the pick, or the pick itself where `cutting`
    goes below a pixel. What lies beyond the border of an image is its mirror image unless `cutting`
    says otherwise; pixels that are not finite get the median of their crop, and a crop that has no
    others stays NaN.

    Parameters
    ----------
    sources : sequence of ImageSource
        The images.
    table : PicksTable
        The picks; names of images match those of the sources across folders and extensions.
    box : int
        Side of a crop in pixels of the images at their own sampling.
    size : int, optional
        Side of a crop as it is returned; by default that of the box. A smaller one keeps the
        Fourier coefficients that it can hold (see `fourier_rescale`), and the centre lies at
        ``box // 2 * size / box``.
    diameter : float, optional
        Particle diameter in pixels of the images; by default what the picks tell, if they do.
    cutting : BoxCutting, optional
        Whole pixels, mirrored borders and no filter by default.
    pixel_size : float, optional
        Angstrom per pixel of the images, where they do not say or say it wrongly.
    wedge : MissingWedge, optional
        Tilts that the tomograms were reconstructed from, for whoever asks these crops.

    Raises
    ------
    InputError
        If no image of the table is among the sources, a position has another number of axes than
        its image, the box is larger than every image, `size` is larger than the box, all picks lie
        outside their image, or they fit it only with its axes swapped.

    Warns
    -----
    InputWarning
        If some images of the table are not among the sources, picks lie outside their image or
        are dropped at its border, two have one id (the first is kept), or the images are sampled
        differently among themselves or from their picks.
    """

    def __init__(
        self,
        sources: Sequence[ImageSource],
        table: PicksTable,
        box: int,
        size: int | None = None,
        *,
        diameter: float | None = None,
        cutting: BoxCutting | None = None,
        pixel_size: float | None = None,
        wedge: MissingWedge | None = None,
    ) -> None:
        self._sources, self._rows = pick_rows(sources, table)
        self._cutting = cutting or BoxCutting()
        self._told_pixel_size, self._wedge = pixel_size, wedge
        self._box, self._size = box, box if size is None else size
        self._diameter = common_diameter(table) if diameter is None else diameter
        self._check_sizes()
        _warn_of_sampling(self._sources, box)
        if self._cutting.border == "drop":
            starts = box_starts(self._rows.positions, box)
            self._rows = boxes_inside(self._rows, self._sources, starts, box)
        self._kept: tuple[int, Image] | None = None

    def _check_sizes(self) -> None:
        largest = max(max(source.shape) for source in self._sources)
        if not 2 <= self._box <= largest:
            raise InputError(
                f"The box must lie between 2 and {largest} pixels, the size of the largest image; "
                f"{self._box} was given."
            )
        if not 2 <= self._size <= self._box:
            raise InputError(
                f"Crops of {self._box} pixels can be reduced to 2 or more and are never enlarged; "
                f"a size of {self._size} was asked for."
            )

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__ | {"_kept": None}
        state.pop("_images", None)  # the owners tell it, in less room
        return state

    def known_as(self, known: Iterable[str]) -> PickCrops:
        """Return the same crops, under the ids that their picks had before.

        Parameters
        ----------
        known : iterable of str
            Ids of earlier picks; one within a quarter of the diameter is the same particle, see
            `known_ids`.
        """
        rows = self._rows
        reach_px = _SAME_IN_DIAMETERS * (self._diameter or self._box / _USUAL_BOX)
        ids = known_ids(rows.ids, self.images, rows.positions, known, reach_px)
        other = copy.copy(self)
        other._rows = replace(rows, ids=ids)  # noqa: SLF001
        return other

    def __len__(self) -> int:
        return len(self._rows.ids)

    @property
    def sources(self) -> Sequence[ImageSource]:
        """The images that have picks."""
        return tuple(self._sources)

    @property
    def ids(self) -> npt.NDArray[np.str_]:
        """Names of the picks by `pick_id`, or those of `known_as`, shape (n,)."""
        return self._rows.ids

    @property
    def images(self) -> npt.NDArray[np.str_]:
        """Name of the source each pick lies in, shape (n,)."""
        return self._images

    @cached_property
    def _images(self) -> npt.NDArray[np.str_]:
        names = np.array([source.name for source in self._sources], dtype=np.str_)
        images = names[self._rows.owners]
        images.flags.writeable = False  # all who ask get this one array
        return images

    @property
    def positions(self) -> npt.NDArray[np.float64]:
        """Positions of the picks, pixel (z)yx as floats, shape (n, ndim)."""
        return self._rows.positions

    @property
    def columns(self) -> Mapping[str, npt.NDArray[Any]]:
        """What the table holds of each pick, ``score`` among it; numbers, bool or str, shape (n,).

        Where an image lacks a column, its picks have NaN or "".
        """
        return self._rows.columns

    @property
    def rotations(self) -> npt.NDArray[np.float64] | None:
        """Orientations as `Picks` has them, shape (n, 3, 3), or None."""
        return self._rows.rotations

    @property
    def offsets(self) -> npt.NDArray[np.float64]:
        """How far each pick lies off the middle pixel of its box, pixels (z)yx, shape (n, ndim)."""
        positions = self._rows.positions
        if self._cutting.sub_voxel:
            return np.zeros_like(positions)
        return positions - box_starts(positions, self._box) - self._box // 2

    @property
    def wedge(self) -> MissingWedge | None:
        """Tilts that the tomograms were reconstructed from, if they are known."""
        return self._wedge

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each crop in pixels, (y, x) or (z, y, x)."""
        return (self._size,) * self._rows.positions.shape[1]

    @property
    def n_channels(self) -> int:
        """1: micrographs and tomograms are grey."""
        return 1

    @property
    def box(self) -> int:
        """Side of a crop in pixels of the images at their own sampling."""
        return self._box

    @property
    def diameter(self) -> float | None:
        """Particle diameter in pixels of the images, if it is known."""
        return self._diameter

    @property
    def image_pixel_size(self) -> float | None:
        """Angstrom per pixel of the images, if it was given, or they say it and agree."""
        if self._told_pixel_size is not None:
            return self._told_pixel_size
        sizes = [source.pixel_size for source in self._sources]
        return sizes[0] if sizes[0] is not None and _alike(sizes) else None

    @property
    def pixel_size(self) -> float | None:
        """Angstrom per pixel of the crops, if that of the images is known."""
        size = self.image_pixel_size
        return None if size is None else size * self._box / self._size

    def batches(self, size: int) -> Iterator[npt.NDArray[np.intp]]:
        """Yield all row numbers, at most `size` at a time, those of an image together."""
        order = np.argsort(self._rows.owners, kind="stable")
        for start in range(0, len(order), size):
            yield order[start : start + size]

    def read(self, rows: npt.ArrayLike) -> Image:
        """Return the crops of some rows, in their order.

        The image that was last read as a whole is kept; where few crops of an image are asked
        for, only their regions are read.

        Returns
        -------
        array of shape (k, 1, y, x) or (k, 1, z, y, x), float32

        Raises
        ------
        InputError
            If an image has gone or cannot be read.
        """
        wanted = np.asarray(rows, np.intp)
        crops = np.empty((len(wanted), 1, *self.shape), np.float32)
        owners = self._rows.owners[wanted]
        for owner in np.unique(owners):
            places = np.flatnonzero(owners == owner)
            pixels = self._pixels(int(owner), len(places))
            for part in self._parts(places):
                positions = self._rows.positions[wanted[part]]
                crops[part, 0] = self._cutting.boxes(pixels, positions, self._box, self._size)
        return crops

    def _parts(self, places: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
        """Return the places in parts whose boxes fit into memory."""
        extent = self._box + 2 * self._cutting.margin
        n = max(_PIXELS_AT_ONCE // extent ** len(self.shape), 1)
        return [places[start : start + n] for start in range(0, len(places), n)]

    def _pixels(self, owner: int, n_crops: int) -> Any:
        """Return an image, or else a stand-in that reads the regions that are asked for."""
        if self._kept is not None and self._kept[0] == owner:
            return self._kept[1]
        source = self._sources[owner]
        n_pixels = int(np.prod(source.shape))
        n_wanted = n_crops * self._box ** len(source.shape)
        if n_pixels > _WHOLE_PIXELS or n_wanted < _WHOLE_SHARE * n_pixels:
            return _Regions(source, tuple(source.shape))
        self._kept = None  # before the next one is read: never two of them
        self._kept = (owner, source.read())
        return self._kept[1]


@dataclass(frozen=True, slots=True)
class _Regions:
    """An image of which `mirrored_region` reads no more than it needs."""

    source: ImageSource
    shape: tuple[int, ...]

    def __getitem__(self, region: tuple[slice, ...]) -> Image:
        return self.source.read(region)


def _warn_of_sampling(sources: Sequence[ImageSource], box: int) -> None:
    sizes = [source.pixel_size for source in sources]
    if not _alike(sizes):
        known = [size for size in sizes if size]
        warn(
            f"The images have pixels of {min(known):g} to {max(known):g} angstrom; all crops are "
            f"{box} pixels wide: embed images of one sampling at a time."
        )


def _alike(sizes: Sequence[float | None]) -> bool:
    """Tell whether all pixel sizes that are known are the same."""
    known = [size for size in sizes if size]
    return not known or max(known) - min(known) <= _SAME_PIXEL_SIZE * max(known)

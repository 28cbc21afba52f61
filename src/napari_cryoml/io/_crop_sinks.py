"""Where crops are written to: one class a kind of file."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import emfile
import mrcfile
import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops
from napari_cryoml.io._crop_lists import LIST_NAME, write_crop_list
from napari_cryoml.io._crop_place_arrays import PLACE_NAMES, place_arrays, place_numbers
from napari_cryoml.io._crop_shapes import CHANNELS, CROPS, IDS, MASKS
from napari_cryoml.io._crop_zarr import new_store, wedge_values
from napari_cryoml.io._formats._files import replacing
from napari_cryoml.io._mrc import write_mrc
from napari_cryoml.io._zarr import is_zarr

Columns = Mapping[str, npt.NDArray[Any]]
Boxes = npt.NDArray[np.float32]

_OURS = re.compile(rf"^(box_\d{{6,}}\.(mrc|em)|{re.escape(LIST_NAME)})$")
_RESERVED = (
    frozenset({CROPS, IDS, CHANNELS, MASKS, "pixel_size", "wedge", "wedge_axis"}) | PLACE_NAMES
)


class CropSink:
    """Takes crops in their order, and makes a file of them at the end.

    Used as a context, it leaves nothing behind of what was not finished.

    Parameters
    ----------
    path : Path
    crops : Crops
        What is written: its shape, ids, pixel size and wedge.
    columns : mapping of str to array of shape (n,)
    """

    def __init__(self, path: Path, crops: Crops, columns: Columns) -> None:
        self.path, self.crops, self.columns = path, crops, columns
        self.draft = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._shape = (len(crops), crops.n_channels, *crops.shape)
        self._check()

    def _check(self) -> None:
        """Complain of crops that this kind of file cannot hold."""
        if self.crops.n_channels != 1:
            raise InputError(
                f"{self.path.name} holds one channel, and the crops have "
                f"{self.crops.n_channels}: write .zarr or .npz."
            )

    def __enter__(self) -> CropSink:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except OSError as error:
            raise self._refused(error) from error
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            if self.draft.is_dir():
                shutil.rmtree(self.draft)
            else:
                self.draft.unlink(missing_ok=True)

    def put(self, start: int, boxes: Boxes) -> None:
        """Take the crops from row `start` on, shape (k, channel, [z,] y, x)."""
        try:
            self._put(start, boxes)
        except OSError as error:
            raise self._refused(error) from error

    def finish(self, n: int) -> list[Path]:
        """Make the file of the first `n` crops, and return what was written."""
        try:
            return self._finish(n)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> InputError:
        return InputError(
            f"{self.path} cannot be written ({error.strerror or error}): check the folder, its "
            "permissions and the free space."
        )

    def _open(self) -> None:
        raise NotImplementedError

    def _put(self, start: int, boxes: Boxes) -> None:
        raise NotImplementedError

    def _finish(self, n: int) -> list[Path]:
        raise NotImplementedError

    def _beside(self, n: int) -> list[Path]:
        """Write the particle list of crops that know where they were cut; cells have none."""
        if self.crops.images is None or self.crops.positions is None or self._channels:
            return []
        listing = self.path.with_suffix(".star")
        return [write_crop_list(listing, self.crops, self.columns, n=n)]

    @property
    def _pixel_size(self) -> float | None:
        return getattr(self.crops, "pixel_size", None)

    @property
    def _channels(self) -> tuple[str, ...] | None:
        return getattr(self.crops, "channels", None)

    @property
    def _masks(self) -> Any:
        """Masks of shape (n, [z,] y, x), an array or what is indexed like one; or None."""
        return getattr(self.crops, "masks", None)


class MrcStack(CropSink):
    """An MRC stack: of volumes, with space group 401 and the depth of a box in ``mz``; or images.

    Its particle list goes beside it.
    """

    def _open(self) -> None:
        self._file = self._stack(self._shape[0])

    def _stack(self, n: int) -> Any:
        """Return a new stack of `n` boxes, mapped."""
        file = mrcfile.new_mmap(self.draft, (n, *self._shape[2:]), mrc_mode=2, overwrite=True)
        if len(self._shape) == 4:
            file.set_image_stack()
        if self._pixel_size:
            file.voxel_size = self._pixel_size
        return file

    def _put(self, start: int, boxes: Boxes) -> None:
        self._file.data[start : start + len(boxes)] = boxes[:, 0]

    def _finish(self, n: int) -> list[Path]:
        if n < self._shape[0]:
            self._shorten(n)
        self._file.close()
        self.draft.replace(self.path)
        names = [f"{row + 1:06d}@{self.path.name}" for row in range(n)]
        listing = self.path.with_suffix(".star")
        return [
            self.path,
            write_crop_list(listing, self.crops, self.columns, names=names, n=n),
        ]

    def _shorten(self, n: int) -> None:
        whole, self.draft = self.draft, self.draft.with_suffix(".short.part")
        kept = self._file.data[:n]
        try:
            shorter = self._stack(n)
            shorter.data[:] = kept
        finally:
            self._file.close()
            whole.unlink(missing_ok=True)
        self._file = shorter


class ZarrStore(CropSink):
    """A Zarr group: ``crops``, ``ids``, masks, the columns and places; the rest are attributes."""

    def _check(self) -> None:
        # A slash would make a group of the first half.
        self.columns = {name.replace("/", "_"): v for name, v in self.columns.items()}
        _check_names(self.columns, self.path)

    def _open(self) -> None:
        if self.path.exists() and not is_zarr(self.path):
            raise InputError(f"{self.path} is there and is no Zarr store: choose another name.")
        arrays = {**self.columns, **place_arrays(self.crops)}
        has_masks = self._masks is not None
        self._group = new_store(
            self.draft, self._shape, self.crops.ids, arrays, with_masks=has_masks
        )
        known = {
            CHANNELS: None if self._channels is None else list(self._channels),
            "pixel_size": self._pixel_size,
            "wedge": wedge_values(getattr(self.crops, "wedge", None)),
            **place_numbers(self.crops),
        }
        self._group.attrs.update({k: v for k, v in known.items() if v is not None})

    def _put(self, start: int, boxes: Boxes) -> None:
        rows = slice(start, start + len(boxes))
        self._group[CROPS][rows] = boxes
        if self._masks is not None:
            self._group[MASKS][rows] = np.asarray(self._masks[rows], bool)

    def _finish(self, n: int) -> list[Path]:
        if n < self._shape[0]:
            for _, array in self._group.arrays():
                array.resize((n, *array.shape[1:]))
        if self.path.exists():
            shutil.rmtree(self.path)
        self.draft.replace(self.path)
        return [self.path, *self._beside(n)]


class NumpyArchive(CropSink):
    """Arrays of numpy: ``crops``, ``ids``, columns, places, ``pixel_size``, ``wedge`` and its axis.

    Also ``channels`` and ``masks``, where they are known. All crops lie in memory until the end.
    """

    def _check(self) -> None:
        _check_names(self.columns, self.path)

    def _open(self) -> None:
        self._crops = np.empty(self._shape, np.float32)

    def _put(self, start: int, boxes: Boxes) -> None:
        self._crops[start : start + len(boxes)] = boxes

    def _finish(self, n: int) -> list[Path]:
        arrays = {CROPS: self._crops[:n], IDS: self.crops.ids[:n]}
        per_crop = {**self.columns, **place_arrays(self.crops)}
        arrays |= {name: values[:n] for name, values in per_crop.items()}
        arrays |= {name: np.array(value) for name, value in place_numbers(self.crops).items()}
        if self._pixel_size:
            arrays["pixel_size"] = np.array(self._pixel_size)
        if self._channels is not None:
            arrays[CHANNELS] = np.array(self._channels, np.str_)
        if self._masks is not None:
            arrays[MASKS] = np.asarray(self._masks[:n], bool)
        if (wedge := getattr(self.crops, "wedge", None)) is not None:
            arrays |= {
                "wedge": np.array([wedge.low, wedge.high]),
                "wedge_axis": np.array(wedge.axis),
            }
        with replacing(self.path) as draft, draft.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        return [self.path, *self._beside(n)]


class BoxFolder(CropSink):
    """A folder of one file a box, numbered from 1, with their particle list ``boxes.star``.

    Parameters
    ----------
    kind : {"mrc", "em"}
    """

    def __init__(
        self, path: Path, crops: Crops, columns: Columns, kind: Literal["mrc", "em"]
    ) -> None:
        super().__init__(path, crops, columns)
        self._kind = kind

    def _name(self, row: int) -> str:
        return f"box_{row + 1:06d}.{self._kind}"

    def _open(self) -> None:
        self.path.mkdir(exist_ok=True)
        older = [entry.name for entry in self.path.iterdir()]
        others = [name for name in older if not _OURS.match(name)]
        if others:
            raise InputError(
                f"{self.path} holds other files than boxes ({others[0]}): give the name of an "
                "empty or a new folder."
            )
        for name in older:
            (self.path / name).unlink()

    def _put(self, start: int, boxes: Boxes) -> None:
        for row, box in enumerate(boxes[:, 0], start=start):
            place = self.path / self._name(row)
            if self._kind == "em":
                emfile.write(place, box if box.ndim == 3 else box[None])
            else:
                write_mrc(place, box, self._pixel_size)

    def _finish(self, n: int) -> list[Path]:
        names = [self._name(row) for row in range(n)]
        listing = self.path / LIST_NAME
        return [
            self.path,
            write_crop_list(listing, self.crops, self.columns, names=names, n=n),
        ]


def _check_names(columns: Columns, path: Path) -> None:
    taken = sorted(_RESERVED & set(columns))
    if taken:
        raise InputError(f"{path.name} cannot hold a column named {taken[0]!r}: rename it.")

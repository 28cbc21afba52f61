"""Which picks are to be cut out of which images, and what is known of each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import ImageSource, Picks, PicksTable
from napari_cryoml.preprocess._pick_checks import check_inside, sampling_hint

Column = npt.NDArray[Any]

_SHOWN = 3


def pick_id(image: str, position: npt.ArrayLike) -> str:
    """Return the name of a pick, the same whenever it is made: ``IMAGE@y,x`` or ``IMAGE@z,y,x``.

    Parameters
    ----------
    image : str
        Name of the image.
    position : array of shape (ndim,)
        Pixel (z)yx; one decimal is told.
    """
    return ids_of(image, np.asarray(position, np.float64)[None])[0]


def ids_of(image: str, positions: npt.NDArray[np.float64]) -> list[str]:
    """Return the names of several picks of an image, as `pick_id` does."""
    # Adding zero makes 0.0 of -0.0, which would be another name.
    rounded = np.round(positions, 1) + 0.0
    template = image.replace("%", "%%") + "@" + ",".join(["%.1f"] * positions.shape[1])
    return [template % tuple(row) for row in rounded.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class PickRows:
    """One row a pick.

    Parameters
    ----------
    ids : array of shape (n,), str
        Unique.
    owners : array of shape (n,)
        Number of the source each lies in.
    positions : array of shape (n, ndim), float64
        Pixel (z)yx.
    columns : dict of str to array of shape (n,)
        Whatever else the table holds; numbers, bool or str.
    rotations : array of shape (n, 3, 3), optional
        Orientations as `Picks` has them.
    """

    ids: npt.NDArray[np.str_]
    owners: npt.NDArray[np.intp]
    positions: npt.NDArray[np.float64]
    columns: dict[str, Column]
    rotations: npt.NDArray[np.float64] | None = None

    def take(self, index: npt.NDArray[Any]) -> PickRows:
        """Return the rows at `index`."""
        columns = {name: values[index] for name, values in self.columns.items()}
        rotations = None if self.rotations is None else self.rotations[index]
        return PickRows(
            self.ids[index], self.owners[index], self.positions[index], columns, rotations
        )


def pick_rows(
    sources: Sequence[ImageSource], table: PicksTable
) -> tuple[list[ImageSource], PickRows]:
    """Return the images that have picks, and a row for each pick that can be used.

    Raises
    ------
    InputError
        If there is no pick, no image of the table is among the sources, a position has another
        number of axes than its image, all picks lie outside their image, or they fit it only with
        its axes in another order.

    Warns
    -----
    InputWarning
        If some images of the table are not among the sources, picks have no position or lie
        outside their image, were made at another pixel size, or two have one id (the first is
        kept).
    """
    matched = _matched(sources, table)
    used = list({source.name: source for source, _ in matched}.values())
    numbers = {source.name: number for number, source in enumerate(used)}
    ids = [name for source, picks in matched for name in ids_of(source.name, picks.positions)]
    owners = [np.full(len(picks), numbers[source.name], np.intp) for source, picks in matched]
    rows = PickRows(
        np.array(ids, dtype=np.str_),
        np.concatenate(owners),
        np.concatenate([picks.positions for _, picks in matched]),
        _joined([picks for _, picks in matched]),
        _rotations([picks for _, picks in matched]),
    )
    rows = _different(_placed(rows))
    hint = sampling_hint(matched)
    outside = check_inside(rows.positions, rows.owners, used, hint)
    if outside or hint:
        warn(outside or f"{str(hint)[0].upper()}{str(hint)[1:]}")
    return used, rows


def boxes_inside(
    rows: PickRows, sources: Sequence[ImageSource], starts: npt.NDArray[np.intp], box: int
) -> PickRows:
    """Return the rows whose boxes lie within their image.

    Parameters
    ----------
    rows : PickRows
    sources : sequence of ImageSource
    starts : array of shape (n, ndim)
        First pixel of each box.
    box : int
        Side in pixels.

    Raises
    ------
    InputError
        If none does.

    Warns
    -----
    InputWarning
        If some are left out.
    """
    ends = np.array([source.shape for source in sources])[rows.owners]
    inside = np.asarray(((starts >= 0) & (starts + box <= ends)).all(axis=1))
    if inside.all():
        return rows
    if not inside.any():
        raise InputError(
            f"All boxes of {box} pixels leave their image: take a smaller box, or keep them with "
            "the border 'mirror' or 'mean'."
        )
    warn(
        f"{np.count_nonzero(~inside)} of {len(inside)} picks were left out: their boxes of {box} "
        "pixels leave the image."
    )
    return rows.take(inside)


def common_diameter(table: PicksTable) -> float | None:
    """Return the diameter in pixels that picks tell, the median if images differ, or None."""
    known = [picks.diameter for picks in table if picks.diameter and len(picks)]
    return float(np.median(known)) if known else None


def _matched(sources: Sequence[ImageSource], table: PicksTable) -> list[tuple[ImageSource, Picks]]:
    """Return the images that have picks, each with its own."""
    from napari_cryoml.io import match_images  # loads pandas

    by_name = {source.name: source for source in sources}
    filled = [picks for picks in table if len(picks)]
    if not filled:
        raise InputError("There are no picks to cut out: one at least is needed.")
    names = match_images([picks.image for picks in filled], list(by_name))
    lost = list(dict.fromkeys(picks.image for picks in filled if picks.image not in names))
    if not names:
        raise InputError(
            f"None of the {len(lost)} image(s) with picks ({_some(lost)}) is among the "
            f"{len(by_name)} that are open ({_some(list(by_name))}): open the images these picks "
            "were made on."
        )
    if lost:
        warn(f"The picks of {len(lost)} image(s) that are not open were left out: {_some(lost)}.")
    matched = [(by_name[names[p.image]], p) for p in filled if p.image in names]
    _check_axes(matched)
    return matched


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")


def _check_axes(matched: Sequence[tuple[ImageSource, Picks]]) -> None:
    ndim = len(matched[0][0].shape)
    for source, picks in matched:
        if picks.ndim != len(source.shape):
            raise InputError(
                f"{source.name} has {len(source.shape)} axes, its picks have {picks.ndim}: open "
                "the images these picks were made on."
            )
        if picks.ndim != ndim:
            raise InputError(
                "Some images are 2-D and others 3-D: cut them out one after the other."
            )


def _joined(entries: Sequence[Picks]) -> dict[str, Column]:
    """Return the columns of all images, those that one lacks filled up, and the scores."""
    names = dict.fromkeys(name for picks in entries for name in picks.columns)
    parts = {name: [_flat(picks.columns.get(name)) for picks in entries] for name in names}
    parts["score"] = [picks.scores for picks in entries]
    lengths = [len(picks) for picks in entries]
    return {
        name: _filled(columns, lengths)
        for name, columns in parts.items()
        if any(column is not None for column in columns)
    }


def _rotations(entries: Sequence[Picks]) -> npt.NDArray[np.float64] | None:
    """Return the orientations of all images, NaN where an image has none, or None."""
    if all(picks.rotations is None for picks in entries):
        return None
    unknown = [np.full((len(picks), 3, 3), np.nan) for picks in entries]
    parts = [
        p.rotations if p.rotations is not None else u for p, u in zip(entries, unknown, strict=True)
    ]
    return np.concatenate(parts)


def _flat(values: npt.ArrayLike | None) -> Column | None:
    """Return a column of one number, truth value or text a pick, and no other."""
    column = None if values is None else np.asarray(values)
    if column is None or column.ndim != 1:
        return None
    if column.dtype.kind in "biufU":
        return column
    return np.array(["" if value is None else str(value) for value in column], dtype=np.str_)


def _filled(columns: Sequence[Column | None], lengths: Sequence[int]) -> Column:
    """Return the columns of all images as one, NaN or "" where an image has none."""
    is_text = any(column is not None and column.dtype.kind == "U" for column in columns)
    empty = np.array("") if is_text else np.array(np.nan, np.float32)
    parts = [
        np.broadcast_to(empty, (n,)) if column is None else column
        for column, n in zip(columns, lengths, strict=True)
    ]
    return np.concatenate([part.astype(np.str_) for part in parts] if is_text else parts)


def _placed(rows: PickRows) -> PickRows:
    finite = np.asarray(np.isfinite(rows.positions).all(axis=1))
    if finite.all():
        return rows
    warn(f"{np.count_nonzero(~finite)} picks without a position were left out.")
    return rows.take(finite)


def _different(rows: PickRows) -> PickRows:
    if len(set(rows.ids.tolist())) == len(rows.ids):
        return rows
    _, first = np.unique(rows.ids, return_index=True)
    warn(
        f"{len(rows.ids) - len(first)} picks lie within a tenth of a pixel of another one; of each "
        "such group, the first was kept."
    )
    return rows.take(np.sort(first))


def warn(sentence: str) -> None:
    """Issue an InputWarning."""
    warnings.warn(sentence, InputWarning, stacklevel=4)

"""Between one table of rows and picks by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_cryoml.data import Picks, PicksTable


def split_by_image(rows: Picks, images: Sequence[str] | npt.NDArray[Any]) -> tuple[Picks, ...]:
    """Return one `Picks` an image, in order of first appearance.

    Parameters
    ----------
    rows : Picks
        The particles of all images together.
    images : sequence of str of length n
        The image of each row.
    """
    # What is no name, as an empty cell of a damaged table, is the image "nan".
    codes, names = pd.factorize(np.asarray(images, dtype=object), use_na_sentinel=False)
    if not len(names):
        return ()
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))[:-1]
    parts = zip(names, np.split(order, ends), strict=True)
    return tuple(_named(rows.take(index), str(name)) for name, index in parts)


def _named(picks: Picks, image: str) -> Picks:
    unscored = picks.scores is not None and bool(np.isnan(picks.scores).all())
    return replace(picks, image=image, scores=None if unscored else picks.scores)


def image_of_rows(table: PicksTable) -> npt.NDArray[Any]:
    """Return the image name of each row of the joined table, shape (n,), as objects."""
    names = [np.full(len(picks), picks.image, dtype=object) for picks in table]
    return np.concatenate(names) if names else np.empty(0, dtype=object)


def joined_positions(table: PicksTable, ndim: int) -> npt.NDArray[np.float64]:
    """Return the positions of all images, shape (n, ndim)."""
    return np.concatenate([np.empty((0, ndim))] + [p.positions for p in table if len(p)])


def joined_scores(table: PicksTable) -> npt.NDArray[np.float64] | None:
    """Return the scores of all images, NaN where an image has none; None if none has any.

    A float32 score becomes the shortest decimal that names it, so that text files show 0.1.
    """
    filled = [picks for picks in table if len(picks)]
    if all(picks.scores is None for picks in filled):
        return None
    parts = [
        np.full(len(p), np.nan) if p.scores is None else p.scores.astype(str).astype(np.float64)
        for p in filled
    ]
    return np.concatenate(parts)


def joined_rotations(table: PicksTable) -> npt.NDArray[np.float64] | None:
    """Return the rotations of all images, shape (n, 3, 3), NaN where an image has none.

    None if no rotation is known at all.
    """
    parts = [
        np.full((len(p), 3, 3), np.nan) if p.rotations is None else p.rotations
        for p in table
        if len(p)
    ]
    joined = np.concatenate([np.empty((0, 3, 3)), *parts])
    return joined if np.isfinite(joined).any() else None


def joined_columns(table: PicksTable) -> pd.DataFrame:
    """Return the further columns of all images; a column that an image lacks is empty there.

    Only columns of one value a particle are kept.
    """
    frames = [
        pd.DataFrame(
            {name: values for name, values in p.columns.items() if np.ndim(values) == 1},
            index=np.arange(len(p)),
        )
        for p in table
        if len(p)
    ]
    if not frames:
        names = dict.fromkeys(name for p in table for name in p.columns)
        return pd.DataFrame({name: np.empty(0) for name in names})
    return pd.concat(frames, ignore_index=True)


def columns_of(frame: pd.DataFrame, without: Sequence[str] = ()) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a data frame as arrays, but those named in `without`."""
    left_out = set(without)
    return {str(n): frame[n].to_numpy() for n in frame.columns if str(n) not in left_out}


def ndim_of(table: PicksTable) -> int:
    """Return the number of image axes of a table: 3 if any image has three."""
    return max((picks.ndim for picks in table), default=2)

"""Which cells are trained on, which choose the epoch, and which are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

_TRAIN, _VALIDATION, _TEST, _NONE = 0, 1, 2, -1
# A group of few cells fills the test part first, then training, then validation.
_FILLED_FIRST = (_TEST, _TRAIN, _VALIDATION)
_NAMED = 5


@dataclass(frozen=True, slots=True, eq=False)
class CellSplit:
    """The part that each cell belongs to.

    Parameters
    ----------
    train, validation, test : array of shape (k,), intp
        Rows, rising; no row is in two of them.
    held_out : tuple of str
        Groups whose cells are all in `test`, on purpose.
    seed : int
        Of the draw.
    notes : tuple of str
        Sentences for the user.
    """

    train: npt.NDArray[np.intp]
    validation: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]
    held_out: tuple[str, ...]
    seed: int
    notes: tuple[str, ...] = ()


def split_cells(
    groups: npt.ArrayLike,
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
    hold_out: float | Sequence[str] | None = None,
) -> CellSplit:
    """Part the cells of each protein, or of any other group, into train, validation and test.

    By default each group gives the same shares of its cells to the parts, as Razdaibiedina and
    Brechalov 2022 do (section 2.2). Then every group that is measured was seen in training.
    With `hold_out`, whole groups are measured that training never sees, and the cells of the others
    are parted into train and validation alone.

    Parameters
    ----------
    groups : array of shape (n,), str or int
        The protein of each cell; cells of "" or of a negative number are in no part.
    shares : tuple of float, default (0.8, 0.1, 0.1)
        Of the cells of a group in train, validation and test; they sum to 1.
    seed : int, default 0
        Of the draw.
    hold_out : float or sequence of str, optional
        The share of the groups that are held out, drawn by chance, or their names.

    Returns
    -------
    CellSplit
        A group of two cells has one in test and one in train; a group of one has it in test, for
        it needs a vector too, and is not learnt from: the notes say so.

    Raises
    ------
    InputError
        If shares are negative or do not sum to 1, a name to hold out is no group, or no group is
        left to train on.
    """
    parts_of = _checked(shares)
    column = np.asarray(groups)
    known = np.flatnonzero(column >= 0 if column.dtype.kind in "iu" else column.astype(str) != "")
    names, codes = np.unique(column[known], return_inverse=True)
    names = names.astype(np.str_)
    rng = np.random.default_rng(seed)
    held = _held_out(names, hold_out, rng)
    if hold_out is not None:
        seen = parts_of[_TRAIN] + parts_of[_VALIDATION]
        if not seen or held.all():
            raise InputError("Nothing is left to train on: hold fewer groups out.")
        parts_of = np.array([parts_of[_TRAIN] / seen, parts_of[_VALIDATION] / seen, 0.0])
    part = np.full(len(column), _NONE)
    part[known] = np.where(held[codes], _TEST, _drawn(codes, len(names), parts_of, rng))
    notes = _notes(part, names, codes, held, parts_of)
    return CellSplit(
        train=np.flatnonzero(part == _TRAIN),
        validation=np.flatnonzero(part == _VALIDATION),
        test=np.flatnonzero(part == _TEST),
        held_out=tuple(names[held].tolist()),
        seed=seed,
        notes=notes,
    )


def _checked(shares: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    parts = np.asarray(shares, np.float64)
    if parts.shape != (3,) or (parts < 0).any() or abs(parts.sum() - 1) > 1e-6:
        raise InputError(
            f"Shares of train, validation and test must be three numbers that sum to 1; "
            f"{shares} was given."
        )
    return parts


def _held_out(
    names: npt.NDArray[np.str_], hold_out: float | Sequence[str] | None, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Return which groups are held out, shape (len(names),)."""
    if hold_out is None:
        return np.zeros(len(names), bool)
    if isinstance(hold_out, int | float):
        if not 0 < hold_out < 1:
            raise InputError(
                f"The share of groups to hold out must lie between 0 and 1; {hold_out} was given."
            )
        drawn = rng.permutation(len(names))[: max(round(hold_out * len(names)), 1)]
        return np.isin(np.arange(len(names)), drawn)
    wanted = np.atleast_1d(np.asarray(hold_out, np.str_))
    absent = wanted[~np.isin(wanted, names)]
    if len(absent):
        raise InputError(
            f"No cell belongs to {str(absent[0])!r}, which was to be held out: name groups that "
            "are there."
        )
    return np.isin(names, wanted)


def _drawn(
    codes: npt.NDArray[np.intp],
    n_groups: int,
    shares: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> npt.NDArray[np.intp]:
    """Return the part of each cell, in shares within each group."""
    order = rng.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    sizes = np.bincount(codes, minlength=n_groups)
    rank = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    ends = np.cumsum(_counts(sizes, shares), axis=1)
    part = np.empty(len(codes), np.intp)
    part[order] = (rank[:, None] >= ends[codes[order]]).sum(axis=1)
    return part


def _counts(sizes: npt.NDArray[np.intp], shares: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return how many cells of each group go into each part, shape (n_groups, 3).

    Shares are rounded by the largest remainder; then each part that has a share gets a cell, as
    far as there are cells.
    """
    wanted = sizes[:, None] * shares
    counts = np.floor(wanted + 1e-9).astype(np.intp)
    remainders = np.argsort(counts - wanted, axis=1, kind="stable")
    places = np.argsort(remainders, axis=1, kind="stable")
    counts += places < (sizes - counts.sum(axis=1))[:, None]
    asked = [part for part in _FILLED_FIRST if shares[part] > 0]
    for rank, part in enumerate(asked):
        lacking = np.flatnonzero((counts[:, part] == 0) & (sizes > rank))
        giver = _giver(counts[lacking], asked[: rank + 1])
        counts[lacking, giver] -= 1
        counts[lacking, part] += 1
    return counts


def _giver(counts: npt.NDArray[np.intp], filled: list[int]) -> npt.NDArray[np.intp]:
    """Return the part that can best spare a cell: not the only one of a part filled before."""
    spare = counts.copy()
    spare[:, filled] -= 1
    return spare.argmax(axis=1)


def _notes(
    part: npt.NDArray[np.intp],
    names: npt.NDArray[np.str_],
    codes: npt.NDArray[np.intp],
    held: npt.NDArray[np.bool_],
    shares: npt.NDArray[np.float64],
) -> tuple[str, ...]:
    notes: list[str] = []
    left_out = int((part == _NONE).sum())
    if left_out:
        notes.append(f"{left_out} of {len(part)} cells belong to no group and are in no part.")
    if not shares[_TRAIN]:
        return tuple(notes)
    of_known = part[part != _NONE]
    trained = np.bincount(codes[of_known == _TRAIN], minlength=len(names)) > 0
    unseen = names[~trained & ~held]
    if len(unseen):
        listed = ", ".join(unseen[:_NAMED]) + (" and more" if len(unseen) > _NAMED else "")
        notes.append(
            f"{len(unseen)} of {len(names)} groups have too few cells to train on as well as to "
            f"measure: {listed}."
        )
    return tuple(notes)

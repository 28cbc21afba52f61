"""Tables of measurements, what is wrong with them, and what is left once that is taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_NAMED = 5
_FLAT = 1e-6
_MOST_MISSING = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """One row of measurements a cell.

    Parameters
    ----------
    names : tuple of str
        Of the columns; each begins with its group.
    values : array of shape (n, d), float32
        NaN where a measurement has no meaning for a cell.
    """

    names: tuple[str, ...]
    values: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise InputError(
                f"{len(self.names)} names need a table of as many columns; an array of shape "
                f"{self.values.shape} was given."
            )

    def __len__(self) -> int:
        return len(self.values)

    def report(self) -> MeasurementReport:
        """Return what is missing and what is constant."""
        return MeasurementReport.of(self)

    def reduced(self, share: float = 0.99) -> tuple[Measurements, Reduction]:
        """Return principal components of these cells, and what makes them of others.

        Parameters
        ----------
        share : float, default 0.99
            See `Reduction.fit`.
        """
        reduction = Reduction.fit(self, share)
        return reduction.apply(self), reduction


@dataclass(frozen=True, slots=True)
class MeasurementReport:
    """What of a table of measurements says nothing.

    Parameters
    ----------
    n_cells, n_measurements : int
    missing : mapping of str to int
        Number of cells, those without any value aside, in which a measurement has none.
    constant : tuple of str
        Measurements that are the same in all cells.
    n_empty : int
        Cells without any value: empty, constant, or not finite.
    """

    n_cells: int
    n_measurements: int
    missing: Mapping[str, int]
    constant: tuple[str, ...]
    n_empty: int

    @classmethod
    def of(cls, measurements: Measurements) -> MeasurementReport:
        """Return the report of a table."""
        known = np.isfinite(measurements.values)
        measured = known.any(axis=1)
        n_missing = (~known[measured]).sum(axis=0)
        constant = _are_constant(measurements.values)
        names = np.array(measurements.names, dtype=object)
        missing = {str(name): int(n) for name, n in zip(names, n_missing, strict=True) if n}
        return cls(
            len(measurements),
            len(names),
            missing,
            tuple(map(str, names[constant])),
            int((~measured).sum()),
        )

    def sentences(self) -> tuple[str, ...]:
        """Return what a user should know, one sentence a matter; none if all is well."""
        found = []
        if self.n_empty:
            found.append(
                f"{self.n_empty} of {self.n_cells} cells show nothing that could be measured."
            )
        if self.missing:
            told = _some([f"{name} in {n}" for name, n in self.missing.items()])
            found.append(
                f"{len(self.missing)} of {self.n_measurements} measurements have no value in some "
                f"cells: {told}."
            )
        if self.constant:
            found.append(
                f"{len(self.constant)} of {self.n_measurements} measurements are the same in all "
                f"cells: {_some(self.constant)}."
            )
        return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """Principal components of standardised measurements, and how to find them in other cells.

    Parameters
    ----------
    names : tuple of str
        Measurements that are used, neither constant nor often missing.
    mean, scale : array of shape (d,)
        What they are brought to mean 0 and deviation 1 with.
    components : array of shape (k, d)
        Directions, the strongest first.
    share : float
        Of the variance of the standardised measurements that lies along them.
    left_out : tuple of str
        Measurements that are not used.
    """

    names: tuple[str, ...]
    mean: Doubles
    scale: Doubles
    components: Doubles
    share: float
    left_out: tuple[str, ...] = ()

    @classmethod
    def fit(cls, measurements: Measurements, share: float = 0.99) -> Reduction:
        """Learn the components that hold a share of the variance.

        Columns that are constant, or missing in more than 5 % of the cells that could be
        measured, are left out first; all others are brought to mean 0 and deviation 1.

        Parameters
        ----------
        measurements : Measurements
        share : float, default 0.99
            Between 0 and 1; 1 keeps all directions in which the cells differ.

        Raises
        ------
        InputError
            If fewer than two cells could be measured, nothing differs between them, or the share
            is no share.
        """
        if not 0 < share <= 1:
            raise InputError(
                f"Principal components hold a share of the variance above 0, up to 1; {share:g} "
                "was given."
            )
        table = measurements.values[np.isfinite(measurements.values).any(axis=1)]
        if len(table) < 2:
            raise InputError(
                f"Principal components need two cells that could be measured; there are "
                f"{len(table)} of {len(measurements)}."
            )
        rare = (~np.isfinite(table)).mean(axis=0) > _MOST_MISSING
        kept = np.flatnonzero(~rare & ~_are_constant(table))
        if not len(kept):
            raise InputError(
                "No measurement differs between these cells: nothing is left for principal "
                "components."
            )
        part = np.where(np.isfinite(table[:, kept]), table[:, kept], np.nan).astype(np.float64)
        mean, scale = np.nanmean(part, axis=0), np.nanstd(part, axis=0)
        components, held = _components(np.nan_to_num((part - mean) / scale), share)
        left = np.setdiff1d(np.arange(table.shape[1]), kept)
        used, unused = (tuple(measurements.names[at] for at in part) for part in (kept, left))
        return cls(used, mean, scale, components, held, unused)

    def apply(self, measurements: Measurements) -> Measurements:
        """Return the components of cells, with names ``pc_1`` and on.

        A value that is missing counts as the mean; a cell without any value stays NaN.

        Raises
        ------
        InputError
            If a measurement that is used was not made of them.
        """
        place = {name: at for at, name in enumerate(measurements.names)}
        lacking = [name for name in self.names if name not in place]
        if lacking:
            raise InputError(
                f"These cells lack {len(lacking)} of {len(self.names)} measurements, the first is "
                f"{lacking[0]!r}: measure them with the same set, groups and channels."
            )
        table = measurements.values[:, [place[name] for name in self.names]]
        known = np.isfinite(table)
        standard = np.where(known, (table - self.mean) / self.scale, 0)
        found = (standard @ self.components.T).astype(np.float32)
        found[~known.any(axis=1)] = np.nan
        return Measurements(tuple(f"pc_{k + 1}" for k in range(len(self.components))), found)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain numbers, lists and strings."""
        return {
            "names": list(self.names),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "components": self.components.tolist(),
            "share": self.share,
            "left_out": list(self.left_out),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Reduction:
        """Return what `to_json` has written.

        Raises
        ------
        InputError
            If an entry is missing or is of the wrong kind.
        """
        try:
            return cls(
                tuple(map(str, values["names"])),
                np.asarray(values["mean"], np.float64),
                np.asarray(values["scale"], np.float64),
                np.asarray(values["components"], np.float64),
                float(values["share"]),
                tuple(map(str, values["left_out"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"How these measurements were reduced cannot be read ({error!r}): measure again."
            ) from error


def _are_constant(table: Floats) -> npt.NDArray[np.bool_]:
    """Return which columns have at most one value, NaN aside."""
    known = np.isfinite(table)
    low = np.where(known, table, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, table, -np.inf).max(axis=0, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        return np.asarray(~(high - low > _FLAT * np.maximum(np.abs(low), np.abs(high))))


def _components(standard: Doubles, share: float) -> tuple[Doubles, float]:
    """Return directions (k, d) that hold a share of the variance, of a sign always the same."""
    values, axes = np.linalg.eigh(standard.T @ standard / len(standard))
    values, axes = np.maximum(values[::-1], 0), axes[:, ::-1]
    held = np.cumsum(values) / values.sum()
    differing = int((values > 1e-10 * values[0]).sum())
    k = min(int(np.searchsorted(held, share - 1e-9)) + 1, differing)
    rows = axes[:, :k].T
    largest = rows[np.arange(k), np.abs(rows).argmax(axis=1)]
    return rows * np.where(largest < 0, -1.0, 1.0)[:, None], float(held[k - 1])


def _some(words: list[str] | tuple[str, ...]) -> str:
    """Return the first few words of many, and how many more there are."""
    told = ", ".join(words[:_NAMED])
    return told if len(words) <= _NAMED else f"{told} and {len(words) - _NAMED} more"

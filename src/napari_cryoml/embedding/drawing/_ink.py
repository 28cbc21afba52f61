"""What the points of a figure are coloured by, and its legend or colour bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml.embedding.drawing._palettes import (
    PLAIN,
    categorical,
    sequential,
    shades,
    unlabelled,
    value_limits,
)

GROUND = {True: "#1a1b1f", False: "#ffffff"}
"""Background of a figure, dark or not."""
PEN = {True: "#e8e8e8", False: "#202020"}
"""Colour of its lines and words."""

_LEGEND_ROWS = 20
_LEGEND_ENTRIES = 3 * _LEGEND_ROWS

_Colours = npt.NDArray[np.uint8]
_Codes = npt.NDArray[np.integer]
_Values = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """Colours of the points: one by code, and what the codes stand for.

    Parameters
    ----------
    codes : int array of shape (n,)
        Row of `palette`; -1 for none.
    palette : uint8 array of shape (k, 3)
    dark : bool
        Whether the background is dark.
    names : list of str
        Of the categories, empty if the codes stand for none.
    limits : tuple of float, optional
        Values at the ends of the palette, if the codes stand for values.
    """

    codes: _Codes
    palette: _Colours
    dark: bool
    names: list[str]
    limits: tuple[float, float] | None = None

    @classmethod
    def plain(cls, n: int, dark: bool) -> Ink:
        """Return one colour for `n` points."""
        return cls(np.zeros(n, np.int8), np.array([PLAIN], np.uint8), dark, [])

    @classmethod
    def none(cls, n: int, dark: bool) -> Ink:
        """Return the grey of what belongs to nothing for `n` points."""
        return cls(np.full(n, -1, np.int8), np.empty((0, 3), np.uint8), dark, [])

    @classmethod
    def of_values(cls, values: _Values, limits: tuple[float, float] | None, dark: bool) -> Ink:
        """Return the colours of values on a sequential scale."""
        values = np.asarray(values, np.float64)
        limits = limits or value_limits(values)
        return cls(shades(values, limits), sequential(dark), dark, [], limits)

    @classmethod
    def of_categories(
        cls, codes: _Codes, names: Sequence[str], palette: _Colours | None, dark: bool
    ) -> Ink:
        """Return the colours of categories; those without a name are called by their number."""
        codes = np.asarray(codes)
        n = max(int(codes.max(initial=-1)) + 1, len(names))
        known = [*map(str, names), *map(str, range(len(names), n))]
        return cls(codes, categorical(n, dark) if palette is None else palette, dark, known)

    @property
    def rgb(self) -> npt.NDArray[np.float64]:
        """Red, green and blue, 0..1, by code; the last, for code -1, is that of none."""
        return np.concatenate([self.palette, [unlabelled(self.dark)]]) / 255

    def add_key(self, plot: Any, title: str) -> None:
        """Add to the axes the legend of categories or the colour bar of values, if there are."""
        if self.limits is not None:
            self._add_bar(plot, title, self.limits)
        elif self.names:
            self._add_legend(plot, title)

    def _add_bar(self, plot: Any, title: str, limits: tuple[float, float]) -> None:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import ListedColormap, Normalize

        colours = ScalarMappable(Normalize(*limits), ListedColormap(self.palette / 255))
        bar = plot.figure.colorbar(colours, ax=plot, shrink=0.7, pad=0.02, label=title)
        bar.outline.set_visible(False)
        bar.ax.tick_params(colors=PEN[self.dark], labelsize=8)
        bar.ax.yaxis.label.set_color(PEN[self.dark])

    def _add_legend(self, plot: Any, title: str) -> None:
        from matplotlib.lines import Line2D

        handles = [
            Line2D([], [], color=rgb, label=name, linestyle="", marker="o", markersize=5)
            for rgb, name in self._entries()
        ]
        legend = plot.figure.legend(
            handles=handles,
            loc="outside right upper",
            title=title or None,
            fontsize=7,
            title_fontsize=8,
            ncols=-(-len(handles) // (_LEGEND_ROWS + 2)),
            frameon=False,
            labelcolor=PEN[self.dark],
            handletextpad=0.2,
        )
        legend.get_title().set_color(PEN[self.dark])

    def _entries(self) -> list[tuple[Any, str]]:
        """Return colour and name of each category that has points, the greatest first."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))
        order = [int(code) for code in np.argsort(-counts, kind="stable") if counts[code]]
        shown = order[:_LEGEND_ENTRIES]
        entries: list[tuple[Any, str]] = [
            (self.rgb[code], f"{self.names[code]} ({counts[code]:,})") for code in shown
        ]
        if len(order) > len(shown):
            entries.append(("none", f"and {len(order) - len(shown)} more"))
        if n_none := int(np.count_nonzero(self.codes < 0)):
            entries.append((self.rgb[-1], f"none ({n_none:,})"))
        return entries

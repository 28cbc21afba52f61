"""A map as a figure for print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.embedding.drawing._clouds import CLOUD_OPACITY, Cloud, category_clouds
from napari_cryoml.embedding.drawing._group_clouds import GroupClouds
from napari_cryoml.embedding.drawing._ink import GROUND, PEN, Ink
from napari_cryoml.embedding.drawing._lasso import rectangle_mask
from napari_cryoml.embedding.drawing._layers import N_DISCS
from napari_cryoml.embedding.drawing._palettes import unlabelled
from napari_cryoml.embedding.drawing._raster import PointRaster
from napari_cryoml.embedding.drawing._terms import place_terms
from napari_cryoml.embedding.drawing._view import MapView, bounds

FORMATS = (".png", ".svg")
"""How the file of a figure may end."""

_RASTER_DPI = 144
_SCREEN_DPI = 96
_FAINT = 0.35
_ASPECTS = (0.6, 1.6)

_Codes = npt.NDArray[np.integer]


def write_figure(
    path: str | Path,
    coordinates: npt.NDArray[np.floating],
    values: npt.NDArray[np.floating] | None = None,
    *,
    codes: npt.NDArray[np.integer] | None = None,
    names: Sequence[str] = (),
    palette: npt.NDArray[np.uint8] | None = None,
    limits: tuple[float, float] | None = None,
    view: MapView | None = None,
    clouds: bool = False,
    groups: GroupClouds | None = None,
    arrows: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]] | None = None,
    title: str = "",
    legend: bool = True,
    legend_title: str = "",
    axes: tuple[str, str] = ("UMAP 1", "UMAP 2"),
    size: tuple[float, float] = (6.5, 5.0),
    dpi: int = 200,
    dark: bool = False,
) -> Path:
    """Write a map to a PNG or SVG file.

    Up to 4,000 points in view are discs, in SVG vector shapes; more are a density.

    Parameters
    ----------
    path : str or Path
        Ends in .png or .svg.
    coordinates : array of shape (n, 2)
        Map positions xy; rows that are not finite are left out.
    values : array of shape (n,), optional
        A number per row to colour by, with a colour bar.
    codes : int array of shape (n,), optional
        A category per row to colour by, with a legend; -1 for none. Instead of `values`.
    names : sequence of str
        Of the categories, by code.
    palette : uint8 array of shape (k, 3), optional
        Colours of the categories; those of `categorical` by default.
    limits : tuple of float, optional
        Values at the ends of the colour bar; the 1st and 99th percentile by default.
    view : MapView, optional
        The part to show; everything by default.
    clouds : bool
        Draw the density of each category, with its name at the mode, over faint points.
    groups : GroupClouds, optional
        Clouds of groups of rows, each with its number at the mode, over faint points; the legend
        is theirs. Points that are not coloured by anything are grey.
    arrows : tuple of arrays of shape (m, 2), optional
        Where arrows begin and where they end, map positions.
    title : str
    legend : bool
        Whether to add the legend or the colour bar.
    legend_title : str
        What is coloured by.
    axes : tuple of str
        Names of the map's axes.
    size : tuple of float
        Width and height of the figure, inches.
    dpi : int
        Pixels per inch.
    dark : bool
        Light ink on a dark ground.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the file ends in anything else, or its folder does not exist, or lengths differ.
    """
    path = Path(path)
    points = np.asarray(coordinates, np.float64).reshape(-1, 2)
    _check(path, len(points), values, codes)
    if codes is not None:
        ink = Ink.of_categories(codes, names, palette, dark)
    elif values is not None:
        ink = Ink.of_values(values, limits, dark)
    else:
        ink = Ink.plain(len(points), dark) if groups is None else Ink.none(len(points), dark)
    plot = _new_plot(title, axes, size, dpi, dark)
    if legend:
        (ink if groups is None else _group_ink(groups, dark, numbers=True)).add_key(
            plot, legend_title
        )
    clouds = clouds and bool(ink.names)
    _add_points(plot, points, ink, view or _whole(points), clouds or groups is not None)
    if clouds:
        _add_clouds(plot, category_clouds(points, ink.codes), ink)
    if groups is not None:
        _add_clouds(plot, list(groups.clouds), _group_ink(groups, dark, numbers=False))
    if arrows is not None:
        _add_arrows(plot, *arrows, dark)
    _save(plot.figure, path)
    return path


def _check(
    path: Path,
    n: int,
    values: npt.NDArray[np.floating] | None,
    codes: _Codes | None,
) -> None:
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"A figure ends in {' or '.join(FORMATS)}, but this file is called {path.name}."
        )
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}: make it first.")
    for what, column in (("values", values), ("categories", codes)):
        if column is not None and len(column) != n:
            raise InputError(
                f"A map of {n:,} rows needs as many {what}; there are {len(column):,}."
            )


def _new_plot(
    title: str, axes: tuple[str, str], size: tuple[float, float], dpi: int, dark: bool
) -> Any:
    """Return the axes of a new figure that no window and no state of pyplot knows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=dpi, layout="constrained", facecolor=GROUND[dark])
    FigureCanvasAgg(figure)
    plot = figure.add_subplot(aspect="equal", adjustable="box", facecolor=GROUND[dark])
    plot.set_title(title, color=PEN[dark], fontsize=10)
    plot.set_xlabel(axes[0], color=PEN[dark], fontsize=8, loc="left")
    plot.set_ylabel(axes[1], color=PEN[dark], fontsize=8, loc="bottom")
    # Distances on a map have no unit, and places no meaning: numbers would pretend otherwise.
    plot.set_xticks([])
    plot.set_yticks([])
    for spine in plot.spines.values():
        spine.set_color(PEN[dark])
        spine.set_alpha(0.4)
    return plot


def _whole(points: npt.NDArray[np.float64]) -> MapView:
    """Return the view of all points, as wide and high as they lie, within reason."""
    low, high = bounds(points)
    width, height = np.maximum(high - low, 1e-12)
    return MapView.fit(points, (round(1000 * np.clip(width / height, *_ASPECTS)), 1000))


def _add_points(
    plot: Any, points: npt.NDArray[np.float64], ink: Ink, view: MapView, faint: bool
) -> None:
    left, right, bottom, top = view.extent
    plot.set_xlim(left, right)
    plot.set_ylim(bottom, top)
    plot.figure.draw_without_rendering()
    width = plot.get_window_extent().width / plot.figure.dpi
    raster = PointRaster(points)
    raster.set_colours(ink.codes, ink.palette, unlabelled(ink.dark))
    inside = rectangle_mask(points, (left, bottom), (right, top))
    if inside.sum() <= N_DISCS:
        screen = view.scaled(width * _SCREEN_DPI / view.size[0])
        diameter = 2 * raster.radius(screen) * 72 / _SCREEN_DPI
        _add_discs(plot, points, ink, inside, diameter, faint)
    else:
        picture = raster.render(view.scaled(width * _RASTER_DPI / view.size[0]), faint=faint)
        plot.imshow(picture, extent=view.extent, interpolation="bilinear", aspect="equal")


def _add_discs(
    plot: Any,
    points: npt.NDArray[np.float64],
    ink: Ink,
    inside: npt.NDArray[np.bool_],
    diameter: float,
    faint: bool,
) -> None:
    """Draw vector discs of a diameter in points, those without a class behind."""
    rows = np.flatnonzero(inside)
    rows = rows[np.argsort(ink.codes[rows] >= 0, kind="stable")]
    plot.scatter(
        *points[rows].T,
        s=diameter**2,
        c=ink.rgb[ink.codes[rows]],
        alpha=_FAINT if faint else 0.9,
        linewidths=0,
    )


def _group_ink(groups: GroupClouds, dark: bool, *, numbers: bool) -> Ink:
    """Return the colours of groups, called by number and name for the legend, or by number."""
    drawn = {cloud.code: cloud.count for cloud in groups.clouds}
    codes = np.repeat(list(drawn), list(drawn.values())).astype(np.intp)
    names = [str(place) for place in range(1, len(groups) + 1)]
    if numbers:
        names = [f"{number}  {name}" for number, name in zip(names, groups.names, strict=True)]
    return Ink.of_categories(codes, names, groups.colours(dark), dark)


def _add_arrows(
    plot: Any, start: npt.NDArray[np.floating], end: npt.NDArray[np.floating], dark: bool
) -> None:
    """Draw arrows as shapes, as long as they are on the map."""
    if not len(start):
        return
    plot.quiver(
        *np.asarray(start).T,
        *(np.asarray(end) - np.asarray(start)).T,
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.002,
        color=PEN[dark],
        alpha=0.7,
        zorder=3,
    )


def _add_clouds(plot: Any, clouds: list[Cloud], ink: Ink) -> None:
    limits = plot.get_xlim(), plot.get_ylim()
    for cloud in clouds:
        picture = np.empty((*cloud.opacity.shape, 4), np.float32)
        picture[..., :3] = ink.rgb[cloud.code]
        picture[..., 3] = cloud.opacity * CLOUD_OPACITY
        plot.imshow(picture, extent=cloud.extent, interpolation="bilinear", aspect="equal")
    plot.set_xlim(limits[0])
    plot.set_ylim(limits[1])
    _add_terms(plot, sorted(clouds, key=lambda cloud: -cloud.count), ink)


def _add_terms(plot: Any, clouds: list[Cloud], ink: Ink) -> None:
    """Write each category's name at its mode; the greatest come first where there is no room."""
    from matplotlib.patheffects import Stroke

    look = {"ha": "center", "va": "center", "fontsize": 7, "clip_on": True}
    names = [ink.names[cloud.code] for cloud in clouds]
    terms = [plot.text(0, 0, name, color=PEN[ink.dark], zorder=5, **look) for name in names]
    plot.figure.draw_without_rendering()
    boxes = [term.get_window_extent() for term in terms]
    anchors = plot.transData.transform([cloud.mode for cloud in clouds]) if clouds else []
    places = place_terms(anchors, [(box.width, box.height) for box in boxes])
    for term, place in zip(terms, places, strict=True):
        if np.isnan(place).any():
            term.remove()
        else:
            term.set_position(plot.transData.inverted().transform(place))
            # A word of its own: with an effect the word itself would be shapes in SVG.
            halo = plot.text(*term.get_position(), term.get_text(), zorder=4, **look)
            halo.set_path_effects([Stroke(linewidth=2, foreground=GROUND[ink.dark])])


def _save(figure: Any, path: Path) -> None:
    """Write without a date, so that the same map gives the same file."""
    import matplotlib

    dated = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
    # Text stays text in SVG, for whoever edits the figure.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "napari-cryoml"}):
        figure.savefig(path, facecolor=figure.get_facecolor(), metadata=dated)

"""A map as one page for a browser, which asks nothing of a network."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.embedding.drawing._categories import category_codes
from napari_cryoml.embedding.drawing._clouds import CLOUD_OPACITY, Cloud
from napari_cryoml.embedding.drawing._group_clouds import GroupClouds
from napari_cryoml.embedding.drawing._palettes import (
    PLAIN,
    categorical,
    sequential,
    unlabelled,
    value_limits,
)
from napari_cryoml.io import replacing

_TEMPLATE = Path(__file__).with_name("_page.html")
_DIGITS = 5
_MOST_CATEGORIES = 64
_MOST_WHOLE_NUMBERS = 12
_CLOUD_SIDE = 96
_SHADES = 32
_WITH_WHITE = 8  # categories of which one is white; of fewer and of more none is


def write_page(
    path: str | Path,
    embedding: Embedding,
    layout: npt.ArrayLike,
    *,
    title: str = "",
    colour: str | None = None,
    groups: GroupClouds | None = None,
    groups_title: str = "Groups",
    arrows: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike] | None = None,
    neighbours: Mapping[int, Sequence[tuple[int, float]]] | None = None,
    thumbnails: Mapping[int, bytes] | None = None,
) -> Path:
    """Write a map as a single HTML file.

    The page needs no network and no other file. Point at a row for its name, click on it for all
    that is known of it, search names, colour by any column, and show or hide each group. What the
    data hold is shown as text, whatever it is: nothing of it becomes a part of the page.

    Parameters
    ----------
    path : path
        Ends in .html or .htm.
    embedding : Embedding
        Its ids are the names of the points, its table what is told of each. Vectors are left out.
    layout : array of shape (n, 2)
        Places xy; rows without one are found by name alone.
    title : str
    colour : str, optional
        Column that points are coloured by when the page opens.
    groups : GroupClouds, optional
        Clouds, and what each row belongs to.
    groups_title : str
        What the groups are, as "Bioprocesses".
    arrows : tuple, optional
        Names (m,), beginnings (m, 2) and ends (m, 2).
    neighbours : mapping of int to sequence of (int, float), optional
        For a row, the rows most like it and their correlations.
    thumbnails : mapping of int to bytes, optional
        For a row, a PNG.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the name ends otherwise, the folder does not exist or the file cannot be written, the map
        has other rows, or there is no such column.
    """
    path = Path(path).expanduser()
    places = np.asarray(layout, np.float64)
    _check(path, embedding, places, colour)
    columns = [_column(name, np.asarray(values)) for name, values in embedding.table.items()]
    names = [column["name"] for column in columns]
    x, y = places[:, :2].T if len(places) else np.empty((2, 0))
    content = {
        "title": title,
        "names": embedding.ids.tolist(),
        "x": _numbers(x),
        "y": _numbers(y),
        "columns": columns,
        "start": names.index(colour) if colour is not None else -1,
        "plain": _hex(PLAIN),
        "none": _hex(unlabelled(dark=True)),
        "scale": [_hex(rgb) for rgb in sequential(True)[:: 256 // _SHADES]],
        "opacity": CLOUD_OPACITY,
        "groups": [] if groups is None else _groups(groups),
        "groups_title": groups_title,
        "arrows": None if arrows is None else _arrows(*arrows),
        "neighbours": _neighbours(neighbours or {}),
        "thumbnails": {
            int(row): base64.b64encode(png).decode() for row, png in (thumbnails or {}).items()
        },
    }
    page = _filled(_TEMPLATE.read_text("utf-8"), title, content)
    with replacing(path) as draft:
        draft.write_text(page, "utf-8")
    return path


def _check(
    path: Path, embedding: Embedding, places: npt.NDArray[np.float64], colour: str | None
) -> None:
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"A page ends in .html, but this file is called {path.name}.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}: make it first.")
    if places.ndim != 2 or len(places) != len(embedding) or places.shape[1] < 2:
        raise InputError(
            f"A map of {len(embedding):,} rows has as many places with two coordinates; an array "
            f"of shape {places.shape} was given."
        )
    if colour is not None and colour not in embedding.table:
        there = ", ".join(embedding.table) or "none"
        raise InputError(f"There is no column {colour!r} to colour by; the columns are {there}.")


def _filled(template: str, title: str, content: Mapping[str, Any]) -> str:
    """Put title and data into the page; neither can end the element that it stands in."""
    head, rest = template.split("{{TITLE}}")
    middle, tail = rest.split("{{DATA}}")
    return head + html.escape(title or "Map") + middle + _as_json(content) + tail


def _as_json(content: Mapping[str, Any]) -> str:
    """Return JSON without a character that means something to HTML."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _column(name: str, values: npt.NDArray[Any]) -> dict[str, Any]:
    kind = values.dtype.kind
    few = kind in "iu" and len(np.unique(values)) <= _MOST_WHOLE_NUMBERS
    if kind in "bU" or few:
        codes, words = category_codes(values)
        if len(words) > _MOST_CATEGORIES:
            return {"name": name, "kind": "text", "values": values.astype(np.str_).tolist()}
        return {
            "name": name,
            "kind": "category",
            "codes": codes.tolist(),
            "words": words,
            "colours": _colours(len(words)),
        }
    low, high = value_limits(values.astype(np.float64))
    listed = values.tolist() if kind in "iu" else _numbers(values.astype(np.float64))
    return {"name": name, "kind": "number", "values": listed, "low": low, "high": high}


def _numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    """Return numbers of a few digits, None for what is not finite."""
    return [
        float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in values.tolist()
    ]


def _groups(groups: GroupClouds) -> list[dict[str, Any]]:
    clouds = {cloud.code: cloud for cloud in groups.clouds}
    return [
        {
            "name": name,
            "rows": rows.tolist(),
            "colour": colour,
            "cloud": _cloud(clouds[number]) if number in clouds else None,
        }
        for number, (name, rows, colour) in enumerate(
            zip(groups.names, groups.rows, _colours(len(groups)), strict=True)
        )
    ]


def _cloud(cloud: Cloud) -> dict[str, Any]:
    step = -(-max(cloud.opacity.shape) // _CLOUD_SIDE)
    mass = np.rint(255 * cloud.opacity[::step, ::step]).astype(np.uint8)
    # What is left out by steps ends a little beyond the edge.
    left, right, bottom, top = cloud.extent
    high, wide = (
        step * side / full for side, full in zip(mass.shape, cloud.opacity.shape, strict=True)
    )
    extent = [left, left + (right - left) * wide, top - (top - bottom) * high, top]
    return {
        "mass": base64.b64encode(mass.tobytes()).decode(),
        "size": [mass.shape[1], mass.shape[0]],
        "extent": _numbers(np.array(extent)),
        "mode": _numbers(np.array(cloud.mode)),
    }


def _arrows(names: npt.ArrayLike, start: npt.ArrayLike, end: npt.ArrayLike) -> dict[str, list[Any]]:
    first, last = (np.asarray(ends, np.float64).reshape(-1, 2) for ends in (start, end))
    return {
        "names": np.asarray(names, np.str_).tolist(),
        "start": [_numbers(place) for place in first],
        "end": [_numbers(place) for place in last],
    }


def _neighbours(
    neighbours: Mapping[int, Sequence[tuple[int, float]]],
) -> dict[int, list[tuple[int, float]]]:
    return {
        int(row): [(int(other), round(float(r), 3)) for other, r in near]
        for row, near in neighbours.items()
    }


def _colours(n: int) -> list[str]:
    """Return colours that are seen on a dark and on a light page: neither white nor black."""
    return [_hex(rgb) for rgb in categorical(n if n < _WITH_WHITE else max(n, _WITH_WHITE + 1))[:n]]


def _hex(rgb: Sequence[int] | npt.NDArray[np.uint8]) -> str:
    return "#" + "".join(f"{int(value):02x}" for value in rgb)

"""Picks as Points layers, and Points layers as picks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml._napari._image_layers import KEY, LayerData
from napari_cryoml._napari._picker_edits import LABEL_NAMES
from napari_cryoml._napari._points_poses import pose_features
from napari_cryoml.data import NEGATIVE, Picks, PicksTable
from napari_cryoml.io import POSE_COLUMNS, match_images, rotations_of

PICK_COLOUR = "#56B4E9"
_DEFAULT_DIAMETER_PX = 20.0
_OWN_FEATURES = frozenset(("image", "score", "label", "id"))
_ANGSTROM_PER_UNIT = {"angstrom": 1.0, "nanometer": 10.0, "micrometer": 1e4}


def points_layers(
    table: PicksTable, path: Path, pixel_sizes: Mapping[str, float | None]
) -> list[LayerData]:
    """Return the picks as one Points layer; as two if there are 2-D and 3-D ones.

    Parameters
    ----------
    table : PicksTable
    path : Path
        The file that the picks come from.
    pixel_sizes : mapping of str to float or None
        Angstrom per pixel of the images on show, by name: the layer is laid over them, and picks
        of other images are hidden (and kept).
    """
    shown = _on_show(table, pixel_sizes)
    return [
        _layer(
            PicksTable(tuple(p for p in table if p.ndim == ndim), table.extra), path, ndim, shown
        )
        for ndim in sorted({picks.ndim for picks in table if len(picks)}) or [2]
    ]


def _on_show(table: PicksTable, pixel_sizes: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the pixel size of each image of the table that is on show, by the table's names."""
    try:
        found = match_images(table.images, list(pixel_sizes))
    except InputError:
        return {}
    return {name: pixel_sizes[image] for name, image in found.items()}


def _layer(
    table: PicksTable, path: Path, ndim: int, shown: Mapping[str, float | None]
) -> LayerData:
    names = np.repeat(np.array(table.images, dtype=object), [len(picks) for picks in table])
    own = next((picks.pixel_size for picks in table if picks.pixel_size), None)
    pixel_size = next(iter(shown.values())) if shown else own
    visible = np.isin(names, list(shown)) if shown else np.ones(len(names), bool)
    attributes = {
        "name": path.name,
        "ndim": ndim,
        "features": _features(table, names),
        "size": _sizes(table),
        "shown": visible,
        "scale": (pixel_size or 1.0,) * ndim,
        "units": ("angstrom" if pixel_size else "pixel",) * ndim,
        "axis_labels": ("z", "y", "x")[-ndim:],
        "face_color": "transparent",
        "border_color": PICK_COLOUR,
        "border_width": 0.06,
        "symbol": "disc",
        "metadata": {
            KEY: {
                "path": str(path),
                "pixel_sizes": {picks.image: picks.pixel_size for picks in table},
                "extra": table.extra,
                "keep_hidden": True,
            }
        },
    }
    positions = [picks.positions for picks in table if len(picks)]
    return np.concatenate(positions) if positions else np.empty((0, ndim)), attributes, "points"


def _features(table: PicksTable, names: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    features: dict[str, npt.NDArray[Any]] = {"image": names, "score": _joined_scores(table)}
    for column in dict.fromkeys(name for picks in table for name in picks.columns):
        if column not in features and all(column in picks.columns for picks in table if len(picks)):
            values = [np.asarray(picks.columns[column]) for picks in table if len(picks)]
            if values and all(value.ndim == 1 for value in values):
                features[column] = np.concatenate(values)
    return features | pose_features(table)


def _joined_scores(table: PicksTable) -> npt.NDArray[np.float32]:
    scores = [np.full(len(p), np.nan) if p.scores is None else p.scores for p in table]
    return np.concatenate([np.empty(0), *scores]).astype(np.float32)


def _sizes(table: PicksTable) -> npt.NDArray[np.float64]:
    sizes = [np.full(len(picks), picks.diameter or _DEFAULT_DIAMETER_PX) for picks in table]
    return np.concatenate([np.empty(0), *sizes])


def picks_of_layer(data: Any, attributes: Mapping[str, Any]) -> PicksTable:
    """Return the picks in a Points layer, by image.

    The name of the image comes from the features (`image`), from the metadata, or else is that of
    the layer; scores come from the features (`score`), and so do orientations (`POSE_COLUMNS`).
    Hidden points are left out, as they are
    below the threshold, but for those of a file that was opened over an image; places that were
    labelled as no particles are left out, too.

    Warns
    -----
    InputWarning
        If points are left out.
    """
    positions = np.asarray(data, dtype=np.float64)
    features = {name: np.asarray(values) for name, values in _columns(attributes).items()}
    kept = _kept(len(positions), features, attributes)
    names = _image_names(len(positions), features, attributes)
    known = _known(attributes)
    sizes = np.broadcast_to(np.asarray(attributes.get("size", np.nan), float), len(positions))
    fallback = layer_pixel_size(attributes)
    rotations = rotations_of(features) if positions.shape[1:] == (3,) else None
    taken = _OWN_FEATURES if rotations is None else _OWN_FEATURES | set(POSE_COLUMNS)
    picks = []
    for image in dict.fromkeys(names[kept]):
        rows = kept & (names == image)
        picks.append(
            Picks(
                image=str(image),
                positions=positions[rows],
                scores=_scores(features, rows),
                pixel_size=known.get("pixel_sizes", {}).get(image) or fallback,
                diameter=_diameter(sizes[rows]),
                columns={n: v[rows] for n, v in features.items() if n not in taken},
                rotations=None if rotations is None else rotations[rows],
            )
        )
    return PicksTable(tuple(picks), known.get("extra", {}))


def _columns(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    features = attributes.get("features")
    return {} if features is None else {str(name): features[name] for name in features}


def _known(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    known = attributes.get("metadata", {}).get(KEY, {})
    return known if isinstance(known, Mapping) else {}


def _kept(
    n: int, features: Mapping[str, npt.NDArray[Any]], attributes: Mapping[str, Any]
) -> npt.NDArray[np.bool_]:
    kept = np.ones(n, bool)
    if not _known(attributes).get("keep_hidden"):
        kept &= np.broadcast_to(np.asarray(attributes.get("shown", True), bool), n)
    if "label" in features:
        kept &= features["label"] != LABEL_NAMES[NEGATIVE]
    if not kept.all():
        warnings.warn(
            f"{n - kept.sum()} of {n} points are hidden or labelled as no particles and are not "
            "written.",
            InputWarning,
            stacklevel=4,
        )
    return kept


def _image_names(
    n: int, features: Mapping[str, npt.NDArray[Any]], attributes: Mapping[str, Any]
) -> npt.NDArray[Any]:
    metadata = attributes.get("metadata", {})
    default = _known(attributes).get("image") or metadata.get("image") or attributes.get("name")
    default = default or "image"
    if "image" not in features:
        return np.full(n, default, dtype=object)
    # Points that the user has added to a layer take the name of the last image, or none.
    named = [name if isinstance(name, str) and name else default for name in features["image"]]
    return np.array(named, dtype=object)


def _scores(
    features: Mapping[str, npt.NDArray[Any]], rows: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32] | None:
    if "score" not in features:
        return None
    scores = features["score"][rows].astype(np.float32)
    return None if np.isnan(scores).all() else scores


def _diameter(sizes: npt.NDArray[np.float64]) -> float | None:
    median = float(np.median(sizes)) if len(sizes) else np.nan
    return median if np.isfinite(median) and median > 0 else None


def layer_pixel_size(attributes: Mapping[str, Any]) -> float | None:
    """Return angstrom per data unit along x of a layer; None where its units are no lengths."""
    units, scale = attributes.get("units"), attributes.get("scale")
    if units is None or scale is None:
        return None
    unit = units if isinstance(units, str) else units[-1]
    angstrom = _ANGSTROM_PER_UNIT.get(str(unit))
    size = float(np.atleast_1d(scale)[-1]) * angstrom if angstrom else 0.0
    return float(f"{size:.7g}") if np.isfinite(size) and size > 0 else None

"""Labels from a table of positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.data import NEGATIVE, POSITIVE, Annotations, Picks, PicksTable
from napari_cryoml.io import match_images

LABEL_COLUMN = "label"
"""Column that tells particles (1) from places that are none (0); without it all are particles."""

CLASS = "class"
"""Column of the names of classes."""


def labels_from_table(table: PicksTable, images: Sequence[str]) -> dict[str, Annotations]:
    """Return the positions of a coordinate file as labels of images.

    Parameters
    ----------
    table : PicksTable
        A column ``label`` with 0 marks places that are no particles.
    images : sequence of str
        Names of the images; the table's names match them across directories, extensions and
        the prefixes some programs add.

    Raises
    ------
    InputError
        If the table is empty, belongs to none of the images, or could belong to several.
    """
    if table.n_picks == 0:
        raise InputError("The label file holds no particles: label about ten and save them again.")
    matched = match_images(table.images, list(images))
    if not matched:
        raise InputError(
            f"None of the {len(table)} image names in the labels ({table.images[0]!r} ...) is "
            f"among the {len(images)} images ({images[0]!r} ...): use the labels of these images."
        )
    parts: dict[str, list[Annotations]] = {}
    for picks in table:
        if picks.image in matched:
            parts.setdefault(matched[picks.image], []).append(_labels_of(picks))
    return {image: _join(entries) for image, entries in parts.items()}


def poses_from_table(table: PicksTable, images: Sequence[str]) -> dict[str, Picks]:
    """Return what a coordinate file knows of orientations and classes, by image.

    Parameters
    ----------
    table : PicksTable
    images : sequence of str
        Names of the images, matched as `labels_from_table` does.

    Returns
    -------
    dict of str to Picks
        With rotations, column ``class``, or both; images of which neither is known are left out.
    """
    matched = match_images(table.images, list(images))
    parts: dict[str, list[Picks]] = {}
    for picks in table:
        if picks.image in matched and (picks.rotations is not None or CLASS in picks.columns):
            parts.setdefault(matched[picks.image], []).append(picks)
    return {image: _joined_poses(image, entries) for image, entries in parts.items()}


def _joined_poses(image: str, entries: Sequence[Picks]) -> Picks:
    columns, rotations = {}, None
    if any(CLASS in picks.columns for picks in entries):
        nameless = [np.full(len(picks), "") for picks in entries]
        classes = [p.columns.get(CLASS, none) for p, none in zip(entries, nameless, strict=True)]
        columns[CLASS] = np.concatenate([np.asarray(each).astype(str) for each in classes])
    if any(picks.rotations is not None for picks in entries):
        unknown = [np.full((len(picks), 3, 3), np.nan) for picks in entries]
        turns = [
            none if p.rotations is None else p.rotations
            for p, none in zip(entries, unknown, strict=True)
        ]
        rotations = np.concatenate(turns)
    positions = np.concatenate([picks.positions for picks in entries])
    return Picks(image, positions, columns=columns, rotations=rotations)


def _labels_of(picks: Picks) -> Annotations:
    column = picks.columns.get(LABEL_COLUMN)
    if column is None:
        return Annotations.of_positives(picks.positions)
    negative = np.asarray(column).astype(str) == str(NEGATIVE)
    return Annotations(picks.positions, np.where(negative, NEGATIVE, POSITIVE).astype(np.int8))


def _join(entries: Sequence[Annotations]) -> Annotations:
    return Annotations(
        np.concatenate([entry.positions for entry in entries]),
        np.concatenate([entry.labels for entry in entries]),
    )

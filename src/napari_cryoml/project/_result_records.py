"""Picks and score maps of the images of a project."""

from __future__ import annotations

import math

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml.data import Picks, ScoreMap
from napari_cryoml.project._import_records import ImportRecords
from napari_cryoml.project._packing import (
    MAP_SCORE,
    POSITION,
    ROTATION,
    SCORE,
    checked,
    dump,
    dump_columns,
    load_columns,
    load_shape,
    load_vector,
    pack,
    unpack,
    unpack_rotations,
)

SCORE_MAP_LIMIT = 2**24
"""Points of a score map above which it is not kept: 32 MiB, as the scores are float16."""


class ResultRecords(ImportRecords):
    """One set of picks and one score map an image, replaced as newer ones come."""

    def set_picks(
        self,
        image: str,
        picks: Picks,
        *,
        model: int | None = None,
        edit: int | None = None,
        score_map: ScoreMap | None = None,
    ) -> None:
        """Keep the picks of an image, in place of those it had.

        Parameters
        ----------
        image : str
            Name of the image in the project, whatever the picks call it.
        picks : Picks
        model : int, optional
            The model that made them; None if they come from elsewhere.
        edit : int, optional
            `edit_number` of the labels they rest on; by default that of the model, if one is
            given.
        score_map : ScoreMap, optional
            Kept in the same commit.

        Raises
        ------
        InputError
            If a position does not suit the image, there is no such image or model, or the file
            cannot be written.
        """
        entry = self.image(image)
        _check_picks(picks, image, entry.ndim)
        if model is not None and edit is None:
            edit = self.model(model).edit
        with self._store.transaction():
            self._store.write(
                "INSERT OR REPLACE INTO picks "
                "(image, model, edit, positions, scores, pixel_size, diameter, columns) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                entry.id,
                None if model is None else self.model(model).id,
                edit,
                pack(picks.positions, POSITION),
                None if picks.scores is None else pack(picks.scores, SCORE),
                None if picks.pixel_size is None else float(picks.pixel_size),
                None if picks.diameter is None else float(picks.diameter),
                dump_columns(picks.columns),
            )
            if picks.rotations is not None:
                self._store.write(
                    "INSERT INTO pick_rotations (image, rotations) VALUES (?, ?)",
                    entry.id,
                    pack(picks.rotations, ROTATION),
                )
            if score_map is not None:
                self.set_score_map(image, score_map)

    def picks(self, image: str) -> Picks | None:
        """Return the picks of an image, under the project's name of it, or None.

        Raises
        ------
        InputError
            If there is no such image, or its picks are damaged.
        """
        entry = self.image(image)
        row = self._store.row(
            "SELECT positions, scores, pixel_size, diameter, columns, rotations FROM picks "
            "LEFT JOIN pick_rotations ON pick_rotations.image = picks.image "
            "WHERE picks.image = ?",
            entry.id,
        )
        if row is None:
            return None
        positions, scores, pixel_size, diameter, columns, rotations = row
        with checked(f"The picks of {image!r}", self._store.path):
            return Picks(
                image=image,
                positions=unpack(positions, POSITION, (-1, entry.ndim)),
                scores=None if scores is None else unpack(scores, SCORE, (-1,)),
                pixel_size=pixel_size,
                diameter=diameter,
                columns=load_columns(columns),
                rotations=None if rotations is None else unpack_rotations(rotations),
            )

    def pick_counts(self, threshold: float) -> dict[str, int]:
        """Return how many picks score `threshold` or more, for each image that has been picked.

        Picks without scores all count.
        """
        rows = self._store.rows(
            "SELECT images.name, images.shape, length(positions), scores FROM picks "
            "JOIN images ON images.id = picks.image ORDER BY images.id"
        )
        counts = {}
        for name, shape, n_bytes, scores in rows:
            with checked(f"The picks of {name!r}", self._store.path):
                if scores is None:
                    counts[name] = n_bytes // (POSITION.itemsize * len(load_shape(shape)))
                else:
                    counts[name] = int((unpack(scores, SCORE, (-1,)) >= threshold).sum())
        return counts

    def set_score_map(self, image: str, score_map: ScoreMap) -> bool:
        """Keep the score map of an image, in place of the one it had.

        Scores are kept as float16, which shows them well enough; the picks have theirs in full.

        Returns
        -------
        bool
            False if the map has more than `SCORE_MAP_LIMIT` points and is not kept.

        Raises
        ------
        InputError
            If there is no such image, the map does not suit it, or the file cannot be written.
        """
        entry = self.image(image)
        if score_map.values.ndim != entry.ndim:
            raise InputError(
                f"A score map of {image!r} needs {entry.ndim} axes; {score_map.values.ndim} came."
            )
        with self._store.transaction():
            self._store.write("DELETE FROM score_maps WHERE image = ?", entry.id)
            if score_map.values.size > SCORE_MAP_LIMIT:
                return False
            limit = float(np.finfo(MAP_SCORE).max)
            self._store.write(
                "INSERT INTO score_maps (image, shape, scale, origin, scores) "
                "VALUES (?, ?, ?, ?, ?)",
                entry.id,
                dump(list(score_map.values.shape)),
                dump(np.asarray(score_map.scale, np.float64).tolist()),
                dump(np.asarray(score_map.offset, np.float64).tolist()),
                pack(np.clip(score_map.values, -limit, limit), MAP_SCORE),
            )
        return True

    def score_map(self, image: str) -> ScoreMap | None:
        """Return the score map of an image as float32, or None.

        Raises
        ------
        InputError
            If there is no such image, or its score map is damaged.
        """
        entry = self.image(image)
        row = self._store.row(
            "SELECT shape, scale, origin, scores FROM score_maps WHERE image = ?", entry.id
        )
        if row is None:
            return None
        with checked(f"The score map of {image!r}", self._store.path):
            shape = load_shape(row[0])
            if len(shape) != entry.ndim or math.prod(shape) > SCORE_MAP_LIMIT:
                raise ValueError(f"a score map of shape {shape}")
            return ScoreMap(
                values=unpack(row[3], MAP_SCORE, shape).astype(np.float32),
                scale=load_vector(row[1], entry.ndim),
                offset=load_vector(row[2], entry.ndim),
            )

    def clear_picks(self, image: str | None = None) -> None:
        """Forget the picks and the score map of one image, or of all.

        Raises
        ------
        InputError
            If there is no such image, or the file cannot be written.
        """
        number = None if image is None else self.image(image).id
        with self._store.transaction():
            self._store.write("DELETE FROM picks WHERE ?1 IS NULL OR image = ?1", number)
            self._store.write("DELETE FROM score_maps WHERE ?1 IS NULL OR image = ?1", number)

    def is_stale(self, image: str) -> bool:
        """Return whether the picks of an image rest on an old model or on other labels.

        Picks of a model are stale when another model is in use, or when labels have changed since
        the model got them; undoing the change makes them fresh again. An image without picks is
        not stale.
        """
        return self.image(image).name in self.stale_images()

    def stale_images(self) -> set[str]:
        """Return the names of all images for which `is_stale`, by one query."""
        rows = self._store.rows(
            "SELECT images.name FROM picks JOIN images ON images.id = picks.image "
            "WHERE picks.model IS NOT coalesce((SELECT model FROM current), -1) "
            "AND picks.model IS NOT NULL OR picks.edit != ?",
            self.edit_number,
        )
        return {name for (name,) in rows}


def _check_picks(picks: Picks, image: str, ndim: int) -> None:
    if picks.ndim != ndim and len(picks):
        raise InputError(
            f"Picks of {image!r} need {ndim} coordinates each, as the image has; "
            f"{picks.ndim} were given."
        )
    if not np.isfinite(picks.positions).all():
        raise InputError(f"A pick of {image!r} has no finite position: leave it out.")

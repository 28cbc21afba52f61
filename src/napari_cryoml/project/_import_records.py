"""What coordinate files said about particles beside where they are."""

from __future__ import annotations

from napari_cryoml.data import Picks
from napari_cryoml.project._model_records import ModelRecords
from napari_cryoml.project._packing import (
    POSITION,
    ROTATION,
    checked,
    dump_columns,
    load_columns,
    pack,
    unpack,
    unpack_rotations,
)


class ImportRecords(ModelRecords):
    """The particles of files that were read as labels, one set an image.

    Labels say where particles are. Orientations and classes stay here, for those who write the
    same particles again.
    """

    def set_imported(self, image: str, picks: Picks) -> None:
        """Keep what a file says about the particles of an image, in place of an earlier file.

        Parameters
        ----------
        image : str
            Name of the image in the project, whatever the picks call it.
        picks : Picks
            Scores, pixel size and diameter are not kept.

        Raises
        ------
        InputError
            If there is no such image, or the file cannot be written.
        """
        entry = self.image(image)
        self._store.write(
            "INSERT OR REPLACE INTO imported_picks (image, positions, rotations, columns) "
            "VALUES (?, ?, ?, ?)",
            entry.id,
            pack(picks.positions, POSITION),
            None if picks.rotations is None else pack(picks.rotations, ROTATION),
            dump_columns(picks.columns),
        )

    def imported(self, image: str) -> Picks | None:
        """Return what was kept by `set_imported`, or None.

        Raises
        ------
        InputError
            If there is no such image, or what was kept is damaged.
        """
        entry = self.image(image)
        row = self._store.row(
            "SELECT positions, rotations, columns FROM imported_picks WHERE image = ?", entry.id
        )
        if row is None:
            return None
        positions, rotations, columns = row
        with checked(f"The list of imported particles of {image!r}", self._store.path):
            return Picks(
                image=image,
                positions=unpack(positions, POSITION, (-1, entry.ndim)),
                columns=load_columns(columns),
                rotations=None if rotations is None else unpack_rotations(rotations),
            )

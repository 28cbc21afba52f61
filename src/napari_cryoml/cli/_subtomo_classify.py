"""napari-cryoml subtomo classify: the classes of subtomograms."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.classification import Predictions
from napari_cryoml.cli._options import JSON, PIXEL_SIZE, check_folder, check_output
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.cli._subtomo_inputs import (
    BOX,
    DIAMETER,
    INPUTS,
    PICKS,
    SIZE,
    list_beside,
    read_subtomograms,
)
from napari_cryoml.cli._subtomo_poses import check_particles_output
from napari_cryoml.data import Crops

_TABLES = (".csv", ".tsv")


def classify(
    inputs: INPUTS,
    model: Annotated[Path, typer.Option(help="The classifier that training wrote.")],
    out: Annotated[
        Path,
        typer.Option(help="Particles with their classes: .star, .csv ...; of a stack a table."),
    ],
    picks: PICKS = None,
    per_class: Annotated[
        Path | None, typer.Option(help="Folder for one list of particles a class.")
    ] = None,
    least_confidence: Annotated[
        float,
        typer.Option(min=0, max=1, help="Leave particles out whose class is less probable."),
    ] = 0.0,
    batch: Annotated[int, typer.Option(min=1, help="Subtomograms that are read at a time.")] = 64,
    box: BOX = None,
    size: SIZE = None,
    diameter: DIAMETER = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Give subtomograms their classes."""
    from napari_cryoml.classification import classify as classified
    from napari_cryoml.classification import load_classifier

    check_output(out)
    if per_class is not None:
        check_folder(per_class)
    crops = read_subtomograms(
        inputs, picks, box=box, size=size, diameter=diameter, pixel_size=pixel_size
    )
    writer = ParticleLists(crops, out, list_beside(inputs))
    found = run_job(classified(crops, load_classifier(model), batch), "Classifying")
    kept = found.take(found.known & (np.nan_to_num(found.confidence) >= least_confidence))
    writer.write(kept, out)
    notes = _notes(found, len(kept), len(crops))
    figures: dict[str, Any] = {
        "particles": str(out),
        "n": len(kept),
        "classes": {name: int((kept.named == name).sum()) for name in found.classes},
        "median_confidence": float(np.median(kept.confidence)) if len(kept) else None,
    }
    if per_class is not None:
        figures["per_class"] = writer.write_each(kept, per_class)
    for note in notes:
        say(note)
    report(figures | ({"notes": notes} if notes else {}), as_json=as_json)


def _notes(found: Predictions, n_kept: int, n: int) -> list[str]:
    notes = []
    if len(found) < n:
        notes.append(f"Stopped after {len(found)} of {n} subtomograms.")
    unread = int((~found.known).sum())
    if unread:
        notes.append(f"{unread} subtomograms have no class: nothing in them could be read.")
    left_out = int(found.known.sum()) - n_kept
    if left_out:
        notes.append(f"{left_out} subtomograms are less sure than asked for and were left out.")
    return notes


class ParticleLists:
    """Writes classes of crops as picks, or as a table where crops have no places.

    Parameters
    ----------
    crops : Crops
    out : Path
        First file to be written; its suffix tells the format of all.
    listing : str, optional
        Name of a list that tells the places of the crops.

    Raises
    ------
    InputError
        If crops without places are to go into a format of picks.
    """

    def __init__(self, crops: Crops, out: Path, listing: str = "") -> None:
        self._crops, self._suffix = crops, out.suffix
        self._placed = crops.images is not None and crops.positions is not None
        if not self._placed and out.suffix.lower() not in _TABLES:
            listed = f"classify {listing} beside it, or " if listing else ""
            raise InputError(
                f"The boxes of this stack have no places in tomograms, which {out.name} would "
                f"hold: {listed}end its name in {' or '.join(_TABLES)}."
            )
        if self._placed:
            check_particles_output(out, len(crops.shape))

    def write(self, found: Predictions, path: Path) -> None:
        """Write one file."""
        from napari_cryoml.io import save_or_rescue, write_picks

        if self._placed:
            table = found.table(self._crops)
            save_or_rescue(lambda place: write_picks(table, place), path)
        else:
            save_or_rescue(lambda place: _write_table(found, place), path)

    def write_each(self, found: Predictions, folder: Path) -> dict[str, str]:
        """Write one file a class into a folder; return the files by class."""
        files: dict[str, str] = {}
        for name, rows in found.per_class().items():
            path = folder / f"{_file_name(name, files)}{self._suffix}"
            self.write(found.take(rows), path)
            files[name] = str(path)
        return files


def _file_name(name: str, taken: dict[str, str]) -> str:
    plain = re.sub(r"[^\w.-]+", "_", name) or "class"
    used = {Path(path).stem for path in taken.values()}
    return plain if plain not in used else f"{plain}_{len(used)}"


def _write_table(found: Predictions, path: Path) -> Path:
    import pandas as pd

    from napari_cryoml.io import replacing

    frame = pd.DataFrame({"id": found.ids, **found.columns()})
    with replacing(path) as draft:
        frame.to_csv(draft, sep="\t" if path.suffix.lower() == ".tsv" else ",", index=False)
    return path

"""napari-cryoml subtomo discover: structures that nobody has labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from napari_cryoml._errors import InputError
from napari_cryoml.averaging import RigidPoses
from napari_cryoml.averaging.discovery import Candidate, Discovery, DiscoveryConfig
from napari_cryoml.cli._options import (
    DEVICE,
    JSON,
    PIXEL_SIZE,
    SEED,
    check_folder,
    config_of,
    field_help,
    with_settings,
)
from napari_cryoml.cli._output import report, run_job, say
from napari_cryoml.cli._resolution import resolution_figures
from napari_cryoml.cli._subtomo_inputs import (
    BOX,
    DIAMETER,
    INPUTS,
    NO_WEDGE,
    PICKS,
    SIZE,
    TILT,
    check_cubes,
    read_subtomograms,
    wedge_of,
)
from napari_cryoml.cli._subtomo_labels import read_class_names
from napari_cryoml.cli._subtomo_poses import poses_table, read_references, write_poses
from napari_cryoml.data import Crops

_WORK, _PARTICLES, _TABLE = "search", "particles.star", "candidates.csv"


def discover(
    inputs: INPUTS,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for averages, particles and the ranking; the search goes on in "
            "it if it was stopped."
        ),
    ],
    picks: PICKS = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="A trained classifier, whose scores part the subtomograms; by default "
            "rotation-invariant features."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Classes of some subtomograms, a table with a column id or a list of "
            "particles: what is unlike them is new."
        ),
    ] = None,
    known: Annotated[
        list[Path] | None,
        typer.Option(help="A map or a model of a known structure; give it again for more."),
    ] = None,
    clusters: Annotated[int, typer.Option(help=field_help(DiscoveryConfig, "clusters"))] = 100,
    most_clusters: Annotated[
        int | None, typer.Option(help=field_help(DiscoveryConfig, "most_clusters"))
    ] = None,
    tilt: TILT = None,
    box: BOX = None,
    size: SIZE = None,
    diameter: DIAMETER = None,
    pixel_size: Annotated[float | None, PIXEL_SIZE] = None,
    seed: Annotated[int, SEED] = 0,
    device: Annotated[str, DEVICE] = "auto",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other option, as classes.n_classes=2.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Part subtomograms, classify and average each part, and rank what is new."""
    from napari_cryoml.averaging.discovery import discover as search

    options = config_of(DiscoveryConfig, clusters=clusters, most_clusters=most_clusters, seed=seed)
    config = with_settings(options, settings or [])
    check_folder(out)
    crops = read_subtomograms(
        inputs, picks, box=box, size=size, diameter=diameter, pixel_size=pixel_size, tilt=tilt
    )
    check_cubes(crops)
    wedge = wedge_of(crops, tilt)
    if wedge is None:
        say(NO_WEDGE)
    sampling = getattr(crops, "pixel_size", None)
    names = _names(crops, labels)
    maps = _maps(known or [], crops.shape[-1], sampling)
    vectors = _vectors(crops, model, out / _WORK)
    job = search(
        crops,
        vectors,
        config,
        wedge=wedge,
        labels=names,
        known=maps,
        pixel_size=sampling,
        store=out / _WORK,
        device=device,
    )
    found: Discovery = run_job(job, "Looking for structures")
    files = write_discovery(found, crops, out, Path(inputs[0]).name)
    for note in found.notes:
        say(note)
    if found.n_left:
        say(f"{found.n_left} clusters are left: the same command goes on with them.")
    report(files | {"n_left": found.n_left, "candidates": _rows(found)}, as_json=as_json)


def _names(crops: Crops, labels: Path | None) -> list[str] | None:
    if labels is None:
        return None
    known = read_class_names(labels, crops)
    names = [known.get(one, "") for one in crops.ids.tolist()]
    if not any(names):
        raise InputError(
            f"{labels.name} labels none of the {len(crops)} subtomograms: its ids or places are "
            "those of others."
        )
    return names


def _maps(
    paths: list[Path], side: int, pixel_size: float | None
) -> dict[str, npt.NDArray[np.float32]]:
    if not paths:
        return {}
    names = [path.name.split(".")[0] for path in paths]
    if len(set(names)) < len(names):
        raise InputError("Two known structures have one file name: give each a name of its own.")
    return dict(zip(names, read_references(paths, side, pixel_size), strict=True))


def _vectors(crops: Crops, model: Path | None, folder: Path) -> npt.NDArray[np.float32]:
    from napari_cryoml.embedding import encoders, extract

    config = (
        encoders.create("rotation_invariant")
        if model is None
        else encoders.create("classifier", model=model)
    )
    job = extract(
        crops, config, store=folder / "vectors", whiten="standard" if model is None else "none"
    )
    embedding = run_job(job, "Embedding")
    if len(embedding) < len(crops):
        raise InputError("Stopped before all subtomograms were embedded: start again to go on.")
    return np.asarray(embedding.vectors, np.float32)


def write_discovery(found: Discovery, crops: Crops, out: Path, name: str) -> dict[str, Any]:
    """Write averages, their halves, particles and the ranking; return the files.

    Parameters
    ----------
    found : Discovery
    crops : Crops
    out : Path
        A folder.
    name : str
        Of the boxes, where they lie in no tomogram.
    """
    import pandas as pd

    from napari_cryoml.io import replacing, write_mrc

    for rank, one in enumerate(found.candidates):
        average = one.average
        write_mrc(out / f"{_label(rank)}.mrc", average.average, average.pixel_size)
        for number, half in enumerate(() if average.halves is None else average.halves):
            write_mrc(out / f"{_label(rank)}_half{number + 1}.mrc", half, average.pixel_size)
    files: dict[str, Any] = {"folder": str(out)}
    with replacing(out / _TABLE) as draft:
        pd.DataFrame(_rows(found)).to_csv(draft, index=False)
    files["table"] = str(out / _TABLE)
    if found.candidates:
        poses, classes = _poses(found.candidates, len(crops))
        columns = {"class": classes, "cluster": found.clusters}
        write_poses(poses_table(crops, poses, columns, name), out / _PARTICLES)
        files["particles"] = str(out / _PARTICLES)
    return files


def _poses(candidates: tuple[Candidate, ...], n: int) -> tuple[RigidPoses, npt.NDArray[np.str_]]:
    """Return pose and candidate of each of n crops."""
    poses = RigidPoses.unknown(n)
    names = np.full(n, "", dtype=object)
    for rank, one in enumerate(candidates):
        poses = poses.put(one.rows, one.average.poses)
        names[one.rows] = _label(rank)
    return poses, names.astype(np.str_)


def _rows(found: Discovery) -> list[dict[str, Any]]:
    """Return what there is to tell of each candidate."""
    rows = []
    for rank, one in enumerate(found.candidates):
        told = resolution_figures(one.average.fsc)
        if told["resolution"] is not None:
            told["resolution"] = round(told["resolution"], 1)
        rows.append(
            {
                "candidate": _label(rank),
                "n": len(one.rows),
                "novelty": round(one.novelty, 3),
                "reproducibility": round(one.reproducibility, 3),
                **told,
                "same_as": "" if one.same_as is None else _label(one.same_as),
                "nearest": one.nearest,
                "discrepancy": round(one.discrepancy, 1) if one.nearest else None,
                "labelled": ", ".join(f"{name} {n}" for name, n in one.labelled.items()),
                "cluster": one.cluster,
            }
        )
    return rows


def _label(rank: int) -> str:
    return f"candidate_{rank + 1:03d}"

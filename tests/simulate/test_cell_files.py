import csv
import json

import numpy as np
import pytest
import tifffile

from napari_cryoml._errors import InputError
from napari_cryoml.io import read_crops
from napari_cryoml.jobs import Command, run_inline
from napari_cryoml.simulate import (
    CellFieldsConfig,
    CellsSimulationConfig,
    simulate_cells,
    write_cell_fields,
    write_cells,
)

CELLS = CellsSimulationConfig(n_proteins=6, cells_per_protein=3, size=16, conditions=2, moving=0.5)
FIELDS = CellFieldsConfig(n_proteins=6, size=16, shape=(48, 40), cells_per_field=4, n_fields=2)


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_crops_on_disk_are_those_in_memory(tmp_path):
    written = run_inline(write_cells(tmp_path, CELLS, seed=3))
    made = simulate_cells(CELLS, seed=3)
    crops = read_crops(tmp_path / "cells.zarr")
    np.testing.assert_array_equal(crops.read(np.arange(36)), made.crops.array)
    assert crops.ids.tolist() == made.crops.ids.tolist()
    assert crops.columns["class"].tolist() == made.crops.columns["class"].tolist()
    assert all(path.exists() for path in written)


def test_tables_standards_and_record_tell_the_truth(tmp_path):
    run_inline(write_cells(tmp_path, CELLS, seed=3))
    made = simulate_cells(CELLS, seed=3)
    rows = table(tmp_path / "cells.csv")
    assert [row["id"] for row in rows] == made.crops.ids.tolist()
    proteins = {row["protein"]: row for row in table(tmp_path / "proteins.csv")}
    for name, (before, after) in made.moves.items():
        assert (proteins[name]["class"], proteins[name]["class_after"]) == (before, after)
    lines = (tmp_path / "standards" / "complex.gmt").read_text().splitlines()
    terms = {line.split("\t")[0]: frozenset(line.split("\t")[2:]) for line in lines}
    assert terms == made.standards["complex"].terms
    record = json.loads((tmp_path / "simulation.json").read_text())
    assert (record["seed"], record["config"]["size"]) == (3, 16)
    assert record["moves"] == {name: list(places) for name, places in made.moves.items()}


def test_stop_keeps_what_was_written(tmp_path, monkeypatch):
    from napari_cryoml.simulate import _cell_files

    monkeypatch.setattr(_cell_files, "_BATCH", 10)
    job = write_cells(tmp_path, CELLS)
    assert next(job).done == 10
    with pytest.raises(StopIteration):
        job.send(Command.STOP)
    assert len(read_crops(tmp_path / "cells.zarr")) == len(table(tmp_path / "cells.csv")) == 10


def test_images_labels_and_table(tmp_path):
    run_inline(write_cell_fields(tmp_path, FIELDS))
    rows = table(tmp_path / "cells.csv")
    for number in range(2):
        name = f"field_00{number}.tif"
        image = tifffile.imread(tmp_path / name)
        labels = tifffile.imread(tmp_path / f"field_00{number}_labels.tif")
        assert (image.shape, image.dtype, labels.shape) == ((2, 48, 40), np.uint16, (48, 40))
        own = [row for row in rows if row["image"] == name]
        assert [int(row["label"]) for row in own] == list(range(1, labels.max() + 1))
        inside = np.argwhere(labels == 1).mean(axis=0)
        np.testing.assert_allclose([float(own[0]["y"]), float(own[0]["x"])], inside, atol=0.01)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        run_inline(write_cells(tmp_path / "taken", CELLS))

import numpy as np
import pytest
from pydantic import ValidationError

from napari_cryoml._errors import InputError
from napari_cryoml.data import Crops
from napari_cryoml.jobs import Command
from napari_cryoml.simulate import (
    CellsSimulationConfig,
    DrawnCells,
    cells_job,
    simulate_cells,
)
from napari_cryoml.simulate import _cells as cells
from napari_cryoml.simulate._cells_anatomy import draw_anatomy
from napari_cryoml.simulate._cells_patterns import PATTERNS
from napari_cryoml.simulate._cells_proteome import draw_proteome

SMALL = {"n_proteins": 4, "cells_per_protein": 3, "size": 32, "classes": ("nucleus", "cytoplasm")}
CLEAN = {
    "brightness_spread": 0,
    "expression_spread": 0,
    "crowding": 0,
    "dead": 0,
    "blur": 0.3,
    "photons": 60,
}
CLEAN |= {"autofluorescence": 0, "bleed_through": 0, "plate_spread": 0, "read_noise": 0}


def simulated(seed=0, **options):
    return simulate_cells(CellsSimulationConfig(**(SMALL | options)), seed)


def proteome(n, **options):
    return draw_proteome(CellsSimulationConfig(**SMALL | {"n_proteins": n} | options), 0)


def means_inside(made):
    """Return the mean light above the background, of protein and marker, a cell."""
    array = made.crops.array - 120.0
    inside = made.crops.masks[:, None]
    return (array * inside).sum(axis=(2, 3)) / inside.sum(axis=(2, 3))


def test_crops_and_what_is_known_of_them_belong_together():
    made = simulated()
    crops = made.crops
    assert crops.array.shape == (12, 2, 32, 32)
    assert crops.array.dtype == np.float32
    assert crops.masks.shape == (12, 32, 32)
    assert crops.channels == ("protein", "marker")
    assert crops.columns["protein"].tolist() == [f"P{p}" for p in (1, 2, 3, 4) for _ in range(3)]
    assert set(crops.columns["class"].tolist()) == {"nucleus", "cytoplasm"}
    assert len(made) == len(set(crops.ids.tolist())) == 12
    assert made.classes == ("nucleus", "cytoplasm")


def test_a_seed_is_a_data_set():
    first, again, other = simulated(), simulated(), simulated(seed=1)
    np.testing.assert_array_equal(first.crops.array, again.crops.array)
    assert not np.allclose(first.crops.array, other.crops.array)


def test_cells_of_a_protein_are_the_same_whatever_the_others(monkeypatch):
    alone = simulated(cells_per_protein=2)
    monkeypatch.setattr(cells, "_BLOCK", 2)
    more = simulated(cells_per_protein=4)
    np.testing.assert_array_equal(alone.crops.array[0:2], more.crops.array[0:2])


def test_stop_keeps_what_is_done(monkeypatch):
    monkeypatch.setattr(cells, "_BLOCK", 3)
    job = cells_job(CellsSimulationConfig(**SMALL))
    assert next(job).done == 3
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert len(end.value.value) == len(end.value.value.crops.ids) == 3


def test_drawn_cells_are_those_that_are_made_at_once(monkeypatch):
    monkeypatch.setattr(cells, "_BLOCK", 2)
    monkeypatch.setattr(cells, "_KEPT", 1)
    made = simulated(conditions=2)
    drawn = DrawnCells(CellsSimulationConfig(**SMALL, conditions=2))
    assert isinstance(drawn, Crops)
    assert (len(drawn), drawn.shape, drawn.n_channels) == (24, (32, 32), 2)
    assert drawn.ids.tolist() == made.crops.ids.tolist()
    order = np.array([5, 0, 13, 5])
    np.testing.assert_array_equal(drawn.read(order), made.crops.read(order))
    np.testing.assert_array_equal(drawn.masks[order], made.crops.masks[order])
    np.testing.assert_array_equal(drawn.masks[20:], made.crops.masks[20:])
    for name, values in drawn.columns.items():
        np.testing.assert_array_equal(values, made.crops.columns[name])


def test_the_marker_is_in_the_mask_and_not_outside_of_it():
    made = simulated(**CLEAN)
    marker, masks = made.crops.array[:, 1] - 120, made.crops.masks
    assert marker[masks].mean() > 30
    assert abs(marker[~masks].mean()) < 4


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_each_pattern_keeps_its_light_within_the_cell(name):
    made = simulated(n_proteins=1, cells_per_protein=8, classes=(name,), **CLEAN)
    protein, masks = made.crops.array[:, 0] - 120, made.crops.masks
    inside = (protein * masks).sum()
    assert inside > 0.8 * protein.sum() > 0


def test_nuclear_proteins_are_more_concentrated_than_those_of_the_cytoplasm():
    made = simulated(n_proteins=8, cells_per_protein=8, **CLEAN)
    peaks = made.crops.array[:, 0].max(axis=(1, 2)) / means_inside(made)[:, 0]
    nuclear = made.crops.columns["class"] == "nucleus"
    assert np.median(peaks[nuclear]) > 1.5 * np.median(peaks[~nuclear])


def test_round_cells_have_no_buds_and_yeast_do():
    rng = np.random.default_rng(0)
    yeast, round_ = draw_anatomy(60, 32, 6, rng), draw_anatomy(60, 32, 6, rng, budding=False)
    assert 20 < (yeast.bud_radii > 0).sum() < 55
    assert not round_.bud_radii.any()
    assert (round_.inside.sum((1, 2)) < yeast.inside.sum((1, 2)).max()).all()


def test_distances_are_those_to_circles():
    anatomy = draw_anatomy(5, 40, 8, np.random.default_rng(0))
    for row in range(5):
        y, x = np.mgrid[:40, :40]
        far = np.hypot(*(np.stack([y, x]) - anatomy.nuclei[row, 0][:, None, None]))
        expected = anatomy.nucleus_radii[row, 0] - far
        assert (anatomy.nucleus[row] >= expected - 1e-3).all()
        outline = np.pi * anatomy.axes[row].prod()
        assert anatomy.inside[row].sum() >= 0.95 * outline


def test_complexes_lie_within_pathways_within_bioprocesses_within_compartments():
    made = proteome(120, unannotated=0, misannotated=0)
    standards = made.standards
    assert list(standards) == ["compartment", "bioprocess", "pathway", "complex"]
    for narrow, wide in (("complex", "pathway"), ("pathway", "bioprocess")):
        for members in standards[narrow].terms.values():
            assert any(members <= others for others in standards[wide].terms.values())
    sizes = {name: np.mean(list(s.sizes.values())) for name, s in standards.items()}
    assert sizes["complex"] == pytest.approx(4, abs=1)
    assert sizes["bioprocess"] == pytest.approx(16, abs=4)


def test_standards_have_gaps_and_mistakes():
    exact = proteome(200, unannotated=0, misannotated=0)
    rough = proteome(200, unannotated=0.3, misannotated=0.5)
    assert len(exact.standards["complex"].members) == 200
    assert len(rough.standards["complex"].members) == pytest.approx(140, abs=25)
    assert len(rough.standards["compartment"].members) == 200


def test_proteins_of_a_complex_fill_their_compartment_alike():
    made = proteome(200)
    traits, rows = made.traits, made.groups["complex"]
    within = np.mean([traits[rows == row].std(0).mean() for row in np.unique(rows)])
    assert within < 0.3 * traits.std(0).mean()


def test_brightness_knows_nothing_of_function():
    made = proteome(400, classes=("ER",))
    logs, rows = np.log(made.brightness), made.groups["complex"]
    within = np.mean([logs[rows == row].std() for row in np.unique(rows)])
    assert within > 0.7 * logs.std()


def test_proteins_move_in_the_second_condition_and_the_truth_says_where():
    made = simulated(n_proteins=10, conditions=2, moving=0.3)
    columns = made.crops.columns
    assert len(made) == 60
    assert len(made.moves) == 3
    for protein, (before, after) in made.moves.items():
        rows = columns["protein"] == protein
        assert before != after
        assert set(columns["class"][rows & (columns["condition"] == 0)].tolist()) == {before}
        assert set(columns["class"][rows & (columns["condition"] == 1)].tolist()) == {after}


def test_each_nuisance_can_be_turned_off_and_does_what_it_says():
    one = {"n_proteins": 8, "classes": ("cytoplasm",)}
    plain = means_inside(simulated(**one, **CLEAN))
    dim = means_inside(simulated(**one, **CLEAN | {"brightness_spread": 1}))
    assert np.log(dim[:, 0]).std() > 2 * np.log(plain[:, 0]).std()
    crowded = simulated(**CLEAN | {"crowding": 3})
    alone = simulated(**CLEAN)
    np.testing.assert_array_equal(crowded.crops.masks, alone.crops.masks)
    outside = ~alone.crops.masks
    assert crowded.crops.array[:, 1][outside].mean() > alone.crops.array[:, 1][outside].mean() + 5


def test_dead_cells_are_bright_and_alike_in_both_channels():
    made = simulated(**CLEAN | {"dead": 1})
    assert made.crops.columns["dead"].all()
    np.testing.assert_allclose(*means_inside(made).mean(axis=0), rtol=0.1)
    assert means_inside(made).mean() > 2 * means_inside(simulated(**CLEAN)).mean()


def test_cells_of_a_protein_are_on_its_plates():
    made = simulated(cells_per_protein=6, plates=5, replicates=2)
    for row, name in enumerate(made.proteome.names):
        plates = set(made.crops.columns["plate"][made.crops.columns["protein"] == name].tolist())
        assert plates == {f"plate {number + 1}" for number in made.proteome.plates[row]}


def test_a_camera_counts_in_whole_numbers():
    counts = simulated(camera=True).crops.array
    assert counts.dtype == np.uint16
    np.testing.assert_allclose(counts, simulated().crops.array, atol=0.51)


@pytest.mark.parametrize(
    "options",
    [
        {"classes": ("nucleus", "nothing")},
        {"classes": ("nucleus", "nucleus")},
        {"plates": 1, "replicates": 2},
        {"classes": ("nucleus",), "conditions": 2},
    ],
)
def test_options_that_do_not_fit_are_refused(options):
    with pytest.raises(ValidationError):
        CellsSimulationConfig(**options)


def test_a_seed_below_zero_is_refused():
    with pytest.raises(InputError, match="seed of 0 or more"):
        simulated(seed=-1)

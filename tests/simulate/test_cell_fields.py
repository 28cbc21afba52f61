import numpy as np
import pytest
from pydantic import ValidationError

from napari_cryoml.jobs import Command
from napari_cryoml.simulate import CellFieldsConfig, cell_fields_job, simulate_cell_fields

SMALL = {"n_proteins": 5, "size": 24, "shape": (96, 80), "cells_per_field": 12, "n_fields": 2}


def simulated(seed=0, **options):
    return simulate_cell_fields(CellFieldsConfig(**SMALL | options), seed)


def test_images_labels_and_truth_belong_together():
    made = simulated()
    assert [field.name for field in made.fields] == ["field_000", "field_001"]
    for field in made.fields:
        assert (field.image.shape, field.image.dtype) == ((2, 96, 80), np.uint16)
        assert (field.labels.shape, field.labels.dtype) == ((96, 80), np.int32)
        numbers = np.unique(field.labels[field.labels > 0])
        np.testing.assert_array_equal(numbers, np.arange(len(field)) + 1)
        np.testing.assert_array_equal(field.columns["label"], numbers)
        assert 4 <= len(field) <= 12


def test_positions_are_the_centroids_of_the_labels():
    (field,) = simulated(n_fields=1).fields
    for number, position in enumerate(field.positions, start=1):
        np.testing.assert_allclose(position, np.argwhere(field.labels == number).mean(axis=0))


def test_the_marker_shines_in_the_cells():
    (field,) = simulated(n_fields=1).fields
    marker = field.image[1].astype(float)
    assert marker[field.labels > 0].mean() > 1.2 * marker[field.labels == 0].mean()


def test_cells_say_their_proteins_and_those_say_their_classes():
    made = simulated(proteins_per_field=2)
    proteome = made.proteome
    classes = dict(zip(proteome.names, np.array(proteome.classes)[proteome.labels], strict=True))
    for field in made.fields:
        assert len(set(field.columns["protein"].tolist())) == 2
        for protein, name in zip(field.columns["protein"], field.columns["class"], strict=True):
            assert classes[protein] == name


def test_the_second_half_is_of_the_second_condition():
    made = simulated(n_fields=4, conditions=2)
    conditions = [set(field.columns["condition"].tolist()) for field in made.fields]
    assert conditions == [{0}, {0}, {1}, {1}]


def test_a_seed_is_a_data_set():
    first, again, other = simulated(), simulated(), simulated(seed=1)
    np.testing.assert_array_equal(first.fields[1].image, again.fields[1].image)
    assert (first.fields[0].labels != other.fields[0].labels).any()
    assert (first.fields[0].labels != first.fields[1].labels).any()


def test_stop_keeps_what_is_done():
    job = cell_fields_job(CellFieldsConfig(**SMALL))
    next(job)
    with pytest.raises(StopIteration) as end:
        job.send(Command.STOP)
    assert len(end.value.value.fields) == 1


def test_images_smaller_than_a_cell_are_refused():
    with pytest.raises(ValidationError, match="no smaller than size"):
        CellFieldsConfig(shape=(20, 200), size=24)

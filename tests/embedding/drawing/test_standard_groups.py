import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Standard
from napari_cryoml.embedding.drawing import standard_groups

NAMES = [f"P{row}" for row in range(40)]
STANDARD = Standard(
    "toy",
    {
        "T:1": frozenset(NAMES[:4]),
        "T:2": frozenset(NAMES[2:5]),
        "T:3": frozenset(NAMES[:20]),
        "T:4": frozenset(["P7", "elsewhere", "far"]),
    },
    {"T:1": "ribosome", "T:2": "splicing", "T:3": "everything"},
    {"ALIAS": "P0"},
)


def rows_of(groups):
    return {name: rows.tolist() for name, rows in groups.items()}


def test_terms_are_the_largest_that_are_no_more_than_a_tenth():
    groups, notes = standard_groups(NAMES, STANDARD)
    assert rows_of(groups) == {"ribosome": [0, 1, 2, 3], "splicing": [2, 3, 4]}
    assert "20 of 40 names" in notes[0]
    assert list(standard_groups(NAMES, STANDARD, most=1)[0]) == ["ribosome"]


def test_terms_are_taken_by_accession_or_by_name():
    groups, _ = standard_groups(NAMES, STANDARD, ["T:4", "Everything"])
    assert rows_of(groups) == {"T:4": [7], "everything": list(range(20))}


def test_other_names_and_several_rows_of_a_protein_count():
    groups, _ = standard_groups(["alias", "P1", "P2", "P1"], STANDARD, ["ribosome"])
    assert rows_of(groups) == {"ribosome": [0, 1, 2, 3]}


@pytest.mark.parametrize(
    ("names", "terms", "words"),
    [
        (NAMES, ["nothing"], "has no term 'nothing'; it has ribosome, splicing"),
        (["YAL001C"], [], "None of the 1 names is in toy"),
        ([*NAMES[30:], "P0"], [], "Name the terms to show"),
    ],
)
def test_what_cannot_be_shown_is_said(names, terms, words):
    with pytest.raises(InputError, match=words):
        standard_groups(names, STANDARD, terms)

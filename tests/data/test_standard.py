import pickle

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Standard

TERMS = {"ribosome": {"a", "b", "c"}, "pore": {"c", "d"}, "lone": {"e"}}


def standard(**parts) -> Standard:
    return Standard(**{"name": "toy", "terms": TERMS} | parts)


def test_members_and_sizes() -> None:
    toy = standard()
    assert toy.members == ("a", "b", "c", "d", "e")
    assert toy.sizes == {"ribosome": 3, "pore": 2, "lone": 1}
    assert len(toy) == 3
    assert toy.terms["pore"] == frozenset({"c", "d"})


def test_terms_are_chosen_by_size() -> None:
    assert list(standard().sized(2, 2).terms) == ["pore"]
    assert list(standard().sized().terms) == ["ribosome"]
    with pytest.raises(InputError, match="Terms of 4 to 3 proteins"):
        standard().sized(4, 3)


def test_a_universe_takes_names_and_empty_terms_away() -> None:
    part = standard(descriptions={"lone": "Alone", "pore": "Pore"}).restricted(["a", "d", "x"])
    assert dict(part.terms) == {"ribosome": {"a"}, "pore": {"d"}}
    assert dict(part.descriptions) == {"pore": "Pore"}
    assert part.title("pore") == "Pore"
    assert part.title("ribosome") == "ribosome"


def test_terms_are_left_out_by_name() -> None:
    assert list(standard().without(["pore"]).terms) == ["ribosome", "lone"]
    with pytest.raises(InputError, match="no term 'wall'"):
        standard().without(["wall"])


def test_membership_has_a_row_a_name() -> None:
    table = standard().membership(["d", "x", "c", "d"])
    assert table.shape == (4, 3)
    assert table.toarray().tolist() == [[0, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert standard(terms={}).membership(["a"]).shape == (1, 0)
    assert standard().membership(np.array([], str)).shape == (0, 3)


def test_a_text_is_no_set_of_names() -> None:
    with pytest.raises(InputError, match="'YAL001C' was given for 'pore'"):
        standard(terms={"pore": "YAL001C"})


def test_it_travels_between_processes() -> None:
    assert pickle.loads(pickle.dumps(standard())) == standard()  # noqa: S301

import pytest

from napari_cryoml.data import Standard, map_names, naming_scheme

TERMS = {"TFIIIC": {"YAL001C", "YBR123C"}, "SNAP": {"YAL002W"}}
NAMED = {"TFC3": "YAL001C", "TFC1": "YBR123C", "VPS8": "YAL002W"}


def standard(**parts) -> Standard:
    return Standard(**{"name": "toy", "terms": TERMS} | parts)


@pytest.mark.parametrize(
    ("names", "scheme"),
    [
        (["YAL001C", "YBR123C-A", "Q0045", "TFC3"], "systematic names of yeast"),
        (["TFC3", "ABC1", "RPL11A", "C1orf112"], "gene names"),
        (["P12345", "A0A024R161", "Q9Y6K9"], "UniProt accessions"),
        (["ENSG00000000003"], "Ensembl genes"),
        (["S000003264"], "SGD identifiers"),
        (["1017", "1018"], "Entrez numbers"),
        (["a b", "?"], "other names"),
    ],
)
def test_schemes_are_told_apart(names, scheme) -> None:
    assert naming_scheme(names) == (scheme, names[0])


def test_no_names_follow_no_scheme() -> None:
    assert naming_scheme([]) == ("other names", "")


def test_names_as_they_are_whatever_their_case() -> None:
    found, coverage = map_names([" YAL001C", "ybr123c", "YZZ"], standard())
    assert found.tolist() == ["YAL001C", "YBR123C", ""]
    assert (coverage.found, coverage.n, coverage.translated) == (2, 3, 1)
    assert coverage.missing == ("YZZ",)
    assert not coverage.schemes_differ


def test_aliases_of_the_standard_translate() -> None:
    found, coverage = map_names(["TFC3", "vps8", "X"], standard(aliases=NAMED))
    assert found.tolist() == ["YAL001C", "YAL002W", ""]
    assert coverage.schemes_differ
    assert str(coverage) == (
        "2 of 3 names are among the 3 proteins of toy, 2 of them by another name; the names are "
        "gene names (TFC3), those of the standard systematic names of yeast (YAL001C); not there, "
        "for instance, X."
    )


@pytest.mark.parametrize("turned", [False, True])
def test_aliases_of_the_caller_work_both_ways(turned) -> None:
    aliases = {name: other for other, name in NAMED.items()} if turned else NAMED
    assert map_names(["TFC1"], standard(), aliases)[0].tolist() == ["YBR123C"]


def test_aliases_lead_over_those_of_the_standard() -> None:
    found, _ = map_names(["P1"], standard(aliases=NAMED), {"P1": "TFC1"})
    assert found.tolist() == ["YBR123C"]


def test_what_has_two_meanings_has_none() -> None:
    double = standard(terms={"t": {"abc", "ABC"}})
    assert map_names(["Abc", "abc"], double)[0].tolist() == ["", "abc"]


def test_other_names_are_said_in_one_sentence() -> None:
    found, coverage = map_names(["TFC3", "VPS8"], standard())
    assert found.tolist() == ["", ""]
    assert coverage.complaint == (
        "None of the 2 names is in toy: the names are gene names (TFC3), those of the standard "
        "systematic names of yeast (YAL001C); give a table of both names."
    )
    same = map_names(["YPR001W"], standard())[1]
    assert "has names like 'YAL001C'; 'YPR001W' was given" in same.complaint

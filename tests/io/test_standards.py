import gzip

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.io import STANDARD_FORMATS, read_aliases, read_standard

OBO = """format-version: 1.2

[Term]
id: GO:0000001
name: cell
namespace: cellular_component
subset: goslim_toy

[Term]
id: GO:0000002
name: nucleus
namespace: cellular_component
alt_id: GO:0000009
is_a: GO:0000001 ! cell
subset: goslim_toy

[Term]
id: GO:0000003
name: nucleolus
namespace: cellular_component
relationship: part_of GO:0000002 ! nucleus
relationship: regulates GO:0000006

[Term]
id: GO:0000004
name: gone
namespace: cellular_component
is_obsolete: true

[Term]
id: GO:0000005
name: growth
namespace: biological_process
relationship: part_of GO:0000002

[Term]
id: GO:0000006
name: elsewhere
namespace: cellular_component

[Typedef]
id: part_of
name: part of
"""

SLIM = "\n".join(
    [
        "YAL001C\tTFC3\tS000000001\tC\tnucleus\tGO:0005634\tORF|Verified",
        "YAL002W\tVPS8\tS000000002\tC\tendosome\tGO:0005768\tORF|Verified",
        "YAL002W\tVPS8\tS000000002\tP\tendocytosis\tGO:0006897\tORF|Verified",
        "YAL003W\tEFB1\tS000000003\tC\tcellular_component\tGO:0005575\tORF|Verified",
        "YAL003W\tEFB1\tS000000003\tP\tother\t\tORF|Verified",
    ]
)
COMPLEXES = (
    "Component: TFIIIC/127\t/TFC3/YAL001C/S000000001/ORF|Verified/|"
    "/TFC1/YBR123C/S000000327/ORF|Verified/\n"
)
HEADER = (
    "#Complex ac\tRecommended name\tAliases for complex\tTaxonomy identifier\t"
    "Identifiers (and stoichiometry) of molecules in complex\tEvidence Code\n"
)
PORTAL = HEADER + (
    "CPX-1\tInner\t-\t559292\tP00001(1)|P00002-2(2)\tECO:0000353(physical)\n"
    "CPX-2\tOuter\t-\t559292\tCPX-1(1)|[P00003,P00004](1)|CHEBI:29105(1)\tECO:0005547(model)\n"
)
LOQATE = "ORF,Gene,Note,control Localization,DTT Localization\n" + (
    'YAL001C,TFC3,"a, b",nucleus:cytosol,cytosol\n'
    "YAL002W,VPS8,c,below threshold,punctate\n"
    "YAL003W,EFB1,d,cytosol,ambiguous\n"
)
MATRIX = "ORF\tgrowth\tdeath\trest\nYAL001C\t0\t1\t0\nYAL002W\t1\t1\t0\n"
GMT = "ribosome\tSmall and large\tRPL1\tRPL2,1.0\tRPS1\t\npore\thttp://x.org\tNUP1\tNUP2\n"
TABLE = "gene,complex\nA,one\nB,one;two\n"


def gaf_line(symbol, term, evidence="IDA", qualifier="located_in", aspect="C", other=None):
    other = f"Y{symbol}L001C|{symbol}9" if other is None else other
    cells = ["SGD", f"S{symbol}", symbol, qualifier, term, "PMID:1", evidence, "", aspect]
    return "\t".join([*cells, "a name", other, "protein", "taxon:559292", "20250101", "SGD"])


@pytest.fixture
def write(tmp_path):
    def writer(text, name="file.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return writer


@pytest.fixture
def gaf(write):
    lines = [
        gaf_line("A", "GO:0000003", other="YAL001C|AA"),
        gaf_line("B", "GO:0000002", other="YBR002W"),
        gaf_line("C", "GO:0000003", "IEA", other="YCL003C"),
        gaf_line("D", "GO:0000003", qualifier="NOT|located_in", other="YDL004C"),
        gaf_line("E", "GO:0000005", aspect="P", other="YEL005C"),
        gaf_line("F", "GO:0000009", other=""),
        gaf_line("G", "GO:0000004", other="YGL006C"),
    ]
    return write("!gaf-version: 2.2\n!\n" + "\n".join(lines) + "\n", "toy.gaf")


def terms_of(*words, **options):
    return {term: set(names) for term, names in read_standard(*words, **options).terms.items()}


def test_gaf_leaves_denied_and_inferred_annotations_out(gaf) -> None:
    toy = read_standard(gaf)
    assert set(toy.terms["GO:0000003"]) == {"YAL001C"}
    assert set(toy.members) == {"YAL001C", "YBR002W", "YEL005C", "F", "YGL006C"}
    assert toy.aliases["A"] == toy.aliases["AA"] == toy.aliases["SA"] == "YAL001C"
    assert toy.name == "toy"
    assert toy.provenance["left_out"] == {"evidence left out (IEA)": 1, "said not to be (NOT)": 1}


def test_gaf_by_evidence_and_aspect(gaf) -> None:
    assert terms_of(gaf, include=["IEA"]) == {"GO:0000003": {"YCL003C"}}
    assert "YCL003C" in read_standard(gaf, exclude=[]).members
    assert terms_of(gaf, aspect="P") == {"GO:0000005": {"YEL005C"}}
    with pytest.raises(InputError, match="no term with a protein that was asked for"):
        read_standard(gaf, include=["HDA"])


def test_annotations_count_for_more_general_terms(gaf, write) -> None:
    found = read_standard(gaf, aspect="C", ontology=write(OBO, "toy.obo"))
    assert {found.title(t): set(m) for t, m in found.terms.items()} == {
        "nucleolus": {"YAL001C"},
        "nucleus": {"YAL001C", "YBR002W", "F"},
        "cell": {"YAL001C", "YBR002W", "F"},
    }
    assert found.provenance["left_out"]["terms that are obsolete or not in the ontology"] == 1


def test_another_aspect_is_not_inherited(gaf, write) -> None:
    found = terms_of(gaf, aspect="P", ontology=write(OBO, "toy.obo"))
    assert found == {"GO:0000005": {"YEL005C"}}


def test_a_slim_takes_the_most_specific_of_its_terms(gaf, write) -> None:
    obo = write(OBO, "toy.obo")
    found = terms_of(gaf, aspect="C", ontology=obo, slim="goslim_toy")
    assert found == {"GO:0000002": {"YAL001C", "YBR002W", "F"}}
    with pytest.raises(InputError, match="no slim 'goslim_x'; it has goslim_toy"):
        read_standard(gaf, ontology=obo, slim="goslim_x")
    with pytest.raises(InputError, match="give its OBO file"):
        read_standard(gaf, slim="goslim_toy")


def test_an_ontology_in_a_circle_ends(gaf, write) -> None:
    circle = OBO.replace(
        "subset: goslim_toy\n\n[Term]\nid: GO:0000002", "is_a: GO:0000003\n\n[Term]\nid: GO:0000002"
    )
    assert circle != OBO
    found = terms_of(gaf, aspect="C", ontology=write(circle, "toy.obo"))
    assert found["GO:0000003"] == {"YAL001C", "YBR002W", "F"}


def test_an_ontology_is_no_standard(gaf, write) -> None:
    with pytest.raises(InputError, match=r"toy.obo is an ontology"):
        read_standard(write(OBO, "toy.obo"))
    with pytest.raises(InputError, match=r"toy.gaf is no ontology"):
        read_standard(gaf, ontology=gaf)


def test_go_slim_of_sgd(write) -> None:
    path = write(SLIM)
    toy = read_standard(path)
    assert toy.provenance["format"] == "sgd_slim"
    assert {toy.title(t): set(m) for t, m in toy.terms.items()} == {
        "nucleus": {"YAL001C"},
        "endosome": {"YAL002W"},
        "endocytosis": {"YAL002W"},
    }
    assert dict(toy.aliases)["TFC3"] == "YAL001C"
    assert list(terms_of(path, aspect="P")) == ["GO:0006897"]


def test_complexes_of_sgd(write) -> None:
    toy = read_standard(write(COMPLEXES))
    assert toy.provenance["format"] == "sgd_complexes"
    assert dict(toy.terms) == {"GO:0000127": {"YAL001C", "YBR123C"}}
    assert toy.title("GO:0000127") == "TFIIIC"
    assert toy.aliases["TFC1"] == "YBR123C"


def test_complexes_inside_complexes(write) -> None:
    toy = read_standard(write(PORTAL))
    assert toy.provenance["format"] == "complextab"
    assert dict(toy.terms) == {
        "CPX-1": {"P00001", "P00002"},
        "CPX-2": {"P00001", "P00002", "P00003", "P00004"},
    }
    assert toy.provenance["left_out"] == {"small molecules and RNA": 1}
    assert list(terms_of(write(PORTAL), include=["ECO:0000353"])) == ["CPX-1"]


def test_places_of_loqate(write) -> None:
    toy = read_standard(write(LOQATE))
    assert dict(toy.terms) == {"nucleus": {"YAL001C"}, "cytosol": {"YAL001C", "YAL003W"}}
    assert toy.aliases["EFB1"] == "YAL003W"
    other = terms_of(write(LOQATE), columns=("ORF", "DTT Localization"))
    assert other == {"cytosol": {"YAL001C"}, "punctate": {"YAL002W"}}
    with pytest.raises(InputError, match="no column 'X'; places are in control Localization, DTT"):
        read_standard(write(LOQATE), columns=("ORF", "X"))


@pytest.mark.parametrize("text", [MATRIX, MATRIX.replace("\t", ","), MATRIX.replace("\t1", "\t 1")])
def test_a_table_of_0_and_1(write, text) -> None:
    toy = read_standard(write(text))
    assert toy.provenance["format"] == "matrix"
    assert dict(toy.terms) == {"death": {"YAL001C", "YAL002W"}, "growth": {"YAL002W"}}


def test_gmt_with_remarks_and_weights(write) -> None:
    toy = read_standard(write(GMT))
    assert toy.provenance["format"] == "gmt"
    assert dict(toy.terms) == {"ribosome": {"RPL1", "RPL2", "RPS1"}, "pore": {"NUP1", "NUP2"}}
    assert dict(toy.descriptions) == {"ribosome": "Small and large"}


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        TABLE.replace(",", "\t"),
        TABLE.replace("gene,complex", "complex,gene")
        .replace("A,one", "one,A")
        .replace("B,one;two", "one;two,B"),
        'Gene Name,"Complex"\r\n"A","one"\r\nB,one|two\r\n',
        "gene,complex,note\nA,one,x\nB,one;two,y\nC\n",
    ],
)
def test_tables_with_a_header(write, text) -> None:
    assert terms_of(write(text)) == {"one": {"A", "B"}, "two": {"B"}}


def test_tables_without_a_header(write) -> None:
    expected = {"one": {"YAL001C", "YAL002W"}}
    assert terms_of(write("YAL001C\tone\nYAL002W\tone\n")) == expected
    assert terms_of(write("one\tYAL001C\none\tYAL002W\n")) == expected


def test_tables_with_names_and_evidence(write) -> None:
    text = "ensg_id,target_name,annotation_name,annotation_grade\nENSG00000000001,A,er,3\n"
    text += "ENSG00000000002,B,er,1\n"
    toy = read_standard(write(text), include=["3"])
    assert dict(toy.terms) == {"er": {"A"}}
    assert dict(toy.aliases) == {"ENSG00000000001": "A"}


def test_columns_by_name(write) -> None:
    path = write("a,b,c\nx,P1,T\n")
    assert terms_of(path, columns=("b", "c")) == {"T": {"P1"}}
    with pytest.raises(InputError, match="first line reads: a, b, c"):
        read_standard(path)
    with pytest.raises(InputError, match="no column 'd'; it has a, b, c"):
        read_standard(path, columns=("b", "d"))


@pytest.mark.parametrize("text", [SLIM, COMPLEXES, PORTAL, LOQATE, MATRIX, GMT, TABLE])
def test_packed_files_read_the_same(write, text) -> None:
    plain = read_standard(write(text, "toy.txt"))
    packed = read_standard(write(gzip.compress(text.encode()), "toy.txt.gz"))
    assert packed.terms == plain.terms
    assert packed.name == plain.name == "toy"
    assert packed.provenance["format"] == plain.provenance["format"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"a\0b", "is no text file"),
        (gzip.compress(b"x\ty\n" * 1000)[:-20], "damaged gzip"),
        (b"\x1f\x8b\x08nonsense", "damaged gzip"),
        (b"hello\nworld\n", "is of no known format"),
        (MATRIX.replace("YAL002W\t1", "YAL002W\t7").encode() * 1, "cells of 0 or 1"),
        (MATRIX.replace("death", "growth").encode(), "two columns named 'growth'"),
        (b"gene,complex\n,\n", "has no term with a protein"),
        (HEADER.encode(), "has no term with a protein"),
    ],
)
def test_broken_files_get_one_sentence(write, content, sentence) -> None:
    format = "matrix" if b"death" in content or b"growth\tgrowth" in content else None
    with pytest.raises(InputError, match=sentence) as caught:
        read_standard(write(content), format)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (SLIM + "\nYAL009W\tbroken\n", "line 6: gene, name"),
        (COMPLEXES + "Component: none\n", "line 2: a complex"),
        (PORTAL + "CPX-3\n", "line 4: 6 cells"),
        ("!gaf-version: 2.1\n" + gaf_line("A", "GO:1") + "\n", "line 2: 15 cells"),
        (GMT + "x\n", "line 3: the name of a term"),
    ],
)
def test_broken_lines_are_named(write, text, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        read_standard(write(text, "toy.gmt" if text.startswith(GMT) else "toy.txt"))


def test_files_that_are_not_there(tmp_path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_standard(tmp_path / "none.gmt")
    with pytest.raises(InputError, match="is a folder"):
        read_standard(tmp_path)


def test_files_that_unfold_without_an_end(write, monkeypatch) -> None:
    monkeypatch.setattr("napari_cryoml.io._standards._text.MOST_BYTES", 1000)
    with pytest.raises(InputError, match="holds more than"):
        read_standard(write(gzip.compress(b"a" * 100_000), "bomb.gz"))


def test_options_of_another_format_are_refused(write) -> None:
    with pytest.raises(InputError, match="read as gmt, which has no aspect"):
        read_standard(write(GMT), aspect="C")
    with pytest.raises(InputError, match="no format of standards named 'x'"):
        read_standard(write(GMT), "x")


def test_latin_text_is_read(write) -> None:
    assert list(terms_of(write("gene,complex\nA,caf\xe9\n".encode("latin-1")))) == ["café"]


def test_every_format_says_what_it_is() -> None:
    assert all(name == kind.name and kind.title for name, kind in STANDARD_FORMATS.items())


def test_aliases_from_two_columns(write) -> None:
    assert read_aliases(write("gene\torf\nTFC3\tYAL001C\nX\tY1\nX\tY2\n")) == {"TFC3": "YAL001C"}
    assert read_aliases(write('"TFC3","YAL001C"\n')) == {"TFC3": "YAL001C"}
    with pytest.raises(InputError, match="line 1: two names of a protein were expected, 3 came"):
        read_aliases(write("a,b,c\n"))


def test_tables_of_yeast(shared_data) -> None:
    folder = shared_data / "standards" / "yeast"
    if not folder.exists():
        pytest.skip("the standards of yeast are not here")
    complexes = read_standard(folder / "go_protein_complex_slim.tab")
    assert (len(complexes), len(complexes.members)) == (467, 2291)
    slim = read_standard(folder / "go_slim_mapping.tab", aspect="C")
    assert len(slim) == 22
    assert slim.aliases["TFC3"] == "YAL001C"
    places = read_standard(folder / "yeast_localization_annotations.csv")
    assert places.sizes["ER"] == 169
    processes = read_standard(folder / "go_bp_140819.txt.gz")
    assert (len(processes), len(processes.members)) == (4373, 5911)


def test_tables_of_man(shared_data) -> None:
    folder = shared_data / "standards" / "human"
    if not folder.exists():
        pytest.skip("the standards of man are not here")
    corum = read_standard(folder / "processed_human_corum.csv")
    assert len(corum) == 1377
    hpa = read_standard(folder / "hpa_subcellular_location.tsv", exclude=["Uncertain"])
    assert hpa.aliases["ENSG00000000003"] == "TSPAN6"
    assert "C1orf112" in hpa.terms["Mitochondria"]


@pytest.mark.parametrize("seed", range(40))
def test_garbled_files_are_read_or_refused(write, seed) -> None:
    """Whatever is cut out, doubled or replaced, nothing but a sentence comes out."""
    random = np.random.default_rng(seed)
    gaf = "!gaf-version: 2.2\n" + gaf_line("A", "GO:0000003") + "\n"
    texts = [SLIM, COMPLEXES, PORTAL, LOQATE, MATRIX, GMT, TABLE, gaf, OBO]
    data = bytearray(texts[seed % len(texts)].encode())
    for _ in range(1 + seed % 4):
        begin, end = sorted(random.integers(0, len(data) + 1, 2).tolist())
        kind = random.integers(4)
        if kind == 0:
            del data[begin:end]
        elif kind == 1:
            data[begin:begin] = data[begin:end]
        elif kind == 2:
            data[begin:begin] = random.integers(0, 256, 8, dtype=np.uint8).tobytes()
        else:
            data[begin:begin] = random.choice([b'"', b"\t", b"\n", b"|", b"/", b","])
    formats = [None, *STANDARD_FORMATS]
    for format in formats:
        try:
            toy = read_standard(write(bytes(data)), format)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert toy.members
            assert all(toy.terms.values())


@pytest.mark.parametrize("seed", range(20))
def test_garbled_ontologies_are_read_or_refused(gaf, write, seed) -> None:
    random = np.random.default_rng(seed)
    lines = OBO.splitlines(keepends=True)
    for _ in range(1 + seed % 5):
        place, other = random.integers(0, len(lines), 2)
        lines[place] = lines[other][: random.integers(1, 30)]
    try:
        toy = read_standard(gaf, aspect="C", ontology=write("".join(lines), "toy.obo"))
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert toy.members


def test_a_cell_without_an_end_gets_one_sentence(write) -> None:
    for text in (LOQATE, TABLE):
        with pytest.raises(InputError, match="cannot be read as a table"):
            read_standard(write(text + '"' + "x" * 200_000))

import json

import numpy as np
import pytest

from napari_cryoml.data import ArrayCrops, Embedding
from napari_cryoml.io import read_embedding, write_crops, write_embedding

PROTEINS = 24
PER = 12


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Return a file of cells of proteins in two conditions; P00 to P03 move."""
    rng = np.random.default_rng(0)
    protein = np.repeat(np.arange(PROTEINS), 2 * PER)
    treated = np.tile(np.repeat([False, True], PER), PROTEINS)
    vectors = rng.normal(size=(len(protein), 5)) + 8 * rng.normal(size=(PROTEINS, 5))[protein]
    vectors[:, 0] += 5 * ((protein < 4) & treated)
    table = {
        "protein": np.array([f"P{number:02d}" for number in protein]),
        "condition": np.where(treated, "treated", "control"),
        "plate": np.where(np.arange(len(protein)) % 2 > 0, "p1", "p2"),
        "class": np.where(protein % 2 > 0, "ER", "nucleus"),
        "part": np.where(np.arange(len(protein)) % 3 > 0, "train", "test"),
    }
    ids = [f"c{row}" for row in range(len(protein))]
    path = tmp_path_factory.mktemp("cells") / "cells.parquet"
    write_embedding(Embedding(vectors, ids, table=table), path)
    return path


@pytest.fixture(scope="module")
def standard(tmp_path_factory):
    path = tmp_path_factory.mktemp("standard") / "process.gmt"
    lines = [
        ["splicing", "a process", "P00", "P01"],
        ["export", "", *[f"P{n:02d}" for n in range(8)]],
    ]
    path.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    return path


def page_of(path):
    text = path.read_text("utf-8")
    return json.loads(text.split('id="data">')[1].split("</script>")[0])


def test_a_map_of_proteins_in_every_kind_of_file(shell, tmp_path, cells, standard):
    names = ("map.html", "map.svg", "proteins.parquet", "proteins.h5ad")
    files = [word for name in names for word in ("--out", tmp_path / name)]
    words = ["--standard", standard, "--term", "export", "--title", "Mine", "--json"]
    said = shell("cells", "map", cells, *files, *words)
    assert said.code == 0, said.err
    assert said.json["proteins"] == PROTEINS
    assert said.json["cells"] == PROTEINS * PER * 2
    assert (said.json["map"], said.json["terms"]) == ("tSNE", ["export"])
    assert said.json["files"] == [str(tmp_path / name) for name in names]
    data = page_of(tmp_path / "map.html")
    assert data["names"] == [f"P{number:02d}" for number in range(PROTEINS)]
    assert data["title"] == "Mine"
    assert data["columns"][data["start"]]["name"] == "class"
    assert data["groups"][0]["rows"] == list(range(8))
    assert len(data["neighbours"]["0"]) == 10
    assert ">1  export (8)<" in (tmp_path / "map.svg").read_text()
    for name in names[2:]:
        rows = read_embedding(tmp_path / name)
        assert rows.ids.tolist() == data["names"]
        assert {"n_cells", "spread", "consistency", "tSNE0", "tSNE1"} <= set(rows.table)
        assert rows.provenance["columns"]["tSNE0"]["options"]["metric"] == "cosine"


def test_only_test_cells_count_where_asked(shell, tmp_path, cells):
    words = ["--out", tmp_path / "p.csv", "--column", "part", "--values", "test", "--json"]
    said = shell("cells", "map", cells, *words, "--centre", "median", "--method", "pca")
    assert said.json["cells"] == PROTEINS * PER * 2 / 3
    rows = read_embedding(tmp_path / "p.csv")
    given = read_embedding(cells)
    own = (given.table["protein"] == "P05") & (given.table["part"] == "test")
    np.testing.assert_allclose(rows.vectors[5], np.median(given.vectors[own], axis=0), rtol=1e-4)


def test_proteins_that_move_are_found_and_have_arrows(shell, tmp_path, cells):
    words = ["--condition", "condition", "--permutations", 2000, "--json"]
    files = ["--out", tmp_path / "map.html", "--out", tmp_path / "p.parquet"]
    said = shell("cells", "map", cells, *files, *words, "--pair", "control, treated")
    assert said.code == 0, said.err
    assert sorted(row["protein"] for row in said.json["moved"]) == ["P00", "P01", "P02", "P03"]
    assert (said.json["n_moved"], said.json["tested"]) == (4, PROTEINS)
    assert said.json["conditions"] == ["control", "treated"]
    data = page_of(tmp_path / "map.html")
    assert data["arrows"]["names"] == ["P00", "P01", "P02", "P03"]
    place = data["names"].index("P00 (treated)")
    np.testing.assert_allclose(
        data["arrows"]["end"][0], [data["x"][place], data["y"][place]], rtol=1e-3
    )
    rows = read_embedding(tmp_path / "p.parquet")
    assert len(rows) == 2 * PROTEINS
    assert (rows.table["q"][rows.table["protein"] == "P00"] < 0.05).all()


@pytest.mark.parametrize("condition", [[], ["--condition", "condition", "--permutations", 20]])
def test_a_page_shows_the_most_central_cells(shell, tmp_path, cells, condition):
    ids = read_embedding(cells).ids
    pixels = np.random.default_rng(0).normal(size=(len(ids), 1, 8, 8)).astype(np.float32)
    write_crops(tmp_path / "cells.npz", ArrayCrops.of(pixels, ids))
    words = ["--crops", tmp_path / "cells.npz", "--out", tmp_path / "map.html", *condition]
    assert shell("cells", "map", cells, *words).code == 0
    data = page_of(tmp_path / "map.html")
    assert len(data["thumbnails"]) == len(data["names"])
    assert len(set(data["thumbnails"].values())) == len(data["names"])


def test_vectors_of_proteins_are_taken_as_they_are(shell, tmp_path, cells):
    first = shell("cells", "map", cells, "--out", tmp_path / "p.parquet", "--json")
    again = shell("cells", "map", tmp_path / "p.parquet", "--out", tmp_path / "q.parquet", "--json")
    assert again.json["proteins"] == first.json["proteins"]
    assert "vectors of groups already" in again.json["notes"][0]
    one, two = (read_embedding(tmp_path / name) for name in ("p.parquet", "q.parquet"))
    assert np.array_equal(one.vectors, two.vectors)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--by", "gene"], "no column 'gene'"),
        (["--centre", "mode"], "--centre takes mean, median, trimmed; 'mode' was given"),
        (["--condition", "condition", "--pair", "control"], "as before,after; 'control' was given"),
        (["--condition", "class", "--pair", "ER,x"], "No cell has the condition 'x'"),
        (["--color", "nothing"], "no column 'nothing'"),
        (["--method", "umap", "--perplexity", 9], "--perplexity is no option of umap"),
        (["--out", "map.gif"], "map.gif tells no kind of embedding"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(shell, tmp_path, cells, words, problem):
    said = shell("cells", "map", cells, "--out", tmp_path / "map.html", *words)
    assert said.code == 2
    assert problem in said.sentences[-1]

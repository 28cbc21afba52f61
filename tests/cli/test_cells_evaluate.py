import json

import numpy as np
import pandas as pd
import pytest
from tests.evaluation.functional.test_evaluate import proteins

from napari_cryoml.data import Embedding
from napari_cryoml.evaluation.functional import TITLES, MetricSpec
from napari_cryoml.io import read_embedding, write_embedding

QUICK = ["--set", "n_bootstrap=32", "--set", "n_permutations=8"]


@pytest.fixture
def folder(tmp_path):
    """Return a folder with vectors of proteins, weaker ones, those of cells, and standards."""
    vectors, names, standard = proteins(1.5)
    random = np.random.default_rng(0)
    rows = Embedding(vectors, names, table={"half": np.arange(len(names)) % 2})
    write_embedding(rows, tmp_path / "good.parquet")
    weak = Embedding(vectors + 2 * random.normal(size=vectors.shape), names)
    write_embedding(weak.take(slice(0, 40)), tmp_path / "weak.parquet")
    cells = np.repeat(vectors, 3, axis=0)
    ids = np.array([f"cell {k}" for k in range(len(cells))])
    write_embedding(
        Embedding(cells, ids, table={"protein": np.repeat(names, 3)}), tmp_path / "cells.h5ad"
    )
    lines = ["\t".join([term, "na", *sorted(m)]) for term, m in standard.terms.items()]
    (tmp_path / "toy.gmt").write_text("\n".join(lines) + "\n")
    pairs = [f"{name},GENE{k}\n" for k, name in enumerate(names)]
    (tmp_path / "aliases.csv").write_text("protein,gene name\n" + "".join(pairs))
    return tmp_path


def metrics(said):
    return {row["metric"]: row for row in said.json["reports"][0]["metrics"]}


def test_every_metric_comes_with_its_specification(folder, shell) -> None:
    words = ["cells", "evaluate", folder / "good.parquet", "--standard", folder / "toy.gmt"]
    said = shell(*words, *QUICK)
    assert said.code == 0, said.err
    assert all(name in said.out for name in TITLES)
    assert "correlation=pearson" in said.out
    assert "48 of 48 names are among the 48 proteins of toy" in said.err
    record = json.loads((folder / "good.evaluation.json").read_text())
    (one,) = record["reports"]
    assert MetricSpec.model_validate(one["spec"]).n_bootstrap == 32
    assert one["metrics"][-1]["prevalence"] is None
    table = pd.read_csv(folder / "good.evaluation.csv")
    assert table["metric"].tolist() == list(TITLES)
    assert (table["low"] <= table["value"]).all()
    assert table["value"][0] == pytest.approx(one["metrics"][0]["value"])


def test_cells_are_averaged_by_protein(folder, shell) -> None:
    words = ["--standard", folder / "toy.gmt", *QUICK, "--json"]
    of_cells = shell("cells", "evaluate", folder / "cells.h5ad", *words)
    of_proteins = shell("cells", "evaluate", folder / "good.parquet", *words)
    assert "144 rows were averaged to 48 proteins" in of_cells.err
    assert metrics(of_cells)["ap_pooled"]["value"] == pytest.approx(
        metrics(of_proteins)["ap_pooled"]["value"], abs=1e-4
    )


def test_vectors_are_compared_on_the_proteins_that_both_have(folder, shell) -> None:
    paths = [folder / "good.parquet", folder / "weak.parquet"]
    said = shell("cells", "evaluate", *paths, "--standard", folder / "toy.gmt", *QUICK, "--json")
    assert [one["n_proteins"] for one in said.json["reports"]] == [40, 40]
    found = {row["metric"]: row for row in said.json["comparisons"]}
    assert (found["ap_pooled"]["of"], found["ap_pooled"]["over"]) == ("good", "weak")
    assert found["ap_pooled"]["fold"] > 1
    assert found["ap_pooled"]["fold_low"] <= found["ap_pooled"]["fold"]
    said = shell("cells", "evaluate", *paths, "--standard", folder / "toy.gmt", *QUICK)
    assert "compared" in said.out


def test_several_standards_and_how_they_are_read(folder, shell) -> None:
    names = read_embedding(folder / "good.parquet").ids
    rows = [f"{n},{k % 4},{'IDA' if k % 2 else 'HDA'}\n" for k, n in enumerate(names)]
    (folder / "table.csv").write_text("orf,complex,evidence\n" + "".join(rows))
    standards = [
        *("--standard", folder / "toy.gmt"),
        *("--standard", f"{folder / 'table.csv'},exclude=HDA+IEA,name=quarters"),
    ]
    said = shell("cells", "evaluate", folder / "good.parquet", *standards, *QUICK, "--json")
    assert [one["standard"] for one in said.json["reports"]] == ["toy", "quarters"]
    assert [one["n_proteins"] for one in said.json["reports"]] == [48, 24]


def test_held_out_proteins_and_chosen_rows(folder, shell) -> None:
    names = read_embedding(folder / "good.parquet").ids
    (folder / "held_out.txt").write_text("\n".join(names[::2]) + "\n")
    words = ["cells", "evaluate", folder / "good.parquet", "--standard", folder / "toy.gmt", *QUICK]
    held_out = shell(*words, "--held-out", folder / "held_out.txt", "--json")
    chosen = shell(*words, "--column", "half", "--values", "0", "--json")
    assert held_out.json["reports"][0]["provenance"]["held_out"] is True
    assert metrics(held_out)["ami"]["value"] == metrics(chosen)["ami"]["value"]


def test_other_names_by_a_table(folder, shell) -> None:
    rows = read_embedding(folder / "good.parquet")
    genes = np.array([f"GENE{k}" for k in range(len(rows))])
    write_embedding(Embedding(rows.vectors, genes), folder / "genes.parquet")
    words = ["cells", "evaluate", folder / "genes.parquet", "--standard", folder / "toy.gmt"]
    lost = shell(*words, *QUICK)
    assert lost.code == 2
    assert "None of the 48 names is in toy" in lost.err
    found = shell(*words, *QUICK, "--aliases", folder / "aliases.csv", "--json")
    assert found.json["reports"][0]["coverage"]["translated"] == 48


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--standard", "toy.gmt", "--standard", "toy.gmt"], "Two standards are called 'toy'"),
        (["--standard", "toy.gmt,aspect=X"], "aspect is C, F or P"),
        (["--standard", "toy.gmt,columns=a"], "columns takes two names"),
        (["--standard", "toy.gmt,aspect=C"], "which has no aspect"),
        (["--standard", "none.gmt"], "There is no file"),
        (["--standard", "toy.gmt", "--names", "x"], "no column 'x'"),
        (["--standard", "toy.gmt", "--least", "40", "--most", "60"], "No term of toy"),
        (["--standard", "toy.gmt", "--least", "40"], "No term of toy"),
        (["--standard", "toy.gmt", "--most", "2"], "most must not be below least"),
        (["--standard", "toy.gmt", "--set", "k=1"], "k"),
        (["--standard", "toy.gmt", "--held-out", "none.txt"], "cannot be read as a list"),
    ],
)
def test_mistakes_get_one_sentence(folder, shell, monkeypatch, words, sentence) -> None:
    monkeypatch.chdir(folder)
    said = shell("cells", "evaluate", "good.parquet", *words)
    assert said.code == 2
    assert sentence in said.sentences[-1]

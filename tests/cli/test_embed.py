"""From picks to vectors, maps, clusters, figures and picks again, by the shell."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding, Picks, PicksTable
from napari_cryoml.io import (
    open_image,
    open_images,
    pose_columns,
    read_embedding,
    read_picks,
    write_embedding,
    write_picks,
)
from napari_cryoml.jobs import run_inline
from napari_cryoml.preprocess import pick_id

N = 60


@pytest.fixture
def embedding(tmp_path: Path) -> Path:
    """Write vectors of three kinds, far from each other, of picks in two images."""
    rng = np.random.default_rng(0)
    kinds = np.arange(N) % 3
    vectors = rng.normal(size=(N, 5)) + 20 * np.eye(3, 5)[kinds]
    images = np.array([f"m{i % 2}.mrc" for i in range(N)])
    positions = rng.uniform(10, 90, (N, 2)).round(2)
    table = {
        "kind": np.array(["a", "b", "c"])[kinds],
        "score": rng.normal(size=N).astype(np.float32),
        "good": kinds == 1,
        "number": kinds,
        "UMAP0": vectors[:, 0],
        "UMAP1": vectors[:, 1],
    }
    provenance = {"box": 90, "size": [45, 45], "pixel_size": 4.0}
    ids = np.array([f"p{i}" for i in range(N)])
    whole = Embedding(vectors, ids, images, positions, table, provenance)
    return write_embedding(whole, tmp_path / "e.parquet")


def embed(shell, micrographs: Path, out: Path, *words: object):
    basics = ["--picks", micrographs / "particles.star", "--diameter", 24, "--out", out]
    return shell("embed", "crops", micrographs, *basics, *words, "--json")


RINGS = ["--encoder", "rings"]


def test_picks_become_vectors(shell, micrographs, tmp_path) -> None:
    said = embed(shell, micrographs, tmp_path / "e.parquet", *RINGS, "--set", "rings=5")
    assert said.code == 0, said.err
    found = read_embedding(tmp_path / "e.parquet")
    truth = read_picks(micrographs / "particles.star")
    names = [image.name for image in open_images([micrographs])]
    expected = {pick_id(picks.image, row) for picks in truth for row in picks.positions}
    assert set(found.ids.tolist()) == expected
    assert set(found.images.tolist()) == set(names)
    assert found.vectors.dtype == np.float16
    assert found.finite.all()
    assert found.provenance["options"]["rings"] == 5
    figures = said.json
    assert (figures["n"], figures["encoder"], figures["box"]) == (28, "rings", 36)
    assert (figures["n_without_vector"], figures["shape"]) == (0, [36, 36])
    assert figures["crops_per_second"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["e.parquet"]


def test_what_the_live_picker_sees_is_the_default(shell, micrographs, tmp_path) -> None:
    quick = ["--set", "learned=false", "--set", "keep=false", "--set", "rings=0"]
    said = embed(shell, micrographs, tmp_path / "e.csv", *quick, "--device", "cpu")
    assert said.code == 0, said.err
    assert said.json["encoder"] == "live"
    assert read_embedding(tmp_path / "e.csv").finite.all()


def test_lengths_in_angstrom(shell, micrographs, tmp_path) -> None:
    size = open_images([micrographs])[0].pixel_size
    lengths = ["--diameter", f"{20 * size:g}A", "--box", f"{32 * size:g}A", "--size", 16]
    said = embed(shell, micrographs, tmp_path / "e.parquet", *RINGS, *lengths)
    assert said.json["box"] == 32
    assert said.json["shape"] == [16, 16]
    provenance = read_embedding(tmp_path / "e.parquet").provenance
    assert provenance["pixel_size"] == pytest.approx(2 * size)


def test_the_work_before_a_break_is_not_done_again(shell, micrographs, tmp_path, monkeypatch):
    out, part = tmp_path / "e.parquet", tmp_path / "e.parquet.part"
    stopped = lambda job, title, on_event: run_inline(job, on_event, lambda: True)  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr("napari_cryoml.cli._embed.run_job", stopped)
        said = embed(shell, micrographs, out, *RINGS, "--batch", 20)
        assert said.code == 2
        assert "Stopped before any crop" in said.err

        def after_a_batch(job, title, on_event):
            return run_inline(job, on_event, lambda: part.stat().st_size > 1000)

        patch.setattr("napari_cryoml.cli._embed.run_job", after_a_batch)
        said = embed(shell, micrographs, out, *RINGS, "--batch", 20)
    assert said.json["n"] == 20
    assert said.json["notes"] == ["Stopped after 20 of 28 crops."]
    assert "Stopped after 20 of 28 crops." in said.err
    first = read_embedding(out)
    encoded = []
    from napari_cryoml.embedding._rings import RingsEncoder

    encode = RingsEncoder.encode
    monkeypatch.setattr(
        RingsEncoder,
        "encode",
        lambda self, crops, rows: encoded.extend(rows) or encode(self, crops, rows),
    )
    assert embed(shell, micrographs, out, *RINGS).json["n"] == 28
    assert len(encoded) == 8
    assert not part.exists()
    whole = read_embedding(out)
    np.testing.assert_array_equal(whole.vectors[whole.rows_of(first.ids)], first.vectors)


def test_nothing_is_kept_beside_the_output_if_that_is_said(shell, micrographs, tmp_path):
    (tmp_path / "e.parquet.part").write_text("mine")
    said = embed(shell, micrographs, tmp_path / "e.parquet", *RINGS, "--no-resume")
    assert said.code == 0, said.err
    assert (tmp_path / "e.parquet.part").read_text() == "mine"


def test_crops_of_another_program(shell, tmp_path) -> None:
    crops = np.random.default_rng(0).normal(size=(6, 20, 20))
    np.savez(tmp_path / "crops.npz", crops=crops, plate=np.arange(6))
    out = tmp_path / "e.parquet"
    said = shell("embed", "crops", "--stack", tmp_path / "crops.npz", "--out", out, "--json")
    assert said.code == 0, said.err
    assert said.json["encoder"] == "rings"
    assert said.json["box"] is None
    found = read_embedding(out)
    assert found.images is None
    assert found.table["plate"].tolist() == list(range(6))


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--encoder", "magic"], "choose one of live, rings"),
        (["--encoder", "detector"], "give its file as --picker"),
        ([*RINGS, "--device", "cpu"], "--device is no option of the encoder rings"),
        ([*RINGS, "--picker", "p.safetensors"], "--picker is no option"),
        ([*RINGS, "--set", "magic=1"], "choose one of"),
        ([*RINGS, "--set", "rings=0"], "rings: "),
        ([*RINGS, "--size", "99"], "a size of 99 was asked for"),
        ([*RINGS, "--box", "9000"], "between 2 and 256"),
        ([*RINGS, "--diameter", "wide"], "--diameter takes"),
        ([*RINGS, "--whiten", "green"], "--whiten takes none, standard, pca"),
        ([*RINGS, "--stack", "s.npy"], "takes the place of images"),
        ([*RINGS, "--out", "e.magic"], "tells no kind of embedding"),
    ],
)
def test_mistakes_are_sentences(shell, micrographs, tmp_path, monkeypatch, words, part) -> None:
    monkeypatch.chdir(tmp_path)
    said = embed(shell, micrographs, Path("e.parquet"), *words)
    assert said.code == 2
    assert part in said.err
    assert len(said.sentences) == 1
    assert said.json == {"error": said.sentences[0]}
    assert list(tmp_path.iterdir()) == []


def test_picks_of_other_images_are_a_sentence(shell, micrographs, tmp_path) -> None:
    write_picks(PicksTable.of([Picks("far.mrc", np.ones((2, 2)))]), tmp_path / "p.csv")
    said = embed(shell, micrographs, tmp_path / "e.parquet", *RINGS, "--picks", tmp_path / "p.csv")
    assert said.code == 2
    assert "('far.mrc') is among the 2 that are open" in said.err


@pytest.mark.parametrize("words", [[], ["--picks", "p.star"]])
def test_images_and_picks_are_needed(shell, tmp_path, words) -> None:
    said = shell("embed", "crops", *words, "--out", tmp_path / "e.parquet")
    assert said.code == 2
    assert "Give images and --picks FILE, or --stack FILE" in said.err


@pytest.mark.parametrize(
    ("method", "words", "name"),
    [
        ("pca", ["--set", "n_components=3"], "PCA"),
        ("tsne", ["--set", "iterations=20", "--set", "early_iterations=20"], "tSNE"),
    ],
)
def test_a_map_becomes_columns(shell, embedding, tmp_path, method, words, name) -> None:
    out = tmp_path / "map.parquet"
    words = ["--method", method, *words, "--seed", 7, "--measure", "--out", out, "--json"]
    said = shell("embed", "project", embedding, *words)
    assert said.code == 0, said.err
    before, after = read_embedding(embedding), read_embedding(out)
    assert said.json["columns"] == [f"{name}{i}" for i in range(3 if method == "pca" else 2)]
    assert set(after.table) - set(before.table) == set(said.json["columns"])
    assert after.table[f"{name}0"].dtype == np.float32
    assert np.isfinite(after.table[f"{name}1"]).all()
    assert after.provenance["columns"][f"{name}0"]["options"]["seed"] == 7
    assert after.provenance["box"] == 90
    assert said.json["trustworthiness"] > 0.8
    assert 0 < said.json["neighbourhood_recall"] <= 1


def test_a_map_goes_into_the_same_file_by_default(shell, embedding) -> None:
    said = shell("embed", "project", embedding, "--method", "pca", "--json")
    assert said.json["embedding"] == str(embedding)
    assert {"PCA0", "PCA1", "kind"} <= set(read_embedding(embedding).table)


def test_what_is_to_be_said_of_a_map_is_said(shell, embedding) -> None:
    fast = ["--set", "iterations=1", "--set", "early_iterations=1"]
    words = ["--method", "tsne", "--perplexity", 40, *fast, "--json"]
    said = shell("embed", "project", embedding, *words)
    assert "Perplexity was lowered from 40" in said.err
    assert said.json["notes"][0] in said.err


@pytest.mark.parametrize(
    ("method", "words", "n_clusters"),
    [("kmeans", ["--k", 3], 3), ("agglomerative", ["--k", 2], 2), ("agglomerative", [], 10)],
)
def test_clusters_become_a_column(shell, embedding, method, words, n_clusters) -> None:
    said = shell("embed", "cluster", embedding, "--method", method, *words, "--json")
    assert said.code == 0, said.err
    labels = read_embedding(embedding).table["cluster"]
    assert said.json["n_clusters"] == n_clusters
    assert said.json["sizes"] == np.bincount(labels).tolist()
    assert said.json["n_in_none"] == 0
    if n_clusters == 3:
        assert said.json["silhouette"] > 0.7
        kinds = read_embedding(embedding).table["kind"]
        assert [len(set(kinds[labels == i])) for i in range(3)] == [1, 1, 1]


def test_clusters_get_the_name_that_is_given(shell, embedding, tmp_path) -> None:
    out = tmp_path / "c.h5ad"
    words = ["--k", 4, "--column", "mine", "--out", out]
    assert shell("embed", "cluster", embedding, *words).code == 0
    assert "mine" in read_embedding(out).table
    assert "mine" not in read_embedding(embedding).table
    assert read_embedding(out).provenance["columns"]["mine"]["options"]["k"] == 4


@pytest.mark.parametrize("suffix", [".png", ".svg"])
@pytest.mark.parametrize(
    ("words", "figures"),
    [
        ([], {}),
        (["--color", "kind", "--clouds"], {"categories": 3}),
        (["--colour", "number", "--dark"], {"categories": 3}),
        (["--color", "good"], {"categories": 2}),
        (["--color", "score", "--title", "Scores"], {}),
    ],
)
def test_a_map_is_drawn(shell, embedding, tmp_path, suffix, words, figures) -> None:
    out = tmp_path / f"map{suffix}"
    said = shell("embed", "plot", embedding, *words, "--out", out, "--json")
    assert said.code == 0, said.err
    assert said.json == {"figure": str(out), "map": "UMAP"} | figures
    assert out.stat().st_size > 2000


def test_rows_of_no_cluster_are_no_group(shell, embedding, tmp_path) -> None:
    rows = read_embedding(embedding)
    labels = np.where(np.arange(N) < 10, -1, np.arange(N) % 2)
    write_embedding(rows.with_columns(cluster=labels), embedding)
    words = ["--color", "cluster", "--out", tmp_path / "map.svg", "--json"]
    assert shell("embed", "plot", embedding, *words).json["categories"] == 2


@pytest.mark.parametrize("suffix", [".star", ".csv"])
def test_clusters_become_picks(shell, embedding, tmp_path, suffix) -> None:
    out = tmp_path / f"picks{suffix}"
    words = ["--column", "number", "--values", "0, 2", "--out", out, "--json"]
    said = shell("embed", "export", embedding, *words)
    assert said.code == 0, said.err
    assert (said.json["n"], said.json["of"]) == (40, 60)
    rows, table = read_embedding(embedding), read_picks(out)
    for picks in table:
        wanted = (rows.images == picks.image) & (rows.table["number"] != 1)
        np.testing.assert_allclose(picks.positions, rows.positions[wanted], atol=1e-4)
        np.testing.assert_allclose(picks.scores, rows.table["score"][wanted], rtol=1e-5)
    if suffix == ".csv":
        assert set(table.picks[0].columns["kind"]) == {"a", "c"}
    else:
        assert table.picks[0].pixel_size == 2


def test_orientations_become_those_of_picks(shell, tmp_path) -> None:
    turns = np.tile(np.eye(3)[[1, 2, 0]], (4, 1, 1))
    places = np.arange(12.0).reshape(4, 3)
    rows = Embedding(
        np.zeros((4, 2)), np.arange(4).astype(str), np.full(4, "t"), places, pose_columns(turns)
    )
    path = write_embedding(rows, tmp_path / "rows.parquet")
    assert shell("embed", "export", path, "--out", tmp_path / "t.star").code == 0
    (picks,) = read_picks(tmp_path / "t.star")
    np.testing.assert_allclose(picks.rotations, turns, atol=1e-6)
    assert not {"turn_x", "turn_y", "turn_z"} & set(picks.columns)


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (["--column", "kind", "--values", "b"], {"b"}),
        (["--column", "kind", "--values", "b,a", "--invert"], {"c"}),
        (["--column", "good", "--values", "True"], {"b"}),
        (["--column", "good", "--values", "false"], {"a", "c"}),
        ([], {"a", "b", "c"}),
    ],
)
def test_a_part_becomes_an_embedding(shell, embedding, tmp_path, words, kinds) -> None:
    out = tmp_path / "part.h5ad"
    assert shell("embed", "export", embedding, *words, "--out", out).code == 0
    part = read_embedding(out)
    assert set(part.table["kind"]) == kinds
    whole = read_embedding(embedding)
    np.testing.assert_array_equal(part.vectors, whole.vectors[whole.rows_of(part.ids)])


@pytest.fixture
def labelled(embedding) -> Path:
    """Give classes to five rows of the kinds a and b each, and none to the others."""
    rows = read_embedding(embedding)
    kinds = rows.table["kind"]
    known = np.isin(np.arange(N), [0, 1, 3, 4, 6, 7, 9, 10, 12, 13])
    return write_embedding(rows.with_columns(named=np.where(known, kinds, "")), embedding)


def test_what_is_unlike_all_that_is_labelled(shell, labelled, tmp_path) -> None:
    out = tmp_path / "new.parquet"
    words = ["--classes", "named", "--method", "neighbours", "--out", out, "--json"]
    said = shell("embed", "novelty", labelled, *words)
    assert said.code == 0, said.err
    table = read_embedding(out).table
    assert said.json["columns"] == ["novelty", "novelty probability"]
    assert table["novelty"][table["kind"] == "c"].min() > said.json["threshold"]
    assert said.json["n_new"] == int((table["novelty"] > said.json["threshold"]).sum())
    assert (said.json["method"], set(said.json["auroc"])) == ("neighbours", {"a", "b"})


def test_labelled_rows_are_not_counted_as_new(shell, labelled) -> None:
    words = ["--classes", "named", "--method", "neighbours", "--set", "false_alarms=0.95", "--json"]
    said = shell("embed", "novelty", labelled, *words)
    table = read_embedding(labelled).table
    is_above = table["novelty"] > said.json["threshold"]
    assert (is_above & (table["named"] != "")).any()
    assert said.json["n_new"] == int((is_above & (table["named"] == "")).sum())


def test_classes_spread_to_neighbours(shell, labelled) -> None:
    words = ["--classes", "named", "--set", "least_confidence=0", "--json"]
    said = shell("embed", "spread", labelled, *words, "--set", "neighbours=4")
    assert said.code == 0, said.err
    table = read_embedding(labelled).table
    for kind in "ab":
        assert set(table["spread class"][table["kind"] == kind]) == {kind}
    assert said.json["held_out_accuracy"] == 1
    assert said.json["n_new"] == int(((table["named"] == "") & (table["spread class"] != "")).sum())


def test_the_crops_of_a_cluster_are_averaged(shell, micrographs, tmp_path) -> None:
    path, out = tmp_path / "e.parquet", tmp_path / "average.mrc"
    assert embed(shell, micrographs, path, *RINGS, "--size", 24).code == 0
    rows = read_embedding(path)
    write_embedding(rows.with_columns(k=np.arange(28) % 2), path)
    words = ["--column", "k", "--values", "1", "--set", "iterations=1", "--set", "starts=1"]
    said = shell("embed", "average", path, micrographs, *words, "--out", out, "--json")
    assert said.code == 0, said.err
    assert (said.json["n_averaged"], said.json["of"]) == (14, 14)
    found = open_image(out)
    assert found.shape == (24, 24)
    size = open_images([micrographs])[0].pixel_size
    assert found.pixel_size == pytest.approx(size * 36 / 24, rel=1e-5)
    assert said.json["pixel_size"] == pytest.approx(found.pixel_size)
    assert len(said.json["frc"]) > 5
    assert said.json["frc"][0] == 1
    said = shell("embed", "average", path, micrographs, "--box", 20, *words, "--out", out)
    assert said.code == 0, said.err
    assert "frc" not in said.out
    assert open_image(out).shape == (20, 20)


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"columns": [1], "box": "wide", "size": [], "pixel_size": 2},
        {"columns": 7, "box": -1, "size": {"a": 1}, "pixel_size": None},
        {"columns": "ab", "box": float("nan"), "size": ["x"], "pixel_size": [1]},
    ],
)
def test_any_provenance_is_taken(shell, embedding, tmp_path, provenance) -> None:
    write_embedding(replace(read_embedding(embedding), provenance=provenance), embedding)
    said = shell("embed", "project", embedding, "--method", "pca")
    assert said.code == 0, said.err
    assert set(read_embedding(embedding).provenance["columns"]) == {"PCA0", "PCA1"}
    assert shell("embed", "export", embedding, "--out", tmp_path / "p.star").code == 0
    assert read_picks(tmp_path / "p.star").picks[0].pixel_size is None


def test_an_average_needs_a_box(shell, micrographs, tmp_path) -> None:
    place = {"images": np.array(["micrograph_000.mrc"]), "positions": np.full((1, 2), 50.0)}
    whole = Embedding(np.zeros((1, 2)), np.array(["a"]), **place)
    path = write_embedding(whole, tmp_path / "e.parquet")
    said = shell("embed", "average", path, micrographs, "--out", tmp_path / "a.mrc")
    assert said.code == 2
    assert "does not tell how wide its crops were: give --box" in said.err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["novelty", "E", "--classes", "number"], "the column 'number' holds numbers"),
        (["novelty", "E"], "no column 'class'"),
        (["novelty", "E", "--classes", "kind", "--method", "magic"], "method: "),
        (["spread", "E", "--classes", "score"], "the column 'score' holds numbers"),
        (["average", "E", "none.mrc", "--out", "a.mrc"], "There is no file none.mrc"),
        (["average", "E", "none.mrc", "--out", "a.mrc", "--most", 1], "most: "),
        (["project", "E", "--method", "magic"], "choose one of pca, tsne, umap"),
        (
            ["project", "E", "--method", "pca", "--perplexity", 9],
            "--perplexity is no option of pca",
        ),
        (["project", "E", "--method", "pca", "--neighbors", 9], "--neighbors is no option of pca"),
        (["project", "E", "--method", "pca", "--out", "e.txt"], "tells no kind of embedding"),
        (["project", "no.parquet"], "There is no file no.parquet"),
        (["cluster", "E", "--method", "magic"], "choose one of"),
        (["cluster", "E", "--method", "hdbscan", "--k", 3], "leave --k out"),
        (["cluster", "E", "--k", 0], "k: "),
        (["plot", "E", "--out", "m.png", "--color", "magic"], "choose one of kind, score"),
        (["plot", "E", "--out", "m.png", "--method", "tsne"], "no map by tsne yet"),
        (["plot", "E", "--out", "m.png", "--method", "magic"], "choose one of pca"),
        (["plot", "E", "--out", "m.bmp"], ".png or .svg"),
        (["plot", "E", "--out", "m.png", "--clouds"], "--clouds needs a column of groups"),
        (["export", "E", "--out", "p.star", "--values", "1"], "belong together"),
        (["export", "E", "--out", "p.star", "--invert"], "belong together"),
        (["export", "E", "--out", "p.star", "--column", "kind", "--values", "x"], "are a, b, c"),
        (["export", "E", "--out", "p.star", "--column", "no", "--values", "x"], "no column 'no'"),
        (
            ["export", "E", "--out", "p.star", "--column=kind", "--values=a,b,c", "--invert"],
            "No row is left",
        ),
        (["export", "E", "--out", "p.magic"], "suffix"),
    ],
)
def test_mistakes_with_embeddings_are_sentences(
    shell, embedding, tmp_path, monkeypatch, words, part
) -> None:
    monkeypatch.chdir(tmp_path)
    said = shell("embed", *[embedding if word == "E" else word for word in words])
    assert said.code == 2, said.err
    assert part in said.err
    assert len(said.sentences) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["e.parquet"]


def test_vectors_without_places_give_no_picks(shell, tmp_path) -> None:
    path = write_embedding(Embedding(np.eye(2), np.array(["a", "b"])), tmp_path / "e.parquet")
    said = shell("embed", "export", path, "--out", tmp_path / "p.star")
    assert said.code == 2
    assert "knows no positions in images" in said.err


def test_a_result_that_cannot_be_written_is_kept(shell, embedding, monkeypatch) -> None:
    real = write_embedding

    def refuse(rows, path):
        if path == embedding:
            raise InputError("The disk is full.")
        return real(rows, path)

    monkeypatch.setattr("napari_cryoml.io.write_embedding", refuse)
    said = shell("embed", "project", embedding, "--method", "pca")
    assert said.code == 2
    kept = Path(said.err.split("the result is kept in ")[1].split(":")[0])
    assert "PCA0" in read_embedding(kept).table

"""Vectors go to files and come back, ours and those of other programs."""

import json
import pickle
import re
from pathlib import Path

import anndata
import h5py
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from napari_cryoml._errors import InputError, InputWarning
from napari_cryoml.data import Embedding
from napari_cryoml.io import read_embedding, write_embedding

SUFFIXES = [".parquet", ".h5ad", ".csv", ".tsv"]
EXACT = [".parquet", ".h5ad"]


def embedding(n: int = 5, ndim: int | None = 2, kind: type = np.float32) -> Embedding:
    rng = np.random.default_rng(0)
    places = {}
    if ndim:
        names = np.array([f"m{i % 2}.mrc" for i in range(n)], dtype=np.str_)
        places = {"images": names, "positions": rng.uniform(0, 9, (n, ndim))}
    table = {
        "UMAP0": rng.normal(size=n).astype(np.float32),
        "UMAP1": rng.normal(size=n).astype(np.float32),
        "PCA0": np.arange(n),
        "cluster": np.arange(n) % 3,
        "class": np.array([["", "a, b", 'say "c"'][i % 3] for i in range(n)], dtype=np.str_),
        "good": np.arange(n) % 2 == 0,
        "score": np.where(np.arange(n) == 1, np.nan, 0.5),
    }
    ids = np.array([f"é{i}" for i in range(n)], dtype=np.str_)
    provenance = {"encoder": "rings", "seed": 3, "options": {"a": [1, None]}}
    vectors = rng.normal(size=(n, 4)).astype(kind)
    return Embedding(vectors, ids, **places, table=table, provenance=provenance)


def assert_same(found: Embedding, expected: Embedding, *, exact: bool) -> None:
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    assert found.ids.tolist() == expected.ids.tolist()
    if expected.images is None:
        assert found.images is None
    else:
        assert found.images.tolist() == expected.images.tolist()
        np.testing.assert_array_equal(found.positions, expected.positions)
    assert set(found.table) == set(expected.table)
    for name, values in expected.table.items():
        np.testing.assert_array_equal(found.table[name].astype(values.dtype), values)
        if exact:
            assert found.table[name].dtype.kind == values.dtype.kind
    if exact:
        assert found.vectors.dtype == expected.vectors.dtype
        assert found.provenance == expected.provenance


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", [np.float16, np.float32])
@pytest.mark.parametrize("ndim", [None, 2, 3])
def test_what_is_written_is_read(tmp_path, suffix, kind, ndim) -> None:
    whole = embedding(ndim=ndim, kind=kind)
    path = write_embedding(whole, tmp_path / f"new/e{suffix}")
    assert_same(read_embedding(path), whole, exact=suffix in EXACT)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("n", [0, 1])
def test_nothing_and_one_row(tmp_path, suffix, n: int) -> None:
    found = read_embedding(write_embedding(embedding(n), tmp_path / f"e{suffix}"))
    assert found.vectors.shape == (n, 4)
    assert len(found.ids) == n


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_rows_than_are_converted_at_once(tmp_path, suffix, monkeypatch) -> None:
    for module in ("_embeddings_arrow", "_embeddings_parquet"):
        monkeypatch.setattr(f"napari_cryoml.io.{module}.ROWS_AT_ONCE", 7)
    whole = embedding(40)
    found = read_embedding(write_embedding(whole, tmp_path / f"e{suffix}"))
    assert_same(found, whole, exact=suffix in EXACT)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_numbers_that_are_none_stay(tmp_path, suffix) -> None:
    vectors = np.array([[np.nan, 1], [np.inf, -np.inf], [-0.0, 65504]], np.float16)
    whole = Embedding(vectors, np.array(["a", "b", "c"]))
    found = read_embedding(write_embedding(whole, tmp_path / f"e{suffix}"))
    np.testing.assert_array_equal(found.vectors, vectors)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_vectors_without_numbers_are_not_written(tmp_path, suffix) -> None:
    with pytest.raises(InputError, match="each of them has 0 numbers"):
        write_embedding(Embedding(np.zeros((2, 0)), np.array(["a", "b"])), tmp_path / f"e{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_ids_of_any_text(tmp_path, suffix) -> None:
    whole = Embedding(np.eye(4), np.array(['a, "b"', "two\nlines", "", "007"]))
    found = read_embedding(write_embedding(whole, tmp_path / f"e{suffix}"))
    assert found.ids.tolist() == whole.ids.tolist()


@pytest.mark.parametrize("suffix", EXACT)
def test_columns_with_the_names_of_ours_come_back(tmp_path, suffix) -> None:
    names = ("id", "image", "vector", "y", "id_", "_index", "a/b", "", "f0", "7")
    whole = embedding().take(slice(0, 2)).with_columns(**{n: [f"{n}!", "2"] for n in names})
    found = read_embedding(write_embedding(whole, tmp_path / f"e{suffix}"))
    assert_same(found, whole, exact=True)


def test_provenance_of_numpy_is_written(tmp_path) -> None:
    values = {"seed": np.int64(3), "box": np.array([1, 2]), "path": tmp_path}
    whole = Embedding(np.zeros((1, 1)), np.array(["a"]), provenance=values)
    found = read_embedding(write_embedding(whole, tmp_path / "e.parquet"))
    assert found.provenance == {"seed": 3, "box": [1, 2], "path": str(tmp_path)}


def test_the_columns_of_csv_are_those_of_the_docs(tmp_path) -> None:
    whole = Embedding(
        np.array([[0.1, 2]]), np.array(["a"]), np.array(["m"]), np.array([[3.0, 2, 1]]), {"k": [7]}
    )
    text = write_embedding(whole, tmp_path / "e.csv").read_text()
    header, row = text.splitlines()
    assert header.replace('"', "") == "id,image,z,y,x,f0,f1,k"
    assert row == '"a","m",3,2,1,0.1,2,7'


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch) -> None:
    path = write_embedding(embedding(), tmp_path / "e.parquet")
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", fail)
    with pytest.raises(InputError, match="the disk is full"):
        write_embedding(embedding(3), path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_anndata_opens_ours(tmp_path) -> None:
    whole = embedding(ndim=3)
    path = write_embedding(whole, tmp_path / "e.h5ad")
    theirs = anndata.read_h5ad(path)
    np.testing.assert_array_equal(theirs.X, whole.vectors)
    assert theirs.obs_names.tolist() == whole.ids.tolist()
    np.testing.assert_array_equal(theirs.obsm["spatial"], whole.positions[:, ::-1])
    np.testing.assert_array_equal(theirs.obsm["X_umap"][:, 1], whole.table["UMAP1"])
    assert "UMAP0" not in theirs.obs
    assert theirs.obs["class"].astype(str).tolist() == whole.table["class"].tolist()
    assert theirs.obs["good"].tolist() == whole.table["good"].tolist()
    assert json.loads(theirs.uns["napari-cryoml"])["provenance"] == whole.provenance


@pytest.fixture
def theirs() -> anndata.AnnData:
    """Return vectors as another program has them."""
    obs = pd.DataFrame(
        {
            "image": texts("m", "n", "m"),
            "cell_type": pd.Categorical(texts("T", None, "B"), texts("B", "T")),
            "n": [1, 2, 3],
            "maybe": pd.array([True, None, False], dtype="boolean"),
            "count": pd.array([1, None, 3], dtype="Int64"),
        },
        index=texts("p", "q", "r"),
    )
    obsm = {
        "spatial": np.array([[1.0, 2], [3, 4], [5, 6]]),
        "X_umap": np.ones((3, 2)),
        "X_pca": np.arange(15.0).reshape(3, 5),
        "else": np.zeros((3, 2)),
    }
    var = pd.DataFrame(index=texts("a", "b", "c", "d"))
    return anndata.AnnData(np.arange(12.0).reshape(3, 4), obs=obs, var=var, obsm=obsm)


def texts(*values: str | None) -> pd.Index:
    return pd.Index(values, dtype=object)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_anndata_of_others_is_read(tmp_path, theirs, kind) -> None:
    theirs.X = kind(theirs.X)
    theirs.write_h5ad(tmp_path / "e.h5ad")
    found = read_embedding(tmp_path / "e.h5ad")
    np.testing.assert_array_equal(found.vectors, np.arange(12).reshape(3, 4))
    assert found.ids.tolist() == ["p", "q", "r"]
    assert found.images.tolist() == ["m", "n", "m"]
    assert found.positions.tolist() == [[2, 1], [4, 3], [6, 5]]
    assert found.table["cell_type"].tolist() == ["T", "", "B"]
    assert found.table["PCA1"].tolist() == [1, 6, 11]
    assert found.table["UMAP0"].tolist() == [1, 1, 1]
    np.testing.assert_array_equal(found.table["count"], [1, np.nan, 3])
    np.testing.assert_array_equal(found.table["maybe"], [1, np.nan, 0])
    assert set(found.table) == {
        *("cell_type", "n", "maybe", "count", "UMAP0", "UMAP1", *[f"PCA{i}" for i in range(5)])
    }
    assert found.provenance == {}


@pytest.mark.parametrize(
    ("part", "row", "value"), [("indices", 1, 10**6), ("indices", 0, -7), ("indptr", 2, 10**6)]
)
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix])
def test_indices_beyond_a_sparse_matrix_are_refused(
    tmp_path, theirs, kind, part, row, value
) -> None:
    theirs.X = kind(theirs.X)
    theirs.write_h5ad(tmp_path / "e.h5ad")
    with h5py.File(tmp_path / "e.h5ad", "r+") as file:
        file["X"][part][row] = value
    with pytest.raises(InputError, match="cannot be read as AnnData"):
        read_embedding(tmp_path / "e.h5ad")


def test_positions_without_images_are_left_where_they_are(tmp_path, theirs) -> None:
    del theirs.obs["image"]
    theirs.write_h5ad(tmp_path / "e.h5ad")
    assert read_embedding(tmp_path / "e.h5ad").positions is None


def test_old_anndata_is_read(tmp_path) -> None:
    with h5py.File(tmp_path / "records.h5ad", "w") as file:
        file["X"] = np.eye(2)
        file["obs"] = np.array([(b"p", 1.5, b"T"), (b"q", 2, b"B")], "S1,f4,S1")
    found = read_embedding(tmp_path / "records.h5ad")
    assert found.ids.tolist() == ["p", "q"]
    assert [values.tolist() for values in found.table.values()] == [[1.5, 2], ["T", "B"]]
    with h5py.File(tmp_path / "categories.h5ad", "w") as file:
        file["X"] = np.eye(2)
        file["obs/index"] = np.array([b"p", b"q"])
        file["obs"].attrs["_index"] = "index"
        file["obs/type"] = np.array([1, -1], np.int8)
        file["obs/__categories/type"] = np.array([b"B", b"T"])
    found = read_embedding(tmp_path / "categories.h5ad")
    assert found.table["type"].tolist() == ["T", ""]


def h5ad(path, **parts):
    with h5py.File(path, "w") as file:
        for name, values in (
            {"X": np.eye(2), "obs/_index": np.array([b"a", b"b"])} | parts
        ).items():
            if values is not None:
                file[name] = values
    return path


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"X": None}, "holds no X and obs"),
        ({"X": np.zeros(2)}, "matrix X of two axes"),
        ({"X": np.zeros((3, 1))}, "should name each of its 3 rows"),
        ({"obs/_index": np.array([b"a", b"a"])}, "'a' stands for 2 rows"),
        ({"X": np.array([[b"a"], [b"b"]])}, "cannot be read as AnnData"),
        ({"obs/k": np.array([1])}, "need 2 values of 'k', not 1"),
    ],
)
def test_damaged_anndata_is_a_sentence(tmp_path, parts, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        read_embedding(h5ad(tmp_path / "e.h5ad", **parts))


def test_what_is_no_column_is_left_out_and_named(tmp_path) -> None:
    path = h5ad(tmp_path / "e.h5ad", **{"obs/odd": np.zeros((2, 2)), "obs/k": np.array([1, 2])})
    with pytest.warns(InputWarning, match="left out 'odd'"):
        found = read_embedding(path)
    assert list(found.table) == ["k"]


def parquet(path, columns):
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("columns", "vectors", "ids", "table"),
    [
        ({"id": ["a", "b"], "vector": [[1.0, 2], [3, 4]]}, [[1, 2], [3, 4]], ["a", "b"], {}),
        ({"emb": [[1, 2], [3, 4]], "k": [5, 6]}, [[1, 2], [3, 4]], ["0", "1"], {"k": [5, 6]}),
        ({"emb": [[1, 2], None]}, [[1, 2], [np.nan, np.nan]], ["0", "1"], {}),
        (
            {"f1": [2, 4], "f0": [1.0, 3], "index": [7, 8], "y": [0, 0]},
            [[1, 2], [3, 4]],
            ["7", "8"],
            {"y": [0, 0]},
        ),
        (
            {"0": [1.0, 3], "1": [2.0, 4], "who": ["me", "me"], "name": ["p", "q"]},
            [[1, 2], [3, 4]],
            ["p", "q"],
            {"who": ["me", "me"]},
        ),
        (
            {"area": [1.0, None], "Metadata_Site": [1, 2], "cluster": [0, 1], "UMAP0": [0.0, 1]},
            [[1], [np.nan]],
            ["0", "1"],
            {"Metadata_Site": [1, 2], "cluster": [0, 1], "UMAP0": [0, 1]},
        ),
    ],
)
def test_which_column_is_what(tmp_path, columns, vectors, ids, table) -> None:
    found = read_embedding(parquet(tmp_path / "e.parquet", columns))
    np.testing.assert_array_equal(found.vectors, vectors)
    assert found.ids.tolist() == ids
    assert {name: values.tolist() for name, values in found.table.items()} == table


def test_cells_without_a_vector(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("napari_cryoml.io._embeddings_parquet.ROWS_AT_ONCE", 2)
    path = parquet(tmp_path / "e.parquet", {"vector": [None, None, None, [1.0, 2], None, [3, 4]]})
    expected = [[np.nan] * 2] * 3 + [[1, 2], [np.nan] * 2, [3, 4]]
    np.testing.assert_array_equal(read_embedding(path).vectors, expected)
    lengths = [[1.0], [2.0], [3.0, 4.0]]
    with pytest.raises(InputError, match="vectors of 2 and of 1 numbers"):
        read_embedding(parquet(path, {"vector": lengths}))


def test_a_frame_of_pandas_is_read_by_its_index(tmp_path) -> None:
    frame = pd.DataFrame({"0": [1.0, 2], "1": [3.0, 4]}, index=["p", "q"])
    frame.to_parquet(tmp_path / "e.parquet")
    found = read_embedding(tmp_path / "e.parquet")
    assert found.ids.tolist() == ["p", "q"]
    assert found.vectors.tolist() == [[1, 3], [2, 4]]


def test_positions_are_found_in_any_case(tmp_path) -> None:
    columns = {"Image": ["m"], "X": [1.0], "Y": [2], "Z": [3], "f0": [0.0]}
    found = read_embedding(parquet(tmp_path / "e.parquet", columns))
    assert found.positions.tolist() == [[3, 2, 1]]
    assert found.images.tolist() == ["m"]
    assert dict(found.table) == {}


def test_columns_of_every_kind(tmp_path) -> None:
    columns = {
        "id": pa.array(["p", "q"]),
        "vector": pa.array([[1.0], [2.0]]),
        "b": pa.array([True, None]),
        "i": pa.array([1, None]),
        "s": pa.array(["a", None]).dictionary_encode(),
        "n": pa.nulls(2),
        "t": pa.array([0, 1], pa.timestamp("s")),
        "bytes": pa.array([b"\x80", b""]),
    }
    with pytest.warns(InputWarning, match="left out 'bytes', which hold neither"):
        table = read_embedding(parquet(tmp_path / "e.parquet", columns)).table
    np.testing.assert_array_equal(table["b"], [1, np.nan])
    np.testing.assert_array_equal(table["i"], [1, np.nan])
    assert table["s"].tolist() == ["a", ""]
    assert table["n"].tolist() == ["", ""]
    assert table["t"].tolist()[0].startswith("1970-01-01")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"id": ["a", "a"], "f0": [1, 2]}, "e.parquet: .*'a' stands for 2 rows"),
        ({"id": ["a", "b"], "f0": ["1", "x"]}, "column 'f0' holds text where numbers"),
        ({"id": ["a", "b"]}, "holds no vectors: .* its columns are id"),
        ({"vector": [[1], [2, 3]]}, "vectors of 1 and of 2 numbers"),
        ({"image": ["m"], "y": ["1"], "x": [2], "f0": [1]}, "column 'y' holds text"),
    ],
)
def test_tables_that_do_not_suit_are_a_sentence(tmp_path, columns, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        read_embedding(parquet(tmp_path / "e.parquet", columns))


@pytest.mark.parametrize("text", ["{", "[1]", '{"provenance": 7}', '{"renamed": [1, 2]}', "\x00"])
def test_metadata_that_is_none_of_ours_is_passed_over(tmp_path, text) -> None:
    table = pa.table({"id": ["a"], "f0": [1.0]}).replace_schema_metadata({"napari-cryoml": text})
    pq.write_table(table, tmp_path / "e.parquet")
    assert read_embedding(tmp_path / "e.parquet").provenance == {}


@pytest.mark.parametrize(
    "text",
    [
        "id,f0,f1\n007,1,2\n",
        "\ufeffid;f0;f1\r\n007;1;2\r\n",
        "index\tf0\tf1\tnote\n007\t1\t2\t\n",
        ",0,1\n007,1,2\n",
    ],
)
def test_csv_as_anybody_writes_it(tmp_path, text) -> None:
    (tmp_path / "e.csv").write_text(text, encoding="utf-8")
    found = read_embedding(tmp_path / "e.csv")
    assert found.vectors.tolist() == [[1, 2]]
    assert found.ids.tolist() == (["7"] if text[0] == "," else ["007"])


def test_csv_without_a_header(tmp_path) -> None:
    (tmp_path / "e.csv").write_text("P_1,RPL28,-0.5,1\nP_2,SDC2,2e-3,4.25\n")
    found = read_embedding(tmp_path / "e.csv")
    assert found.ids.tolist() == ["P_1", "P_2"]
    np.testing.assert_allclose(found.vectors, [[-0.5, 1], [2e-3, 4.25]], rtol=1e-6)
    assert found.table["column1"].tolist() == ["RPL28", "SDC2"]


def test_vectors_of_the_zoo(shared_data) -> None:
    found = read_embedding(shared_data / "embeddings/music_toy/toy_APMS_embedding.csv")
    assert found.vectors.shape == (100, 100)
    assert found.ids[0] == "APMS_1"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("id,f0\na,up\n", "column 'f0' holds 'up' where numbers were expected"),
        ("id,f0,f0\na,1,2\n", "two columns named 'f0'"),
        ("id,f0\na,1,2\n", "cannot be read as CSV"),
        ("id,f0\na,1\na,2\n", "'a' stands for 2 rows"),
        ("id\na\n", "holds no vectors"),
    ],
)
def test_csv_that_does_not_suit_is_a_sentence(tmp_path, text, sentence) -> None:
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_embedding(tmp_path / "e.csv")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_file_and_a_folder_are_a_sentence(tmp_path, suffix) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_embedding(tmp_path / f"e{suffix}")
    (tmp_path / f"e{suffix}").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        read_embedding(tmp_path / f"e{suffix}")
    with pytest.raises(InputError, match="is a folder"):
        write_embedding(embedding(), tmp_path / f"e{suffix}")


@pytest.mark.parametrize("suffix", EXACT)
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.97])
def test_a_file_that_is_cut_short_is_a_sentence(tmp_path, suffix, share) -> None:
    path = write_embedding(embedding(50), tmp_path / f"e{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"e\.\w+ cannot be read as"):
        read_embedding(path)


@pytest.mark.parametrize("suffix", EXACT)
def test_a_pickle_under_another_name_is_not_opened(tmp_path, suffix) -> None:
    path = tmp_path / f"e{suffix}"
    path.write_bytes(pickle.dumps(pd.DataFrame({"f0": [1.0]})))
    with pytest.raises(InputError, match="cannot be read as"):
        read_embedding(path)


@pytest.mark.parametrize("name", ["tomo.temb", "z.49.pkl", "e.joblib"])
@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame])
def test_what_a_refused_pickle_advises_makes_it_readable(tmp_path, monkeypatch, name, make) -> None:
    monkeypatch.chdir(tmp_path)
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    if name.endswith("joblib"):
        joblib.dump(make(vectors), name)
    else:
        Path(name).write_bytes(pickle.dumps(make(vectors)))
    with pytest.raises(InputError, match="TomoTwin and cryoDRGN") as refused:
        read_embedding(name)
    line = re.search(r"pandas\.DataFrame.*'\)", str(refused.value)).group()
    eval(line, {"pandas": pd, "joblib": joblib})  # noqa: S307 - a sentence of ours
    found = read_embedding(f"{Path(name).stem}.parquet")
    np.testing.assert_array_equal(found.vectors, vectors)


def test_other_names_are_refused(tmp_path) -> None:
    for name in ("e.npy", "e"):
        with pytest.raises(InputError, match=r"ends in .parquet, .h5ad, .csv, .tsv"):
            read_embedding(tmp_path / name)
        with pytest.raises(InputError, match=r"ends in .parquet, .h5ad, .csv, .tsv"):
            write_embedding(embedding(), tmp_path / name)


@pytest.mark.parametrize("suffix", EXACT)
def test_vectors_that_no_memory_holds_are_a_sentence(tmp_path, suffix, monkeypatch) -> None:
    path = write_embedding(embedding(), tmp_path / f"e{suffix}")

    def refuse(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr("napari_cryoml.io._embeddings_columns.np.empty", refuse)
    with pytest.raises(InputError, match="announces 5 vectors of 4"):
        read_embedding(path)

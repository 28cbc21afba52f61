"""Embeddings, and the columns that come to them."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from napari_cryoml import io
from napari_cryoml._errors import InputError
from napari_cryoml.data import Embedding
from napari_cryoml.project import Project
from napari_cryoml.project import _embedding_records as records

HERE = Path(__file__).parent


def made(n=20, ndim=2, kind=np.float16, **table):
    rng = np.random.default_rng(0)
    return Embedding(
        rng.normal(size=(n, 5)).astype(kind),
        np.array([f"m{row % 3}@{row}.0,1.5" for row in range(n)], np.str_),
        np.array([f"m{row % 3}" for row in range(n)], np.str_),
        rng.uniform(0, 100, (n, ndim)),
        {"score": rng.normal(size=n).astype(np.float32), **table},
        {"encoder": "rings", "seed": 3},
    )


def same(one, other):
    assert one.vectors.dtype == other.vectors.dtype or not len(one)
    assert np.array_equal(one.vectors, other.vectors, equal_nan=True)
    assert one.ids.tolist() == other.ids.tolist()
    assert (one.images is None) == (other.images is None)
    if one.images is not None:
        assert one.images.tolist() == other.images.tolist()
        assert np.array_equal(one.positions, other.positions)
    assert dict(one.provenance) == dict(other.provenance)
    assert list(one.table) == list(other.table)
    for name in one.table:
        assert np.array_equal(one.table[name], other.table[name])


@pytest.mark.parametrize("kind", [np.float16, np.float32])
@pytest.mark.parametrize("ndim", [2, 3])
def test_an_embedding_comes_back_as_it_was(project, project_path, ndim, kind):
    embedding = made(ndim=ndim, kind=kind)
    number = project.add_embedding("picks", embedding)
    project.close()
    with Project.open(project_path) as again:
        same(again.embedding(number), embedding)
        (entry,) = again.embeddings()
        assert entry == again.embedding_entry(number)
        assert (entry.name, entry.n_rows, entry.n_features) == ("picks", 20, 5)
        assert (dict(entry.provenance), dict(entry.columns)) == (
            {"encoder": "rings", "seed": 3},
            {},
        )


def test_degenerate_embeddings_come_back(project):
    nan = np.array([[np.nan, 1.0], [np.inf, 2.0]], np.float32)
    for embedding in (
        Embedding(nan, ["a", "b"]),
        Embedding(np.ones((1, 1), np.float16), ["only"]),
        made(0),
    ):
        same(project.embedding(project.add_embedding("x", embedding)), embedding)
    assert [entry.n_rows for entry in project.embeddings()] == [2, 1, 0]


def test_a_large_one_is_kept_in_parts(project, monkeypatch):
    monkeypatch.setattr(records, "_PART_BYTES", 1000)
    embedding = made(300)
    number = project.add_embedding("x", embedding)
    (n_parts,) = project._store.rows("SELECT count(*) FROM embedding_parts")[0]
    assert n_parts > 3
    same(project.embedding(number), embedding)


def test_columns_join_the_table(project, project_path):
    embedding = made()
    number = project.add_embedding("x", embedding)
    columns = {
        "UMAP0": np.linspace(0, 1, 20),
        "cluster": np.arange(20, dtype=np.int64) - 1,
        "far": np.arange(20) * 10**12,
        "kept": np.arange(20) % 2 == 0,
        "class": np.array(["ä", ""] * 10, object),
    }
    project.set_embedding_columns(number, columns, {"method": "umap", "seed": 1})
    project.close()
    with Project.open(project_path) as again:
        table = again.embedding(number).table
        assert list(table) == ["score", *columns]
        kinds = {name: table[name].dtype.str[1:] for name in columns}
        assert kinds == {"UMAP0": "f4", "cluster": "i4", "far": "i8", "kept": "b1", "class": "U1"}
        assert np.array_equal(table["UMAP0"], columns["UMAP0"].astype(np.float32))
        for name in list(columns)[1:]:
            assert table[name].tolist() == columns[name].tolist()
        entry = again.embedding_entry(number)
        assert list(entry.columns) == list(columns)
        assert entry.columns["cluster"] == {"method": "umap", "seed": 1}


def test_columns_are_replaced_and_taken_away(project):
    number = project.add_embedding("x", made())
    project.set_embedding_columns(number, {"a": np.zeros(20), "b": np.zeros(20)})
    project.set_embedding_columns(number, {"a": np.ones(20), "b": None, "c": None}, {"again": 1})
    assert dict(project.embedding_entry(number).columns) == {"a": {"again": 1}}
    assert project.embedding(number).table["a"].tolist() == [1.0] * 20
    project.set_embedding_columns(number, {"score": np.full(20, 7.0)})
    assert project.embedding(number).table["score"].tolist() == [7.0] * 20


def test_columns_of_an_empty_embedding(project):
    number = project.add_embedding("x", made(0))
    columns = {"a": np.empty(0), "b": np.empty(0, np.str_), "c": np.empty(0, np.int32)}
    project.set_embedding_columns(number, columns)
    assert {len(values) for values in project.embedding(number).table.values()} == {0}


def test_a_column_of_another_length_keeps_out_all(project):
    number = project.add_embedding("x", made())
    with pytest.raises(InputError, match="'b' has the shape"):
        project.set_embedding_columns(number, {"a": np.zeros(20), "b": np.zeros(19)})
    with pytest.raises(InputError, match="'b' has the shape"):
        project.set_embedding_columns(number, {"b": np.zeros((20, 2))})
    assert not project.embedding_entry(number).columns


def test_a_removed_embedding_is_gone_and_its_classes_stay(project):
    first, second = project.add_embedding("x", made()), project.add_embedding("y", made(3))
    project.set_embedding_columns(first, {"a": np.zeros(20)})
    project.classify(made().ids, "junk")
    project.remove_embedding(first)
    assert [entry.id for entry in project.embeddings()] == [second]
    assert len(project.classes()) == 20
    for act in (project.embedding, project.embedding_entry, project.remove_embedding):
        with pytest.raises(InputError, match="no embedding 1"):
            act(first)
    with pytest.raises(InputError, match="no embedding 1"):
        project.set_embedding_columns(first, {})
    assert project.add_embedding("z", made(2)) > second


def test_one_that_was_not_finished_is_not_there_and_is_cleared_away(project, monkeypatch):
    def fail(path):
        yield b"half"
        raise KeyboardInterrupt

    whole = project.add_embedding("whole", made())
    with monkeypatch.context() as patch:
        patch.setattr(records, "_PART_BYTES", 100)
        patch.setattr(records, "_parts", fail)
        with pytest.raises(KeyboardInterrupt):
            project.add_embedding("half", made())
    assert [entry.name for entry in project.embeddings()] == ["whole"]
    with pytest.raises(InputError, match="no embedding"):
        project.embedding(whole + 1)
    project.add_embedding("next", made())
    assert [entry.name for entry in project.embeddings()] == ["whole", "next"]
    (n_parts,) = project._store.rows("SELECT count(*) FROM embedding_parts")[0]
    assert n_parts == 2


def test_threads_add_one_after_the_other(project, monkeypatch):
    monkeypatch.setattr(records, "_PART_BYTES", 500)
    threads = [
        threading.Thread(target=project.add_embedding, args=(f"{n}", made(50))) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.name for entry in project.embeddings()) == list("0123")
    for entry in project.embeddings():
        same(project.embedding(entry.id), made(50))


def test_the_project_is_free_while_parts_are_written(project, monkeypatch):
    seen = []
    parts = records._parts

    def watched(path):
        for part in parts(path):
            thread = threading.Thread(target=lambda: seen.append(project.counts()))
            thread.start()
            thread.join(10)
            yield part

    monkeypatch.setattr(records, "_parts", watched)
    project.add_embedding("x", made())
    assert seen == [{"a": (0, 0), "b": (0, 0)}]


def change(path, statement, *values):
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def other_parquet(tmp_path, n=20):
    io.write_embedding(made(n), tmp_path / "other.parquet")
    return (tmp_path / "other.parquet").read_bytes()


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"PAR1" + bytes(100) + b"PAR1", "text", 7, "rows"]
)
def test_hostile_content_is_a_sentence(project, project_path, tmp_path, content):
    content = other_parquet(tmp_path, 19) if content == "rows" else content
    number = project.add_embedding("picks", made())
    project.close()
    change(project_path, "UPDATE embedding_parts SET content = ?", content)
    with Project.open(project_path) as again:
        assert len(again.embeddings()) == 1
        with pytest.raises(InputError, match=r"The embedding 'picks' in the project .* damaged"):
            again.embedding(number)
        again.remove_embedding(number)


def test_cut_content_is_a_sentence(project, project_path):
    number = project.add_embedding("picks", made())
    project.close()
    change(project_path, "UPDATE embedding_parts SET content = substr(content, 1, 500)")
    with Project.open(project_path) as again, pytest.raises(InputError, match="damaged"):
        again.embedding(number)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "O"),
        ("kind", "<f8"),
        ("kind", "text"),
        ("content", b""),
        ("content", bytes(81)),
        ("content", 7),
        ("content", None),
    ],
)
def test_hostile_columns_are_a_sentence(project, project_path, column, value):
    number = project.add_embedding("picks", made())
    project.set_embedding_columns(number, {"a": np.zeros(20)})
    project.close()
    if value is not None:
        change(project_path, f"UPDATE embedding_columns SET {column} = ?", value)  # noqa: S608
    with Project.open(project_path) as again:
        if value is None:
            assert again.embedding(number).table["a"].tolist() == [0.0] * 20
            return
        with pytest.raises(InputError, match=r"Column 'a' of the embedding 'picks'.*damaged"):
            again.embedding(number)


def test_codes_that_stand_for_no_text_are_a_sentence(project, project_path):
    number = project.add_embedding("picks", made())
    project.set_embedding_columns(number, {"a": np.array(["x"] * 20)})
    project.close()
    connection = sqlite3.connect(project_path)
    (content,) = connection.execute("SELECT content FROM embedding_columns").fetchone()
    connection.close()
    change(
        project_path,
        "UPDATE embedding_columns SET content = ?",
        content[:-4] + (1).to_bytes(4, "little"),
    )
    with Project.open(project_path) as again, pytest.raises(InputError, match="Column 'a'"):
        again.embedding(number)


@pytest.mark.parametrize("column", ["made", "provenance", "n_rows"])
def test_a_strange_entry_is_a_sentence(project, project_path, column):
    project.add_embedding("picks", made())
    project.close()
    change(project_path, f"UPDATE embeddings SET {column} = 'strange'")  # noqa: S608
    with Project.open(project_path) as again, pytest.raises(InputError, match="damaged"):
        again.embeddings()


@pytest.mark.parametrize("waits", [0, 2])
def test_a_killed_program_loses_nothing_it_had_saved(project_path, waits):
    Project.create(project_path).close()
    command = [sys.executable, str(HERE / "explore_until_killed.py"), str(project_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline() for _ in range(2 + waits)]
        process.kill()
        said += process.stdout.readlines()
    n_said = len([line for line in said if line.endswith("\n")])
    with Project.open(project_path) as project:
        entries = project.embeddings()
        assert n_said <= len(entries) <= n_said + 1
        assert n_said <= len(project.classes()) <= len(entries)
        for number, entry in enumerate(entries[:n_said]):
            assert set(project.embedding(entry.id).table["UMAP0"].tolist()) == {number}
        assert len(project.embedding(entries[-1].id)) == 200
        project.add_embedding("next", made())
        assert [entry.name for entry in project.embeddings()][-1] == "next"


def test_a_full_disk_is_a_sentence_and_leaves_no_half(project, monkeypatch):
    monkeypatch.setattr(records, "_PART_BYTES", 10_000)
    (pages,) = project._store.row("PRAGMA page_count")
    project._store.row(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(InputError, match=r"disk .* is full"):
        project.add_embedding("large", made(5000))
    assert project.embeddings() == []
    project._store.row("PRAGMA max_page_count = 100000")
    number = project.add_embedding("large", made(5000))
    same(project.embedding(number), made(5000))

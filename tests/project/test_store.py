import gc
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from image_files import FileImage

from napari_cryoml._errors import InputError
from napari_cryoml.data import Annotations, Picks
from napari_cryoml.project import Project
from napari_cryoml.project._schema import definitions, statements
from napari_cryoml.project._store import Store, explain

HERE = Path(__file__).parent
LABEL = Annotations.of_positives([[1.0, 2.0]])
TRY_TO_OPEN = """
import sys
from napari_cryoml.project import Project
try:
    Project.open(sys.argv[1])
except ValueError as error:
    print(error)
"""


def opened_elsewhere(path):
    """What another process says when it opens the project."""
    command = [sys.executable, "-c", TRY_TO_OPEN, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def labelled(path, n=1):
    with Project.create(path) as project:
        project.add_images([FileImage("b", path.parent / "b")])
        for _ in range(n):
            project.annotate("b", add=LABEL)
    return path


def test_project_is_one_file_once_it_is_closed(project_path):
    labelled(project_path)
    assert list(project_path.parent.iterdir()) == [project_path]


def test_creating_over_a_file_is_refused_and_leaves_it(project_path):
    project_path.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        Project.create(project_path)
    assert project_path.read_text() == "precious"


def test_creating_in_no_folder_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        Project.create(tmp_path / "nowhere" / "p.cryoml")


def test_failed_creation_leaves_no_file(project_path, monkeypatch):
    def fail(*args):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("napari_cryoml.project._store.upgrade", fail)
    with pytest.raises(sqlite3.OperationalError):
        Project.create(project_path)
    assert list(project_path.parent.iterdir()) == []


def test_missing_file_and_folder_are_sentences(tmp_path):
    with pytest.raises(InputError, match="There is no project"):
        Project.open(tmp_path / "p.cryoml")
    with pytest.raises(InputError, match="cannot be read"):
        Project.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"just some text", b"SQLite format 3\x00", bytes(5000)])
def test_other_files_are_refused(project_path, content):
    project_path.write_bytes(content)
    with pytest.raises(InputError, match="is not a napari-cryoml project"):
        Project.open(project_path)
    assert project_path.read_bytes() == content


def test_databases_of_other_programs_are_refused_untouched(project_path):
    other = sqlite3.connect(project_path)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = project_path.read_bytes()
    with pytest.raises(InputError, match="is not a napari-cryoml project"):
        Project.open(project_path)
    assert project_path.read_bytes() == before


def change(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_newer_version_is_refused(project_path):
    change(labelled(project_path), "PRAGMA user_version = 99")
    with pytest.raises(InputError, match="newer napari-cryoml"):
        Project.open(project_path)


def of_version_1(path):
    """Write a project as version 1 did: labels of a, one of b that is undone, a model, picks."""
    connection = sqlite3.connect(path)
    connection.executescript((HERE / "version_1.sql").read_text())
    connection.execute(f"PRAGMA application_id = {0x63724D4C}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    return path


def test_a_file_of_version_1_is_opened_with_all_that_is_in_it(project_path):
    with Project.open(of_version_1(project_path)) as project:
        assert project.counts() == {"a": (1, 1), "b": (0, 0)}
        assert project.edit_number == 2
        assert project.picks("a").positions.tolist() == [[1.0, 2.0]]
        assert project.setting("threshold") == 0.5
        assert not project.stale_images()
        assert project.redo().images == ("b",)
        assert project.undo().images == ("b",)
        assert project.undo().changes["a"].added_ids.tolist() == [1]
        project.classify(["a@1.0,2.0"], "junk")
        assert project.embeddings() == []


def test_a_file_of_version_1_is_of_the_present_version_afterwards(project_path, tmp_path):
    Project.open(of_version_1(project_path)).close()
    new = tmp_path / "new.cryoml"
    Project.create(new).close()
    states = []
    for path in (project_path, new):
        connection = sqlite3.connect(path)
        states.append(
            (connection.execute("PRAGMA user_version").fetchone(), definitions(connection))
        )
        connection.close()
    assert states[0] == states[1]
    Project.open(project_path).close()


def test_a_file_that_cannot_be_brought_up_to_date_stays_as_it_is(project_path, monkeypatch):
    before = of_version_1(project_path).read_bytes()

    def broken(since=0, version=3):
        return ["CREATE TABLE class_edits (x)", "CREATE TABLE class_edits (x)"]

    with monkeypatch.context() as patch:
        patch.setattr("napari_cryoml.project._migration.statements", broken)
        with pytest.raises(sqlite3.OperationalError):
            Project.open(project_path)
    assert project_path.read_bytes() == before
    Project.open(project_path).close()


def test_a_file_of_version_2_takes_orientations(project_path):
    connection = sqlite3.connect(of_version_1(project_path))
    connection.executescript(";".join(statements(since=1, version=2)))
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    turn = np.eye(3)[None]
    with Project.open(project_path) as project:
        assert project.picks("a").positions.tolist() == [[1.0, 2.0]]
        assert project.picks("a").rotations is None
        project.add_images([FileImage.make(project_path.parent, "t", (4, 5, 6))])
        project.set_picks("t", Picks("t", np.ones((1, 3)), rotations=turn))
    with Project.open(project_path) as project:
        assert np.array_equal(project.picks("t").rotations, turn)


@pytest.mark.parametrize("version", [-1, 0, 2, 3])
def test_a_version_that_does_not_suit_the_tables_is_refused(project_path, version):
    change(of_version_1(project_path), f"PRAGMA user_version = {version}")
    with pytest.raises(InputError, match=r"damaged|newer"):
        Project.open(project_path)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP VIEW live_labels",
        "CREATE TRIGGER evil AFTER INSERT ON labels BEGIN DELETE FROM labels; END",
        "CREATE VIEW more AS SELECT 1",
        "ALTER TABLE jobs ADD COLUMN extra",
    ],
)
def test_tables_that_are_not_ours_are_refused(project_path, statement):
    change(labelled(project_path), statement)
    with pytest.raises(InputError, match="is damaged"):
        Project.open(project_path)


@pytest.mark.parametrize("keep", [100, 4096, 20_000])
def test_cut_file_is_a_sentence(project_path, keep):
    data = labelled(project_path).read_bytes()
    project_path.write_bytes(data[:keep])
    with pytest.raises(InputError, match=r"damaged|not a napari-cryoml project"):
        Project.open(project_path)


def test_overwritten_pages_are_a_sentence(project_path):
    data = bytearray(labelled(project_path).read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    project_path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        Project.open(project_path)


def test_open_project_is_locked_for_others_until_it_is_closed(project_path):
    labelled(project_path)
    project = Project.open(project_path)
    assert "is open in another window or program" in opened_elsewhere(project_path)
    with pytest.raises(InputError, match="is open in another window"):
        Project.open(project_path)
    # The attempt from within must not have cost us the lock.
    assert "is open in another window or program" in opened_elsewhere(project_path)
    project.close()
    project.close()
    assert opened_elsewhere(project_path) == ""
    Project.open(project_path).close()


def test_project_that_was_dropped_unclosed_can_be_opened_again(project_path):
    project = Project.open(labelled(project_path))
    del project
    gc.collect()
    with Project.open(project_path) as again:
        assert again.counts() == {"b": (1, 0)}


@pytest.mark.parametrize("waits", [0, 3])
def test_killed_program_loses_nothing_it_had_saved(project_path, waits):
    with Project.create(project_path) as project:
        project.add_images([FileImage("a", project_path.parent / "a")])
    command = [sys.executable, str(HERE / "annotate_until_killed.py"), str(project_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline() for _ in range(5 + waits)]
        process.kill()
        said += process.stdout.readlines()
    n_said = len([line for line in said if line.endswith("\n")])
    with Project.open(project_path) as project:
        kept = project.annotations("a").positions[:, 0].tolist()
        assert kept == list(range(len(kept)))
        assert n_said <= len(kept) <= n_said + 1
        project.undo()
        assert project.counts()["a"] == (len(kept) - 1, 0)


def test_full_disk_is_a_sentence_and_costs_only_the_last_step(project_path):
    labelled(project_path)
    with Project.open(project_path) as project:
        (pages,) = project._store.row("PRAGMA page_count")
        project._store.row(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(InputError, match=r"disk .* is full"):
            project.add_model(bytes(100_000), {})
        assert project.models() == []
        assert project.counts() == {"b": (1, 0)}
        project._store.row("PRAGMA max_page_count = 100000")
        project.annotate("b", add=LABEL)
    with Project.open(project_path) as project:
        assert project.counts() == {"b": (2, 0)}


def test_read_only_file_is_a_sentence(project_path):
    connection = sqlite3.connect(f"{labelled(project_path).as_uri()}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("INSERT INTO settings VALUES ('a', '1')")
    connection.close()
    assert "cannot be written: copy it" in str(explain(caught.value, project_path))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_BUSY, "open in another"),
        (sqlite3.SQLITE_IOERR_FSYNC, "does not respond"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be written"),
        (sqlite3.SQLITE_NOTADB, "not a napari-cryoml project"),
        (sqlite3.SQLITE_CORRUPT_VTAB, "damaged"),
    ],
)
def test_each_fault_of_the_file_has_its_sentence(code, words):
    error = sqlite3.OperationalError("…")
    error.sqlite_errorcode = code
    assert words in str(explain(error, Path("p.cryoml")))


def test_faults_of_our_own_are_not_dressed_up(project):
    with pytest.raises(sqlite3.OperationalError, match="syntax"):
        project._store.rows("SELEKT")
    with pytest.raises(sqlite3.IntegrityError):
        project._store.write("INSERT INTO current VALUES (2, NULL)")


def test_project_that_was_moved_away_while_open_takes_no_more(project_path):
    labelled(project_path)
    project = Project.open(project_path)
    moved = project_path.rename(project_path.with_name("moved.cryoml"))
    with pytest.raises(InputError, match="moved or deleted"):
        project.annotate("b", add=LABEL)
    moved.rename(project_path)
    project.annotate("b", add=LABEL)
    project.close()


def test_transaction_commits_all_or_nothing(project):
    with pytest.raises(ZeroDivisionError), project.transaction():
        project.set_setting("a", 1)
        project.annotate("b", add=LABEL)
        _ = 1 / 0
    assert project.setting("a") is None
    assert project.counts()["b"] == (0, 0)
    with project.transaction():
        project.set_setting("a", 1)
        project.annotate("b", add=LABEL)
    assert (project.setting("a"), project.counts()["b"]) == (1, (1, 0))


def test_fault_inside_a_transaction_cannot_be_swallowed(project):
    def broken():
        with project.transaction():
            project.set_setting("a", 1)
            project._store.write("INSERT INTO current VALUES (2, NULL)")

    with pytest.raises(sqlite3.IntegrityError), project.transaction():
        with pytest.raises(sqlite3.IntegrityError):
            broken()
        project.set_setting("b", 2)
    assert project.setting("a") is project.setting("b") is None


def test_mistake_inside_a_transaction_leaves_the_rest(project):
    with project.transaction():
        project.set_setting("a", 1)
        with pytest.raises(InputError):
            project.annotate("nope", add=LABEL)
    assert project.setting("a") == 1


def test_another_thread_waits_for_the_end_of_a_transaction(project):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(project.setting("a")))
    with project.transaction():
        project.set_setting("a", 1)
        thread.start()
        thread.join(0.05)
        assert seen == []
        project.set_setting("a", 2)
    thread.join()
    assert seen == [2]


def test_threads_that_write_at_once_lose_nothing(project):
    def write(name):
        for number in range(5):
            project.set_setting(f"{name}{number}", number)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [project.setting(f"{name}{n}") for name in "abc" for n in range(5)] == [*range(5)] * 3


def test_every_write_reaches_the_disk_before_it_returns(project_path):
    store = Store.create(project_path)
    assert store.row("PRAGMA synchronous") == (2,)
    assert store.row("PRAGMA journal_mode") == ("delete",)
    store.close()

"""A few instants of the crash tests; `crash.py` by itself has hundreds."""

import random
import sys

import crash
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")


@pytest.fixture(scope="module")
def context():
    return crash.nursery()


def test_a_project_survives_being_killed_at_any_instant(context, tmp_path):
    tally = crash.crash_projects(context, 7, random.Random(1), tmp_path)
    assert tally.faults == []
    assert tally.instants == 7


def test_no_file_is_ever_seen_half_written(context, tmp_path):
    tally = crash.crash_files(context, 3, random.Random(1), tmp_path)
    assert tally.faults == []
    assert tally.instants == 3


@pytest.mark.slow
def test_children_that_train_workers_and_clients_may_be_killed(tmp_path):
    tallies = crash.crash(20, 1, tmp_path)
    assert [tally.faults for tally in tallies] == [[]] * 4


def test_what_is_lost_would_be_seen(tmp_path):
    path = crash._new_project(tmp_path / "p")
    journal = crash.Journal()
    step = {"kind": "label", "image": "a", "places": [(1.0, 2.0)] * 3, "number": 1}
    assert crash._wrong_project(path, journal, []) == ""
    lost = crash.Journal()
    lost.apply(step)
    assert "none of the two" in crash._wrong_project(path, lost, [])
    with crash.Project.open(path) as project:
        crash.crash_victims.carry_out(project, step)
    assert crash._wrong_project(path, lost, []) == ""
    assert "none of the two" in crash._wrong_project(path, crash.Journal(), [])
    assert crash._wrong_project(path, crash.Journal(), [step]) == ""


def test_a_half_written_file_would_be_seen(tmp_path):
    from napari_cryoml import io
    from napari_cryoml.data import Picks, PicksTable

    picks = Picks("a.mrc", [[7.0, 7.0]] * 50, [50.0] * 50)
    path = io.write_picks(PicksTable.of([picks]), tmp_path / "picks.csv")[0]
    assert crash.crash_victims.check_files(tmp_path) == ""
    path.write_bytes(path.read_bytes()[:500])
    assert "picks.csv" in crash.crash_victims.check_files(tmp_path)


def test_the_table_goes_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{crash.START}\nold\n{crash.END}\nafter\n")
    crash.write_table([crash.Tally("a child", 3, 1200, ["instant 2: lost"])], 0, page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "| a child | 3 | 1,200 | 1 |" in text
    assert "old" not in text

import json
import signal
import warnings
from io import StringIO

import pytest
from rich.console import Console

from napari_cryoml._errors import InputWarning
from napari_cryoml.cli import _output
from napari_cryoml.cli._output import plain_warnings, print_json, report, run_job
from napari_cryoml.jobs import Command, Event
from napari_cryoml.training import TrainingEvent

RESULT = {"a_b": 0.123456, "files": ["x", "y"], "inner": {"0.5": 1.0, "deep": {"n": 3}}}


def _job(n: int = 3):
    for index in range(n):
        command = yield Event(done=index + 1, total=n, message=f"[/{index}] of [red]")
        if command is Command.STOP:
            return "stopped"
    return "done"


def test_json_is_one_line_that_any_reader_takes(capsys) -> None:
    print_json({"ap": float("nan"), "list": [float("inf"), 1.5], "text": "a\nb"})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line, parse_constant=pytest.fail) == {
        "ap": None,
        "list": [None, 1.5],
        "text": "a\nb",
    }


def test_a_report_for_people(capsys) -> None:
    report(RESULT, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["a b: 0.1235", "files: x, y", "inner:", "  0.5: 1", "  deep:", "    n: 3"]
    report(RESULT, as_json=True)
    assert json.loads(capsys.readouterr().out) == RESULT


def test_rows_are_printed_as_a_table_without_empty_columns(capsys) -> None:
    rows = [
        {"name": "a", "n": 12, "same_as": "", "share": 0.51234, "bound": True},
        {"name": "long one", "n": 3, "same_as": "", "share": None, "bound": False},
    ]
    report({"rows": rows, "none": []}, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "rows:",
        "  name      n   share   bound",
        "  a         12  0.5123  yes",
        "  long one  3",
        "none: ",
    ]


def test_without_a_terminal_a_short_job_is_silent(capsys) -> None:
    seen: list = []
    assert run_job(_job(), "Working", seen.append) == "done"
    assert len(seen) == 3
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_a_long_job_writes_lines(capsys, monkeypatch) -> None:
    monkeypatch.setattr(_output, "_LOG_SECONDS", 0.0)
    run_job(_job(), "Working")
    assert capsys.readouterr().err.splitlines() == [f"Working: [/{i}] of [red]" for i in range(3)]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Event(done=1, total=0, message="Read [/red].mrc."), "Read [/red].mrc."),
        (TrainingEvent(done=3, total=3, step=7, loss=0.25), "step 7, loss 0.250"),
        (TrainingEvent(done=3, total=3, step=7, loss=0.25, message="Best."), "Best."),
    ],
)
def test_a_bar_shows_what_an_event_says(event: Event, words: str) -> None:
    text = StringIO()
    console = Console(file=text, force_terminal=True, width=100)
    with _output._bar("Working", console) as show:
        show(event)
    assert words in text.getvalue()


def test_interrupting_stops_the_job_in_its_own_time() -> None:
    before = signal.getsignal(signal.SIGINT)
    told = run_job(_job(), "Working", lambda event: signal.raise_signal(signal.SIGINT))
    assert told == "stopped"
    assert signal.getsignal(signal.SIGINT) is before


def test_warnings_about_the_input_are_sentences(capsys) -> None:
    with plain_warnings():
        for name in ("a", "b", "a"):
            warnings.warn(f"[b] {name} is {'very ' * 30}odd.", InputWarning, stacklevel=1)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"[b] {name} is {'very ' * 30}odd." for name in ("a", "b")]


def test_other_warnings_stay_as_they_are(capsys) -> None:
    with pytest.warns(UserWarning, match="for developers"), plain_warnings():
        warnings.warn("for developers", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == ""

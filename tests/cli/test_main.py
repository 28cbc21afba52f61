"""Exit codes, the last line, and help: what all commands have in common."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import napari_cryoml
from napari_cryoml._errors import InputError
from napari_cryoml.cli import _simulate
from napari_cryoml.cli._app import app


def _raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the simulation fail with an error."""

    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(_simulate, "run_job", fail)


def _commands() -> dict[str, object]:
    """Return the commands that do something, by their words."""
    found, waiting = {}, [("", typer.main.get_command(app))]
    for words, command in waiting:
        inner = getattr(command, "commands", {})
        waiting += [(f"{words} {name}".strip(), entry) for name, entry in inner.items()]
        if not inner:
            found[words] = command
    return found


def test_a_process_of_its_own_does_the_same(tmp_path: Path) -> None:
    out = tmp_path / "sim"
    words = ["simulate", "micrographs", "--out", out, "--n", "1", "--set", "shape=64,64"]
    words += ["--set", "diameter=12", "--set", "n_particles=3", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "napari_cryoml", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["micrographs"] == 1
    assert (out / "particles.star").is_file()
    assert "Traceback" not in done.stderr


def test_the_version(shell) -> None:
    assert shell("--version").out.strip() == napari_cryoml.__version__


def test_what_scripts_rely_on_is_there() -> None:
    expected = {"pick train", "pick run", "pick evaluate", "pick import-topaz"}
    assert expected | {"simulate micrographs", "convert", "demo"} <= set(_commands())


@pytest.mark.parametrize("command", _commands())
def test_help_tells_every_option(shell, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = shell(*command.split(), "--help")
    assert said.code == 0
    parameters = _commands()[command].params
    for parameter in parameters:
        assert parameter.help, f"{command}: {parameter.name} has no help"
        assert parameter.help.rstrip(")")[-1] in ".:?" or parameter.name == "labels"
        assert parameter.opts[0].lstrip("-") in said.out
    assert "--json" in said.out


@pytest.mark.parametrize("group", [[], ["pick"], ["simulate"]])
def test_a_group_without_a_command_shows_what_there_is(shell, group: list) -> None:
    said = shell(*group)
    assert said.code == 2
    assert "Commands" in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["convert", "a.star", "b.box", "--nope"], "No such option: --nope"),
        (["convert", "a.star"], "Missing argument"),
        (["pick", "train", "x.mrc"], "Missing option '--labels'"),
        (["simulate", "micrographs", "--out", "x", "--n", "0"], "Invalid value for '--n'"),
        (["simulate", "micrographs", "--out", "x", "--seed", "one"], "Invalid value for '--seed'"),
    ],
)
def test_wrong_usage_is_the_users_mistake(shell, words: list, complaint: str) -> None:
    said = shell(*words, "--json")
    assert said.code == 2
    assert complaint in said.err
    assert complaint in said.json["error"]
    assert "Traceback" not in said.err
    assert shell(*words).out == ""


def test_a_users_mistake_is_one_sentence(shell, monkeypatch, tmp_path: Path) -> None:
    _raising(monkeypatch, InputError("The moon is full: wait."))
    said = shell("simulate", "micrographs", "--out", tmp_path, "--json")
    assert said.code == 2
    assert said.err == "The moon is full: wait.\n"
    assert said.json == {"error": "The moon is full: wait."}


def test_our_fault_has_a_traceback_and_a_last_line(shell, monkeypatch, tmp_path: Path) -> None:
    _raising(monkeypatch, ZeroDivisionError("our own"))
    said = shell("simulate", "micrographs", "--out", tmp_path, "--json")
    assert said.code == 1
    assert "Traceback" in said.err
    assert "our fault" in said.sentences[-1]
    assert "our own" in said.json["error"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_the_system_refuses_is_no_fault_of_ours(shell, monkeypatch, number: int) -> None:
    _raising(monkeypatch, OSError(number, "refused", "/some/file"))
    said = shell("simulate", "micrographs", "--out", "x")
    assert said.code == 2
    assert said.sentences == [
        "/some/file cannot be read or written (refused): check the folder, its permissions and "
        "the free space."
    ]


def test_a_missing_file_of_our_own_is_our_fault(shell, monkeypatch) -> None:
    _raising(monkeypatch, FileNotFoundError(errno.ENOENT, "gone", "part of us"))
    assert shell("simulate", "micrographs", "--out", "x").code == 1


def test_interrupting_says_so(shell, monkeypatch) -> None:
    _raising(monkeypatch, KeyboardInterrupt())
    said = shell("simulate", "micrographs", "--out", "x", "--json")
    assert (said.code, said.sentences, said.json) == (1, ["Stopped."], {"error": "Stopped."})

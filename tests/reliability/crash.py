"""Kill -9 at random instants: ``python tests/reliability/crash.py --instants 200``.

Each instant starts a process that works, kills it after a random time, and looks at what it has
left behind. The table goes to ``docs/reliability.md``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import crash_victims
import numpy as np
import psutil
from crash_journal import IMAGES, Journal, seen

from napari_cryoml import io
from napari_cryoml.project import Project

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "reliability.md"
START, END = "<!-- crashes -->", "<!-- end crashes -->"
_SPAN_S = {"annotate": 0.8, "write": 3.0, "pick": 8.0, "worker": 3.0}
_REPLAYED = 40
_PATIENCE_S = 240.0
_RESTART_S = 45.0
_PER_PROJECT = 10


@dataclass
class Tally:
    """What came of killing one kind of process.

    Parameters
    ----------
    what : str
    instants, steps : int
        Kills, and what the killed had finished in all.
    faults : list of str
    """

    what: str
    instants: int = 0
    steps: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, steps: int, fault: str) -> None:
        """Count one kill."""
        self.instants += 1
        self.steps += steps
        if fault:
            self.faults.append(f"instant {self.instants}: {fault}")


def nursery() -> Any:
    """Return a multiprocessing context whose processes start with everything imported."""
    context = multiprocessing.get_context("forkserver")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *([before] if before else [])])
    try:
        context.set_forkserver_preload(["torch", "crash_victims", "napari_cryoml.picking"])
        multiprocessing.forkserver.ensure_running()  # type: ignore[attr-defined]
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
    return context


def told_until_killed(context: Any, work: Callable[..., None], args: Any, seconds: float) -> list:
    """Start a process, kill it after some time, and return all that it had told."""
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(there, *args), daemon=True)
    process.start()
    there.close()
    end, told = time.monotonic() + seconds, []
    try:
        while (left := end - time.monotonic()) > 0:
            if here.poll(left):
                told.append(here.recv())
    except EOFError:
        pass
    process.kill()
    process.join()
    return told + _rest(here)


def _rest(pipe: Connection) -> list[Any]:
    told = []
    try:
        while True:
            told.append(pipe.recv())
    except (EOFError, OSError):
        pipe.close()
    return told


# The project


def crash_projects(context: Any, instants: int, rng: random.Random, folder: Path) -> Tally:
    """Kill a process that changes a project."""
    tally = Tally("a process that labels, undoes, picks and keeps models in a project")
    path, journal = folder / "p.cryoml", Journal()
    for number in range(instants):
        if number % _PER_PROJECT == 0:
            path, journal = _new_project(folder / f"{number}"), Journal()
        args = (path, journal, rng.randrange(2**32))
        span = rng.uniform(0, _SPAN_S["annotate"])
        told = told_until_killed(context, crash_victims.annotate, args, span)
        done = [step for word, step in told if word == "done"]
        begun = [step for word, step in told if word == "begun"]
        for step in done:
            journal.apply(step)
        tally.add(len(done), _wrong_project(path, journal, begun[len(done) :]))
    return tally


def _new_project(folder: Path) -> Path:
    folder.mkdir()
    for image in IMAGES:
        io.write_mrc(folder / f"{image}.mrc", np.zeros((64, 64), np.float32))
    images = io.open_images([folder])
    with Project.create(folder / "p.cryoml") as project:
        project.add_images(_Named(image.name[:1], image) for image in images)
    return folder / "p.cryoml"


class _Named:
    """An image under a shorter name."""

    def __init__(self, name: str, image: Any) -> None:
        self.name, self.path = name, image.path
        self.shape, self.pixel_size = image.shape, image.pixel_size


def _wrong_project(path: Path, journal: Journal, begun: list[dict[str, Any]]) -> str:
    """Return what is wrong with a project after a crash, "" if nothing is.

    All that was told as done must be there, and at most the one step that had begun beside.
    """
    try:
        with Project.open(path) as project:
            found = seen(project)
            if found != (journal.state, journal.kept):
                for step in begun[:1]:
                    journal.apply(step)
                if found != (journal.state, journal.kept):
                    return f"the state is none of the two that it may be (next was {begun})"
            return _wrong_replay(project, journal)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _wrong_replay(project: Project, journal: Journal) -> str:
    """Undo and redo through the history, and compare each state with the journal's."""
    back = range(journal.at - 1, max(journal.at - _REPLAYED, 0) - 1, -1)
    for at in back:
        if project.undo() is None or seen(project)[0] != journal.states[at]:
            return f"undo does not lead back to state {at}"
    for at in [one + 1 for one in reversed(back)]:
        if project.redo() is None or seen(project)[0] != journal.states[at]:
            return f"redo does not lead to state {at}"
    if project.can_redo != (journal.at + 1 < len(journal.states)):
        return "redo is not where it was"
    return ""


# Files


def crash_files(context: Any, instants: int, rng: random.Random, folder: Path) -> Tally:
    """Kill a process that trains and writes files."""
    tally = Tally("a child that trains a picker and writes checkpoints, picks, maps and vectors")
    target = folder / "out"
    target.mkdir()
    for _ in range(instants):
        args = (target, rng.randrange(2**32))
        span = rng.uniform(0, _SPAN_S["write"])
        told = told_until_killed(context, crash_victims.write, args, span)
        tally.add(len(told), crash_victims.check_files(target))
        for part in target.glob(".*"):  # what a killed process leaves; it has no final name
            part.unlink()
    return tally


# Dask


def crash_dask(
    context: Any, workers: int, clients: int, rng: random.Random, folder: Path
) -> list[Tally]:
    """Kill workers of a scheduler, and clients of ``pick run --keep``."""
    from napari_cryoml.jobs import ClusterConfig, DaskPool, connected

    lost = Tally("a Dask worker while items are carried out")
    left = Tally("the client of `pick run --keep`")
    while lost.instants < workers:
        with connected(ClusterConfig(workers=2)) as client, suppress(TimeoutError):
            while lost.instants < workers:
                client.wait_for_workers(2, timeout=_RESTART_S)
                lost.add(*_lose_worker(client, DaskPool(client), rng))
    with connected(ClusterConfig(workers=2)) as client:
        command = _Command(folder, client.scheduler.address)
        for _ in range(clients):
            left.add(*_lose_client(context, command, rng))
    return [lost, left]


def _lose_worker(client: Any, pool: Any, rng: random.Random) -> tuple[int, str]:
    """Kill one worker in the middle of a list of items."""
    at, values = rng.randrange(1, 30), []
    for outcome in pool.outcomes(_slow_square, list(range(40))):
        if len(values) == at:
            pids = list(client.run(os.getpid).values())
            time.sleep(rng.uniform(0, 0.05))
            psutil.Process(rng.choice(pids)).kill()
        values.append(outcome.value)
    right = [number**2 for number in range(40)]
    return len(values), "" if values == right else f"{values} came back"


def _slow_square(number: int) -> int:
    time.sleep(0.02)
    return number**2


class _Command:
    """``pick run --keep`` over some images, and what it writes when nobody disturbs it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.kept, self.address = folder, folder / "kept", address
        self.expected = self._undisturbed()

    def words(self, out: Path, kept: Path) -> list[str]:
        """Return the command line."""
        words = [
            "pick",
            "run",
            self.folder / "images",
            "--model",
            self.folder / "model.safetensors",
        ]
        words += ["--out", out, "--keep", kept, "--device", "cpu", "--scheduler", self.address]
        return [str(word) for word in words]

    def _undisturbed(self) -> str:
        from napari_cryoml.cli import main

        out = self.folder / "expected.csv"
        if main(self.words(out, self.folder / "kept-before")):
            raise RuntimeError("pick run failed before anything was killed")
        return out.read_text()


def _lose_client(context: Any, command: _Command, rng: random.Random) -> tuple[int, str]:
    """Kill the command, look at what it kept, and run it again to the end."""
    shutil.rmtree(command.kept, ignore_errors=True)
    out = command.folder / "picks.csv"
    out.unlink(missing_ok=True)
    words = command.words(out, command.kept)
    span = rng.uniform(0, _SPAN_S["pick"])
    told = told_until_killed(context, crash_victims.pick, (words,), span)
    if out.exists() and out.read_text() != command.expected:
        return len(told), "the table under its final name is not whole"
    for path in command.kept.glob("[!.]*") if command.kept.is_dir() else ():
        try:
            with np.load(path, allow_pickle=False) as file:
                for name in file.files:
                    file[name]
        except Exception as error:
            return len(told), f"a kept file is not whole: {error}"
    told_until_killed(context, crash_victims.pick, (words,), _PATIENCE_S)
    if not out.exists() or out.read_text() != command.expected:
        return len(told), "the second run ended with other picks"
    return len(told), ""


def prepare(folder: Path, images: int = 6) -> None:
    """Write small micrographs and train a picker on them for a moment."""
    from napari_cryoml.cli import main
    from napari_cryoml.simulate import MicrographConfig, write_micrographs

    config = MicrographConfig(shape=(256, 240), diameter=24, n_particles=14, count="fixed", snr=2)
    write_micrographs(folder / "images", images, config, seed=1)
    words = ["pick", "train", folder / "images", "--labels", folder / "images" / "particles.star"]
    words += ["--diameter", 24, "--steps", 3, "--device", "cpu", "--set=network.units=4"]
    words += ["--set=training.crops=2", "--set=separation=1", "--out", folder / "model.safetensors"]
    if main([str(word) for word in words]):
        raise RuntimeError("the picker for the crash tests could not be trained")


def crash(instants: int, seed: int, folder: Path) -> list[Tally]:
    """Kill at so many instants: three fifths projects, a fifth files, the rest Dask."""
    rng, context = random.Random(seed), nursery()
    files = max(instants // 5, 1)
    workers, clients = max(instants // 10, 1), max(instants // 10, 1)
    (folder / "projects").mkdir()
    prepare(folder)
    tallies = [
        crash_projects(context, instants - files - workers - clients, rng, folder / "projects"),
        crash_files(context, files, rng, folder),
    ]
    return tallies + crash_dask(context, workers, clients, rng, folder)


def write_table(tallies: list[Tally], seed: int, page: Path = PAGE) -> None:
    """Write the outcome between the markers of a page."""
    total = sum(tally.instants for tally in tallies)
    day = datetime.now(UTC).date().isoformat()
    lines = [
        f"`python tests/reliability/crash.py --instants {total} --seed {seed}`, {day}:",
        "",
        "| Killed at random instants | Instants | Steps finished before | Failed |",
        "|---|---|---|---|",
    ]
    for tally in tallies:
        failed = len(tally.faults)
        lines.append(f"| {tally.what} | {tally.instants} | {tally.steps:,} | {failed} |")
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(START)
    after = rest.split(END)[1]
    page.write_text(f"{before}{START}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Kill, report, and return 1 if something was lost."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--instants", type=int, default=200)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--no-table", action="store_true", help="leave the documentation alone")
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="cryoml-crash-") as folder:
        tallies = crash(options.instants, options.seed, Path(folder))
    for tally in tallies:
        print(json.dumps({**vars(tally)}), flush=True)
    if not options.no_table:
        write_table(tallies, options.seed)
    return int(any(tally.faults for tally in tallies))


if __name__ == "__main__":
    sys.exit(main())

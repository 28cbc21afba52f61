"""Feed every reader broken files: ``python fuzz/run.py [TARGET ...] [--inputs 10000]``.

A reader may return something or raise `InputError`. Anything else is a finding: another
exception, a crash of the process, more than two seconds, or more memory than ten times the file's
size and 200 MB. What was found lies in ``fuzz/findings``, one file each, with a line in
``fuzz/findings/findings.txt``; the figures of the run go to ``docs/reliability.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
FINDINGS = HERE / "findings"
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "reliability.md"
SECONDS, EXTRA_BYTES, TIMES = 2.0, 200e6, 10
_HANG_SECONDS = 20  # after which a process is killed that no signal reaches


class _TooSlow(BaseException):
    """Raised in the reader when its time is up; no reader may catch it."""


def main() -> int:
    """Run what was asked for; return 1 if something was found."""
    options = _options()
    if options.child:
        _feed(json.loads(options.child))
        return 0
    names = _names()
    wanted = [name for name in names if not options.targets or name in options.targets]
    rows = [_run(name, options.inputs, options.seed) for name in wanted]
    _keep(rows)
    return int(any(row["findings"] for row in rows))


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("targets", nargs="*", metavar="TARGET")
    made.add_argument("--inputs", type=int, default=10_000, help="for each reader (10000)")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--child", help=argparse.SUPPRESS)
    return made.parse_args()


def _names() -> list[str]:
    from _targets import targets

    return list(targets())


def _run(name: str, inputs: int, seed: int) -> dict[str, Any]:
    """Feed one reader in processes of their own, a new one after each crash."""
    start, done, findings, accepted, worst = time.monotonic(), 0, [], 0, 0.0
    while done < inputs:
        with tempfile.TemporaryDirectory() as folder:
            task = {"name": name, "first": done, "last": inputs, "seed": seed, "folder": folder}
            told, code = _told(task, Path(folder))
        accepted += told["accepted"]
        worst = max(worst, told["slowest"])
        findings += told["findings"]
        done = told["next"]
        if code != 0 and done < inputs:
            findings.append(_finding(name, seed, done, f"the process ended with {code}"))
            done += 1
    row = {
        "target": name,
        "inputs": inputs,
        "accepted": accepted,
        "slowest_s": round(worst, 3),
        "findings": len(findings),
        "seconds": round(time.monotonic() - start, 1),
    }
    sys.stdout.write(f"{row}\n" + "".join(f"  {line}\n" for line in findings[:20]))
    sys.stdout.flush()
    return row


def _told(task: dict[str, Any], folder: Path) -> tuple[dict[str, Any], int]:
    """Return what a child wrote down until its end, and how it ended."""
    words = [sys.executable, "-X", "faulthandler", __file__, "--child", json.dumps(task)]
    log = folder / "log.txt"
    with log.open("wb") as file:
        child = subprocess.Popen(words, stdout=file, stderr=file)
        _wait(child, folder / "now.txt")
    told = {"accepted": 0, "slowest": 0.0, "findings": [], "next": task["first"]}
    if (folder / "told.json").exists():
        told = json.loads((folder / "told.json").read_text())
    if (folder / "now.txt").exists():
        told["next"] = int((folder / "now.txt").read_text() or told["next"])
    if child.returncode == 1 and told["next"] == task["first"]:
        raise SystemExit(f"The fuzzer itself fails:\n{log.read_text()[-2000:]}")
    return told, child.returncode


def _wait(child: subprocess.Popen[bytes], now: Path) -> None:
    """Wait for the end of a child; kill it when it has been at one input for too long."""
    at, since = "", time.monotonic()
    while child.poll() is None:
        time.sleep(0.2)
        current = now.read_text() if now.exists() else ""
        if current != at:
            at, since = current, time.monotonic()
        elif current and time.monotonic() - since > _HANG_SECONDS:
            child.kill()
            child.wait()


def _feed(task: dict[str, Any]) -> None:
    """Feed inputs until the last, in this process; note where it is before each."""
    from _targets import quiet, targets

    quiet()
    target = targets()[task["name"]]
    folder = Path(task["folder"])
    (folder / "seeds").mkdir()
    seeds = [path.read_bytes() for path in target.seeds(folder / "seeds")]
    path = folder / f"input{target.suffix}"
    _check_seeds(target, seeds, path)
    told: dict[str, Any] = {"accepted": 0, "slowest": 0.0, "findings": [], "next": task["first"]}
    with (folder / "now.txt").open("w") as now:
        for number in range(task["first"], task["last"]):
            now.seek(0)
            now.write(f"{number:09d}")
            now.flush()
            content = _content(seeds, task["seed"], number)
            path.write_bytes(content)
            problem, accepted, seconds = _tried(target, path, len(content))
            told["accepted"] += accepted
            told["slowest"] = max(told["slowest"], seconds)
            told["next"] = number + 1
            if problem:
                told["findings"].append(_finding(target.name, task["seed"], number, problem))
                _save(target, number, content)
            if problem or number % 500 == 0:
                (folder / "told.json").write_text(json.dumps(told))
        now.seek(0)
        now.write(f"{task['last']:09d}")
    (folder / "told.json").write_text(json.dumps(told))


def _check_seeds(target: Any, seeds: list[bytes], path: Path) -> None:
    """Read the good files: a run from one that is refused would be worth little."""
    for content in seeds:
        path.write_bytes(content)
        target.read(path)


def _content(seeds: list[bytes], seed: int, number: int) -> bytes:
    from _mutations import mutated

    rng = np.random.default_rng([seed, number])
    return mutated(seeds[number % len(seeds)], seeds, rng)


def _tried(target: Any, path: Path, size: int) -> tuple[str, bool, float]:
    """Return what was wrong, whether the file was taken, and the seconds it took."""
    from napari_cryoml._errors import InputError

    problem, accepted = "", False
    before = _resident(reset=True)
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    start = time.perf_counter()
    try:
        target.read(path)
        accepted = True
    except InputError as error:
        if "\n" in str(error).strip() or not str(error):
            problem = f"not one sentence: {error!r}"
    except _TooSlow:
        problem = f"more than {SECONDS:g} s"
    except BaseException as error:
        problem = f"{type(error).__name__}: {error} at {_where(error)}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.perf_counter() - start
    grown = _resident() - before
    if not problem and grown > TIMES * size + EXTRA_BYTES:
        problem = f"{grown / 1e6:.0f} MB for a file of {size} bytes"
    return problem, accepted, seconds


def _alarm(number: int, frame: Any) -> None:
    raise _TooSlow


def _where(error: BaseException) -> str:
    ours = [
        f"{Path(entry.filename).name}:{entry.lineno}"
        for entry in traceback.extract_tb(error.__traceback__)
        if "napari_cryoml" in entry.filename
    ]
    return ours[-1] if ours else "?"


def _resident(*, reset: bool = False) -> float:
    """Return the peak of resident bytes since the last reset, or the bytes now after one."""
    status = Path("/proc/self/status")
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    lines = status.read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def _finding(name: str, seed: int, number: int, problem: str) -> str:
    return f"{name}, seed {seed}, input {number}: {problem}"


def _save(target: Any, number: int, content: bytes) -> None:
    FINDINGS.mkdir(exist_ok=True)
    stem = target.name.replace(" ", "_").replace(".", "")
    (FINDINGS / f"{stem}_{number}{target.suffix}").write_bytes(content)


def _keep(rows: list[dict[str, Any]]) -> None:
    """Keep the figures, those of other readers too, and put them into the page."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known |= {row["target"]: row for row in rows}
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")
    if PAGE.exists():
        _into_page(known)


def _into_page(rows: dict[str, dict[str, Any]]) -> None:
    start, end = "<!-- fuzz -->", "<!-- end fuzz -->"
    page = PAGE.read_text()
    if start in page:
        head, rest = page.split(start)
        PAGE.write_text(
            head + start + "\n" + "\n".join(_lines(rows)) + "\n" + end + rest.split(end)[1]
        )


def _lines(rows: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield "| reader | inputs | taken as good | slowest, s | findings |"
    yield "|---|---|---|---|---|"
    for name, row in sorted(rows.items()):
        yield (
            f"| {name} | {row['inputs']:,} | {row['accepted']:,} | {row['slowest_s']:.2f} | "
            f"{row['findings']} |"
        )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())

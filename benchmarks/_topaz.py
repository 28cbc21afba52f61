"""A process with Topaz, in an environment of its own, to compare with."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _data import SCRATCH

ENVIRONMENT = Path(os.environ.get("NAPARI_CRYOML_TOPAZ_ENV", SCRATCH / "topaz-env"))
_HERE = Path(__file__).parent

Row = dict[str, Any]


class Topaz:
    """A process in Topaz's environment that answers one request at a time.

    Parameters
    ----------
    environment : Path
        Made if it is missing.
    threads : int
        Of the process.
    """

    def __init__(self, environment: Path, threads: int) -> None:
        python = environment / "bin" / "python"
        if not python.exists():
            subprocess.run(["bash", _HERE / "topaz_environment.sh", environment], check=True)
        counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        SCRATCH.mkdir(exist_ok=True)
        self._log = (SCRATCH / "topaz.log").open("w")
        self._process = subprocess.Popen(
            [python, _HERE / "_topaz_child.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=os.environ | counts,
        )

    def ask(self, request: str, **arguments: Any) -> Row:
        """Return the answer to a request: a function of ``_topaz_child.py`` and its arguments."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"request": request, **arguments}, default=str)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "Topaz has ended."}')
        if "error" in answer:
            raise RuntimeError(f"{answer['error']}\nSee {self._log.name}.")
        return answer

    def __enter__(self) -> Topaz:
        """Return itself, once Topaz is loaded."""
        self.ask("describe")
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.communicate()
        self._log.close()


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a folder that is gone afterwards."""
    SCRATCH.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH, prefix="topaz-") as name:
        yield Path(name)


def load_average() -> float:
    """Return how many processes have wanted to run during the last minute."""
    return os.getloadavg()[0]


def counted(threads: int) -> str:
    """Return a number of threads in words."""
    return f"{threads} thread" if threads == 1 else f"{threads} threads"

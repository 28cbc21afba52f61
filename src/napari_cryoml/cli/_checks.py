"""What the programs, the machine and the network have to offer, checked one by one."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from napari_cryoml import __version__
from napari_cryoml._errors import InputError
from napari_cryoml.cli._display import has_display
from napari_cryoml.jobs import ClusterConfig, default_threads, look_at_cluster

State = Literal["ok", "note", "problem"]

_PACKAGES = ("napari", "torch", "numpy", "scipy", "scikit-learn", "qtpy", "zarr", "distributed")
_BINDINGS = ("PyQt6", "PySide6", "PyQt5")
_LEAST_DISK_GIB, _LEAST_MEMORY_GIB = 5.0, 6.0
_PROBE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found.

    Parameters
    ----------
    name : str
        What was looked at.
    state : {"ok", "note", "problem"}
        A note slows things down or leaves something out; a problem stops something.
    found : str
        What is there.
    advice : str
        What to do about it; empty if nothing.
    """

    name: str
    state: State
    found: str
    advice: str = ""


def findings(scheduler: str | None = None) -> Iterator[Finding]:
    """Yield what is found, one check after the other; each takes seconds at most.

    Parameters
    ----------
    scheduler : str, optional
        Address of a Dask scheduler to look at.
    """
    checks: list[Callable[[], Finding]] = [
        _python,
        _packages,
        _binding,
        _plugin,
        _threads,
        _memory,
        _device,
        _display,
        lambda: _disk("temporary files", Path(tempfile.gettempdir())),
        lambda: _disk("kept features", _cache_folder()),
    ]
    if scheduler is not None:
        checks.append(lambda: _cluster(scheduler))
    for check in checks:
        yield check()


def _python() -> Finding:
    what = f"{platform.python_version()} on {platform.platform()}"
    return Finding("Python", "ok", f"napari-cryoml {__version__}, Python {what}")


def _packages() -> Finding:
    versions = {name: _version(name) for name in _PACKAGES}
    found = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        advice = f"Install what is missing: pip install {' '.join(missing)}."
        return Finding("Libraries", "problem", found, advice)
    return Finding("Libraries", "ok", found)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _binding() -> Finding:
    there = [f"{name} {_version(name)}" for name in _BINDINGS if _version(name)]
    if not there:
        advice = 'Windows need one: pip install "napari-cryoml[pyqt6]".'
        return Finding("Qt", "problem", "no Qt binding", advice)
    if len(there) > 1:
        advice = "Several Qt bindings in one environment can clash: set QT_API to the one to use."
        return Finding("Qt", "note", ", ".join(there), advice)
    return Finding("Qt", "ok", there[0])


def _plugin() -> Finding:
    points = metadata.entry_points(group="napari.manifest")
    if "napari-cryoml" in {point.name for point in points}:
        return Finding("Plugin", "ok", "napari sees it")
    advice = "Install the package again in napari's own environment: pip install napari-cryoml."
    return Finding("Plugin", "problem", "napari does not see it", advice)


def _threads() -> Finding:
    count = default_threads()
    found = f"{os.cpu_count()} cores; {count} thread{'s' * (count > 1)} for work in the background"
    fixed = os.environ.get("OMP_NUM_THREADS")
    if fixed:
        advice = "Unset OMP_NUM_THREADS unless a cluster's scheduler has set it."
        return Finding("Threads", "note", f"{found}; OMP_NUM_THREADS is {fixed}", advice)
    return Finding("Threads", "ok", found)


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    free, total = memory.available / 2**30, memory.total / 2**30
    found = f"{free:.1f} of {total:.1f} GiB free"
    if free < _LEAST_MEMORY_GIB:
        advice = "Close other programs before training on large images."
        return Finding("Memory", "note", found, advice)
    return Finding("Memory", "ok", found)


def _device() -> Finding:
    try:
        import torch

        from napari_cryoml.training import autocast_dtype, choose_device, describe_device

        device = choose_device()
        kind = str(autocast_dtype("auto", device) or torch.float32).removeprefix("torch.")
        found = f"{describe_device(device)}, computing in {kind}; torch {torch.__version__}"
    except Exception as error:
        advice = "Install torch again: pip install --force-reinstall torch."
        return Finding("GPU", "problem", f"torch cannot be used ({error})", advice)
    if device.type == "cpu":
        advice = (
            "Live picking and quick classes need none; training networks is many times faster "
            "with one. If there is one, install a torch made for it."
        )
        return Finding("GPU", "note", f"none; {found}", advice)
    return Finding("GPU", "ok", found)


def _display() -> Finding:
    if not has_display():
        advice = "Commands of the shell work; for windows, log in with a display, or use xvfb-run."
        return Finding("Display", "note", "none", advice)
    command = [sys.executable, "-m", "napari_cryoml._widgets.display_probe"]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and code
            command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
        )
        about = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError, OSError) as error:
        advice = "Windows cannot be opened: install the system libraries of the README."
        return Finding("Display", "problem", f"Qt does not start ({_last_line(error)})", advice)
    return _judged(about)


def _judged(about: dict[str, str]) -> Finding:
    """Return what is to be said of a display."""
    found = ", ".join(f"{name} {value}" for name, value in about.items())
    if "opengl" not in about:
        advice = "napari needs OpenGL 2.1 or later: install a driver, or Mesa's software one."
        return Finding("Display", "problem", found, advice)
    if "llvmpipe" in about.get("renderer", "").lower():
        advice = "OpenGL runs in software: moving in large volumes is slow, all else is not."
        return Finding("Display", "note", found, advice)
    return Finding("Display", "ok", found)


def _last_line(error: Exception) -> str:
    lines = str(getattr(error, "stderr", "") or error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def _cache_folder() -> Path:
    from napari_cryoml.features import user_cache_folder

    return user_cache_folder()


def _disk(what: str, folder: Path) -> Finding:
    name = f"Disk for {what}"
    there = next((place for place in [folder, *folder.parents] if place.exists()), folder)
    if not os.access(there, os.W_OK):
        advice = f"Ask for permission to write to {there}."
        return Finding(name, "problem", f"{there} cannot be written to", advice)
    free = shutil.disk_usage(there).free / 2**30
    found = f"{free:.1f} GiB free at {folder}"
    if free < _LEAST_DISK_GIB:
        return Finding(name, "note", found, "Free some space: long jobs keep results there.")
    return Finding(name, "ok", found)


def _cluster(address: str) -> Finding:
    try:
        about = look_at_cluster(ClusterConfig(scheduler=address, wait=10))
    except InputError as error:
        return Finding("Scheduler", "problem", str(error), "Start it, or give another address.")
    return Finding("Scheduler", "ok", about.sentence())

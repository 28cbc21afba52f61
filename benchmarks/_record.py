"""Results on disk, and as tables in docs/benchmarks.md."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "benchmarks.md"


def describe_machine() -> str:
    """Return the machine in words: processor, cores, memory, accelerator."""
    import torch

    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())
        name = found.group(1).strip() if found else name
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} cores of {name}, {gpu}"


def save(section: str, command: str, rows: Sequence[dict[str, Any]]) -> None:
    """Keep the rows of a section with date, machine and command, and put them into the page."""
    RESULTS.mkdir(exist_ok=True)
    record = {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "machine": describe_machine(),
        "command": command,
        "rows": list(rows),
    }
    (RESULTS / f"{section}.json").write_text(json.dumps(record, indent=1, default=float) + "\n")


def load(section: str) -> dict[str, Any] | None:
    """Return what was kept of a section, or None."""
    path = RESULTS / f"{section}.json"
    return json.loads(path.read_text()) if path.exists() else None


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def put_into_page(section: str, text: str) -> None:
    """Replace what stands between the section's two markers in docs/benchmarks.md."""
    record = load(section)
    if record is None or not PAGE.exists():
        return
    source = f"{record['date']}, {record['machine']}. Command: `{record['command']}`."
    block = f"<!-- {section} -->\n{text}\n\n{source}\n<!-- end {section} -->"
    pattern = re.compile(f"<!-- {section} -->.*?<!-- end {section} -->", re.DOTALL)
    page = PAGE.read_text()
    if pattern.search(page):
        PAGE.write_text(pattern.sub(lambda _: block, page))

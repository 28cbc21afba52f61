"""Questions for files; an empty list is "none"."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

EXPORT_FORMATS = {
    "RELION star file (*.star)": ".star",
    "cryoSPARC particles (*.cs)": ".cs",
    "crYOLO boxes (*.cbox)": ".cbox",
    "EMAN boxes, one file an image (*.box)": ".box",
    "Table (*.csv)": ".csv",
}


def ask_files(parent: QWidget, title: str) -> list[Path]:
    """Ask for files that exist."""
    paths, _ = QFileDialog.getOpenFileNames(parent, title)
    return [Path(path) for path in paths]


def ask_file(parent: QWidget, title: str, kinds: str = "") -> list[Path]:
    """Ask for one file that exists."""
    path, _ = QFileDialog.getOpenFileName(parent, title, "", kinds)
    return [Path(path)] if path else []


def ask_folder(parent: QWidget, title: str) -> list[Path]:
    """Ask for one folder."""
    folder = QFileDialog.getExistingDirectory(parent, title)
    return [Path(folder)] if folder else []


def ask_export_path(parent: QWidget, folder: Path) -> Path | None:
    """Ask where to write picks; the suffix is that of the chosen format."""
    start = str(folder / "particles.star")
    chosen, kind = QFileDialog.getSaveFileName(
        parent, "Export picks", start, ";;".join(EXPORT_FORMATS)
    )
    if not chosen:
        return None
    path = Path(chosen)
    known = set(EXPORT_FORMATS.values())
    return path if path.suffix in known else path.with_suffix(EXPORT_FORMATS.get(kind, ".star"))


def ask_save(parent: QWidget, title: str, start: Path, kinds: str) -> Path | None:
    """Ask where to write a file; without a suffix, it gets that of the chosen kind.

    Parameters
    ----------
    parent : QWidget
    title : str
    start : Path
        What is proposed.
    kinds : str
        As Qt spells them: "MRC (*.mrc);;Table (*.csv)".
    """
    chosen, kind = QFileDialog.getSaveFileName(parent, title, str(start), kinds)
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix(kind.rpartition("*")[2].rstrip(")"))

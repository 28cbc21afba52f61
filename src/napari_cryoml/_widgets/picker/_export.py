"""The way out: picks and what is known about them, in files."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from napari_cryoml import io
from napari_cryoml._errors import InputError
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._review import certificate_of
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.picking.live import Certificate

CERTIFICATE_SUFFIX = ".certificate.json"


class Export:
    """Writes the picks of all images.

    Parameters
    ----------
    desk : Desk
    save : callable
        Has everything written to the project that is still only on the screen.
    """

    def __init__(self, desk: Desk, save: Callable[[], None]) -> None:
        self._desk = desk
        self._save = save

    def run(self) -> None:
        """Ask where to, and write all picks above the threshold."""
        desk = self._desk
        with desk.telling():
            session = desk.need_session()
            threshold = session.threshold
            labels = session.label_counts().values()
            if not (any(session.book.counts(threshold).values()) or any(n for n, _ in labels)):
                raise InputError(
                    "There is nothing to export: pick the images, or lower the threshold."
                )
            path = desk.view.ask_export_path(session.folder)
            if path is None:
                return
            self._save()
            desk.note("Writing…")
            desk.background.run(
                _write,
                session,
                threshold,
                path,
                on_done=desk.note,
                on_error=lambda sentence: desk.note(sentence, error=True),
            )


def _write(session: Session, threshold: float, path: Path) -> str:
    """Write picks and return a sentence about it; beside the GUI's thread."""
    table = session.final_table(threshold)
    paths = io.write_picks(table, path, shapes=session.shapes())
    place = str(paths[0]) if len(paths) == 1 else f"{len(paths)} files in {paths[0].parent}"
    now = datetime.now().astimezone().strftime("%H:%M")
    sentence = f"{table.n_picks} particles of {len(table)} images were written to {place} at {now}."
    certificate = certificate_of(session)
    if certificate is None:
        return sentence
    pool = session.pool()
    if not certificate.holds_for(pool.scores, pool.places):
        return f"{sentence} Not the certificate: the picks have changed since the review."
    return f"{sentence} Beside them: {_write_certificate(certificate, path, paths).name}."


def _write_certificate(certificate: Certificate, path: Path, written: list[Path]) -> Path:
    """Write a certificate beside the picks, and into a STAR file as a comment."""
    beside = written[0].parent / (path.stem + CERTIFICATE_SUFFIX)
    try:
        with io.replacing(beside) as draft:
            draft.write_text(json.dumps(certificate.to_json(), indent=2) + "\n", encoding="utf-8")
        for star in (one for one in written if one.suffix == ".star"):
            text = star.read_text(encoding="utf-8")
            with io.replacing(star) as draft:
                draft.write_text(f"# {certificate.sentence}\n{text}", encoding="utf-8")
    except (OSError, InputError) as error:
        raise InputError(
            f"The picks were written, their certificate was not ({error}): choose another folder."
        ) from error
    return beside

"""Values under keys, and the jobs that were run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from napari_cryoml.project._entries import JSON, JobEntry
from napari_cryoml.project._packing import checked, dump, dump_time, load_mapping, load_time
from napari_cryoml.project._store import Store


class SettingRecords:
    """Settings and jobs."""

    _store: Store

    def setting(self, key: str, default: JSON = None) -> JSON:
        """Return the value under `key`, or `default` where there is none."""
        text = self._text_of(key)
        with checked(f"Setting {key!r}", self._store.path):
            return default if text is None else json.loads(text)

    def log_job(
        self,
        kind: str,
        started: datetime,
        finished: datetime,
        state: str,
        summary: Mapping[str, JSON] | None = None,
    ) -> int:
        """Note a job that has ended, and return its number.

        Parameters
        ----------
        kind : str
            "train", "pick" or another name.
        started, finished : datetime
            Without a time zone, they are taken as local times.
        state : str
            "done", "failed" or "cancelled".
        summary : mapping of str to JSON, optional
            Options, losses, error: whatever helps to tell later what was done.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        return self._store.write(
            "INSERT INTO jobs (kind, started, finished, state, summary) VALUES (?, ?, ?, ?, ?)",
            kind,
            dump_time(started),
            dump_time(finished),
            state,
            dump(dict(summary or {})),
        )

    def jobs(self) -> list[JobEntry]:
        """Return the jobs that have ended, oldest first."""
        rows = self._store.rows(
            "SELECT id, kind, started, finished, state, summary FROM jobs ORDER BY id"
        )
        with checked("The list of jobs", self._store.path):
            return [
                JobEntry(
                    number, kind, load_time(started), load_time(finished), state, load_mapping(text)
                )
                for number, kind, started, finished, state, text in rows
            ]

    def _text_of(self, key: str) -> str | None:
        row = self._store.row("SELECT value FROM settings WHERE key = ?", key)
        return None if row is None else row[0]

    def _put_text(self, key: str, text: str | None) -> None:
        if text is None:
            self._store.write("DELETE FROM settings WHERE key = ?", key)
        else:
            self._store.write("INSERT OR REPLACE INTO settings VALUES (?, ?)", key, text)

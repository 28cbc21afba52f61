"""Training and picking: starts the child process and keeps what it brings back."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from napari_cryoml import checkpoint
from napari_cryoml._errors import InputError
from napari_cryoml._widgets.jobs import Background, JobWatcher
from napari_cryoml._widgets.picker import _work
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.data import ImageSource
from napari_cryoml.jobs import ChildJob, ClusterConfig, Event
from napari_cryoml.picking import ImagePicked, PickerConfig
from napari_cryoml.picking.live import LiveConfig
from napari_cryoml.training import TrainingEvent

logger = logging.getLogger(__name__)


class JobOwner(Protocol):
    """Who is told about jobs: the controller. All calls come on the GUI's thread."""

    def job_progress(self, event: Event) -> None:
        """Take an event."""

    def image_done(self, done: ImagePicked) -> None:
        """Take the picks of an image; those of a finished model are in the project by now."""

    def job_ended(self, kind: str, state: str, sentence: str) -> None:
        """Take the end of a job, whose results are in the project by now."""


class PickerJobs:
    """One job at a time for a session.

    Parameters
    ----------
    watcher : JobWatcher
    owner : JobOwner
    start : callable
        Starts a job, as `ChildJob.start` does.
    """

    def __init__(
        self, watcher: JobWatcher, owner: JobOwner, start: Callable[..., Any] = ChildJob.start
    ) -> None:
        self._watcher = watcher
        self._owner = owner
        self._start = start
        self._saver = Background()
        self._session: Session | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._began = datetime.now(UTC)
        self._model: int | None = None
        self._edit = 0
        self._preview: ImagePicked | None = None
        self._last: TrainingEvent | None = None
        self._fault = ""
        self.kind = ""
        watcher.received.connect(self._on_event)
        watcher.ended.connect(self._on_ended)

    def train(
        self,
        session: Session,
        config: PickerConfig,
        preview: ImageSource,
        *,
        go_on: bool,
        live: LiveConfig | None = None,
    ) -> None:
        """Train on all labels of a session; with `live`, measure live picking beside it.

        Raises
        ------
        InputError
            If there are no labels, or the job cannot be started.
        """
        labels = session.all_labels()
        if not any(len(entry.positives) for entry in labels.values()):
            raise InputError(
                "Training needs labelled particles, and there are none: click about ten."
            )
        folder = self._new_folder()
        current = session.project.current_model() if go_on else None
        start = None
        if current is not None:
            start = session.project.export_model(current.id, folder / "start.safetensors")
        self._begin("training", session, None)
        self._launch(
            _work.train,
            list(session.sources.values()),
            labels,
            config,
            out=folder / "model.safetensors",
            start=start,
            preview=preview,
            live=live,
        )

    def pick(
        self,
        session: Session,
        images: Sequence[ImageSource],
        *,
        device: str,
        cluster: ClusterConfig | None = None,
    ) -> None:
        """Pick images with the session's model.

        Parameters
        ----------
        session : Session
        images : sequence of ImageSource
        device : str
        cluster : ClusterConfig, optional
            Workers; the child process alone by default.

        Raises
        ------
        InputError
            If there is no model yet, or the job cannot be started.
        """
        current = session.project.current_model()
        if current is None:
            raise InputError("There is no model yet: label some particles and train a picker.")
        # Workers on other computers read the model by its path: it lies on the disk of the images.
        is_shared = cluster is not None and cluster.scheduler is not None
        folder = self._new_folder(session.folder if is_shared else None)
        model = session.project.export_model(current.id, folder / "model.safetensors")
        self._begin("picking", session, current.id)
        self._launch(_work.pick, list(images), model, device=device, cluster=cluster)

    def pick_live(
        self,
        session: Session,
        images: Sequence[ImageSource],
        config: LiveConfig,
        cluster: ClusterConfig | None = None,
    ) -> None:
        """Pick images with what live picking learns from the labels of this moment.

        Parameters
        ----------
        session : Session
        images : sequence of ImageSource
        config : LiveConfig
        cluster : ClusterConfig, optional
            Workers; the child process alone by default.

        Raises
        ------
        InputError
            If the job cannot be started.
        """
        self._finish()
        self._begin("picking", session, None)
        self._launch(_work.pick_live, list(images), session.readable_labels(), config, cluster)

    def pick_blobs(
        self,
        session: Session,
        images: Sequence[ImageSource],
        config: PickerConfig,
        cluster: ClusterConfig | None = None,
    ) -> None:
        """Pick blobs of the size of a particle, which needs no labels.

        Parameters
        ----------
        session : Session
        images : sequence of ImageSource
        config : PickerConfig
            Its diameter is that of a blob.
        cluster : ClusterConfig, optional
            Workers; the child process alone by default.

        Raises
        ------
        InputError
            If the job cannot be started.
        """
        self._finish()
        self._begin("picking", session, None)
        self._launch(_work.pick_blobs, list(images), config, cluster)

    def stop(self) -> None:
        """Finish early and keep what there is."""
        self._watcher.stop()

    def cancel(self) -> None:
        """End the job and throw its work away; pictures that were picked stay."""
        self._watcher.cancel()

    def close(self) -> None:
        """End the job without a word."""
        self._watcher.close()
        self._saver.close(finish=True)
        self._saver = Background()
        self._finish()

    def _new_folder(self, place: Path | None = None) -> Path:
        """Make a folder for this job, among the temporary ones or hidden in another."""
        self._finish()
        try:
            self._folder = tempfile.TemporaryDirectory(
                prefix=".cryoml-" if place else "cryoml-", dir=place, ignore_cleanup_errors=True
            )
        except OSError as error:
            raise InputError(
                f"The model cannot be handed to the workers in {place or 'the temporary folder'} "
                f"({error.strerror or error}): free some space, or pick on this computer."
            ) from error
        return Path(self._folder.name)

    def _begin(self, kind: str, session: Session, model: int | None) -> None:
        self._session, self.kind, self._model = session, kind, model
        self._edit = session.project.edit_number
        self._began = datetime.now(UTC)
        self._preview = self._last = None
        self._fault = ""

    def _launch(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        try:
            self._watcher.watch(self._start(function, *args, **kwargs))
        except InputError:
            self._finish()
            raise

    def _finish(self) -> None:
        self.kind = ""
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ImagePicked):
            self._take_image(event)
        elif isinstance(event, TrainingEvent):
            self._last = event
        self._owner.job_progress(event)

    def _take_image(self, done: ImagePicked) -> None:
        session, model = self._session, self._model
        if session is None or done.image not in session.entries:
            return
        if self.kind == "training":
            self._preview = done
            session.preview(done)
            self._owner.image_done(done)
            return

        def written(_: None) -> None:
            session.count_again(done.image)
            self._owner.image_done(done)

        edit = self._edit if model is None else None
        self._saver.run(session.keep, done, model, edit, on_done=written, on_error=self._give_up)

    def _give_up(self, sentence: str) -> None:
        """End a job whose results cannot be written."""
        if self.kind and not self._fault:
            self._fault = sentence
            self._watcher.cancel()

    def _on_ended(self, job: Any) -> None:
        """Write what is left to write, after all that waits to be written already."""
        state, sentence = job.state, ""
        if state == "failed":
            sentence = job.error or "The job ended without a word."
            logger.error("%s failed: %s\n%s", self.kind, sentence, getattr(job, "traceback", ""))
        result = job.result if state == "done" else None
        self._saver.run(
            self._keep,
            self.kind,
            state,
            result,
            on_done=lambda ready: self._end(state, ready or sentence),
            on_error=lambda problem: self._end("failed", problem),
        )

    def _end(self, state: str, sentence: str) -> None:
        kind = self.kind
        if self._fault:
            state, sentence = "failed", self._fault
        if self._session is not None:
            self._session.drop_preview()
        self._finish()
        self._owner.job_ended(kind, state, sentence)

    def _keep(self, kind: str, state: str, result: Any) -> str:
        """Write the end of a job; beside the GUI's thread."""
        session = self._session
        if session is None:
            return ""
        sentence = ""
        if state == "done" and kind == "training":
            sentence = self._keep_model(session, Path(result))
        session.project.log_job(kind, self._began, datetime.now(UTC), state, {})
        return sentence

    def _keep_model(self, session: Session, path: Path) -> str:
        summary = dict(checkpoint.read_header(path).get("summary", {}))
        last = self._last
        if last is not None:
            summary |= {"step": last.step, "loss": last.loss, "device": last.device}
        try:
            with session.project.transaction():
                number = session.project.add_model(path, summary, edit=self._edit)
                if self._preview is not None and not session.is_live:
                    session.keep(self._preview, number)
        except InputError as error:
            raise InputError(f"{error} The trained model is in {_rescue(path)}.") from error
        return _ready(number, summary)


def _rescue(path: Path) -> Path:
    """Move a file to where it outlives the job."""
    return Path(shutil.move(path, Path(tempfile.mkdtemp(prefix="napari-cryoml-")) / path.name))


def _ready(number: int, summary: dict[str, Any]) -> str:
    steps = f" after {summary['step']} steps" if "step" in summary else ""
    merit = summary.get("validation_ap")
    quality = f", validation AP {merit:.2f}" if isinstance(merit, float) else ""
    live = summary.get("live_validation_ap")
    quality += f" (live picking {live:.2f})" if isinstance(live, float) else ""
    where = f" on {summary['device']}" if summary.get("device") else ""
    return f"Model {number} is ready{steps}{quality}{where}."

"""Training, picking and the threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.jobs import JobWatcher
from napari_cryoml._widgets.picker._derived import derived_text
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._jobs import PickerJobs
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.data import ImageSource
from napari_cryoml.jobs import ClusterConfig, Event
from napari_cryoml.picking import ImagePicked, PickerConfig
from napari_cryoml.picking.live import LiveConfig
from napari_cryoml.project import OPTIONS
from napari_cryoml.training import TrainingEvent

DEVICE = "device"

BLOBS = (
    "Nothing is labelled yet: these are blobs of the diameter. Click those that are particles, "
    "and live picking learns from them."
)


class Results:
    """From labels to picks.

    Parameters
    ----------
    desk : Desk
    start_job : callable
        Starts a job, as `ChildJob.start` does.
    workers : callable
        Returns the `ClusterConfig` of the workers that pick all images.
    """

    def __init__(
        self, desk: Desk, start_job: Callable[..., Any], workers: Callable[[], ClusterConfig]
    ) -> None:
        self._desk = desk
        self._workers = workers
        self.watcher = JobWatcher()
        self.jobs = PickerJobs(self.watcher, self, start_job)

    def close(self) -> None:
        """End the job that runs."""
        self.jobs.close()

    def leave_session(self) -> None:
        """End the job that runs, for its images go away."""
        if self.jobs.kind:
            self.jobs.close()
            self._desk.view.end_job("The job was ended with its project.")

    # Jobs

    def train(self, live: LiveConfig | None = None) -> None:
        """Train, and measure `live` picking beside; while a job runs, stop it and keep its work."""
        desk = self._desk
        if self.jobs.kind:
            self.jobs.stop()
            desk.view.show_job("stopping")
            return
        with desk.telling():
            session = desk.need_session()
            session.project.check_writable()
            name = self._preview_name()
            if session.diameter_px <= 0:
                raise InputError("Draw the diameter of one particle first [0], or type it.")
            config = self._config(name)
            self.jobs.train(
                session, config, session.sources[name], go_on=desk.view.goes_on(), live=live
            )
            desk.note("")
            desk.view.show_offer(False)
            desk.view.begin_job("training")

    def cancel(self) -> None:
        """End the job at once."""
        self.jobs.cancel()

    def pick_all(self, live: LiveConfig | None = None) -> None:
        """Pick all images, the one on show first: with the model, or with `live` picking.

        As long as nothing is labelled, live picking has blobs of the right size to offer.
        """
        with self._desk.telling():
            session = self._desk.need_session()
            name = self._desk.shown
            order = sorted(session.sources, key=lambda other: other != name)
            images = [session.sources[other] for other in order]
            self._pick(images, live, self._workers())
            if live is not None and session.first_labelled is None:
                self._desk.note(BLOBS)

    def pick_shown(self, *, again: bool = False) -> None:
        """Pick the image on show if there is a model and nothing else runs.

        Parameters
        ----------
        again : bool, default False
            Also if it has picks already.
        """
        session, name = self._desk.session, self._desk.shown
        if session is None or name not in session.sources or self.jobs.kind or session.is_live:
            return
        if session.project.read_only:
            return
        picked = not again and session.project.picks(name) is not None
        if not picked and session.project.current_model() is not None:
            with self._desk.telling():
                self._pick([session.sources[name]])

    def _pick(
        self,
        images: list[ImageSource],
        live: LiveConfig | None = None,
        cluster: ClusterConfig | None = None,
    ) -> None:
        if self.jobs.kind:
            raise InputError("A job is running: wait until it has ended, or cancel it.")
        session = self._desk.need_session()
        session.project.check_writable()
        if live is not None and session.first_labelled is None:
            self.jobs.pick_blobs(session, images, self._config(images[0].name), cluster)
        elif live is not None:
            self.jobs.pick_live(session, images, live, cluster)
        else:
            device = str(self._desk.view.options().get(DEVICE, "auto"))
            self.jobs.pick(session, images, device=device, cluster=cluster)
        self._desk.note("")
        self._desk.view.begin_job("picking")

    def training_config(self) -> PickerConfig:
        """Return what training would be started with now.

        Raises
        ------
        InputError
            If there is no image, or an option is not accepted.
        """
        return self._config(self._preview_name())

    def _preview_name(self) -> str:
        session = self._desk.need_session()
        names = [self._desk.shown, session.current, *session.sources]
        found = next((name for name in names if name is not None and name in session.sources), None)
        if found is None:
            raise InputError("None of the images can be read: put their files back.")
        return found

    def _config(self, name: str) -> PickerConfig:
        session = self._desk.need_session()
        labelled = next(iter(session.all_labels()), name)
        config = self._desk.view.config(
            diameter=session.diameter_in(labelled), ndim=session.entries[labelled].ndim
        )
        return PickerConfig.model_validate(config)

    # What jobs say

    def job_progress(self, event: Event) -> None:
        """Show how far the job is."""
        view, text = self._desk.view, event.message
        if isinstance(event, TrainingEvent):
            view.add_step(event.step, event.loss, event.validation)
            text = f"Step {event.step} on {event.device}." if event.device else text
        elif isinstance(event, ImagePicked) and event.device:
            text = f"{event.message} On {event.device}."
        view.show_progress(event.done, event.total, text)

    def image_done(self, done: ImagePicked) -> None:
        """Show the picks and the heat map of an image if it is the one on the canvas."""
        desk = self._desk
        if done.image == desk.shown and desk.session is not None:
            desk.show_scores()
            desk.show_picks()
        desk.refresh()

    def job_ended(self, kind: str, state: str, sentence: str) -> None:
        """Show what became of the job."""
        desk = self._desk
        words = {"training": "Training", "picking": "Picking"}[kind]
        if state == "failed":
            desk.view.end_job(f"{words} failed.")
            desk.note(sentence, error=True)
        elif state == "cancelled":
            desk.view.end_job(f"{words} was cancelled; the model is the one from before.")
        else:
            desk.view.end_job(sentence or f"{words} is done.")
        if state != "done":
            desk.show_picks()
            desk.show_scores()
        if desk.session is not None:
            desk.layers.set_threshold(desk.session.threshold)
        desk.refresh()
        if state == "done" and kind == "training" and desk.session is not None:
            desk.view.show_offer(desk.session.is_live and _is_better(desk.session))
            self.pick_shown()

    # Threshold

    def move_threshold(self, threshold: float) -> None:
        """Show what another threshold keeps, while it is being dragged."""
        self._desk.layers.set_threshold(threshold)
        self._desk.show_pick_counts(threshold)

    def set_threshold(self, threshold: float) -> None:
        """Keep a threshold."""
        with self._desk.telling():
            self._desk.need_session().set_threshold(threshold)
            self._desk.layers.set_threshold(threshold)
            self._desk.refresh()

    def step_threshold(self, direction: int) -> None:
        """Raise or lower the threshold a little."""
        self._desk.view.step_threshold(direction)

    # Options

    def keep_options(self) -> None:
        """Keep what is set under Advanced, and show what follows from it."""
        with self._desk.telling():
            if self._desk.session is not None:
                self._desk.session.project.set_setting(OPTIONS, self._desk.view.options())
                self._desk.note("")
        self.show_derived()

    def show_derived(self) -> None:
        """Show what follows from the diameter and the options."""
        session = self._desk.session
        if session is None or session.diameter_px <= 0 or not session.sources:
            self._desk.view.show_derived("Set the diameter: everything else follows from it.")
            return
        with self._desk.telling():
            name = self._preview_name()
            entry = session.entries[name]
            text = derived_text(self._config(name), entry.shape, entry.pixel_size)
            self._desk.view.show_derived(text)


def _is_better(session: Session) -> bool:
    """Whether the model that was trained last beats live picking, or that is not known."""
    model = session.project.current_model()
    return model is not None and model.summary.get("better") != "live"

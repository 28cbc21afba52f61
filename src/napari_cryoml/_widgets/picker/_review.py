"""The review that certifies the precision of the picks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._live import Live
from napari_cryoml._widgets.picker._pool import PicksPool
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml._widgets.picker._spotlight import Spotlight
from napari_cryoml.picking.live import (
    Certificate,
    ReviewPlan,
    certify,
    plan_review,
    review_threshold,
)

CERTIFICATE = "certificate"
"""Setting: the certificate of the last review that was finished, as JSON takes it."""

EDIT = "edit"
"""In that setting, the number of the edit whose labels the reviewed picks rest on."""

STOP_KEY = "Shift+G"
TARGET = 0.9


@dataclass
class _Course:
    """A review that is under way."""

    session: Session
    edit: int
    pool: PicksPool
    plan: ReviewPlan
    order: list[int]
    answers: dict[int, Any] = field(default_factory=dict)

    @property
    def at(self) -> int:
        """Index in the pool of the pick that is asked about."""
        return self.order[len(self.answers)]


class Review:
    """Asks about some thirty picks, and says what the answers prove about all of them.

    Parameters
    ----------
    desk : Desk
    spotlight : Spotlight
    live : Live
        Rests while picks are reviewed.
    """

    def __init__(self, desk: Desk, spotlight: Spotlight, live: Live) -> None:
        self._desk = desk
        self._spotlight = spotlight
        self._live = live
        self._course: _Course | None = None
        desk.refreshed.connect(self._on_refreshed)

    @property
    def is_open(self) -> bool:
        """Whether a question is on show."""
        return self._course is not None

    def close(self) -> None:
        """Watch the project no more."""
        self._desk.refreshed.disconnect(self._on_refreshed)

    def leave_session(self) -> None:
        """Ask no more, for the images go away."""
        self._end()

    def toggle(self) -> None:
        """Begin a review, or end the one that is under way."""
        if self.is_open:
            self.answer("stop")
            return
        desk = self._desk
        with desk.telling():
            session = desk.need_session()
            self._live.save()
            threshold = session.threshold
            desk.note("Drawing the picks to look at…")
            desk.background.run(
                _draw,
                session,
                threshold,
                on_done=self._begin,
                on_error=lambda sentence: desk.note(sentence, error=True),
            )

    def answer(self, answer: str) -> None:
        """Take "yes", "no" or "skip" for the pick on show, or "stop"."""
        course = self._course
        if course is None:
            return
        if answer == "stop":
            self._end()
            self._desk.note("The review was stopped; an unfinished one proves nothing.")
            return
        if not self._spotlight.is_seen:
            self._ask(course)  # the user has gone elsewhere: an answer needs a look
            return
        course.answers[course.at] = answer
        if len(course.answers) < len(course.order):
            self._ask(course)
        else:
            self._end()
            with self._desk.telling():
                self._certify(course)

    def show_certificate(self) -> None:
        """Show what the last review proved, as long as the labels are those of then."""
        session = self._desk.session
        certificate = None if session is None else certificate_of(session)
        self._desk.view.show_certificate("" if certificate is None else certificate.sentence)

    def _begin(self, course: _Course) -> None:
        if course.session is not self._desk.session:
            return
        self._desk.note("")
        self._live.pause(True)
        self._course = course
        self._ask(course)

    def _ask(self, course: _Course) -> None:
        image = course.pool.image(course.at)
        ndim = course.session.entries[image].ndim
        text = (
            f"Is the place in the yellow circle a particle? {len(course.answers) + 1} of "
            f"{len(course.order)}, in {image}."
        )
        self._desk.view.question.ask(text, STOP_KEY)
        self._spotlight.point_at(image, course.pool.positions[course.at, -ndim:])

    def _end(self) -> None:
        if self._course is not None:
            self._course = None
            self._desk.view.question.withdraw()
            self._spotlight.put_out()
            self._live.pause(False)

    def _certify(self, course: _Course) -> None:
        certificate = certify(course.plan, course.answers)
        values = {**certificate.to_json(), EDIT: course.edit}
        course.session.project.set_setting(CERTIFICATE, values)
        self.show_certificate()
        self._desk.note(_advice(course, certificate))

    def _on_refreshed(self) -> None:
        course, session = self._course, self._desk.session
        self.show_certificate()
        if course is None:
            return
        if session is not course.session or session.project.edit_number != course.edit:
            self._end()
            self._desk.note("The review was ended: the labels have changed, and so do the picks.")


def certificate_of(session: Session) -> Certificate | None:
    """Return what the last review of a project proved; None if labels have changed since."""
    values = session.project.setting(CERTIFICATE)
    if not isinstance(values, dict) or values.get(EDIT) != session.project.edit_number:
        return None
    try:
        return Certificate.from_json(values)
    except (KeyError, TypeError):
        return None


def _draw(session: Session, threshold: float) -> _Course:
    """Pool all picks and draw those to look at; beside the GUI's thread."""
    edit = session.project.edit_number
    pool = session.pool()
    if not len(pool.scores):
        raise InputError("There are no picks to review: pick all images first.")
    n_stale = len(session.project.stale_images())
    if n_stale:
        images = "an image" if n_stale == 1 else f"{n_stale} images"
        raise InputError(
            f"The picks of {images} are older than the labels: pick all images again first."
        )
    plan = plan_review(pool.scores, threshold=threshold, positions=pool.places)
    drawn = plan.stage(0)
    # Image by image: the order in which they are asked about proves nothing and costs nothing.
    order = drawn[np.argsort(pool.numbers[drawn], kind="stable")]
    return _Course(session, edit, pool, plan, [int(index) for index in order])


def _advice(course: _Course, certificate: Certificate) -> str:
    if certificate.precision_bound >= TARGET:
        return "The certificate goes into the export."
    likely = review_threshold(course.pool.scores)
    if likely > certificate.threshold:
        return (
            f"The certificate goes into the export. A threshold of {likely:.2f} is likely to prove "
            f"{TARGET:.0%}: set it and certify again."
        )
    return (
        "The certificate goes into the export. To prove more, mark wrong picks as negatives and "
        "certify again."
    )

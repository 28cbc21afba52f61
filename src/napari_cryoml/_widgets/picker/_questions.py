"""Who asks the user: the review or the search for labels that teach, never both."""

from __future__ import annotations

from napari_cryoml._widgets.picker._asking import Asking
from napari_cryoml._widgets.picker._review import Review


class Questions:
    """Leads an answer to whoever has asked.

    Parameters
    ----------
    asking : Asking
    review : Review
    """

    def __init__(self, asking: Asking, review: Review) -> None:
        self.asking = asking
        self.review = review

    def answer(self, answer: str) -> bool:
        """Take "yes", "no", "skip" or "stop"; return whether there was a question."""
        asker = next((one for one in (self.review, self.asking) if one.is_open), None)
        if asker is not None:
            asker.answer(answer)
        return asker is not None

    def ask(self) -> None:
        """Begin to ask about places that teach, or stop."""
        if self.review.is_open:
            self.review.answer("stop")
        self.asking.toggle()

    def certify(self) -> None:
        """Begin a review of the picks, or stop it."""
        self.asking.close()
        self.review.toggle()

    def leave_session(self) -> None:
        """Ask no more, for the images go away."""
        self.asking.close()
        self.review.leave_session()

    def close(self) -> None:
        """Ask no more."""
        self.leave_session()
        self.review.close()

"""What a dock has to say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_cryoml._errors import InputError


class Telling:
    """Says sentences in the message line of a dock; a base of what its controller's parts share."""

    view: Any
    """The dock, with ``show_message(text, error=False)``."""

    def note(self, text: str, *, error: bool = False) -> None:
        """Show one sentence, or take the last one away."""
        self.view.show_message(text, error=error)

    def warn(self, text: str) -> None:
        """Show what went wrong, in one sentence."""
        self.note(text, error=True)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Show a user's mistake as a sentence."""
        try:
            yield
        except InputError as error:
            self.warn(str(error))

"""The one exception that carries a sentence for the user."""

import re

_LONE_STOP = re.compile(r"\s+([.:;,])(?=\s|$)")


class InputError(ValueError):
    """A user's mistake, or a file that cannot be used.

    The message is one plain sentence, shown as it is by the shell (exit code 2) and by the docks:
    what was expected, what came, what to do. What a library says of a file may run over several
    lines; they become one.
    """

    def __init__(self, sentence: object = "") -> None:
        lines = [line.strip() for line in str(sentence).splitlines()]
        super().__init__(_LONE_STOP.sub(r"\1", " ".join(line for line in lines if line)))


class InputWarning(UserWarning):
    """Something odd in the input that was mended; the message says how."""

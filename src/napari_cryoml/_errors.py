"""The one exception that carries a sentence for the user."""


class InputError(ValueError):
    """A user's mistake, or a file that cannot be used.

    The message is one plain sentence, shown as it is by the shell (exit code 2) and by the docks:
    what was expected, what came, what to do.
    """


class InputWarning(UserWarning):
    """Something odd in the input that was mended; the message says how."""

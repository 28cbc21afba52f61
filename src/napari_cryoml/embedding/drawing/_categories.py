"""Labels of rows as codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def category_codes(
    labels: Sequence[object] | npt.NDArray[np.generic],
) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Return labels as numbers, the commonest first.

    Parameters
    ----------
    labels : sequence of length n
        Of any kind; "" and what is not a number (NaN, None) are none.

    Returns
    -------
    codes : int32 array of shape (n,)
        Place in `names`, -1 for none.
    names : list of str
        By falling count, ties in the order of the alphabet.
    """
    words = np.array([_word(label) for label in np.asarray(labels).tolist()], str)
    found, places, counts = np.unique(words, return_inverse=True, return_counts=True)
    counts = np.where(found == "", -1, counts)
    order = np.lexsort((np.arange(len(found)), -counts))
    names = [str(found[index]) for index in order if found[index] != ""]
    code_of = np.full(len(found), -1, np.int32)
    code_of[order[: len(names)]] = np.arange(len(names))
    return code_of[places], names


def _word(label: object) -> str:
    # NaN, of whatever kind, is the only value that differs from itself.
    return "" if label is None or label != label else str(label).strip()

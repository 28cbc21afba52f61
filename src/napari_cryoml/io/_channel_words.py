"""Words in file names that tell channels: cell_01_gfp.tif, cell_01_rfp.tif."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_WORDS = (
    r"[ergycbm]fp|m?cherry|dsred|tdtomato|venus|mneongreen|neongreen|halo|dapi|hoechst(?:\d+)?|draq5"
    r"|fitc|tritc|cy[3579]|txred|red|green|blue|yellow|cyan|magenta|far[- ]?red"
    r"|(?:channel|chan|ch|c|w)\d{1,2}|bf|brightfield|dic|phase"
    r"|nucle(?:us|i)|membrane|microtubules?|er|actin|protein|marker|cytosol"
)
_PART = re.compile(r"[^_\-. ]+")
_JOINT = re.compile(r"^[_\-. ]+|[_\-. ]+$|([_\-. ])[_\-. ]+")


def split_channel(stem: str, words: Sequence[str] = ()) -> tuple[str, str | None]:
    """Return a file's stem without the word of its channel, and that word.

    Parameters
    ----------
    stem : str
        A name without folders and ending.
    words : sequence of str, optional
        The words to look for, by default the usual ones: names of dyes and colours, ch1, C0, w2.

    Returns
    -------
    str, str or None
        The last such word of the name, as it is written there; None where it has none.
    """
    pattern = "|".join(map(re.escape, words)) if words else _WORDS
    known = re.compile(pattern, re.IGNORECASE)
    found = [part for part in _PART.finditer(stem) if known.fullmatch(part.group())]
    if not found:
        return stem, None
    last = found[-1]
    rest = stem[: last.start()] + stem[last.end() :]
    return _JOINT.sub(r"\1", rest) or last.group(), last.group()


def by_channel(
    paths: Iterable[Path], words: Sequence[str] = ()
) -> tuple[dict[str, dict[str, Path]], list[Path]]:
    """Return files of one channel each under the name of what they show together.

    Parameters
    ----------
    paths : iterable of Path
    words : sequence of str, optional
        See `split_channel`.

    Returns
    -------
    dict of str to dict of str to Path
        Folder and stem without the word -> word in lower case -> file, in the order of `paths`.
    list of Path
        Files without such a word.
    """
    groups: dict[str, dict[str, Path]] = defaultdict(dict)
    others = []
    for path in paths:
        rest, word = split_channel(path.stem, words)
        if word is None:
            others.append(path)
        else:
            groups[str(path.with_name(rest))][word.lower()] = path
    return dict(groups), others


def order_of(groups: Mapping[str, Mapping[str, Path]], words: Sequence[str] = ()) -> list[str]:
    """Return the channels that groups of files have, in the order that was asked for.

    Without one: the usual colour of the protein first (GFP, green, FITC ...), then by name.
    """
    there = {word for files in groups.values() for word in files}
    if words:
        asked = [word.lower() for word in words]
        return [word for word in dict.fromkeys(asked) if word in there]
    first = re.compile(r"protein|gfp|green|fitc|mneongreen|neongreen|venus|yfp|yellow")
    return sorted(there, key=lambda word: (first.fullmatch(word) is None, word))

"""Which channel is the protein, which the marker."""

from __future__ import annotations

from collections.abc import Sequence

from napari_cryoml._errors import InputError
from napari_cryoml.preprocess._cells_config import CellsConfig

PROTEIN, MARKER = "protein", "marker"


def channel_number(
    channel: str | int, names: Sequence[str] | None, n_channels: int, where: str = "the image"
) -> int:
    """Return the number of a channel that is told by name or by number.

    Parameters
    ----------
    channel : str or int
        A name, in upper or lower case, or a number from 0.
    names : sequence of str, optional
        Names of the channels.
    n_channels : int
    where : str
        What the channels belong to, for the complaint.

    Raises
    ------
    InputError
        If there is no such channel, or two are named like that.
    """
    wanted = str(channel).strip()
    found = [row for row, name in enumerate(names or ()) if name.lower() == wanted.lower()]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        raise InputError(
            f"{len(found)} channels of {where} are named {wanted!r}: give the number from 0."
        )
    if wanted.isdecimal() and int(wanted) < n_channels:
        return int(wanted)
    known = f" ({', '.join(names)})" if names else ""
    raise InputError(
        f"There is no channel {wanted!r} in {where}, which has {n_channels}{known}: give "
        f"{'a name or ' if names else ''}a number from 0 to {n_channels - 1}."
    )


def ordered_channels(
    config: CellsConfig, names: Sequence[str] | None, n_channels: int, where: str = "the image"
) -> tuple[list[int], tuple[str, ...]]:
    """Return the channels of crops and their names: the protein, the marker, the others.

    Channels without a name are named by their role, or else by their number.

    Parameters
    ----------
    config : CellsConfig
    names : sequence of str, optional
        Names of the image's channels.
    n_channels : int
    where : str
        Name of the image.

    Raises
    ------
    InputError
        If a channel is missing, or protein and marker are the same.
    """
    protein = channel_number(config.protein, names, n_channels, where)
    roles = {protein: PROTEIN}
    if config.marker is not None:
        marker = channel_number(config.marker, names, n_channels, where)
        if marker == protein:
            raise InputError(
                f"Channel {config.marker!r} of {where} cannot be the protein and the marker at "
                "once: choose two."
            )
        roles[marker] = MARKER
    others = [number for number in range(n_channels) if number not in roles]
    numbers = [*roles, *(others if config.others else [])]
    told = names or [roles.get(number, f"channel {number}") for number in range(n_channels)]
    return numbers, tuple(told[number] for number in numbers)

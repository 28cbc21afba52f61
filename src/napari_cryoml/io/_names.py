"""Which image a name in a coordinate file means."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from napari_cryoml._errors import InputError

_EXTENSIONS = [
    "mrc",
    "mrcs",
    "map",
    "rec",
    "st",
    "ali",
    "tif",
    "tiff",
    "eer",
    "png",
    "jpg",
    "jpeg",
    "hdf",
    "h5",
    "zarr",
    "em",
    "gz",
    "bz2",
    "star",
    "box",
    "cbox",
    "json",
    "coords",
    "txt",
    "csv",
    "tbl",
    "mod",
    "ndjson",
    "cs",
    "tomostar",
]
_EXTENSION = re.compile(rf"\.(?:{'|'.join(_EXTENSIONS)})$", re.IGNORECASE)
_STACK_ROW = re.compile(r"^0*(\d+)@(.+)$")
_SLICE = re.compile(r"(#\d+)$")
_UID = re.compile(r"^\d{15,21}_")
_PICKER_SUFFIX = re.compile(
    r"_(?:autopick|manualpick|topazpicks|topaz|extract|pick|picks|particles|info|boxes|coords)$",
    re.IGNORECASE,
)
_PROCESSING_SUFFIX = re.compile(
    r"(?:_patch_aligned_doseweighted|_patch_aligned|_rigid_aligned|_aligned_doseweighted|_aligned"
    r"|_doseweighted|_dw|_denoised)$",
    re.IGNORECASE,
)


def match_images(names: Sequence[str], images: Sequence[str]) -> dict[str, str]:
    """Find the image that each name of a coordinate file means.

    A name may lack its directory or its extension, may lie in another directory, may be that of a
    coordinate file (``..._autopick.star``), and may carry cryoSPARC's unique number in front. The
    closest kind of agreement wins: the same name, the same end of the path (the longest such),
    the same file name, the same stem, the same stem without unique number and picker's suffix,
    and last the same without motion correction's suffixes. RELION's ``000002@stack.mrcs`` is
    the slice ``stack.mrcs#1``.

    Parameters
    ----------
    names : sequence of str
        Names as in a coordinate file.
    images : sequence of str
        Names or paths of the images there are.

    Returns
    -------
    dict of str to str
        The image of each name; names that no image answers to are left out.

    Raises
    ------
    InputError
        If several images answer to one name equally well, or several names to one image.
    """
    found: dict[str, str] = {}
    pending = list(dict.fromkeys(names))
    free = list(dict.fromkeys(images))
    for key in (_as_written, _path, _file_name, _stem, _plain_stem, _bare_stem):
        step = _match_step(pending, free, key)
        found |= step
        pending = [name for name in pending if name not in found]
        taken = set(step.values())
        free = [image for image in free if image not in taken]
        if not pending or not free:
            break
    return {name: found[name] for name in names if name in found}


def stem(name: str) -> str:
    """Return the name of an image without directory and extensions."""
    return _stem(name)


def _match_step(
    names: Iterable[str], images: Iterable[str], key: Callable[[str], str]
) -> dict[str, str]:
    candidates = _by_key(images, key)
    found: dict[str, str] = {}
    for value, asking in _by_key(names, key).items():
        answering = candidates.get(value, [])
        if answering:
            found |= _pair(asking, answering)
    return found


def _by_key(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    return groups


def _pair(names: list[str], images: list[str]) -> dict[str, str]:
    """Pair names and images that agree in a key; their directories decide between several."""
    found = {name: _nearest(name, images) for name in names}
    owners = _by_key(found, found.__getitem__)
    return {_owner(image, asking): image for image, asking in owners.items()}


def _owner(image: str, names: list[str]) -> str:
    """Return the one of `names` that shares most directories with `image`."""
    shared = [_shared_directories(name, image) for name in names]
    best = [name for name, n in zip(names, shared, strict=True) if n == max(shared)]
    if len(best) > 1:
        raise InputError(
            f"{len(best)} names in the coordinate file ({_listed(best)}) fit the one image "
            f"{image!r}: open the images with enough of their directories to tell them apart."
        )
    return best[0]


def _nearest(name: str, images: list[str]) -> str:
    if len(images) == 1:
        return images[0]
    shared = [_shared_directories(name, image) for image in images]
    best = [image for image, n in zip(images, shared, strict=True) if n == max(shared)]
    if len(best) > 1:
        raise InputError(
            f"The name {name!r} fits {len(best)} images ({_listed(best)}): give the coordinate "
            "file names with enough of their directories, or open fewer images."
        )
    return best[0]


def _shared_directories(name: str, image: str) -> int:
    """Return how many directories two paths share, counted from the file upwards."""
    ours = _path(name).split("/")[-2::-1]
    theirs = _path(image).split("/")[-2::-1]
    shared = 0
    for a, b in zip(ours, theirs, strict=False):
        if a != b:
            break
        shared += 1
    return shared


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(repr(name) for name in names[:6]) + more


def _as_written(name: str) -> str:
    return name


def _path(name: str) -> str:
    path = name.replace("\\", "/").removeprefix("./")
    row = _STACK_ROW.match(path)
    return f"{row[2]}#{int(row[1]) - 1}" if row else path


def _file_name(name: str) -> str:
    return _path(name).rsplit("/", 1)[-1]


def _stem(name: str) -> str:
    file_name, index = _split_slice(_file_name(name))
    return _strip(file_name, _EXTENSION) + index


def _plain_stem(name: str) -> str:
    plain, index = _split_slice(_stem(name))
    return _UID.sub("", _strip(plain, _PICKER_SUFFIX)) + index


def _bare_stem(name: str) -> str:
    plain, index = _split_slice(_plain_stem(name))
    return _strip(plain, _PROCESSING_SUFFIX) + index


def _split_slice(name: str) -> tuple[str, str]:
    found = _SLICE.search(name)
    return (name[: found.start()], found[1]) if found else (name, "")


def _strip(name: str, ending: re.Pattern[str]) -> str:
    while (shorter := ending.sub("", name)) != name and shorter:
        name = shorter
    return name

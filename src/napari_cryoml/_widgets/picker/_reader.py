"""Images for the screen, read beside the GUI's thread and kept for the way back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from napari_cryoml._napari._picker_display import DisplayImage, prepare_display
from napari_cryoml._widgets.jobs import Background
from napari_cryoml.data import ImageSource

KEPT = 4


class ImageReader:
    """Reads one image at a time; the one asked for last is the one that is handed over.

    Parameters
    ----------
    background : Background
    on_ready : callable
        Takes the `DisplayImage` that was asked for last.
    on_error : callable
        Takes a sentence.
    """

    def __init__(
        self,
        background: Background,
        on_ready: Callable[[DisplayImage], object],
        on_error: Callable[[str], object],
    ) -> None:
        self._background = background
        self._on_ready = on_ready
        self._on_error = on_error
        self._kept: OrderedDict[str, DisplayImage] = OrderedDict()
        self._reading: set[str] = set()
        self._wanted = ""

    def show(self, source: ImageSource) -> bool:
        """Hand over the display of `source`; return whether that was possible at once."""
        self._wanted = source.name
        if source.name in self._kept:
            self._kept.move_to_end(source.name)
            self._on_ready(self._kept[source.name])
            return True
        self._read(source)
        return False

    def prefetch(self, source: ImageSource) -> None:
        """Read an image that may be asked for next."""
        if source.name not in self._kept:
            self._read(source)

    def clear(self) -> None:
        """Forget all images."""
        self._kept.clear()
        self._wanted = ""

    def _read(self, source: ImageSource) -> None:
        if source.name in self._reading:
            return
        self._reading.add(source.name)

        def done(display: DisplayImage) -> None:
            self._reading.discard(source.name)
            self._kept[source.name] = display
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            if source.name == self._wanted:
                self._on_ready(display)

        def failed(sentence: str) -> None:
            self._reading.discard(source.name)
            if source.name == self._wanted:
                self._on_error(sentence)

        self._background.run(prepare_display, source, on_done=done, on_error=failed)

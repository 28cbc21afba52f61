"""What is classified: the picks of the Picker or boxes from a file, and how they are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QDoubleSpinBox, QLabel, QSpinBox, QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.frame import (
    ConfigForm,
    Group,
    WheelGuard,
    button,
    line_of,
    tighten,
    words,
)
from napari_cryoml._widgets.jobs import JobPanel

if TYPE_CHECKING:
    from napari_cryoml.preprocess import CropsConfig

NO_PICKS = (
    "Open the Picker and pick or label particles, or open boxes from a file: they are classified "
    "here."
)
_CUT = "Cut crops [U]"
_SHOWN = ("box", "size", "diameter")
_LARGEST = 1024


class SourceGroup(Group):
    """The main button, boxes from files, and the size of a crop.

    Parameters
    ----------
    crops : type of Config
        What the options under Advanced are made from.
    guard : WheelGuard
    """

    cut_requested = Signal()
    """Cut the picks of the open Picker, or stop cutting."""

    file_requested = Signal()
    """Open boxes from a file; the view asks for it and says `paths_opened`."""

    changed = Signal()
    """The box, the size, the tilts or an option of the crops."""

    def __init__(self, crops: type[Config], guard: WheelGuard) -> None:
        super().__init__("1  Subtomograms")
        self.cut = button(
            _CUT,
            "Cut a crop around each pick of all images of the open Picker; while that runs, stop. "
            "Default: none.",
        )
        self.open = button(
            "Open boxes…",
            "Open crops that were cut before (.mrc, .mrcs, .zarr, .npz, .star), which may also be "
            "dropped here; then no tomogram is needed. Default: none.",
        )
        self.text = words("What there is to classify, and what was cut.")
        self.box = _pixels(
            "Side of a crop in pixels (voxels) of the image. Default: auto, 1.5 diameters.", guard
        )
        self.size = _pixels(
            "Side of a crop once it is reduced, pixels: smaller ones are learnt faster. "
            "Default: auto, the box, at most 64 (32 in 3-D).",
            guard,
        )
        self.low = _degrees(-90, 0, -60, "First tilt of the series", guard)
        self.high = _degrees(0, 90, 60, "Last tilt of the series", guard)
        self.panel = JobPanel()
        self.form = ConfigForm(crops, leave_out=_SHOWN)
        self._ndim = 3
        self._tilts = QWidget()
        self._options = QWidget()
        self.more = button("", "")
        self.more.setCheckable(True)
        self._build()
        self.show_source("")

    def _build(self) -> None:
        self.row(self.cut, self.open, self.more)
        self.column.addWidget(self.text)
        self.column.addWidget(self.panel)
        self._tilts.setLayout(line_of(QLabel("Tilts"), self.low, QLabel("to"), self.high))
        options = QVBoxLayout(self._options)
        tighten(options)
        options.addLayout(line_of(QLabel("Box"), self.box, QLabel("Size"), self.size))
        options.addWidget(self._tilts)
        options.addWidget(self.form)
        self.column.addWidget(self._options)
        self._options.hide()
        self.more.toggled.connect(self._options.setVisible)
        self.cut.clicked.connect(self.cut_requested)
        self.open.clicked.connect(self.file_requested)
        for spin in (self.box, self.size, self.low, self.high):
            spin.valueChanged.connect(lambda _: self._on_value())
        self.form.changed.connect(self.changed)

    def crops_config(self, diameter: float | None = None) -> CropsConfig:
        """Return how crops are cut.

        Parameters
        ----------
        diameter : float, optional
            Of a particle in pixels of the image.

        Raises
        ------
        InputError
            If an option is not accepted.
        """
        box, size = self.box.value() or None, self.size.value() or None
        return cast("CropsConfig", self.form.config(box=box, size=size, diameter=diameter))

    @property
    def tilts(self) -> tuple[float, float]:
        """First and last tilt in degrees; -90 and 90 if nothing is missing."""
        return float(self.low.value()), float(self.high.value())

    def show_source(self, text: str, *, ndim: int = 3, can_cut: bool = True) -> None:
        """Show what there is to classify; "" for nothing, and what to do.

        Parameters
        ----------
        text : str
            As "213 picks in 3 tomograms".
        ndim : int
            2 for crops of micrographs, which have no tilts to be set.
        can_cut : bool
            Whether there are picks; boxes from a file are cut already.
        """
        self.setTitle("1  Subtomograms" if ndim == 3 else "1  Crops")
        self.text.setText(text or NO_PICKS)
        self.cut.setEnabled(bool(text) and can_cut)
        self._ndim = ndim
        self._tilts.setVisible(ndim == 3)
        self._tell()

    def show_values(
        self,
        *,
        box: int | None = None,
        size: int | None = None,
        tilts: tuple[float, float] | None = None,
        options: dict[str, object] | None = None,
    ) -> None:
        """Show values that were kept, without a signal; None leaves a control as it is."""
        self.blockSignals(True)
        if box is not None:
            self.box.setValue(box)
        if size is not None:
            self.size.setValue(size)
        if tilts is not None:
            self.low.setValue(tilts[0])
            self.high.setValue(tilts[1])
        self.form.set_values(options or {})
        self.blockSignals(False)
        self._tell()

    def begin_job(self, text: str) -> None:
        """Show that crops are being cut or read."""
        self.cut.setText("Stop cutting [U]")
        self.open.setEnabled(False)
        self.panel.begin(text)

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Show how far it is; `total` is 0 while that is unknown."""
        self.panel.progress(done, total, text)

    def end_job(self, text: str = "") -> None:
        """Show that it has ended, and what became of it in place of what there was."""
        self.cut.setText(_CUT)
        self.open.setEnabled(True)
        self.panel.end("")
        self.text.setText(text or self.text.text())

    def _on_value(self) -> None:
        self._tell()
        self.changed.emit()

    def _tell(self) -> None:
        """Say on the button of the options what they are, so that they can stay hidden."""
        tilts = f", tilts {self.low.text()} to {self.high.text()}" if self._ndim == 3 else ""
        self.more.setText(f"Box: {self.box.text()}")
        self.more.setToolTip(
            f"<p>Show or hide how crops are cut: box {self.box.text()}, size {self.size.text()}"
            f"{tilts}. Default: hidden.</p>"
        )


def _pixels(tip: str, guard: WheelGuard) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(0, _LARGEST)
    spin.setSingleStep(4)
    spin.setSpecialValueText("auto")
    spin.setSuffix(" px")
    _finish(spin, tip, guard)
    return spin


def _degrees(low: float, high: float, value: float, what: str, guard: WheelGuard) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(low, high)
    spin.setDecimals(0)
    spin.setValue(value)
    spin.setSuffix("°")
    tip = f"{what}, degrees; -90 and 90 where nothing is missing. Default: {value:g}."
    _finish(spin, tip, guard)
    return spin


def _finish(spin: QSpinBox | QDoubleSpinBox, tip: str, guard: WheelGuard) -> None:
    spin.setKeyboardTracking(False)
    spin.setToolTip(f"<p>{tip}</p>")
    spin.setMinimumWidth(48)
    spin.installEventFilter(guard)

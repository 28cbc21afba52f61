"""What is classified: the cells of an image or crops from files, and how they are cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QSpinBox, QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.cells._layer_choices import Choice, LayerChoices, Roles
from napari_cryoml._widgets.frame import (
    ConfigForm,
    Group,
    WheelGuard,
    button,
    folded,
    line_of,
    tighten,
    words,
)
from napari_cryoml._widgets.jobs import JobPanel

if TYPE_CHECKING:
    from napari_cryoml.preprocess import CellsConfig, SegmentConfig

NO_IMAGES = (
    "Open an image of cells (File › Open, or drop it on the canvas), or open crops that were cut "
    "before. File › Open Sample › cryoML has simulated cells."
)
_CUT = "Cut cells [U]"
_SMALLEST, _LARGEST, _USUAL = 16, 512, 64
_ROLES = ("protein", "marker")


class CellSource(Group):
    """The layers, the main buttons, and how crops are cut.

    Parameters
    ----------
    cells, segment : type of Config
        What the options of cutting and of finding cells are made from.
    guard : WheelGuard
    """

    cut_requested = Signal()
    """Cut crops of the labelled cells, or stop."""

    segment_requested = Signal()
    """Find cells in the marker, then cut them."""

    file_requested = Signal()
    """Open crops from files; the view asks for them and says `paths_opened`."""

    layers_changed = Signal()
    """Other layers, or other roles of theirs, were chosen."""

    changed = Signal()
    """The size, or another option of the crops."""

    segment_changed = Signal()
    """An option of finding cells."""

    def __init__(self, cells: type[Config], segment: type[Config], guard: WheelGuard) -> None:
        super().__init__("1  Cells")
        self.cut = button(
            _CUT,
            "Cut a crop around each cell of the Labels layer; while that runs, stop. "
            "Default: none.",
        )
        self.segment = button(
            "Find cells [K]",
            "Find cells in the marker channel (Otsu's threshold, then a watershed), put them into "
            "a Labels layer of ours, and cut their crops. Default: none.",
        )
        self.open = button(
            "Open…",
            "Open crops that were cut before: a folder or archive of images, .npz, .h5 or .zarr, "
            "with a table (.csv) of what each shows. May be dropped here. Default: none.",
        )
        self.layers = LayerChoices(guard)
        self.text = words("How many cells there are, and how many were left out.")
        self.size = _size_box(guard)
        self.form = ConfigForm(cells, leave_out=("size", *_ROLES, "others"))
        self.segment_form = ConfigForm(segment)
        self.panel = JobPanel()
        self._options = QWidget()
        self.more = button("", "")
        self.more.setCheckable(True)
        self._build()
        self.show_source("")

    def _build(self) -> None:
        self.row(self.cut, self.segment, self.open, self.more)
        options = QVBoxLayout(self._options)
        tighten(options)
        options.addWidget(self.layers)
        options.addLayout(line_of(QLabel("Crop size"), self.size))
        tip = "Show or hide how crops are cut, and how cells are found."
        more = QWidget()
        column = QVBoxLayout(more)
        tighten(column)
        for title, form in (("Crops", self.form), ("Find cells", self.segment_form)):
            heading = QLabel(f"<b>{title}</b>")
            column.addWidget(heading)
            column.addWidget(form)
        self.advanced = folded("Advanced", tip, more)
        options.addWidget(self.advanced)
        self.column.addWidget(self._options)
        self.column.addWidget(self.text)
        self.column.addWidget(self.panel)
        self.more.toggled.connect(self._options.setVisible)
        self.more.setChecked(True)
        self.cut.clicked.connect(lambda: self.cut_requested.emit())
        self.segment.clicked.connect(lambda: self.segment_requested.emit())
        self.open.clicked.connect(lambda: self.file_requested.emit())
        self.layers.changed.connect(self.layers_changed)
        self.size.valueChanged.connect(lambda _: self._on_size())
        self.form.changed.connect(self.changed)
        self.segment_form.changed.connect(self.segment_changed)
        self._tell()

    # What is chosen

    @property
    def roles(self) -> Roles:
        """The layers that are chosen, by role."""
        return self.layers.roles

    def cells_config(self, **roles: Any) -> CellsConfig:
        """Return how crops are cut.

        Parameters
        ----------
        **roles
            The channels: `protein` and `marker`.

        Raises
        ------
        InputError
            If an option is not accepted.
        """
        return cast("CellsConfig", self.form.config(size=self.size.value(), **roles))

    def segment_config(self) -> SegmentConfig:
        """Return how cells are found.

        Raises
        ------
        InputError
            If an option is not accepted.
        """
        return cast("SegmentConfig", self.segment_form.config())

    def values(self) -> dict[str, Any]:
        """Return what is on show of sizes and options, to be kept."""
        return {
            "size": self.size.value(),
            "crops": self.form.values(),
            "segment": self.segment_form.values(),
        }

    # What is shown

    def offer(self, channels: Sequence[Choice], labels: Sequence[Choice], chosen: Roles) -> None:
        """Offer channels and Labels layers, and show which are chosen; without a signal."""
        self.layers.offer(channels, labels, chosen)

    def show_source(self, text: str, *, can_cut: bool = False, can_segment: bool = False) -> None:
        """Show what there is to classify; "" for nothing, and what to do."""
        self.text.setText(text or NO_IMAGES)
        self.cut.setEnabled(can_cut)
        self.segment.setEnabled(can_segment)

    def show_options(self, shown: bool) -> None:
        """Show or hide layers and options: once cells are cut, the gallery wants the room."""
        self.more.setChecked(shown)

    def show_values(self, values: dict[str, Any]) -> None:
        """Show values that were kept, without a signal; what is not named stays as it is."""
        self.blockSignals(True)
        if "size" in values:
            self.size.setValue(int(values["size"]))
        self.form.set_values(values.get("crops", {}))
        self.segment_form.set_values(values.get("segment", {}))
        self.blockSignals(False)
        self._tell()

    def begin_job(self, text: str) -> None:
        """Show that cells are being found, cut or read."""
        self.cut.setText("Stop [U]")
        self.cut.setEnabled(True)
        self.segment.setEnabled(False)
        self.open.setEnabled(False)
        self.panel.begin(text)

    def end_job(self) -> None:
        """Show that it has ended."""
        self.cut.setText(_CUT)
        self.open.setEnabled(True)
        self.panel.end("")

    def _on_size(self) -> None:
        self._tell()
        self.changed.emit()

    def _tell(self) -> None:
        """Say on the button of the options what the size is, so that they can stay hidden."""
        self.more.setText(f"{self.size.value()} px")
        self.more.setToolTip(
            f"<p>Show or hide the layers, and how crops are cut: {self.size.value()} pixels wide. "
            "Default: shown until there are cells.</p>"
        )


def _size_box(guard: WheelGuard) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(_SMALLEST, _LARGEST)
    spin.setSingleStep(8)
    spin.setValue(_USUAL)
    spin.setSuffix(" px")
    spin.setKeyboardTracking(False)
    spin.setToolTip(
        f"<p>Side of a crop in pixels; a cell and a little of its surroundings should fit. "
        f"Default: {_USUAL}.</p>"
    )
    spin.installEventFilter(guard)
    return spin

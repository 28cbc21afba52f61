"""Which system learns the classes, how far it is, and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_cryoml._registry import Config
from napari_cryoml._widgets.classes._system_form import SystemForm
from napari_cryoml._widgets.frame import (
    ThemeColours,
    WheelGuard,
    button,
    choice,
    folded,
    line_of,
    tighten,
    words,
)
from napari_cryoml._widgets.jobs import JobPanel, TrainingCurve

if TYPE_CHECKING:
    from napari_cryoml.classification import SystemConfig

NO_LABELS = "Give a few crops of each class their class first: then there is something to learn."
_TIP = (
    "Learn the classes from the crops that have one; while that runs, stop and keep what is "
    "there. The classifier from before stays in use meanwhile. Default: none."
)
_TRAIN, _CANCEL = "Train [Q]", "Cancel [Q]"
_REMARKS = {"few_shot": " (at once)", "contrastive": " (ours)"}


class TrainTab(QWidget):
    """The system, its options and a run.

    Parameters
    ----------
    systems : mapping of str to type of SystemConfig
        The first is the default.
    guard : WheelGuard
    further : sequence of QWidget
        More controls of the dock's own, beside the files.
    """

    system_chosen = Signal(str)
    """Name of the system that is to learn from now on."""

    train_requested = Signal()
    """Train, or stop what runs."""

    save_requested = Signal()
    load_requested = Signal()

    changed = Signal()
    """An option of a system."""

    def __init__(
        self,
        systems: Mapping[str, type[Config]],
        guard: WheelGuard,
        further: Sequence[QWidget] = (),
    ) -> None:
        super().__init__()
        self._further = tuple(further)
        self._systems = dict(systems)
        self._forms: dict[str, SystemForm] = {}
        self._kept: dict[str, Mapping[str, Any]] = {}
        first = next(iter(self._systems))
        self.system = choice(
            [],
            f"What learns the classes. {shown_as(first).capitalize()} answers after every label; "
            f"networks take minutes and more labels. Default: {shown_as(first)}.",
            guard,
        )
        self.train = button(_TRAIN, _TIP)
        self.follow = QCheckBox("after every label")
        self.follow.setChecked(True)
        self.follow.setToolTip(
            "Whether a system that answers at once learns anew after every label; else when "
            "“Train” is pressed. Default: on."
        )
        self.about = words("What the system is, and where it was published.")
        self.curve = TrainingCurve("held-out accuracy", "F-score")
        self.curve.setToolTip(
            "Loss (blue, own scale) and accuracy on crops held out (orange, 0 to 1) by step, and "
            "the F-score of proteins (violet, 0 to 1) where it is measured."
        )
        self.panel = JobPanel()
        self.model = words("The classifier in use.")
        self.save = button("Save model…", "Write the classifier in use as a .safetensors file.")
        self.load = button("Load model…", "Use a classifier from a .safetensors file.")
        self._options = QWidget()
        tighten(QVBoxLayout(self._options))
        self._build()
        self._offer()
        self.show_model("")

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        first = line_of(self.system, self.train)
        for index, share in enumerate((3, 2)):
            first.setStretch(index, share)
        column.addLayout(first)
        for widget in (self.panel, self.curve, self.follow, self.about, self.model):
            column.addWidget(widget)
        column.addLayout(line_of(*self._further, self.save, self.load))
        tip = "Show or hide the options of the system."
        self.advanced = folded("Advanced", tip, self._options)
        column.addWidget(self.advanced)
        column.addStretch(1)
        self.curve.hide()
        self.system.currentIndexChanged.connect(lambda _: self._on_system())
        self.train.clicked.connect(self.train_requested)
        self.follow.toggled.connect(lambda _: self.changed.emit())
        self.save.clicked.connect(self.save_requested)
        self.load.clicked.connect(self.load_requested)

    def _offer(self) -> None:
        self.system.blockSignals(True)
        for name, system in self._systems.items():
            self.system.addItem(shown_as(name) + _REMARKS.get(name, ""), name)
            tip = f"<p>{_about(system)}</p>"
            self.system.setItemData(self.system.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.system.blockSignals(False)
        self._show_system()

    @property
    def follows(self) -> bool:
        """Whether a system that answers at once learns anew after every label."""
        return bool(self.follow.isChecked())

    @property
    def chosen(self) -> str:
        """Name of the system."""
        return str(self.system.currentData())

    def config(self) -> SystemConfig:
        """Return the system with its options.

        Raises
        ------
        InputError
            If one is not accepted.
        """
        return self._form(self.chosen).config()

    def values(self) -> dict[str, dict[str, Any]]:
        """Return the options of all systems that were looked at or kept, to be kept."""
        shown = {name: form.values() for name, form in self._forms.items()}
        return {**{name: dict(values) for name, values in self._kept.items()}, **shown}

    def show_system(self, name: str, values: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Show a system as chosen, and options that were kept, without a signal."""
        for known, options in (values or {}).items():
            if known in self._systems:
                self._kept[known] = options
                if known in self._forms:
                    self._forms[known].set_values(options)
        self.system.blockSignals(True)
        self.system.setCurrentIndex(max(self.system.findData(name), 0))
        self.system.blockSignals(False)
        self._show_system()

    def show_running(self, what: str) -> None:
        """Show what the main button stops: "training", "stopping" or nothing ("")."""
        texts = {"": _TRAIN, "stopping": _CANCEL}
        self.train.setText(texts.get(what, f"Stop {what} [Q]"))
        self.system.setEnabled(not what)
        self.load.setEnabled(not what)

    def show_can_train(self, can: bool, why_not: str = "") -> None:
        """Show whether there is something to learn from, and else what is missing."""
        self.train.setEnabled(can)
        self.train.setToolTip(f"<p>{_TIP if can else why_not or NO_LABELS}</p>")

    def begin_job(self, text: str) -> None:
        """Show a training that has just been started."""
        self.show_running("training")
        self.curve.clear()
        self.panel.begin(text)

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Show how far it is; `total` is 0 while that is unknown."""
        self.panel.progress(done, total, text)

    def show_step(
        self,
        step: int,
        loss: float,
        accuracy: float | None = None,
        further: float | None = None,
    ) -> None:
        """Add a step to the curves: loss, accuracy on crops held out, F-score of proteins."""
        self.curve.show()
        self.curve.add(step, loss, accuracy, further)

    def end_job(self, text: str = "") -> None:
        """Show that it has ended, and what became of it."""
        self.show_running("")
        self.panel.end(text)

    def show_model(self, text: str) -> None:
        """Show which classifier is in use; "" for none."""
        self.model.setText(text or NO_LABELS)
        self.save.setEnabled(bool(text))

    def set_colours(self, colours: ThemeColours) -> None:
        """Paint in the colours of a theme."""
        self.curve.set_colours(colours)

    def _on_system(self) -> None:
        self._show_system()
        self.system_chosen.emit(self.chosen)

    def _show_system(self) -> None:
        system = self._systems[self.chosen]
        self.about.setText(_about(system))
        self.follow.setVisible(hasattr(system, "features_of"))
        shown = self._form(self.chosen)
        for form in self._forms.values():
            form.setVisible(form is shown)
        if self.advanced.isExpanded():
            # It does not notice by itself that another form is higher.
            self.advanced.expand(animate=False)

    def _form(self, name: str) -> SystemForm:
        """Return the form of a system, made once it is looked at: all would take long."""
        if name not in self._forms:
            form = SystemForm(self._systems[name])
            form.set_values(self._kept.get(name, {}))
            form.changed.connect(self.changed)
            self._options.layout().addWidget(form)
            self._forms[name] = form
        return self._forms[name]


def shown_as(name: str) -> str:
    """Return what a system is called on the screen."""
    return "few-shot" if name == "few_shot" else name.replace("_", " ")


def _about(system: type[Config]) -> str:
    """Return what a system is, and where it was published."""
    first = (system.__doc__ or "").strip().splitlines()[0]
    published = getattr(system, "published", "")
    return f"{first} ({published})" if published else f"{first} (Ours.)"

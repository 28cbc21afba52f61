from typing import Literal

import pytest
from pydantic import Field

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config
from napari_cryoml._widgets.frame import ConfigForm, title
from napari_cryoml.picking import PickerConfig


class Inner(Config):
    rate: float = Field(1e-3, gt=0, description="Step size.")
    repeats: int = Field(3, ge=1, le=9, description="How often.")


class Outer(Config):
    size: float = Field(gt=0, description="Set elsewhere.")
    kind: Literal["dense", "sparse"] = Field("dense", description="Which kind.")
    network: str = Field("small", description="Which network.")
    flips: bool = Field(True, description="Whether to mirror.")
    minutes: float | None = Field(2.0, gt=0, description="Minutes; none for no limit.")
    weight: float | Literal["auto"] = Field("auto", description="Weight.")
    inner: Inner = Inner()


@pytest.fixture
def form(qtbot):
    made = ConfigForm(Outer, choices={"network": ["small", "large"]}, leave_out=["size"])
    qtbot.addWidget(made)
    return made


def test_the_form_shows_the_defaults(form):
    assert form.config(size=5.0) == Outer(size=5.0)


def test_every_field_has_a_row(form):
    fields = "kind network flips minutes weight inner.rate inner.repeats"
    assert form.fields == fields.split()


def test_values_come_back_as_they_were_set(form):
    chosen = Outer(
        size=1.0,
        kind="sparse",
        network="large",
        flips=False,
        minutes=None,
        weight=0.5,
        inner=Inner(rate=0.01, repeats=4),
    )
    form.set_values(chosen.model_dump())
    assert form.config(size=1.0) == chosen


def test_unknown_values_of_another_version_are_passed_over(form):
    form.set_values({"gone": 1, "inner": {"gone": 2, "repeats": 5}})
    assert form.config(size=1.0) == Outer(size=1.0, inner=Inner(repeats=5))


def test_a_value_that_is_not_accepted_is_one_sentence(form):
    form.set_values({"minutes": -1.0})
    with pytest.raises(InputError, match="Advanced is not accepted: minutes"):
        form.config(size=1.0)
    form.set_values({"minutes": "soon"})
    with pytest.raises(InputError, match="minutes"):
        form.config(size=1.0)


def test_a_change_is_told(form, qtbot):
    with qtbot.waitSignal(form.changed):
        form.set_values({"flips": False})


def test_tooltips_say_what_it_does_its_bounds_and_its_default(form):
    tips = {name: form.findChild(object, name).toolTip() for name in form.fields}
    assert tips["inner.repeats"] == "<p>How often. From 1 to 9. Default: 3.</p>"
    assert "Default: 0.001" in tips["inner.rate"]
    assert "Default: auto" in tips["weight"]


def test_the_picker_s_own_options_make_a_round_trip(qtbot):
    form = ConfigForm(PickerConfig, leave_out=["diameter", "ndim"])
    qtbot.addWidget(form)
    assert form.config(diameter=40.0, ndim=3) == PickerConfig(diameter=40.0, ndim=3)
    assert set(PickerConfig.model_fields) - {"diameter", "ndim"} == {
        name.split(".")[0] for name in form.fields
    }


def test_titles_are_words():
    assert title("training.crop_size") == "Crop size"


def test_options_of_several_values_are_not_shown_and_keep_their_default(qtbot):
    class Several(Config):
        """Options."""

        sizes: tuple[int, ...] = Field((1, 2), description="Sizes in pixels.")
        names: dict[str, int] = Field(default_factory=dict, description="Names.")
        share: float = Field(1 / 9, description="A share that has more digits than are shown.")

    form = ConfigForm(Several)
    qtbot.addWidget(form)
    assert form.fields == ["share"]
    assert form.config() == Several()

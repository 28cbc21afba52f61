import subprocess
import sys
from typing import Literal

import pytest
from pydantic import Field, ValidationError

from napari_cryoml._errors import InputError
from napari_cryoml._registry import Config, Registry, describe


class Inner(Config):
    steps: int | None = Field(None, gt=0)
    weight: float | Literal["auto"] = 0.0


class Outer(Config):
    inner: Inner = Inner()
    size: float = 1.0


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({"size": "wide"}, "size: Input should be a valid number"),
        ({"inner": {"steps": 0}}, "inner.steps: Input should be greater than 0"),
        ({"inner": {"weight": "much"}}, "inner.weight: Input should be a valid number"),
        ({"other": 1}, "other: Extra inputs are not permitted"),
        ({"size": float("nan")}, "size: Input should be a finite number"),
    ],
)
def test_a_complaint_names_the_option_as_it_is_typed(options: dict, start: str) -> None:
    with pytest.raises(ValidationError) as told:
        Outer(**options)
    assert describe(told.value).startswith(start)
    assert describe(told.value).endswith(" was given.")


def test_names_come_in_the_order_that_was_told() -> None:
    registry: Registry[Config] = Registry("thing", order=("first", "second", "absent"))
    for name in ("z", "second", "a", "first"):
        registry.register(name)(Inner)
    assert list(registry) == ["first", "second", "z", "a"]
    with pytest.raises(InputError, match="choose one of first, second, z, a"):
        registry["absent"]


_LATE_FIRST = (
    "import napari_cryoml.embedding._invariant_encoder, napari_cryoml.embedding._leiden, "
    "napari_cryoml.embedding._umap, napari_cryoml.picking._template, "
    "napari_cryoml.classification._feature_systems; "
)
_LIST = (
    "from napari_cryoml.embedding import clusterings, encoders, projections; "
    "from napari_cryoml.picking import baselines; "
    "from napari_cryoml.classification import systems; "
    "print(*clusterings, *encoders, *projections, *baselines, *systems)"
)


def test_the_order_of_names_does_not_depend_on_what_is_imported_first() -> None:
    told = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for code in (_LIST, _LATE_FIRST + _LIST)
    ]
    assert told[0].stdout.split() == told[1].stdout.split()
    assert told[0].stdout


def test_a_registry_knows_its_names() -> None:
    registry: Registry[Config] = Registry("thing")
    registry.register("inner")(Inner)
    assert list(registry) == ["inner"]
    assert registry.create("inner", steps=3) == Inner(steps=3)
    with pytest.raises(InputError, match="no thing named 'outer': choose one of inner"):
        registry["outer"]
    with pytest.raises(InputError, match=r"thing 'inner': steps: .* 0 was given"):
        registry.create("inner", steps=0)
    with pytest.raises(ValueError, match="registered already"):
        registry.register("inner")(Outer)

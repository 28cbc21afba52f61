"""Write the tables of options, flags and keys into the pages, from the code that has them.

Run ``python docs/options.py`` after a Config, a command or a key has changed. A table stands
between ``<!-- NAME -->`` and ``<!-- end NAME -->``, NAME being a key of `TABLES`.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from napari_cryoml._registry import Config, Registry
from napari_cryoml._widgets.picker._keys import KEYS
from napari_cryoml.averaging import AlignConfig, AverageConfig, ClassesConfig, RefineConfig
from napari_cryoml.averaging.discovery import DiscoveryConfig
from napari_cryoml.classification import FeatureSystem, NetworkSystem, systems
from napari_cryoml.cli._app import app
from napari_cryoml.embedding import (
    ClustersConfig,
    CropEncoderConfig,
    DisplacementConfig,
    NoveltyConfig,
    ProjectionConfig,
    SpreadConfig,
    clusterings,
    encoders,
    projections,
)
from napari_cryoml.evaluation.functional import MetricSpec
from napari_cryoml.features import MEASUREMENT_GROUPS, MeasurementSetConfig, measurement_sets
from napari_cryoml.models import ClassifierConfig, classifiers, detectors
from napari_cryoml.objectives import CropObjectiveConfig, crop_objectives, objectives
from napari_cryoml.picking import PickerConfig, baselines
from napari_cryoml.picking.live import LiveConfig, MarkedBox
from napari_cryoml.preprocess import CellsConfig, CropsConfig, SegmentConfig
from napari_cryoml.simulate import (
    CellFieldsConfig,
    MicrographConfig,
    SubtomogramConfig,
    TomogramConfig,
)

DOCS = Path(__file__).parent
PAGES = ("options.md", "cli.md", "picker.md", "measurements.md")

_KINDS = {
    float: "number",
    int: "whole number",
    str: "text",
    Path: "a file",
    dict: "options by name",
    MarkedBox: "`--marked-box`, an image and two corners",
}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_NAMES = {"model": detectors, "objective": objectives}
_NAMES_OF_SYSTEMS = {
    "network": classifiers,
    "objective": crop_objectives,
    "pretraining.objective": crop_objectives,
}
_IN_DOCK = {"ndim": "taken from the images", "diameter": "the field *Diameter*"}


def picker_table() -> str:
    """Return a row an option of PickerConfig and of the Configs inside it."""
    rows = []
    for name, info in flat_fields(PickerConfig):
        place = _IN_DOCK.get(name, "Advanced")
        rows.append([f"`{name}`", place, default(info), accepted(name, info), info.description])
    return table(["option", "in the dock", "default", "accepted", "what it does"], rows)


def config_table(config: type[Config]) -> str:
    """Return a row an option of a Config."""
    rows = [option_row(name, info) for name, info in flat_fields(config)]
    return table(["option", "default", "accepted", "what it does"], rows)


def option_row(name: str, info: FieldInfo) -> list[str]:
    """Return the cells of one option."""
    return [f"`{name}`", default(info), accepted(name, info), info.description or ""]


def registry_table(registry: Registry[Any]) -> str:
    """Return a row an entry of a registry with the options it has."""
    rows = []
    for name in registry:
        first_line = (registry[name].__doc__ or "").partition("\n")[0]
        options = (f"`{field}` ({default(info)})" for field, info in flat_fields(registry[name]))
        rows.append([f"`{name}`", first_line, ", ".join(options)])
    return table([registry.kind, "what it is", "options (default)"], rows)


def family_table(registry: Registry[Any], base: type[Config]) -> str:
    """Return a row an option of each entry of a registry; those that all share come first."""
    rows = [["all", *option_row(name, info)] for name, info in flat_fields(base)]
    for entry in registry:
        cells = [option_row(name, info) for name, info in flat_fields(registry[entry])]
        rows += [[f"`{entry}`", *row] for row in cells if ["all", *row] not in rows]
    return table([registry.kind, "option", "default", "accepted", "what it does"], rows)


def kinds_table(registry: Registry[Any]) -> str:
    """Return a row an entry of a registry, with the first line of what is said of it."""
    rows = [[f"`{name}`", (registry[name].__doc__ or "").partition("\n")[0]] for name in registry]
    return table([registry.kind, "what it is"], rows)


def systems_table() -> str:
    """Return a row a system, with the paper it was published in."""
    rows = []
    for name in systems:
        system = systems[name]
        first_line = (system.__doc__ or "").partition("\n")[0]
        rows.append([f"`{name}`", first_line, system.published or "ours"])
    return table([systems.kind, "what it is", "published in"], rows)


def network_system_table() -> str:
    """Return a row an option that all systems of networks have."""
    rows = []
    for name, info in flat_fields(NetworkSystem):
        if name.startswith("pretraining.training."):
            continue  # they are those of training
        words = accepted(name, info, _NAMES_OF_SYSTEMS)
        rows.append([f"`{name}`", default(info), words, info.description])
    return table(["option", "default", "accepted", "what it does"], rows)


def feature_system_table() -> str:
    """Return a row an option of each system of features; those that all share come first."""
    rows = [["all", *option_row(name, info)] for name, info in flat_fields(FeatureSystem)]
    for entry in systems:
        if issubclass(systems[entry], FeatureSystem):
            cells = [option_row(name, info) for name, info in flat_fields(systems[entry])]
            rows += [[f"`{entry}`", *row] for row in cells if ["all", *row] not in rows]
    return table([systems.kind, "option", "default", "accepted", "what it does"], rows)


def measurement_tables() -> str:
    """Return a section a group of measurements, with a row a measurement."""
    sections = []
    for group in MEASUREMENT_GROUPS.values():
        rows = [[f"`{stem}`", text] for stem, text in group.texts.items()]
        sections.append(
            f"### {group.name}\n\n{group.title}\n\n{table(['measurement', 'what it is'], rows)}"
        )
    return "\n\n".join(sections)


def network_table() -> str:
    """Return a row a network, with its sizes in 2-D."""
    rows = []
    for name in detectors:
        config = detectors.create(name)
        parameters = sum(tensor.numel() for tensor in config.build().parameters())
        sees = f"{config.receptive_field} px"
        rows.append([f"`{name}`", sees, config.stride, config.latent, f"{parameters:,}"])
    return table(["network", "sees", "a score every", "features", "weights (2-D)"], rows)


def key_table() -> str:
    """Return a row a key of the Picker."""
    rows = [[f"`{spelled(key.key)}`", key.title] for key in KEYS]
    return table(["key", "what it does"], rows)


def discovery_table() -> str:
    """Return a row an option of DiscoveryConfig, but for those of the Configs inside it."""
    rows = [
        option_row(name, info)
        for name, info in flat_fields(DiscoveryConfig)
        if not name.startswith(("classes.", "novelty."))
    ]
    return table(["option", "default", "accepted", "what it does"], rows)


def flag_table(command: str) -> str:
    """Return a row an argument and flag of a command."""
    rows = []
    for parameter in parameters_of(command):
        flags = " ".join(f"`{flag}`" for flag in (*parameter.opts, *parameter.secondary_opts))
        if not parameter.opts[0].startswith("-"):
            flags = f"`{parameter.name.upper()}`"
        rows.append([flags, _default_of_flag(parameter), parameter.help or ""])
    return table(["argument", "default", "what it is"], rows)


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each command that does something, by its words ("pick train")."""
    waiting = [("", typer.main.get_command(app))]
    for words, command in waiting:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield words, command
        else:
            waiting += [(f"{words} {name}".strip(), entry) for name, entry in inner.items()]


def parameters_of(words: str) -> Sequence[Any]:
    """Return the arguments and flags of a command, without ``--help``."""
    return [entry for entry in dict(commands())[words].params if entry.name != "help"]


def spelled(key: str) -> str:
    """Return a key of napari as it stands on the keyboard."""
    return key.replace("Control", "Ctrl").replace("-", "+")


def flat_fields(config: type[Config], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield the options of a Config and of those inside it, under dotted names."""
    for name, info in config.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Config):
            yield from flat_fields(kind, f"{prefix}{name}.")
        else:
            yield prefix + name, info


def accepted(name: str, info: FieldInfo, names: Mapping[str, Registry[Any]] = _NAMES) -> str:
    """Return which values an option takes, in words."""
    if name in names:
        return ", ".join(f"`{entry}`" for entry in names[name])
    parts: list[str] = []
    for kind in _alternatives(info.annotation):
        if get_origin(kind) is Literal:
            parts += [f"`{value}`" for value in get_args(kind)]
        elif kind is bool:
            parts += ["`true`", "`false`"]
        elif kind is type(None):
            parts.append("`none`")
        else:
            bare, bounds = _unwrapped(kind, info)
            if get_origin(bare) is tuple:
                parts.append(_of_several(get_args(bare)))
                continue
            parts.append(" ".join([_KINDS[get_origin(bare) or bare], bounds]).strip())
    return ", ".join(parts)


def default(info: FieldInfo) -> str:
    """Return the default of an option as it is typed."""
    if info.is_required():
        return "needed"
    return f"`{_text(info.get_default(call_default_factory=True))}`"


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _of_several(kinds: tuple[Any, ...]) -> str:
    """Return what a tuple of these kinds takes, in words."""
    if str in kinds:
        return "names"
    if int not in kinds:
        return "numbers"
    return f"{'two' if len(kinds) == 2 else 'three'} whole numbers"


def _unwrapped(kind: Any, info: FieldInfo) -> tuple[Any, str]:
    """Return a type without its annotations, and its bounds in words."""
    if get_origin(kind) is Annotated:
        bare, *entries = get_args(kind)
        return bare, _bounds(entries[0])
    return kind, _bounds(info)


def _bounds(info: FieldInfo) -> str:
    found = [
        f"{sign} {_text(value)}"
        for entry in info.metadata
        for bound, sign in _BOUNDS.items()
        if (value := getattr(entry, bound, None)) is not None
    ]
    return " and ".join(found)


def _default_of_flag(parameter: Any) -> str:
    if parameter.required:
        return "needed"
    value = parameter.default
    return "" if value is None or value is False else f"`{_text(value)}`"


TABLES: dict[str, Callable[[], str]] = {
    "picker options": picker_table,
    "live options": partial(config_table, LiveConfig),
    "networks": network_table,
    "network options": partial(registry_table, detectors),
    "objective options": partial(registry_table, objectives),
    "baseline options": partial(registry_table, baselines),
    "simulation options": partial(config_table, MicrographConfig),
    "crop options": partial(config_table, CropsConfig),
    "encoders": partial(kinds_table, encoders),
    "encoder options": partial(family_table, encoders, CropEncoderConfig),
    "map options": partial(family_table, projections, ProjectionConfig),
    "clusterings": partial(kinds_table, clusterings),
    "cluster options": partial(family_table, clusterings, ClustersConfig),
    "novelty options": partial(config_table, NoveltyConfig),
    "spread options": partial(config_table, SpreadConfig),
    "average options": partial(config_table, AverageConfig),
    "alignment options": partial(config_table, AlignConfig),
    "refinement options": partial(config_table, RefineConfig),
    "subtomogram class options": partial(config_table, ClassesConfig),
    "systems": systems_table,
    "network system options": network_system_table,
    "feature system options": feature_system_table,
    "classifiers": partial(kinds_table, classifiers),
    "classifier options": partial(family_table, classifiers, ClassifierConfig),
    "crop objectives": partial(kinds_table, crop_objectives),
    "crop objective options": partial(family_table, crop_objectives, CropObjectiveConfig),
    "discovery options": discovery_table,
    "subtomogram simulation options": partial(config_table, SubtomogramConfig),
    "tomogram simulation options": partial(config_table, TomogramConfig),
    "cell simulation options": partial(config_table, CellFieldsConfig),
    "cell options": partial(config_table, CellsConfig),
    "segmentation options": partial(config_table, SegmentConfig),
    "displacement options": partial(config_table, DisplacementConfig),
    "metric options": partial(config_table, MetricSpec),
    "keys": key_table,
    "measurements": measurement_tables,
    "measurement sets": partial(family_table, measurement_sets, MeasurementSetConfig),
    **{f"flags {words}": partial(flag_table, words) for words, _ in commands()},
}


def fill(text: str) -> str:
    """Return a page with its tables written anew."""
    for name in re.findall(r"<!-- end (.+?) -->", text):
        block = f"<!-- {name} -->\n\n{TABLES[name]()}\n\n<!-- end {name} -->"
        pattern = f"<!-- {re.escape(name)} -->.*?<!-- end {re.escape(name)} -->"
        text = re.sub(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
    return text


def main() -> None:
    """Write all pages that have tables."""
    for name in PAGES:
        page = DOCS / name
        page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

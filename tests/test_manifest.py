import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from npe2 import PluginManifest
from npe2.manifest import contributions as npe2_contributions
from pydantic import BaseModel

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "src" / "napari_cryoml" / "napari.yaml"


@pytest.fixture(scope="module")
def raw() -> dict:
    return yaml.safe_load(MANIFEST.read_text())


def _unknown(values: dict, model: type[BaseModel]) -> set[str]:
    known = set(model.model_fields) | {field.alias for field in model.model_fields.values()}
    return set(values) - known


def test_the_manifest_is_valid_and_named_like_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert PluginManifest.from_file(MANIFEST).name == project["name"]
    assert (ROOT / "napari.yaml").resolve() == MANIFEST.resolve()


def test_every_python_name_can_be_imported(raw: dict) -> None:
    commands = raw["contributions"]["commands"]
    assert commands
    for command in commands:
        module, name = command["python_name"].split(":")
        assert callable(getattr(import_module(module), name)), command


def test_there_are_no_unknown_keys(raw: dict) -> None:
    """npe2 ignores what it does not know: a misspelt contribution would silently be none."""
    assert not _unknown(raw, PluginManifest)
    models = {
        "commands": npe2_contributions.CommandContribution,
        "readers": npe2_contributions.ReaderContribution,
        "writers": npe2_contributions.WriterContribution,
        "widgets": npe2_contributions.WidgetContribution,
        "menus": None,
        "sample_data": npe2_contributions.SampleDataGenerator,
    }
    for kind, entries in raw["contributions"].items():
        assert kind in models, f"contributions: {kind} is not a kind of contribution"
        for entry in entries if models[kind] else []:
            assert not _unknown(entry, models[kind]), (kind, entry)


def test_every_command_is_contributed_and_every_contribution_is_a_command(raw: dict) -> None:
    contributions = raw["contributions"]
    ids = {command["id"] for command in contributions["commands"]}
    menus = [entry for entries in contributions["menus"].values() for entry in entries]
    used = {
        entry["command"]
        for kind in ("widgets", "readers", "writers", "sample_data")
        for entry in contributions[kind]
    }
    assert used == ids
    assert {entry["command"] for entry in menus} <= ids


def test_coordinate_formats_and_images_are_offered(raw: dict) -> None:
    from napari_cryoml.io import IMAGE_SUFFIXES

    patterns = set(raw["contributions"]["readers"][0]["filename_patterns"])
    assert {f"*{suffix}" for suffix in IMAGE_SUFFIXES} <= patterns
    assert {"*.star", "*.cs", "*.box", "*.cbox"} <= patterns

"""Recipes: what a dock or a command did, as one file that does it again."""

from napari_cryoml.recipes._lengths import parse_length
from napari_cryoml.recipes._picking import PICKING_COMMANDS, PickingRecipe, read_picking_recipe
from napari_cryoml.recipes._places import seen_from
from napari_cryoml.recipes._recipe import FORMAT, Plain, Recipe, Value
from napari_cryoml.recipes._settings import settings_of, with_settings

__all__ = [
    "FORMAT",
    "PICKING_COMMANDS",
    "PickingRecipe",
    "Plain",
    "Recipe",
    "Value",
    "parse_length",
    "read_picking_recipe",
    "seen_from",
    "settings_of",
    "with_settings",
]

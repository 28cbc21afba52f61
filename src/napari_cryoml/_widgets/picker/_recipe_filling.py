"""What a recipe says, put into the project and the forms of the dock."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import ValidationError

from napari_cryoml._errors import InputError
from napari_cryoml._registry import describe
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._live import LIVE_OPTIONS, PARTICLES
from napari_cryoml._widgets.picker._recipe_files import LoadedRecipe
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.data import Annotations
from napari_cryoml.picking import PickerConfig
from napari_cryoml.picking.live import LiveConfig, MarkedBox
from napari_cryoml.project import DIAMETER, OPTIONS, THRESHOLD
from napari_cryoml.recipes import PickingRecipe, parse_length, with_settings


def fill(desk: Desk, session: Session, loaded: LoadedRecipe) -> None:
    """Take over labels, diameter, options, threshold and model of a recipe.

    Raises
    ------
    InputError
        If something in it is not accepted; the labels and the diameter are then as before.
    """
    session.project.check_writable()
    recipe = loaded.recipe
    size = _sampling(session, recipe)
    config = _config(recipe, size, next(iter(session.entries.values())).ndim)
    box = _box(recipe, session)
    with session.project.transaction():
        _set_diameter(session, _diameter_px(loaded, config, size))
        for name, labels in loaded.labels.items():
            new = _new(session.project.annotations(name), labels)
            if len(new):
                session.project.annotate(name, add=new)
        if recipe.model is not None:
            summary = dict(loaded.header.get("summary", {}))
            session.project.add_model(recipe.model, summary)
    if recipe.command != "pick train":
        session.project.set_setting(THRESHOLD, recipe.threshold)
        session.set_live(recipe.command == "pick live")
    if isinstance(config, LiveConfig):
        particles = config.particles_per_image
        session.project.set_setting(PARTICLES, None if particles is None else round(particles))
        session.mark(box)
        desk.view.set_live_options(_shown(config))
        session.project.set_setting(LIVE_OPTIONS, desk.view.live_options())
        return
    is_training = recipe.command == "pick train"
    desk.view.set_options(_shown(config) if is_training else {"device": config.device})
    session.project.set_setting(OPTIONS, desk.view.options())
    if is_training:
        desk.view.set_goes_on(recipe.model is not None)


def _sampling(session: Session, recipe: PickingRecipe) -> float | None:
    """Return the angstrom per pixel that the shell reckons with."""
    return recipe.pixel_size or next(iter(session.entries.values())).pixel_size


def _config(recipe: PickingRecipe, size: float | None, ndim: int) -> LiveConfig | PickerConfig:
    given: dict[str, Any] = {"ndim": ndim, "diameter": 1.0}
    if recipe.diameter:
        given["diameter"] = parse_length(recipe.diameter, size, "The diameter of the recipe")
    try:
        if recipe.command == "pick live":
            config: LiveConfig | PickerConfig = LiveConfig(**given, pixel_size=size)
        else:
            config = PickerConfig(**given)
    except ValidationError as error:
        raise InputError(describe(error)) from error
    return with_settings(config, recipe.settings)


def _diameter_px(
    loaded: LoadedRecipe, config: LiveConfig | PickerConfig, size: float | None
) -> float | None:
    """Return the diameter in pixels of the first image; None where the recipe does not say."""
    if loaded.recipe.command == "pick run":
        about = loaded.header.get("config", {})
        diameter, own = about.get("diameter"), loaded.header.get("pixel_size")
        if not isinstance(diameter, int | float):
            return None
    else:
        diameter, own = config.diameter, getattr(config, "pixel_size", size)
    if not own or not size or own == size:
        return float(diameter)
    return float(diameter) * own / size


def _set_diameter(session: Session, diameter_px: float | None) -> None:
    if diameter_px is not None and diameter_px != session.diameter_px:
        session.project.set_setting(DIAMETER, diameter_px, undoable=True)


def _new(known: Annotations, labels: Annotations) -> Annotations:
    """Return the labels that are not there already."""
    there = {(*at, label) for at, label in _rows(known)}
    is_new = np.array([(*at, label) not in there for at, label in _rows(labels)], bool)
    return Annotations(labels.positions[is_new], labels.labels[is_new])


def _rows(labels: Annotations) -> list[tuple[list[float], int]]:
    places = np.round(labels.positions, 3).tolist()
    return list(zip(places, labels.labels.tolist(), strict=True))


def _box(recipe: PickingRecipe, session: Session) -> MarkedBox | None:
    """Return the box in which every particle is labelled."""
    if not recipe.marked_box:
        return None
    name, _, corners = recipe.marked_box.rpartition(":")
    try:
        numbers = [float(part) for part in corners.split(",")]
        half = len(numbers) // 2
        box = MarkedBox(image=name, low=tuple(numbers[:half]), high=tuple(numbers[half:]))
    except ValueError as error:
        raise InputError(
            f"The marked box of the recipe should be IMAGE:Y0,X0,Y1,X1; {recipe.marked_box!r} was "
            "found."
        ) from error
    if name not in session.entries:
        raise InputError(f"The marked box of the recipe lies in {name!r}, which is not there.")
    return box


def _shown(config: LiveConfig | PickerConfig) -> dict[str, Any]:
    """Return what the forms show."""
    return config.model_dump(mode="json", exclude={"marked"})

"""Recipes: what the dock does, as a file for the shell, and the other way round."""

from __future__ import annotations

from pathlib import Path

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.picker._desk import Desk
from napari_cryoml._widgets.picker._files import Files
from napari_cryoml._widgets.picker._live import Live
from napari_cryoml._widgets.picker._recipe_files import (
    LoadedRecipe,
    RecipeParts,
    load_recipe,
    write_recipe,
)
from napari_cryoml._widgets.picker._recipe_filling import fill
from napari_cryoml._widgets.picker._results import DEVICE, Results
from napari_cryoml._widgets.picker._session import Session
from napari_cryoml.project import THRESHOLD
from napari_cryoml.recipes import Value, settings_of

_NEXT = {
    "pick live": "“Pick all images” does what it does.",
    "pick run": "“Pick all images” does what it does.",
    "pick train": "“Train picker” [Q] does what it does.",
}


class Recipes:
    """Writes and opens recipes.

    Parameters
    ----------
    desk : Desk
    files : Files
    live : Live
    results : Results
    """

    def __init__(self, desk: Desk, files: Files, live: Live, results: Results) -> None:
        self._desk, self._files = desk, files
        self._live, self._results = live, results

    # Saving

    def save_picking(self) -> None:
        """Ask where to, and write what makes the picks on show."""
        with self._desk.telling():
            session = self._desk.need_session()
            live = session.is_live
            parts = self._live_parts(session) if live else self._model_parts(session)
            self._write(session, parts, "pick.yaml", _aged(session))

    def save_training(self) -> None:
        """Ask where to, and write what training would do now."""
        with self._desk.telling():
            session = self._desk.need_session()
            self._write(session, self._training_parts(session), "train.yaml", "")

    def _live_parts(self, session: Session) -> RecipeParts:
        if session.first_labelled is None:
            raise InputError("A recipe of live picking needs labels: click on a particle first.")
        config = self._live.config(session)
        settings = settings_of(config, leave_out=("diameter", "ndim", *_MARKED))
        options: dict[str, Value] = {"diameter": config.diameter, "set": [*settings]}
        options |= _threshold(session)
        box = config.marked
        if box is not None:
            corners = ",".join(repr(float(one)) for one in (*box.low, *box.high))
            options["marked-box"] = f"{box.image}:{corners}"
        labels = session.readable_labels()
        return RecipeParts("pick live", _images(session), options, ".star", labels)

    def _model_parts(self, session: Session) -> RecipeParts:
        current = session.project.current_model()
        if current is None:
            raise InputError("There is no model yet: pick live, or train a picker.")
        device = str(self._desk.view.options().get(DEVICE, "auto"))
        options: dict[str, Value] = {"threshold": session.threshold, "device": device}
        return RecipeParts("pick run", _images(session), options, ".star", model=current.id)

    def _training_parts(self, session: Session) -> RecipeParts:
        labels = session.readable_labels()
        if session.first_labelled is None or session.diameter_px <= 0:
            raise InputError("A recipe of training needs a diameter and labelled particles.")
        config = self._results.training_config()
        settings = settings_of(config, leave_out=("diameter", "ndim"))
        options: dict[str, Value] = {"diameter": config.diameter, "set": [*settings]}
        options |= {"live": True} if session.is_live else {}
        current = session.project.current_model() if self._desk.view.goes_on() else None
        start = None if current is None else current.id
        images = _images(session)
        return RecipeParts("pick train", images, options, ".safetensors", labels, start, "start")

    def _write(self, session: Session, parts: RecipeParts, name: str, remark: str) -> None:
        desk = self._desk
        path = desk.view.ask_recipe_path(session.folder, name)
        if path is None:
            return
        desk.note("Writing…")
        desk.background.run(
            write_recipe,
            session.project,
            parts,
            path,
            on_done=lambda files: desk.note(_told(files, remark)),
            on_error=lambda sentence: desk.note(sentence, error=True),
        )

    # Opening

    def open(self, path: Path) -> None:
        """Fill the dock from a recipe: images, labels, diameter and options."""
        desk = self._desk
        desk.note("Opening…")
        desk.background.run(
            load_recipe,
            Path(path),
            on_done=self._take,
            on_error=lambda sentence: desk.note(sentence, error=True),
        )

    def _take(self, loaded: LoadedRecipe) -> None:
        desk = self._desk
        self._files.take_opened(loaded.opened)
        session = desk.session
        names = {source.name for source in loaded.opened.sources}
        if session is None or not names <= set(session.entries):
            return  # it has been told why
        with desk.telling():
            fill(desk, session, loaded)
            words = f"{loaded.name} was opened. {_NEXT[loaded.recipe.command]}"
            desk.note(" ".join([words, *loaded.opened.remarks]))
        desk.show_diameter()
        desk.show_labels()
        desk.show_box()
        desk.layers.set_threshold(session.threshold)
        desk.show_picks()
        desk.show_scores()
        desk.refresh()
        self._results.pick_shown(again=loaded.recipe.command == "pick run")


_MARKED = ("marked", "marked.image", "marked.low", "marked.high")


def _images(session: Session) -> tuple[Path, ...]:
    """Return the files of the images in order, a stack once."""
    paths = [source.path for source in session.sources.values() if source.path is not None]
    return tuple(dict.fromkeys(paths))


def _threshold(session: Session) -> dict[str, float]:
    """Return the threshold that the user has chosen; without one, the shell proposes the same."""
    chosen = session.project.setting(THRESHOLD)
    return {"threshold": float(chosen)} if isinstance(chosen, int | float) else {}


def _aged(session: Session) -> str:
    stale = session.stale_images()
    if not stale:
        return ""
    return (
        f" {len(stale)} of the images have picks from before the last change: “Pick all images” "
        "brings them up to what the recipe gives."
    )


def _told(files: list[Path], remark: str) -> str:
    recipe, *others = files
    beside = f", with {' and '.join(one.name for one in others)} beside it" if others else ""
    return f"The recipe was written to {recipe}{beside}: napari-cryoml run {recipe.name}.{remark}"

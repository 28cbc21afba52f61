"""Which control and which key does what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_cryoml._widgets.picker._controller import PickerController
    from napari_cryoml._widgets.picker._questions import Questions


def key_actions(controller: PickerController) -> dict[str, Callable[[], object]]:
    """Return what to call for each `Key.action`."""
    labelling, results, questions = controller.labelling, controller.results, controller.questions
    return {
        "label": _answer(questions, "yes", labelling.start),
        "negative": _answer(questions, "no", labelling.negative),
        "undo": controller.undo,
        "redo": controller.redo,
        "next": _answer(questions, "skip", lambda: controller.step("next")),
        "previous": lambda: controller.step("previous"),
        "unlabelled": lambda: controller.step("unlabelled"),
        "draw": labelling.draw,
        "live": controller.switch_live,
        "ask": questions.ask,
        "certify": questions.certify,
        "train": controller.train,
        "heat_map": lambda: controller.desk.layers.toggle("scores"),
        "picks": lambda: controller.desk.layers.toggle("picks"),
        "fewer": lambda: results.step_threshold(1),
        "more": lambda: results.step_threshold(-1),
    }


def _answer(questions: Questions, answer: str, otherwise: Callable[[], None]) -> Callable[[], None]:
    """Return what a key does that answers a question where there is one."""

    def act() -> None:
        if not questions.answer(answer):
            otherwise()

    return act


def connect_view(controller: PickerController) -> None:
    """Connect every signal of the dock."""
    view = controller.view
    labelling, results, files = controller.labelling, controller.results, controller.files
    view.paths_opened.connect(files.open_paths)
    view.layers_requested.connect(files.open_layers)
    view.missing_folder_chosen.connect(files.find_missing)
    view.image_chosen.connect(controller.choose)
    view.step_requested.connect(controller.step)
    view.diameter_entered.connect(labelling.enter_diameter)
    view.draw_toggled.connect(labelling.draw)
    view.undo_requested.connect(controller.undo)
    view.redo_requested.connect(controller.redo)
    view.labels_import_requested.connect(labelling.import_file)
    view.live.toggled.connect(controller.switch_live)
    view.live_options_changed.connect(controller.live.keep_options)
    view.live.pinned.connect(controller.live.pin)
    view.live.box_toggled.connect(labelling.mark_box)
    view.live.ask_requested.connect(controller.questions.ask)
    view.question.answered.connect(controller.questions.answer)
    view.train_requested.connect(controller.train)
    view.cancel_requested.connect(results.cancel)
    view.use_model_requested.connect(controller.use_model)
    view.threshold_moved.connect(results.move_threshold)
    view.threshold_set.connect(results.set_threshold)
    view.pick_all_requested.connect(controller.pick_all)
    view.certify_requested.connect(controller.questions.certify)
    view.export_requested.connect(controller.export.run)
    view.picking_recipe_requested.connect(controller.recipes.save_picking)
    view.training_recipe_requested.connect(controller.recipes.save_training)
    view.recipe_opened.connect(controller.recipes.open)
    view.workers_entered.connect(controller.workers.enter)
    view.workers_look_requested.connect(controller.workers.look)
    view.opacity_changed.connect(controller.desk.layers.set_opacity)
    view.options_changed.connect(results.keep_options)

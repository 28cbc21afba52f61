"""The groups and tabs of the Classify dock, one by one."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QLineEdit
from tests._widgets.classify_parts import FIRST, NAMES, ROWS, heard, offers, report

from napari_cryoml._errors import InputError
from napari_cryoml._widgets.classes._class_gallery import ORDERS, ClassGallery, Show
from napari_cryoml._widgets.classes._class_group import ClassGroup
from napari_cryoml._widgets.classes._class_list import KEY, NAME, ClassRow
from napari_cryoml._widgets.classes._result_tab import ResultTab
from napari_cryoml._widgets.classes._system_form import SystemForm
from napari_cryoml._widgets.classes._train_tab import TrainTab, shown_as
from napari_cryoml._widgets.classify._average_tab import AverageTab
from napari_cryoml._widgets.classify._export_tab import ExportTab
from napari_cryoml._widgets.classify._look_tab import NO_ATTENTION, LookTab
from napari_cryoml._widgets.classify._source_group import NO_PICKS, SourceGroup
from napari_cryoml._widgets.frame import WheelGuard
from napari_cryoml.averaging import AverageConfig, RefineConfig
from napari_cryoml.classification import systems
from napari_cryoml.preprocess import CropsConfig


@pytest.fixture
def guard(qapp):
    return WheelGuard()


@pytest.fixture
def shown(qtbot):
    def show(widget, width=340, height=400):
        qtbot.addWidget(widget)
        widget.resize(width, height)
        widget.show()
        return widget

    return show


class TestSourceGroup:
    @pytest.fixture
    def source(self, shown, guard):
        return shown(SourceGroup(CropsConfig, guard))

    def test_the_defaults_are_those_of_the_config(self, source):
        assert source.crops_config() == CropsConfig()
        assert source.tilts == (-60, 60)

    def test_box_size_and_diameter_are_taken_over(self, source):
        source.box.setValue(48)
        source.size.setValue(32)
        config = source.crops_config(diameter=30.0)
        assert (config.box, config.size, config.diameter) == (48, 32, 30.0)

    def test_the_button_of_the_options_says_the_box_and_shows_the_rest(self, source):
        assert source.more.text() == "Box: auto"
        assert not source.form.isVisible()
        source.box.setValue(48)
        assert source.more.text() == "Box: 48 px"
        assert "tilts -60° to 60°" in source.more.toolTip()
        source.more.click()
        assert source.form.isVisible()

    def test_crops_of_micrographs_have_no_tilts(self, source):
        source.more.click()
        source.show_source("80 picks in 2 micrographs.", ndim=2)
        assert source.low.isHidden() or not source.low.isVisible()
        assert source.title() == "1  Crops"
        assert "tilts" not in source.more.toolTip()
        source.show_source("80 picks in 2 tomograms.", ndim=3)
        assert source.low.isVisible()
        assert source.title() == "1  Subtomograms"

    def test_it_says_what_there_is_or_what_to_do(self, source):
        source.show_source("213 picks in 3 tomograms.")
        assert source.cut.isEnabled()
        source.show_source("64 boxes of sim.mrcs.", can_cut=False)
        assert not source.cut.isEnabled()
        source.show_source("")
        assert source.text.text() == NO_PICKS

    def test_a_cut_can_be_stopped_and_says_what_came_of_it(self, source):
        said = heard(source.cut_requested)
        source.show_source("213 picks in 3 tomograms.")
        source.begin_job("Cutting…")
        assert "Stop" in source.cut.text()
        assert not source.open.isEnabled()
        source.cut.click()
        source.show_progress(3, 213, "3 of 213.")
        source.end_job("213 picks are cut.")
        assert source.text.text() == "213 picks are cut."
        assert "Cut" in source.cut.text()
        assert source.panel.isHidden()
        assert len(said) == 1

    def test_a_job_that_says_nothing_leaves_the_text(self, source):
        source.show_source("213 picks in 3 tomograms.")
        source.begin_job("Cutting…")
        source.end_job()
        assert source.text.text() == "213 picks in 3 tomograms."

    def test_kept_values_are_shown_without_a_signal(self, source):
        said = heard(source.changed)
        source.show_values(box=40, size=32, tilts=(-50, 55), options={"invert": True})
        assert not said
        assert source.more.text() == "Box: 40 px"
        assert source.crops_config() == CropsConfig(box=40, size=32, invert=True)
        assert source.tilts == (-50, 55)
        source.low.setValue(-40)
        source.form.set_values({"invert": False})
        assert len(said) == 2


class TestClassGroup:
    @pytest.fixture
    def group(self, shown):
        made = shown(ClassGroup())
        made.show_classes(ROWS, "proteasome", "26 of 213 crops have a class.")
        return made

    def test_a_line_a_class(self, group):
        model, display = group.list.model(), Qt.ItemDataRole.DisplayRole
        texts = [
            [model.data(model.index(row, column), display) for column in range(4)]
            for row in range(3)
        ]
        assert texts == [
            ["1", "ribosome", "5", "43"],
            ["2", "proteasome", "9", "47"],
            ["3", "junk", "12", "–"],
        ]
        colour = model.data(model.index(1, KEY), Qt.ItemDataRole.DecorationRole)
        assert colour.name().upper() == ROWS[1].colour
        assert group.current == "proteasome"

    def test_a_line_is_told_in_words(self):
        assert ROWS[0].tip().startswith("ribosome: 5 labelled, 43 predicted. Key 1 in the gallery.")
        assert ROWS[2].tip().startswith("junk: 12 labelled. Key 3")

    def test_choosing_a_class_tells_it_and_showing_one_does_not(self, group):
        said = heard(group.class_chosen)
        group.list.selectRow(2)
        group.show_classes(ROWS, "ribosome")
        assert said == ["junk"]
        assert group.current == "ribosome"

    def test_without_a_chosen_class_nothing_can_be_removed(self, group):
        group.show_classes(ROWS, "")
        assert group.current == ""
        assert not group.remove.isEnabled()
        group.show_classes(ROWS, "junk")
        said = heard(group.remove_requested)
        group.remove.click()
        assert said == ["junk"]

    def test_a_name_that_is_typed_in_is_told_and_not_shown_before_it_is_taken(self, qtbot, group):
        said = heard(group.renamed)
        group.edit_name("junk")
        editor = group.list.findChild(QLineEdit)
        assert editor.text() == "junk"
        editor.setText("  ice ")
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: bool(said))
        assert said == [("junk", "ice")]
        assert group.list.rows == list(ROWS)

    @pytest.mark.parametrize("text", ["", "   ", "junk"])
    def test_an_empty_name_and_the_same_one_are_left_alone(self, group, text):
        said = heard(group.renamed)
        model = group.list.model()
        model.setData(model.index(2, NAME), text)
        assert not said

    def test_only_names_can_be_edited(self, group):
        model = group.list.model()
        editable = [
            bool(model.flags(model.index(0, column)) & Qt.ItemFlag.ItemIsEditable)
            for column in range(4)
        ]
        assert editable == [False, True, False, False]

    def test_counts_that_change_keep_a_name_that_is_being_typed(self, group):
        group.edit_name("junk")
        group.list.findChild(QLineEdit).setText("i")
        group.show_classes([row._replace(labelled=row.labelled + 1) for row in ROWS], "junk")
        assert group.list.findChild(QLineEdit).text() == "i"

    def test_an_unknown_name_is_not_edited(self, group):
        group.edit_name("nothing")
        assert group.list.findChild(QLineEdit) is None

    def test_a_colour_is_asked_for_by_a_double_click_on_it(self, group, monkeypatch):
        said = heard(group.recoloured)
        monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#0072b2"))
        model = group.list.model()
        group.list.doubleClicked.emit(model.index(1, NAME))
        assert not said
        group.list.doubleClicked.emit(model.index(1, KEY))
        assert said == [("proteasome", "#0072B2")]
        monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor())
        group.list.doubleClicked.emit(model.index(1, KEY))
        assert len(said) == 1

    def test_buttons_tell_what_they_do(self, group):
        added, undone, redone = (
            heard(signal)
            for signal in (group.add_requested, group.undo_requested, group.redo_requested)
        )
        group.show_undo(True, True)
        for control in (group.add, group.undo, group.redo):
            control.click()
        assert [len(said) for said in (added, undone, redone)] == [1, 1, 1]

    def test_the_mode_that_labels_is_told_when_it_is_clicked_only(self, group):
        said = heard(group.label_mode_toggled)
        group.show_label_mode(True)
        assert group.label.isChecked()
        assert not said
        group.label.click()
        assert said == [False]

    def test_letters_are_left_to_the_dock(self, qtbot, group):
        group.list.setFocus()
        qtbot.keyClick(group.list, Qt.Key.Key_J)
        assert group.current == "proteasome"
        qtbot.keyClick(group.list, Qt.Key.Key_Down)
        assert group.current == "junk"

    def test_it_takes_no_more_height_than_it_needs(self, group):
        three = group.list.height()
        group.show_classes([ClassRow(str(i), "#000000") for i in range(40)], "0")
        assert three < group.list.height() < 160


class TestGallery:
    @pytest.fixture
    def gallery(self, shown, guard):
        return shown(ClassGallery(guard))

    def test_what_can_be_shown_is_offered_and_a_cell_is_added(self, gallery):
        shows = [Show(), Show("unlabelled"), Show("predicted", given="junk")]
        gallery.offer(shows, shows[1])
        assert gallery.shown == shows[1]
        assert gallery.show_box.count() == 3
        cell = Show("cell", given="junk", true="ribosome")
        gallery.offer(shows, cell)
        assert gallery.shown == cell
        assert gallery.show_box.currentText() == "ribosome given junk"

    def test_a_choice_is_told(self, gallery):
        said = heard(gallery.show_chosen)
        shows = [Show(), Show("unsure")]
        gallery.offer(shows, shows[0])
        gallery.show_box.setCurrentIndex(1)
        assert not said
        gallery.show_box.activated.emit(1)
        assert said == [Show("unsure")]

    def test_each_way_to_show_has_a_title_of_its_own(self):
        shows = [
            Show(kind, "given", "true")
            for kind in (
                "all",
                "unlabelled",
                "labelled",
                "unsure",
                "predicted",
                "of_class",
                "cell",
            )
        ]
        assert len({show.title for show in shows}) == len(shows)

    def test_orders_that_need_predictions_can_be_left_out(self, gallery):
        gallery.show_rows([3, 1], "file", 5, ("random", "file"))
        assert gallery.crops.order.count() == 2
        assert gallery.crops.count.text() == "2 / 5"
        gallery.show_rows([1, 3], "uncertain", 5)
        assert gallery.crops.order.count() == len(ORDERS)
        assert gallery.crops.order.currentText() == ORDERS["uncertain"]
        np.testing.assert_array_equal(gallery.crops.rows, [1, 3])


class TestSystemForm:
    @pytest.mark.parametrize("name", list(systems))
    def test_untouched_it_gives_the_system_as_it_is(self, qtbot, name):
        form = SystemForm(systems[name])
        qtbot.addWidget(form)
        assert form.config() == systems[name]()

    def test_what_is_changed_is_taken_over_and_nothing_else(self, qtbot):
        form = SystemForm(systems["contrastive"])
        qtbot.addWidget(form)
        form.set_values({"training": {"epochs": 3}, "nonsense": 1})
        usual = systems["contrastive"]()
        wanted = usual.model_copy(
            update={"training": usual.training.model_copy(update={"epochs": 3})}
        )
        assert form.config() == wanted
        assert form.values()["training"]["epochs"] == 3

    def test_what_is_not_accepted_is_told(self, qtbot):
        form = SystemForm(systems["contrastive"])
        qtbot.addWidget(form)
        form.set_values({"training": {"minutes": "soon"}})
        with pytest.raises(InputError, match="under Advanced"):
            form.config()


class TestTrainTab:
    @pytest.fixture
    def tab(self, shown, guard):
        made = shown(TrainTab(offers().systems, guard))
        made.show_can_train(True)
        return made

    def test_systems_are_offered_with_where_they_were_published(self, tab):
        assert tab.chosen == FIRST[0]
        tip = tab.system.itemData(2, Qt.ItemDataRole.ToolTipRole)
        assert "Gupta et al. 2022" in tip
        said = heard(tab.system_chosen)
        tab.system.setCurrentIndex(2)
        assert said == ["moco"]
        assert "Gupta" in tab.about.text()
        tab.system.setCurrentIndex(0)
        assert "Ours" in tab.about.text()

    def test_each_system_has_its_own_options(self, tab):
        assert tab.config() == systems["few_shot"]()
        tab.show_system("contrastive", {"contrastive": {"training": {"epochs": 2}}})
        assert tab.config().training.epochs == 2
        tab.show_system("few_shot")
        assert tab.config() == systems["few_shot"]()
        assert tab.values()["contrastive"]["training"]["epochs"] == 2

    def test_options_that_were_kept_stay_kept_until_they_are_looked_at(self, tab):
        kept = {"moco": {"training": {"epochs": 7}}, "long_gone": {"a": 1}}
        tab.show_system("few_shot", kept)
        assert tab.values()["moco"] == kept["moco"]
        assert "long_gone" not in tab.values()

    def test_systems_are_called_as_people_call_them(self, tab):
        assert tab.system.itemText(0) == "few-shot (at once)"
        assert shown_as("dsrf3d_v2") == "dsrf3d v2"

    def test_an_unknown_system_gives_the_first(self, tab):
        tab.show_system("long_gone")
        assert tab.chosen == FIRST[0]

    def test_only_the_form_of_the_system_is_shown_and_all_of_it(self, qtbot, tab):
        tab.advanced.expand(animate=False)
        few = tab.sizeHint().height()
        tab.show_system("contrastive")
        qtbot.waitUntil(lambda: tab.sizeHint().height() > few + 300)
        tab.show_system("few_shot")
        qtbot.waitUntil(lambda: tab.sizeHint().height() < few + 50)

    def test_a_changed_option_is_told(self, tab):
        said = heard(tab.changed)
        tab._form("few_shot").set_values({"degree": 4})
        assert said

    def test_the_main_button_starts_stops_and_cancels(self, tab):
        said = heard(tab.train_requested)
        for what, text in (("", "Train"), ("training", "Stop training"), ("stopping", "Cancel")):
            tab.show_running(what)
            assert tab.train.text() == f"{text} [Q]"
            tab.train.click()
        assert len(said) == 3
        assert not tab.system.isEnabled()

    def test_it_says_why_there_is_nothing_to_learn(self, tab):
        usual = tab.train.toolTip()
        tab.show_can_train(False, "Only one class has crops.")
        assert "Only one class" in tab.train.toolTip()
        assert not tab.train.isEnabled()
        tab.show_can_train(True)
        assert tab.train.toolTip() == usual

    def test_a_run_has_curves_and_an_outcome(self, tab):
        tab.begin_job("Training on 41 labels…")
        tab.show_progress(1, 60, "Epoch 1 of 60.")
        tab.show_step(1, 2.0)
        tab.show_step(2, 1.0, 0.8)
        assert tab.curve.isVisible()
        assert tab.curve.losses == [(1.0, 2.0), (2.0, 1.0)]
        assert tab.curve.validations == [(2.0, 0.8)]
        tab.end_job("Trained in 2 min.")
        assert tab.panel.text == "Trained in 2 min."
        tab.begin_job("Again.")
        assert tab.curve.losses == []

    def test_the_model_in_use_can_be_saved(self, tab):
        assert not tab.save.isEnabled()
        tab.show_model("Few-shot on 41 labels.")
        said = [heard(tab.save_requested), heard(tab.load_requested)]
        tab.save.click()
        tab.load.click()
        assert [len(one) for one in said] == [1, 1]
        assert tab.model.text() == "Few-shot on 41 labels."


class TestResultTab:
    @pytest.fixture
    def tab(self, shown, guard):
        return shown(ResultTab(guard))

    def test_choices_are_shown_without_a_signal_and_told_when_made(self, tab):
        tab.show_report(report(), "83 % were right.")
        said = [heard(tab.colour_by_chosen), heard(tab.threshold_changed)]
        tab.show_choices("confidence", 0.6)
        assert said == [[], []]
        assert tab.percent.text() == "60\N{NO-BREAK SPACE}%"
        tab.colour_by.setCurrentIndex(2)
        tab.threshold.setValue(75)
        assert said == [["nothing"], [0.75]]
        assert tab.percent.text() == "75\N{NO-BREAK SPACE}%"

    def test_a_classifier_without_held_out_crops_has_an_empty_matrix(self, tab):
        tab.show_report(None, "Too few labels to hold any out.")
        assert tab.matrix.isVisible()
        assert tab.matrix.classes == ()
        assert tab.threshold.isEnabled()

    def test_no_classifier_no_matrix(self, tab):
        tab.show_report(report(), "83 % were right.")
        assert tab.matrix.classes == NAMES
        tab.show_report(None, "")
        assert tab.matrix.isHidden()
        assert "No classifier yet" in tab.text.text()

    def test_counts_are_hidden_while_there_are_none(self, tab):
        assert tab.counts.isHidden()
        tab.show_counts("Sure from 60 %: 180 sure, 33 unsure.")
        assert tab.counts.isVisible()


class TestLookTab:
    @pytest.fixture
    def tab(self, shown, guard):
        return shown(LookTab(guard))

    @pytest.mark.parametrize("shape", [(8, 8, 8), (8, 8)])
    def test_a_crop_is_shown_first_and_then_what_is_looked_at(self, tab, shape):
        tab.show_crop(np.zeros(shape), "Pick 17 of a: junk, 93 %.")
        assert tab.crop.n_sections == (3 if len(shape) == 3 else 1)
        assert not tab.viewer.isEnabled()
        tab.show_attention(np.ones(shape), "Grad-CAM for junk.")
        assert tab.crop.has_overlay
        assert tab.viewer.isEnabled()
        tab.show_reconstruction(np.ones(shape), "As the decoder draws it.")
        assert tab.drawing.isVisible()
        tab.show_crop(np.zeros(shape), "Pick 18.")
        assert not tab.crop.has_overlay
        assert tab.drawing.isHidden()

    def test_a_system_that_cannot_say_gives_a_sentence(self, tab):
        tab.show_crop(np.zeros((8, 8)), "Pick 17.")
        tab.show_attention(None, NO_ATTENTION)
        assert tab.note.text() == NO_ATTENTION
        assert not tab.opacity.isEnabled()

    def test_the_class_that_is_asked_about(self, tab):
        said = heard(tab.class_chosen)
        tab.show_classes(NAMES, "junk")
        assert tab.of_class.currentData() == "junk"
        tab.of_class.setCurrentIndex(0)
        tab.of_class.activated.emit(0)
        assert said == [""]
        tab.show_classes(NAMES[:1], "junk")
        assert tab.of_class.currentData() == ""

    def test_opacity_and_the_layer_are_told(self, tab):
        opacities, toggled = heard(tab.opacity_changed), heard(tab.viewer_toggled)
        tab.opacity.setValue(80)
        tab.show_in_viewer(True)
        tab.viewer.setChecked(False)
        assert opacities == [0.8]
        assert toggled == [False]

    def test_without_a_crop_it_says_what_to_do(self, tab):
        tab.show_crop(np.zeros((8, 8)), "Pick 17.")
        tab.clear()
        assert "Click a crop" in tab.text.text()
        assert tab.crop.isHidden()


class TestAverageTab:
    @pytest.fixture
    def tab(self, shown, guard):
        made = shown(AverageTab(AverageConfig, RefineConfig, guard))
        made.show_classes({"ribosome": 43, "junk": 12}, "junk")
        return made

    def test_what_is_averaged_needs_a_class_or_not(self, tab):
        assert tab.chosen == ("predicted", "junk")
        assert tab.of_class.currentText() == "junk (12)"
        tab.of.setCurrentIndex(2)
        assert tab.chosen == ("gallery", "")
        assert tab.of_class.isHidden()

    def test_without_classes_there_is_none_to_choose(self, tab):
        tab.show_classes({}, "junk")
        assert tab.chosen == ("predicted", "")

    def test_options_are_those_for_so_many_dimensions(self, tab):
        assert tab.config(2) == AverageConfig()
        assert tab.config(3) == RefineConfig()

    def test_a_run_can_be_stopped(self, tab):
        said = heard(tab.average_requested)
        tab.begin_job("Averaging 12 crops…")
        assert "Stop" in tab.average.text()
        tab.show_progress(3, 10, "Round 3 of 10.")
        assert tab.job.text == "Round 3 of 10."
        tab.average.click()
        tab.end_job("Stopped after round 3.")
        assert tab.average.text() == "Average [K]"
        assert tab.job.text == "Stopped after round 3."
        assert len(said) == 1

    def test_saving_is_asked_for(self, tab):
        said = heard(tab.save_requested)
        tab.panel.save_requested.emit()
        assert len(said) == 1


class TestExportTab:
    def test_what_is_written_and_how(self, shown, guard):
        tab = shown(ExportTab(guard))
        assert tab.chosen == ("predicted", "one")
        tab.what.setCurrentIndex(1)
        tab.files.setCurrentIndex(1)
        assert tab.chosen == ("labelled", "each")

    def test_only_what_there_is_can_be_written(self, shown, guard):
        tab = shown(ExportTab(guard))
        said = [heard(tab.lists_requested), heard(tab.matrix_requested)]
        tab.lists.click()
        tab.matrix.click()
        assert said == [[], []]
        tab.show_ready("180 particles of 3 classes.", matrix=True)
        tab.lists.click()
        tab.matrix.click()
        assert [len(one) for one in said] == [1, 1]

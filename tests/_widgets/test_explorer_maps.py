"""Maps are made, streamed, stopped and kept."""

import numpy as np
import pytest
from tests._widgets.explorer_rows import N, layout, made_map, mask, note, show

from napari_cryoml.embedding import LayoutChanged


def asked(services):
    """Return the requests to the service of maps."""
    return [request for request, _ in services[0].asked]


def answer(qtbot, explorer, services, reply):
    services[0].reply(reply)
    qtbot.waitUntil(lambda: not services[0]._answers)


@pytest.fixture
def mapped(qtbot, explorer, services):
    """Return the Explorer with rows and two maps."""
    show(explorer)
    answer(qtbot, explorer, services, made_map())
    answer(qtbot, explorer, services, made_map())
    return explorer


def test_pca_is_there_first_and_the_chosen_map_follows(qtbot, explorer, services):
    state = show(explorer)
    assert asked(services)[0].config.name == "pca"
    answer(qtbot, explorer, services, made_map())
    assert state.method == "pca"
    assert asked(services)[1].config.name == "umap"
    answer(qtbot, explorer, services, made_map())
    assert state.method == "umap"
    assert not explorer.maps.running


def test_a_map_is_drawn_while_it_is_made(qtbot, explorer, services):
    state = show(explorer)
    places = 5 * layout()
    services[0].say(LayoutChanged(done=10, total=1000, message="Round 3.", layout=places))
    qtbot.waitUntil(lambda: state.method == "pca")
    assert np.array_equal(explorer.view.show_layout.call_args.args[0], places)
    explorer.view.show_progress.assert_called_with(10, 1000, "Round 3.")


def test_places_of_some_rows_leave_the_others_where_they_are(qtbot, explorer, services):
    state = show(explorer)
    explorer.maps._drawn = -np.inf
    services[0].say(LayoutChanged(done=1, total=9, layout=layout()[:3], rows=np.array([0, 1, 2])))
    qtbot.waitUntil(lambda: state.method == "pca")
    assert np.isfinite(state.layout).all(axis=1).sum() == 3
    explorer.maps._drawn = -np.inf
    services[0].say(LayoutChanged(done=2, total=9, layout=layout()[:1], rows=np.array([5])))
    qtbot.waitUntil(lambda: np.isfinite(state.layout).all(axis=1).sum() == 4)


def test_a_map_that_is_there_is_shown_without_being_made(mapped, services):
    n_asked = len(asked(services))
    mapped.choose_method("pca")
    assert mapped.desk.state.method == "pca"
    assert len(asked(services)) == n_asked


def test_a_map_that_is_not_there_is_made(mapped, services):
    mapped.choose_method("tsne")
    assert asked(services)[-1].config.name == "tsne"
    mapped.view.begin_job.assert_called_with("mapping", "Mapping by tsne.")


def test_notes_on_a_map_are_shown_with_it(qtbot, mapped, services):
    mapped.choose_method("tsne")
    sentence = "Perplexity was lowered to 3: there are 12 rows."
    how = "Seed 0 gives this map again."
    answer(qtbot, mapped, services, made_map(notes=[sentence], origin=how))
    mapped.view.show_notes.assert_called_with(f"{sentence} {how}")
    assert note(mapped.view) == (sentence, False)
    mapped.choose_method("pca")
    mapped.view.show_notes.assert_called_with("")


def test_the_same_map_is_made_again(mapped, services):
    mapped.maps.again()
    assert asked(services)[-1].config.name == "umap"


def test_two_maps_at_a_time_are_refused(mapped):
    mapped.maps.again()
    mapped.choose_method("tsne")
    assert note(mapped.view) == ("A map is being made: stop it first, or wait.", True)


def test_stopping_keeps_what_there_is(qtbot, mapped, services):
    mapped.maps.again()
    mapped.map_or_stop()
    assert services[0].stopped == [2]
    mapped.view.show_running.assert_called_with("stopping")
    answer(qtbot, mapped, services, made_map())
    assert not mapped.maps.running


def test_stopping_twice_gives_the_map_up_at_once(qtbot, mapped, services):
    before = mapped.desk.state.layout.copy()
    mapped.choose_method("tsne")
    mapped.map_or_stop()
    mapped.map_or_stop()
    assert services[0].state == "closed"
    assert not mapped.maps.running
    assert np.array_equal(mapped.desk.state.layout, before)
    mapped.choose_method("tsne")
    assert len(services[-1].asked) == 1


def test_a_map_that_fails_leaves_the_one_before(qtbot, mapped, services):
    before = mapped.desk.state.layout.copy()
    mapped.choose_method("tsne")
    services[0].say(LayoutChanged(done=1, total=9, layout=-layout()))
    services[0].reply(error="There is no memory left.")
    qtbot.waitUntil(lambda: not mapped.maps.running)
    assert note(mapped.view) == ("There is no memory left.", True)
    assert mapped.desk.state.method == "umap"
    assert np.array_equal(mapped.desk.state.layout, before)
    assert "tsne" not in mapped.desk.state.layouts


def test_a_map_that_was_stopped_before_it_began_leaves_the_one_before(qtbot, mapped, services):
    mapped.choose_method("tsne")
    mapped.maps.stop()
    services[0].reply(superseded=True)
    qtbot.waitUntil(lambda: not mapped.maps.running)
    assert mapped.desk.state.method == "umap"


def test_a_service_that_dies_is_said_and_the_next_map_is_made(qtbot, mapped, services):
    mapped.choose_method("tsne")
    services[0].state = "failed"
    services[0].reply(error="The background process ended.")
    qtbot.waitUntil(lambda: not mapped.maps.running)
    assert note(mapped.view) == ("The background process ended.", True)
    mapped.choose_method("tsne")
    assert services[-1].asked[-1][0].config.name == "tsne"


def test_who_looks_at_another_map_meanwhile_stays_there(qtbot, mapped, services):
    mapped.choose_method("tsne")
    services[0].say(LayoutChanged(done=1, total=9, layout=-layout()))
    qtbot.waitUntil(lambda: mapped.desk.state.method == "tsne")
    mapped.choose_method("pca")
    mapped.maps._drawn = -np.inf
    services[0].say(LayoutChanged(done=2, total=9, layout=-layout()))
    qtbot.waitUntil(lambda: not services[0]._answers)
    assert mapped.desk.state.method == "pca"
    answer(qtbot, mapped, services, made_map())
    assert mapped.desk.state.method == "pca"
    assert np.array_equal(mapped.desk.state.layouts["tsne"], layout())


class TestSelection:
    def test_selected_rows_get_a_map_of_their_own(self, qtbot, mapped, services):
        mapped.selecting.take(mask(1, 4, 5, 7), "replace")
        mapped.maps.selection()
        assert asked(services)[-1].rows.tolist() == [1, 4, 5, 7]
        answer(qtbot, mapped, services, made_map(4))
        state = mapped.desk.state
        assert state.method == "selection"
        assert np.flatnonzero(state.placed).tolist() == [1, 4, 5, 7]
        mapped.choose_method("umap")
        assert state.placed.all()

    def test_nothing_selected_is_said(self, mapped):
        mapped.maps.selection()
        sentence, is_error = note(mapped.view)
        assert is_error
        assert "Nothing is selected" in sentence

    def test_two_rows_are_too_few(self, mapped):
        mapped.selecting.take(mask(0, 1), "replace")
        mapped.maps.selection()
        assert note(mapped.view) == ("2 rows make no map: select three or more.", True)

    def test_its_options_may_be_changed_and_it_is_made_again(self, qtbot, mapped, services):
        mapped.selecting.take(mask(1, 4, 5, 7), "replace")
        mapped.maps.selection()
        answer(qtbot, mapped, services, made_map(4))
        mapped.maps.again()
        assert asked(services)[-1].rows.tolist() == [1, 4, 5, 7]


class TestOthers:
    def test_other_rows_end_the_service_and_what_comes_late_is_passed_by(
        self, qtbot, mapped, services
    ):
        mapped.maps.again()
        first = services[0]
        show(mapped)
        assert first.state == "closed"
        first.reply(made_map())
        qtbot.wait(40)
        assert mapped.desk.state.layouts == {}

    def test_rows_that_bring_a_map_show_it_at_once(self, explorer, services):
        table = {"UMAP0": np.arange(N, dtype=float), "UMAP1": np.zeros(N)}
        state = show(explorer, **table)
        assert state.method == "umap"
        assert not asked(services)

    def test_a_method_without_rows_says_nothing_and_does_nothing(self, explorer, services):
        explorer.choose_method("tsne")
        assert not services

    def test_an_option_that_is_not_accepted_is_said(self, mapped):
        from napari_cryoml._errors import InputError

        mapped.view.map_config.side_effect = InputError("perplexity: too large")
        mapped.maps.again()
        assert note(mapped.view) == ("perplexity: too large", True)
        assert not mapped.maps.running

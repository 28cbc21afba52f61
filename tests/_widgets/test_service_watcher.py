"""What a service answers reaches the GUI: signs of life by one signal, last words by another."""

from napari_cryoml._widgets.jobs import ServiceWatcher
from napari_cryoml.jobs import Answer, Event


def test_events_come_by_their_own_signal_and_stopping_is_passed_on(qtbot, services):
    watcher, progressed, answered = ServiceWatcher(), [], []
    watcher.progressed.connect(progressed.append)
    watcher.answered.connect(answered.append)
    service = services.start(None)
    stopped = []
    service.stop = stopped.append
    watcher.watch(service)
    ticket = watcher.ask("map")
    service.reply(event=Event(done=1, total=2))
    qtbot.waitUntil(lambda: len(progressed) == 1)
    assert (watcher.waiting, answered) == (True, [])
    watcher.stop(ticket)
    assert stopped == [ticket]
    service.reply("layout")
    qtbot.waitUntil(lambda: len(answered) == 1)
    assert answered == [Answer(ticket, "layout")]
    assert progressed == [Answer(ticket, event=Event(done=1, total=2))]
    assert not watcher.waiting


def test_without_a_service_there_is_nothing_to_stop(qtbot):
    watcher = ServiceWatcher()
    watcher.stop(0)
    assert not watcher.alive

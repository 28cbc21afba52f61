import pytest

from napari_cryoml.jobs import Command, Event, relay


def counting(total=3):
    """Count until told to stop; return how far that came."""
    for done in range(1, total + 1):
        if (yield Event(done=done, total=total)) is Command.STOP:
            return done
    return total


def doubled(event):
    return Event(done=2 * event.done, total=2 * event.total)


def ended(job, commands):
    """Return the events of a job that is sent these commands, and its result."""
    events = [next(job)]
    with pytest.raises(StopIteration) as end:
        for command in commands:
            events.append(job.send(command))
    return [(event.done, event.total) for event in events], end.value.value


def test_events_are_told_anew_and_the_result_comes():
    told, result = ended(relay(counting(), doubled), [None] * 3)
    assert told == [(2, 6), (4, 6), (6, 6)]
    assert result == (3, False)


def test_a_stop_goes_to_the_job_and_is_told():
    told, result = ended(relay(counting(), doubled), [None, Command.STOP])
    assert told == [(2, 6), (4, 6)]
    assert result == (2, True)


def test_a_job_without_events_has_a_result():
    job = relay(counting(0), doubled)
    with pytest.raises(StopIteration) as end:
        next(job)
    assert end.value.value == (0, False)

"""One scheduler with two workers serves all tests of this module."""

import time

import child_jobs
import child_work
import psutil
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import (
    ClusterConfig,
    DaskJob,
    DaskPool,
    connected,
    look_at_cluster,
    open_pool,
)

LONG = 60


@pytest.fixture(scope="module")
def client():
    with connected(ClusterConfig(workers=2)) as client:
        yield client


@pytest.fixture
def pool(client):
    return DaskPool(client)


@pytest.fixture
def cluster(client):
    """The same scheduler, by its address."""
    return ClusterConfig(scheduler=client.scheduler.address)


def until(condition):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_connection_says_what_there_is(cluster):
    about = look_at_cluster(cluster)
    assert (about.workers, about.threads, about.gpus) == (2, 2, 0)
    assert about.sentence() == f"2 workers, 2 at a time, at {cluster.scheduler}."


def test_workers_of_our_own_listen_on_the_loopback_alone(client):
    here = psutil.Process()
    processes = [here, *here.children(recursive=True)]
    listening = [
        connection.laddr
        for process in processes
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3  # a scheduler and two workers
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_outcomes_come_in_order_from_both_workers(pool):
    outcomes = list(pool.outcomes(child_work.square, range(100)))
    assert [outcome.value for outcome in outcomes] == [number**2 for number in range(100)]
    assert len({outcome.worker for outcome in outcomes}) == 2


def test_work_may_carry_something_along(pool):
    values = [outcome.value for outcome in pool.outcomes(child_work.Scale(3), [1, 2])]
    assert values == [3, 6]


def test_a_refused_item_is_listed_and_costs_no_other(pool):
    outcomes = list(pool.outcomes(child_work.square_but_three, range(5)))
    assert [outcome.value for outcome in outcomes] == [0, 1, 4, None, 16]
    assert outcomes[3].error == "Three cannot be squared: give another number."


def test_an_item_is_tried_three_times(pool, tmp_path):
    (outcome,) = pool.outcomes(child_work.third_time_lucky, [tmp_path / "tries"])
    assert outcome.value == 3


def test_fewer_attempts_are_enough_to_fail(client, tmp_path):
    pool = DaskPool(client, attempts=2)
    (outcome,) = pool.outcomes(child_work.third_time_lucky, [tmp_path / "tries"])
    assert outcome.error == "Something went wrong in our code: OSError: the disk hiccups."
    assert (tmp_path / "tries").read_text() == "xx"


def test_only_a_few_items_are_given_out_ahead(pool):
    taken = []

    class Items(list):
        def __getitem__(self, number):
            taken.append(number)
            return number

    outcomes = pool.outcomes(child_work.square, Items(range(1000)))
    next(outcomes)
    outcomes.close()
    assert len(taken) <= 17


def test_closing_gives_up_what_is_left(pool, client):
    outcomes = pool.outcomes(time.sleep, [0.01, *[2] * 30])
    next(outcomes)
    outcomes.close()
    start = time.monotonic()
    until(lambda: not any(client.processing().values()))
    assert time.monotonic() - start < 10  # 30 items of 2 s on two workers take 30 s


def test_work_that_cannot_be_sent_is_refused(pool):
    with pytest.raises(InputError, match="cannot be sent to another process"):
        next(pool.outcomes(lambda number: number, [1]))


def test_a_job_says_what_it_does_and_returns(cluster):
    with DaskJob.start(cluster, child_jobs.count, 5, pause=0.06) as job:
        assert job.wait(LONG) == "done"
        assert [event.done for event in job.poll()] == [1, 2, 3, 4, 5]
    assert job.result == 5
    assert job.error is None


def test_a_job_can_be_stopped_and_keeps_what_it_has(cluster):
    with DaskJob.start(cluster, child_jobs.count, 10_000, pause=0.02) as job:
        seen = []
        until(lambda: seen.extend(job.poll()) or seen)
        job.stop()
        assert job.wait(LONG) == "done"
        assert 0 < job.result < 10_000
        assert job.poll()[-1].message == "stopped"


def test_a_cancelled_job_has_no_result(cluster):
    job = DaskJob.start(cluster, child_jobs.count, 10_000, pause=0.02)
    until(job.poll)
    job.cancel()
    assert job.state == "cancelled"
    with pytest.raises(RuntimeError, match="cancelled"):
        _ = job.result
    until(lambda: job._gone.is_set())


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (child_jobs.refuse, "The image is upside down: turn it."),
        (child_jobs.stumble, "Something went wrong in our code: KeyError: 'missing'."),
    ],
)
def test_what_a_job_raises_is_one_sentence(cluster, function, sentence):
    with DaskJob.start(cluster, function) as job:
        assert job.wait(LONG) == "failed"
    assert job.error == sentence
    assert function.__name__ in job.traceback


def test_a_large_event_goes_without_what_it_carries(cluster):
    with DaskJob.start(cluster, child_jobs.send_arrays, [10, 300_000]) as job:
        assert job.wait(LONG) == "done"
    first, *_, last = job.poll()
    assert last.done == 2
    assert not hasattr(last, "values")
    assert first is last or len(first.values) == 10


def test_a_job_without_a_scheduler_fails_with_a_sentence():
    config = ClusterConfig(scheduler="tcp://127.0.0.1:9", wait=0.5)
    with DaskJob.start(config, child_jobs.count, 1) as job:
        assert job.wait(LONG) == "failed"
    assert "No Dask scheduler answered" in job.error


def test_a_lost_worker_costs_only_time(tmp_path):
    with open_pool(ClusterConfig(workers=2)) as pool:
        outcomes = list(pool.outcomes(child_work.kill_once, [tmp_path / str(n) for n in range(2)]))
    assert all(outcome.error is None for outcome in outcomes)


def test_work_whose_every_worker_dies_is_listed():
    with open_pool(ClusterConfig(workers=1)) as pool:
        dies, lives = pool.outcomes(child_work.die_at_zero, [0, 1])
    assert "workers that had it were lost" in dies.error
    assert lives.value == 1

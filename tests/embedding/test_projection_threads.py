"""How many threads are used, and what that does to the rest of the process."""

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from napari_cryoml.embedding._threads import n_threads, workers


def _blas():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize(("given", "wanted"), [("3", 3), ("4,2", 4), ("0", 1)])
def test_the_number_of_the_environment_counts(monkeypatch, given, wanted):
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert n_threads() == wanted


def test_cores_count_where_nothing_is_given(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert n_threads() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert n_threads() >= 1


def test_limits_come_back_when_the_last_has_left():
    with threadpool_limits(2, user_api="blas"):
        before = _blas()
        one, two = workers(), workers()
        one.__enter__()
        two.__enter__()
        assert set(_blas()) == {1}
        one.__exit__(None, None, None)
        assert set(_blas()) == {1}
        two.__exit__(None, None, None)
        assert _blas() == before

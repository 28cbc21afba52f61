import child_work
import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.jobs import ClusterConfig, InlinePool, Outcome, open_pool


def enter(config):
    with open_pool(config):
        pass


def test_without_workers_the_work_is_done_here():
    with open_pool() as pool, open_pool(ClusterConfig()) as other:
        assert isinstance(pool, InlinePool)
        assert isinstance(other, InlinePool)
        assert pool.where == "this process"


def test_outcomes_come_in_order_and_a_refusal_is_one():
    outcomes = list(InlinePool().outcomes(child_work.square_but_three, range(5)))
    assert [outcome.value for outcome in outcomes] == [0, 1, 4, None, 16]
    assert [outcome.number for outcome in outcomes] == [0, 1, 2, 3, 4]
    assert outcomes[3].error == "Three cannot be squared: give another number."
    assert outcomes[4] == Outcome(4, 16)


def test_nothing_is_done_before_it_is_asked_for():
    seen = []
    outcomes = InlinePool().outcomes(seen.append, range(5))
    next(outcomes)
    outcomes.close()
    assert seen == [0]


def test_a_fault_of_ours_is_no_outcome():
    with pytest.raises(ZeroDivisionError):
        list(InlinePool().outcomes(lambda number: 1 / number, [0]))


def test_an_empty_list_has_no_outcomes():
    assert list(InlinePool().outcomes(child_work.square, [])) == []


@pytest.mark.parametrize("options", [{"workers": 2}, {"scheduler": "tcp://node7:8786"}])
def test_workers_are_wanted_where_they_are_named(options):
    assert ClusterConfig(**options).is_wanted
    assert not ClusterConfig().is_wanted


def test_a_scheduler_that_is_not_there_is_one_sentence():
    config = ClusterConfig(scheduler="tcp://127.0.0.1:9", wait=0.5)
    with pytest.raises(InputError, match=r"No Dask scheduler answered at tcp://127.0.0.1:9"):
        enter(config)


def test_an_address_that_is_none_is_one_sentence():
    with pytest.raises(InputError, match="No Dask scheduler answered at nonsense://"):
        enter(ClusterConfig(scheduler="nonsense://here", wait=0.5))


def test_certificates_that_are_not_there_are_named(tmp_path):
    config = ClusterConfig(scheduler="tls://127.0.0.1:9", tls_ca=tmp_path / "ca.pem")
    with pytest.raises(InputError, match=r"ca.pem \(tls ca file\) is not there"):
        enter(config)

"""The example of docs/cluster.md makes the job script that the page promises."""

import re
from pathlib import Path

import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def script():
    import dask

    jobqueue = pytest.importorskip("dask_jobqueue")
    options = yaml.safe_load((DOCS / "examples" / "slurm.yaml").read_text())
    scheduler = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with (
        dask.config.set(dask.config.merge(dask.config.config, options)),
        jobqueue.SLURMCluster(scheduler_options=scheduler) as cluster,
    ):
        yield cluster.job_script()


def test_a_worker_does_one_thing_at_a_time_with_its_threads(script):
    assert "#SBATCH --cpus-per-task=4" in script
    assert "export OMP_NUM_THREADS=4" in script
    assert re.findall(r"--nthreads (\d+)", script)[-1] == "1"


def test_the_environment_is_entered_before_the_worker_starts(script):
    assert script.index("activate") < script.index("dask_worker")

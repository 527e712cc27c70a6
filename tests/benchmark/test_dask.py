"""Jobs on a local Dask cluster; a worker killed in the middle loses nothing."""

import os
import signal
import threading
import time

import pytest
from test_run import requests

from embersort.benchmark.dask_engine import dask_executor
from embersort.benchmark.run import run_requests
from embersort.errors import BadInput

distributed = pytest.importorskip("distributed")


def test_a_killed_worker_loses_nothing(home):
    todo, said = requests(home, "slow", "good"), []
    with dask_executor("local", n_jobs=2) as executor:
        pids = list(executor._client.run(os.getpid).values())

        def kill_one():
            time.sleep(1.5)
            os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        rows = run_requests(todo, home, executor=executor, say=said.append)
        killer.join()
    assert [row.outcome for row in rows] == ["ok"] * 4
    assert said[1].startswith("[1/4 done, 3 running or waiting, 0 failed")


def test_a_scheduler_that_is_not_there_is_named():
    with pytest.raises(BadInput, match="neither local nor slurm"), dask_executor("x", n_jobs=1):
        pass

"""Benchmark jobs on Dask distributed: a local cluster, Slurm, or a scheduler that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from embersort.errors import BadInput, MissingDependency

RETRIES = 2
"""A job whose worker died is started again; what it had finished is not done twice."""


@contextmanager
def dask_executor(kind: str, *, n_jobs: int) -> Iterator[Executor]:
    """Give an executor whose jobs run on Dask.

    Parameters
    ----------
    kind : str
        ``local``, ``slurm``, or the address of a scheduler (``tcp://HOST:PORT``).
    n_jobs : int
        Workers of a cluster that is started here, one job each at a time.

    Raises
    ------
    MissingDependency
        If Dask is not installed.
    BadInput
        If the scheduler cannot be reached or the kind is unknown.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise MissingDependency(
            "Dask is not installed; install it with 'pip install embersort[bench]'"
        ) from None
    cluster: Any
    if kind == "local":
        cluster = LocalCluster(n_workers=n_jobs, threads_per_worker=1, dashboard_address=None)
    elif kind == "slurm":
        cluster = _slurm_cluster(n_jobs)
    elif "://" in kind:
        cluster = kind
    else:
        raise BadInput(
            f"'{kind}' is neither local nor slurm nor an address such as tcp://HOST:PORT"
        )
    try:
        client = Client(cluster)
    except (OSError, ValueError) as error:
        raise BadInput(f"the Dask scheduler at {kind} cannot be reached: {error}") from None
    try:
        with client, client.get_executor(retries=RETRIES, pure=False) as executor:
            yield executor
    finally:
        if not isinstance(cluster, str):
            cluster.close()


def _slurm_cluster(n_jobs: int) -> Any:
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise MissingDependency(
            "running on Slurm needs dask-jobqueue; install it with 'pip install dask-jobqueue'"
        ) from None
    cluster = SLURMCluster()
    cluster.scale(jobs=n_jobs)
    return cluster

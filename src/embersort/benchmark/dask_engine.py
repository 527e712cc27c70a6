"""Benchmark jobs on Dask distributed: a local cluster, Slurm, or a scheduler that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from embersort.dask_cluster import dask_client

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
    with (
        dask_client(kind, n_workers=n_jobs) as client,
        client.get_executor(retries=RETRIES, pure=False) as executor,
    ):
        yield executor

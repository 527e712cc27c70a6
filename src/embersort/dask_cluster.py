"""A Dask cluster to compute on: one started here, Slurm's, or a scheduler that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from embersort.errors import BadInput, MissingDependency

CONNECT_TIMEOUT_S = 10
"""A scheduler that does not answer for this long is not there."""


@contextmanager
def dask_client(kind: str, *, n_workers: int) -> Iterator[Any]:
    """Give a client of a Dask cluster.

    Parameters
    ----------
    kind : str
        ``local``, ``slurm``, or the address of a scheduler (``tcp://HOST:PORT``).
    n_workers : int
        Workers of a cluster that is started here, of one thread each.

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
            "Dask is not installed; install it with 'pip install embersort[dask]'"
        ) from None
    cluster: Any
    if kind == "local":
        cluster = LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None)
    elif kind == "slurm":
        cluster = _slurm_cluster(n_workers)
    elif "://" in kind:
        cluster = kind
    else:
        raise BadInput(
            f"'{kind}' is neither local nor slurm nor an address such as tcp://HOST:PORT"
        )
    try:
        client = Client(cluster, timeout=CONNECT_TIMEOUT_S)
    except (OSError, ValueError) as error:
        raise BadInput(f"the Dask scheduler at {kind} cannot be reached: {error}") from None
    try:
        with client:
            yield client
    finally:
        if not isinstance(cluster, str):
            cluster.close()


def _slurm_cluster(n_workers: int) -> Any:
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise MissingDependency(
            "running on Slurm needs dask-jobqueue; install it with 'pip install dask-jobqueue'"
        ) from None
    cluster = SLURMCluster()
    cluster.scale(jobs=n_workers)
    return cluster

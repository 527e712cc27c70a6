"""Tiles computed by the workers of a Dask cluster, in place of threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pickle import PicklingError
from typing import Any

from threadpoolctl import threadpool_limits

from embersort.config import RunConfig
from embersort.dask_cluster import CONNECT_TIMEOUT_S, dask_client
from embersort.errors import BadInput
from embersort.signal.tiles import Result, Tile, cut_into_chunks, n_workers


class DaskTiles:
    """A `TileMapper` that hands chunks of tiles to the workers of a cluster.

    Parameters
    ----------
    client : distributed.Client

    Notes
    -----
    A function travels once per pass and worker; the recording in it must come from a path
    (`embersort.recording.ReopenedRecording`). Workers of another kind of processor than each other
    may round differently, and so may theirs and ours.
    """

    def __init__(self, client: Any = None) -> None:
        self._client = client

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel without the client: a worker computes tiles, it hands none on."""
        return DaskTiles, ()

    def __call__(
        self,
        function: Callable[[Tile], Result],
        tiles: list[Tile],
        config: RunConfig,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[Result]:
        """Apply a function to every tile on the cluster; yield results in tile order.

        Raises
        ------
        BadInput
            If the function holds what cannot be sent to another process, or workers die of it.

        Notes
        -----
        At most two chunks per thread of the cluster are under way, so memory here does not grow
        with the recording.
        """
        from distributed import KilledWorker

        packed = self._client.scatter(_packed(function), broadcast=True)
        at_once = 2 * max(1, sum(self._client.nthreads().values()))
        waiting: deque = deque()
        try:
            for chunk in cut_into_chunks(tiles, config):
                waiting.append(self._client.submit(_compute, packed, chunk, pure=False))
                if len(waiting) >= at_once:
                    yield from _finish(waiting, progress)
            while waiting:
                yield from _finish(waiting, progress)
        except KilledWorker as error:
            raise BadInput(
                f"Dask workers died, perhaps for want of memory; give them more ({error})"
            ) from None
        finally:
            self._client.cancel(list(waiting))


@contextmanager
def dask_tiles(kind: str, config: RunConfig) -> Iterator[DaskTiles]:
    """Give a `TileMapper` on a Dask cluster.

    Parameters
    ----------
    kind : str
        ``local``, ``slurm``, or the address of a scheduler (``tcp://HOST:PORT``).
    config : RunConfig
        ``n_workers`` is the number of workers of a cluster that is started here.

    Raises
    ------
    MissingDependency
        If Dask is not installed.
    BadInput
        If the scheduler cannot be reached or has no workers, or the kind is unknown.
    """
    with dask_client(kind, n_workers=n_workers(config)) as client:
        if "://" in kind:
            try:
                client.wait_for_workers(1, timeout=CONNECT_TIMEOUT_S)
            except TimeoutError:
                raise BadInput(
                    f"the Dask scheduler at {kind} has no workers; start some with "
                    f"'dask worker {kind}'"
                ) from None
        else:
            client.wait_for_workers(1)
        yield DaskTiles(client)


def _packed(function: Callable[[Tile], Any]) -> bytes:
    """Return a function, with all that it holds, as bytes."""
    import cloudpickle

    try:
        return cloudpickle.dumps(function)
    except (TypeError, PicklingError) as error:
        raise BadInput(
            f"this recording cannot be sent to Dask workers ({error}); open it from a path that "
            "they can read, or sort it without a scheduler"
        ) from None


@lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> Callable[[Tile], Any]:
    """Return the function of a pass: made once per worker, with the template banks it keeps."""
    import cloudpickle

    return cloudpickle.loads(packed)


def _compute(packed: bytes, chunk: list[Tile]) -> list[Any]:
    """Compute some tiles, on a worker."""
    # Left so for good: threads of one worker would restore the limit under each other's feet.
    threadpool_limits(limits=1)
    function = _unpacked(packed)
    return [function(tile) for tile in chunk]


def _finish(waiting: deque, progress: Callable[[int], None] | None) -> list[Any]:
    results = waiting.popleft().result()
    if progress is not None:
        progress(len(results))
    return results

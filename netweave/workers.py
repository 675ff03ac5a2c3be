"""Evaluations on Dask's workers: local processes, or those of a running scheduler.

What is in the store is not asked for again, and what a worker finished is put there as it comes. Results are given in
the order of the tasks, so that who was first changes nothing; a task whose worker was lost goes to another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from netweave.listener import Progress
from netweave.store import Store

LOST = 3
"""Workers that may be lost over a task before the task is blamed."""


class ClusterError(ValueError):
    """A scheduler that cannot be reached, or one that lost too many workers; the message names it."""


@dataclass(frozen=True)
class Task:
    """``evaluate(**arguments)`` gives a JSON value, the same for the same ``inputs``, which are JSON values too."""

    kind: str
    inputs: Mapping[str, object]
    evaluate: Callable[..., Any]
    arguments: Mapping[str, Any]


class Workers:
    """Those of a Dask ``client``; without one, this process itself."""

    def __init__(self, store: Store, client: Any = None) -> None:
        self.store, self._client = store, client

    def run(self, tasks: Sequence[Task], what: str, progress: Progress) -> list[Any]:
        """The tasks' results, in their order."""
        results: dict[int, Any] = {}
        for place, task in enumerate(tasks):
            kept = self.store.get(task.kind, task.inputs)
            if kept is not None:
                results[place] = kept
        left = [place for place in range(len(tasks)) if place not in results]
        progress(what, len(results), len(tasks))
        for place, result in self._evaluated({place: tasks[place] for place in left}):
            self.store.put(tasks[place].kind, tasks[place].inputs, result)
            results[place] = result
            progress(what, len(results), len(tasks))
        return [results[place] for place in range(len(tasks))]

    def _evaluated(self, tasks: Mapping[int, Task]) -> Iterator[tuple[int, Any]]:
        if self._client is None:
            for place, task in tasks.items():
                yield place, task.evaluate(**task.arguments)
            return
        from distributed import KilledWorker, as_completed

        # pure=False: the store, not Dask, knows what is the same
        places = {
            self._client.submit(task.evaluate, **task.arguments, pure=False): place for place, task in tasks.items()
        }
        try:
            for future in as_completed(places):
                yield places[future], future.result()
        except KilledWorker as error:
            raise ClusterError(f"{error}: workers were lost over it; is there enough memory?") from error
        finally:
            self._client.cancel(list(places))


@contextmanager
def workers(store: Store, cluster: str | None = None, count: int | None = None) -> Iterator[Workers]:
    """``cluster``: the address of a running scheduler; else ``count`` processes here, as many as there are processors
    where it is not said; one is this process itself.
    """
    count = count or os.cpu_count() or 1
    if cluster is None and count == 1:
        yield Workers(store)
        return
    from dask import config
    from distributed import Client, LocalCluster

    with config.set({"distributed.scheduler.allowed-failures": LOST}):
        if cluster is not None:
            try:
                client = Client(cluster, timeout="10s")
            except (OSError, ValueError, TimeoutError) as error:
                raise ClusterError(
                    f"cluster {cluster!r}: no Dask scheduler answers there ({error}); `dask scheduler` starts one, "
                    "whose address looks like tcp://host:8786"
                ) from error
            with client:
                yield Workers(store, client)
            return
        with (
            LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0") as local,
            Client(local) as client,
        ):
            yield Workers(store, client)

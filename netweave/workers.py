"""Evaluations on Dask's workers: local processes, or those of a running scheduler.

What is in the store is not asked for again, and what a worker finished is put there as it comes. Results are given in
the order of the tasks, so that who was first changes nothing; a task whose worker was lost goes to another.
"""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from logging import ERROR
from typing import Any

from netweave.errors import InternalError, is_user_error
from netweave.listener import Progress
from netweave.store import Store

TOPIC = "netweave"
"""Under which workers tell how they go on."""
LOST = 3
"""Workers that may be lost over a task before the task is blamed."""


class ClusterError(ValueError):
    """A scheduler that cannot be reached, or one that lost too many workers; the message names it."""


class EvaluationError(ValueError):
    """What stopped an evaluation on a worker; the message is that of the error there."""


_teller: ContextVar[Callable[[str], None] | None] = ContextVar("_teller", default=None)


def tell(text: str) -> None:
    """Say from within an evaluation how it goes on; shown to whoever waits for it, wherever the evaluation is made."""
    teller = _teller.get()
    if teller is not None:
        teller(text)


@dataclass(frozen=True)
class Task:
    """``evaluate(**arguments)`` gives a JSON value, the same for the same ``inputs``, which are JSON values too."""

    kind: str
    inputs: Mapping[str, object]
    evaluate: Callable[..., Any]
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Pool:
    """Where evaluations are made: by the workers of a running scheduler whose address is ``cluster``; else in ``count``
    processes here, as many as there are processors where it is not said; one is this process itself.
    """

    cluster: str | None = None
    count: int | None = None

    @contextmanager
    def open(self, store: Store) -> Iterator[Workers]:
        """Workers, which are started when there is something for them to do."""
        with ExitStack() as stack:
            yield Workers(store, lambda: self._client(stack))

    def _client(self, stack: ExitStack) -> Any:
        """A client of Dask's, closed with the stack; None for this process."""
        count = self.count or os.cpu_count() or 1
        if self.cluster is None and count == 1:
            return None
        from dask import config
        from distributed import Client, LocalCluster

        stack.enter_context(config.set({"distributed.scheduler.allowed-failures": LOST}))
        if self.cluster is None:
            # any port for the dashboard: its own may be taken
            local = LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0", silence_logs=ERROR)
            return stack.enter_context(Client(stack.enter_context(local)))
        try:
            return stack.enter_context(Client(self.cluster, timeout="10s"))
        except (OSError, ValueError, TimeoutError) as error:
            raise ClusterError(
                f"cluster {self.cluster!r}: no Dask scheduler answers there ({error}); `dask scheduler` starts one, "
                "whose address looks like tcp://host:8786"
            ) from error


class Workers:
    """Those whom ``start`` gives a client of; None is this process itself."""

    def __init__(self, store: Store, start: Callable[[], Any]) -> None:
        self.store, self._start = store, cache(start)

    def run(self, tasks: Sequence[Task], what: str, progress: Progress) -> list[Any]:
        """The tasks' results, in their order."""
        results: dict[int, Any] = {}
        for place, task in enumerate(tasks):
            stored = self.store.get(task.kind, task.inputs)
            if stored is not None:
                results[place] = stored
        pending = [place for place in range(len(tasks)) if place not in results]
        progress(what, len(results), len(tasks))

        def report(text: str) -> None:
            progress(f"{what} ({text})", len(results), len(tasks))

        for place, result in self._evaluated({place: tasks[place] for place in pending}, report):
            self.store.put(tasks[place].kind, tasks[place].inputs, result)
            results[place] = result
            progress(what, len(results), len(tasks))
        return [results[place] for place in range(len(tasks))]

    def _evaluated(self, tasks: Mapping[int, Task], report: Callable[[str], None]) -> Iterator[tuple[int, Any]]:
        client = self._start() if tasks else None
        if client is None:
            for place, task in tasks.items():
                with _telling(report):
                    result = task.evaluate(**task.arguments)
                yield place, result
            return
        from distributed import KilledWorker, as_completed

        client.subscribe_topic(TOPIC, lambda event: report(event[1]))
        # pure=False: the store, not Dask, knows what is the same
        places = {
            client.submit(_evaluate, task.evaluate, task.arguments, pure=False): place for place, task in tasks.items()
        }
        try:
            for future in as_completed(places):
                yield places[future], future.result()
        except KilledWorker as error:
            raise ClusterError(f"{error}: workers were lost over it; is there enough memory?") from error
        finally:
            client.unsubscribe_topic(TOPIC)
            client.cancel(list(places))


@contextmanager
def _telling(report: Callable[[str], None]) -> Iterator[None]:
    """``tell`` goes to ``report``, at most once a second: more nobody reads."""
    last = 0.0

    def seldom(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= 1:
            last = time.monotonic()
            report(text)

    token = _teller.set(seldom)
    try:
        yield
    finally:
        _teller.reset(token)


def _evaluate(evaluate: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Errors that cannot be sent as they are, as those cannot that take more than a message, are sent as messages."""
    from distributed import get_worker

    worker = get_worker()
    try:
        with _telling(lambda text: worker.log_event(TOPIC, text)):
            return evaluate(**arguments)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            if is_user_error(error):
                raise EvaluationError(str(error)) from None
            raise InternalError(f"{type(error).__name__}: {error}") from None
        raise

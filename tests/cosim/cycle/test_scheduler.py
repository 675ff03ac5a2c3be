"""All processes in turn: as Python runs them and as they are compiled, and none that is left awake."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.inputs.nets import random_mapping, residual_net
from benchmarks.inputs.sparse_nets import random_masks, random_sparse_net
from cosim.cycle import scheduler, simulator
from cosim.cycle.records import HeaderRecord
from cosim.cycle.simulator import Simulator, size_queues
from models.ir.graph import Graph
from tests.support.interpreted import interpreted


def net(rng: np.random.Generator, sparse: bool) -> tuple[Graph, np.ndarray]:
    """A residual network, and the active sites of two frames."""
    graph = random_sparse_net(rng, side=6) if sparse else residual_net(rng)
    side = graph.input.shape[:2]
    return graph, np.stack(random_masks(rng, side, 2) if sparse else [np.ones(side, dtype=bool)] * 2)


@pytest.mark.parametrize("sparse", [False, True])
def test_compiled_processes_do_what_python_does(sparse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All records are the same in the end; a compiled number that overflows, or a field at a wrong place, is seen."""
    graph, masks = net(np.random.default_rng(1), sparse)
    mapping = size_queues(graph, random_mapping(np.random.default_rng(2), graph), list(masks))
    rng = np.random.default_rng(3)
    own = Simulator(graph, mapping, source=rng.random(50) < 0.3, sink=rng.random(50) < 0.3)
    compiled, _, places = own._run_call(masks)
    expected = own.run(list(masks))
    monkeypatch.setattr(simulator, "run_processes", interpreted(scheduler._run))
    python, _, _ = own._run_call(masks)
    assert compiled.tolist() == python.tolist()
    assert own.run(list(masks)) == expected
    # the last sweep found nobody awake
    header = HeaderRecord(compiled, 0)
    awake = compiled[header.awake : header.awake + len(own._processes)]
    assert not awake.any()
    assert header.sweep > 1
    assert (header.frames, header.output) == (2, places.output)


def test_a_process_runs_when_it_was_woken_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process runs in the first sweep, later only where a beat came to it or left it."""
    graph, masks = net(np.random.default_rng(1), True)
    own = Simulator(graph, random_mapping(np.random.default_rng(2), graph))
    runs: list[tuple[int, int]] = []
    run = interpreted(scheduler._run)

    def watched(function: Any) -> Any:
        def call(m: np.ndarray, w: np.ndarray, p: int) -> None:
            runs.append((HeaderRecord(m, 0).sweep, int(p)))
            function(m, w, p)

        return call

    for name, function in list(run.__globals__.items()):
        if name.startswith("run_"):
            monkeypatch.setitem(run.__globals__, name, watched(function))
    monkeypatch.setattr(simulator, "run_processes", run)
    own._run_call(masks[:1])
    assert [p for sweep, p in runs if sweep == 1] == own._processes.tolist()
    # within a sweep no process runs twice, and they keep their order
    order = {p: number for number, p in enumerate(own._processes.tolist())}
    assert runs == sorted(runs, key=lambda entry: (entry[0], order[entry[1]]))
    assert len(runs) == len(set(runs))
    last = max(sweep for sweep, _ in runs)
    assert len(runs) < last * len(order)

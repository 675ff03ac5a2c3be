"""What a stage writes of a design and a later one reads again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from amaranth.hdl import Fragment

from benchmarks.inputs.nets import random_mapping, residual_net
from cosim.cycle.simulator import Simulator, size_queues
from hw.accelerator.composition import AcceleratorPlan, AcceleratorTop
from hw.arithmetic.output import CreditFifo
from hw.fpga.families.registry import DEVICES
from hw.streams.stream import Queue
from models.ir.graph import Graph
from netweave.designs import layers, queues
from reports.schema import LayerEntry


def network(rng: np.random.Generator, sparse: bool) -> Graph:
    graph = residual_net(rng)
    return graph.replace(nodes=(dataclasses.replace(graph.input, sparse=sparse), *graph.nodes[1:]))


def test_the_report_takes_the_layers_that_generate_writes() -> None:
    rng = np.random.default_rng(0)
    graph = residual_net(rng)
    for row in layers(graph, random_mapping(rng, graph), DEVICES["zu3eg"], None):
        entry: dict = {**row, "cycles": {}, "done": {}}
        assert LayerEntry(**entry).name == row["name"]


@pytest.mark.parametrize("sparse", [False, True])
def test_the_report_has_the_queues_that_the_accelerator_is_put_together_of(sparse: bool) -> None:
    rng = np.random.default_rng(1)
    graph = network(rng, sparse)
    mapping = size_queues(graph, random_mapping(rng, graph))
    found = []
    for path, part in parts(Fragment.get(AcceleratorTop(graph, mapping), None)):
        match part:
            case Queue() if path[-1].startswith("queue_"):
                producer, _, consumer = path[-1].removeprefix("queue_").rpartition("_")[0].partition("__")
                found.append((producer, consumer, len(part.i.payload.as_value()), part.depth))
            case CreditFifo():
                readers = [edge.consumer for edge in AcceleratorPlan(graph, mapping).consumers(path[-2])]
                found.append((path[-2], ", ".join(readers) or "output", len(part.payload.as_value()), part.depth))
    rows = [tuple(row.values())[:4] for row in queues(graph, mapping)]
    assert sorted(rows) == sorted(found)
    assert len(rows) == len(graph.nodes) - 1 + 2, "one an op but the input, and one on each way into the add"


def parts(fragment: object, path: tuple[str, ...] = ()):
    """Every component below a fragment, with the names on the way to it."""
    for inner, name, _ in fragment.subfragments:  # type: ignore[attr-defined]
        yield (*path, name), (inner.origins or (None,))[0]
        yield from parts(inner, (*path, name))


def test_a_queue_is_as_deep_as_the_report_says_it_has_to_be() -> None:
    rng, frames, reasons = np.random.default_rng(2), 4, set()
    for sparse in (False, True) * 4:
        graph = network(rng, sparse)
        mapping = size_queues(graph, random_mapping(rng, graph), frames)
        fastest = Simulator(graph, mapping).run(frames).output
        rows = {f"{row['producer']}->{row['consumer']}": row for row in queues(graph, mapping)}
        for edge, depth in mapping.queues.items():
            reasons.add(str(rows[edge]["why"]))
            if rows[edge]["why"] == "latency balance: with a beat less some frame takes longer":
                shallower = Simulator(graph, dataclasses.replace(mapping, queues={**mapping.queues, edge: depth - 1}))
                assert not shallower.keeps_pace(frames, fastest)
            else:
                assert rows[edge]["why"] == ("least without deadlock" if sparse else "least of a queue")
    assert len(reasons) == 3

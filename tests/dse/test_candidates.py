"""Depths of queues before an add, worked out by hand."""

from __future__ import annotations

import numpy as np

from benchmarks.inputs.nets import Builder
from dse.candidates import queue_beats
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType


def test_a_queue_holds_what_the_other_way_holds_more_and_two_beats() -> None:
    """Before the adds of a residual block on frames of 6 rows of 4, and of a strided one to 3 rows of 2."""
    net = Builder(np.random.default_rng(0), (6, 4, 4), IntType(8, signed=False))
    stem = net.conv(4, 3, "int8")
    net.conv(4, 3, "int8")
    first = net.add(net.conv(4, 1, "int8"), stem, "int8")
    main = net.conv(4, 3, "int8", stride=2)
    net.add(main, net.conv(4, 1, "int8", stride=2, after=first), "int8")
    graph = net.linear(3, "int8")
    # 3 x 3 holds three rows of 4; 1 x 1 holds none. Of six rows, 3 x 3 of stride 2 holds four and 1 x 1 of stride 2
    # two: two of six more, of 3 rows of 2
    tokens = {("conv1", "add4"): 12, ("conv3", "add4"): 0, ("conv6", "add7"): 2, ("conv5", "add7"): 0}
    for producer, consumer, _ in graph.edges:
        for lanes in (1, 4):
            layout = TokenLayout(graph.shapes[producer], graph[producer].dtype, lanes)
            ahead = tokens.get((producer, consumer)) if consumer in ("add4", "add7") else None
            beats = 0 if ahead is None else 2 + ahead * 4 // lanes
            assert queue_beats(graph, producer, consumer, layout) == beats

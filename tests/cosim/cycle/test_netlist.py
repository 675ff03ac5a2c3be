"""The records of an accelerator: who reads which stream, through which converters and queues, and its tables."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.nets import Builder
from cosim.cycle import process as kinds
from cosim.cycle.netlist import OFFERED_AHEAD, Netlist, _flows
from cosim.cycle.op_state import OpRecord
from cosim.cycle.process import ProcessRecord
from cosim.cycle.queues import QueueRecord
from cosim.cycle.streams import ReaderRecord, StreamRecord
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.mapping import Mapping, OpMapping
from hw.line_buffer.sequencer import Folds
from models.ir.formats.integer import IntType
from models.ir.graph import Graph

NEVER = np.zeros(0, np.int64)
QUEUES = {"conv1->add3": 5, "conv2->add3": 3}


@pytest.fixture(scope="module")
def plan() -> AcceleratorPlan:
    """A pointwise convolution of four channels whose output goes two ways into an add of two lanes."""
    net = Builder(np.random.default_rng(0), (4, 4, 2), IntType(8, signed=False))
    stem = net.conv(4, 1, "int4")
    net.add(net.conv(4, 3, "int4"), stem, "int4")
    graph = Graph("net", tuple(net.nodes), net.last)
    folds = {"input": OpMapping(), "conv1": OpMapping(pe=4, simd=2), "conv2": OpMapping(pe=1, simd=2, taps=1)}
    return AcceleratorPlan(graph, Mapping("zu3eg", 200.0, {**folds, "add3": OpMapping(2, 2)}, queues=QUEUES))


def test_streams_are_read_through_queues_and_converters(plan: AcceleratorPlan) -> None:
    netlist = Netlist(plan, NEVER, NEVER)
    records, readers = netlist.records, netlist.readers
    assert list(readers) == [
        "input", "conv1 copy 0", "conv1 copy 1", "queue conv1__add3_1", "conv2", "queue conv2__add3_0", "add3",
    ]  # fmt: skip
    assert netlist.edges == ["input__conv1_0", "conv1__conv2_0", "conv1__add3_1", "conv2__add3_0"]

    def reader(name: str) -> ReaderRecord:
        return ReaderRecord(records, readers[name])

    # beats of a token, parts of a beat, parts of a word
    shapes = {
        name: (reader(name).per_token, reader(name).parts_per_beat, reader(name).parts_per_word) for name in readers
    }
    assert shapes == {
        "input": (2, 1, 2),
        "conv1 copy 0": (1, 2, 1),
        "conv1 copy 1": (1, 1, 1),
        "queue conv1__add3_1": (1, 2, 1),
        "conv2": (4, 1, 1),
        "queue conv2__add3_0": (4, 1, 2),
        "add3": (2, 1, 1),
    }
    # the two copies lie one behind the other, on one stream
    assert reader("conv1 copy 1").at == reader("conv1 copy 0").at + ReaderRecord.size
    assert StreamRecord(records, reader("conv1 copy 0").stream).readers == 2
    assert {name: reader(name).consumer for name in ("input", "conv1 copy 0")} == {
        "input": netlist.ops["conv1"],
        "conv1 copy 0": netlist.ops["conv2"],
    }
    assert reader("conv1 copy 1").consumer == reader("conv1 copy 1").queue == netlist.queues["conv1->add3"]
    # what stands behind a queue knows the reader before it
    assert StreamRecord(records, reader("queue conv1__add3_1").stream).before == readers["conv1 copy 1"]


def test_processes_stand_in_the_order_of_the_graph_each_with_a_flag(plan: AcceleratorPlan) -> None:
    netlist = Netlist(plan, NEVER, NEVER)
    records = netlist.records
    assert [ProcessRecord(records, at).kind for at in netlist.processes] == [
        kinds.SOURCE, kinds.TOKENS, kinds.QUEUE, kinds.WINDOWS, kinds.QUEUE, kinds.ELEMENTWISE, kinds.SINK,
    ]  # fmt: skip
    owners = {ReaderRecord(records, at).owner: ReaderRecord(records, at).consumer for at in netlist.readers.values()}
    awake = records.header.awake
    assert owners == {awake + n: at for n, at in enumerate(netlist.processes) if n}
    producers = {
        name: StreamRecord(records, ReaderRecord(records, at).stream).producer - awake
        for name, at in netlist.readers.items()
    }
    assert list(producers.values()) == [0, 1, 1, 2, 3, 4, 5]


def test_rings_hold_what_an_output_queue_and_a_beat_in_work_need(plan: AcceleratorPlan) -> None:
    netlist = Netlist(plan, NEVER, NEVER, depths={"conv1->add3": 9})
    records = netlist.records
    for name, op in plan.ops.items():
        stream = StreamRecord(records, OpRecord(records, netlist.ops[name]).out)
        assert op.depth < stream.mask + 1 <= 2 * (op.depth + 1)
    source = StreamRecord(records, ReaderRecord(records, netlist.readers["input"]).stream)
    assert source.mask + 1 == OFFERED_AHEAD
    queue = QueueRecord(records, netlist.queues["conv1->add3"])
    assert (queue.depth, QueueRecord(records, netlist.queues["conv2->add3"]).depth) == (9, 3)
    assert StreamRecord(records, queue.sink).mask + 1 == 16


@pytest.mark.parametrize("whole_frame", [False, True])
def test_an_op_flows_where_a_round_finds_room_when_its_time_comes(whole_frame: bool) -> None:
    """Round by round: it needs the place of a beat that left the pipeline, and was taken at once, two cycles before."""
    for depth in range(1, 12):
        for pipeline in range(1, 9):
            for beats in (1, 2, 3):
                for steps in (1, 2, 4):
                    folds = Folds(3, steps, beats)
                    folds = dataclasses.replace(folds, whole_frame=True) if whole_frame else folds
                    flows = not whole_frame and depth >= beats and never_waits(depth, pipeline, beats, steps)
                    if depth >= beats:
                        assert bool(_flows(folds, depth, pipeline)) == flows, (depth, pipeline, beats, steps)


def never_waits(depth: int, pipeline: int, beats: int, steps: int) -> bool:
    """Whether rounds that follow each other as fast as they can never wait for room."""
    lasts: list[int] = []
    left: list[int] = []
    for number in range(40):
        first = lasts[-1] + 1 if lasts else 0
        needed = (number + 1) * beats - depth
        if needed > 0 and left[needed - 1] + 2 > first:
            return False
        lasts.append(first + max(steps, beats) - 1)
        left += [lasts[-1] + pipeline + beat for beat in range(beats)]
    return True

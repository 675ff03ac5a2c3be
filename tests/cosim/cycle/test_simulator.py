"""The cycle simulator against the RTL: not one cycle apart."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.nets import NETS, random_mapping, residual_net
from benchmarks.inputs.ops import empty_frame, random_frame
from cosim.cycle.simulator import DeadlockError, simulate, size_queues
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.mapping import Mapping, OpMapping
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from tests.hw.ops.cases import Case
from tests.hw.ops.test_cycles import DEEP, WIDE
from tests.support.streams import Run, run_op


def rtl(graph: Graph, accelerator: AcceleratorTop, frames: list[Frame]) -> tuple[Run, list[int], list[int]]:
    """(run, cycle of each frame's first beat in, cycle of each frame's last token out)."""
    beats = [accelerator.plan.input.beats(frame) for frame in frames]
    run = run_op(accelerator, [[beat for frame in beats for beat in frame]], len(frames))
    firsts = np.cumsum([0, *(len(frame) for frame in beats[:-1])])
    ends = [n for n, payload in enumerate(run.payloads) if payload & 1]
    starts = [0, *(end + 1 for end in ends)]
    last = [run.outputs[max(end - 1, start)][0] for start, end in zip(starts, ends, strict=False)]
    return run, [run.accepted[0][first] for first in firsts], last


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", NETS)
def test_equals_rtl(name: str, seed: int) -> None:
    rng = np.random.default_rng([seed, *name.encode()])
    formats = [("int8", "int4"), ("dybit4", "int8"), ("int4", "dybit8"), ("int4", "int4")][seed]
    graph = NETS[name](rng, *formats)
    mapping = random_mapping(rng, graph)
    if seed % 2:
        mapping = size_queues(graph, mapping)
    check_equals_rtl(rng, graph, mapping, [True, False, True, True, False, False, True])


@pytest.mark.few(1)
@pytest.mark.parametrize(("kind", "op"), DEEP)
def test_equals_rtl_with_output_queues_in_block_memory(kind: str, op: OpMapping) -> None:
    graph = Case(kind, (2, 2, WIDE), IntType(4), IntType(4), IntType(4), WIDE).graph()
    mapping = Mapping("zu3eg", 200.0, {"input": OpMapping(op.simd, op.simd), "op": op})
    check_equals_rtl(np.random.default_rng(0), graph, mapping, [True, True, False, True])


def check_equals_rtl(rng: np.random.Generator, graph: Graph, mapping: Mapping, full: list[bool]) -> None:
    """Latency and interval of every frame; ``full`` says which are, the others are empty."""
    frames = [random_frame(rng, graph) if whole else empty_frame(graph) for whole in full]
    run, firsts, last = rtl(graph, AcceleratorTop(graph, mapping), frames)
    simulated = simulate(graph, mapping, full)
    assert simulated.intervals == np.diff(run.end_cycles).tolist()
    assert simulated.latency == [b - a for a, b in zip(firsts, last, strict=True)]


def test_deadlock_is_found_and_names_what_waits() -> None:
    rng = np.random.default_rng(0)
    graph = residual_net(rng)
    mapping = dataclasses.replace(random_mapping(rng, graph), queues={"conv1->add4": 2, "conv3->add4": 2})
    with pytest.raises(DeadlockError, match=r"graph 'net' hangs.*conv1 copy 1"):
        simulate(graph, mapping)


def test_no_frames_is_an_error() -> None:
    graph = residual_net(np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least one frame"):
        simulate(graph, random_mapping(np.random.default_rng(0), graph), [])

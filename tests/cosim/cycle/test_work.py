"""What ops do in a run, by the cycle simulator, against what is seen in every cycle of the RTL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Cat, Elaboratable, Fragment, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from benchmarks.inputs.nets import NETS, random_mapping
from benchmarks.inputs.ops import empty_frame, random_frame
from benchmarks.inputs.sparse_nets import masked_frame, random_masks, random_sparse_net
from cosim.cycle.simulator import simulate, size_queues
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.mapping import Mapping
from hw.ops.concat import ConcatOp
from hw.ops.elementwise import ElementwiseOp
from hw.ops.global_pool import GlobalPoolOp
from models.ir.frame import Frame
from models.ir.graph import Graph
from tests.cosim.cycle.test_stalls import stalls
from tests.support.streams import run_op


def signals(fragment: Fragment, path: str = "") -> Iterator[tuple[str, Signal]]:
    """Every signal of an elaborated design, by the path that its Verilog has it under."""
    for statements in fragment.statements.values():
        for statement in statements:
            for signal in (*statement._lhs_signals(), *statement._rhs_signals()):
                yield path + signal.name, signal
    for part, name, _ in fragment.subfragments:
        yield from signals(part, f"{path}{name}.")


class Elaborated(Elaboratable):
    def __init__(self, fragment: Fragment) -> None:
        self.fragment = fragment

    def elaborate(self, platform: object) -> Fragment:
        return self.fragment


class Watched(wiring.Component):
    """An accelerator with ports that count, by op, the cycles in which it is busy and blocked."""

    i: Any
    o: Any

    def __init__(self, accelerator: AcceleratorTop) -> None:
        self.accelerator = accelerator
        plan = accelerator.plan
        counts = {f"{what}_{name}": Out(32) for name in plan.ops for what in ("busy", "blocked")}
        super().__init__({"i": In(plan.input_layout.signature), "o": Out(plan.output.signature), **counts})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        made = Fragment.get(self.accelerator, platform)
        m.submodules.accelerator = Elaborated(made)
        wiring.connect(m, wiring.flipped(self.i), self.accelerator.i)  # type: ignore[attr-defined]
        wiring.connect(m, self.accelerator.o, wiring.flipped(self.o))  # type: ignore[attr-defined]
        inside = dict(signals(made))
        for name, op in self.accelerator.plan.ops.items():
            if isinstance(op, ElementwiseOp | GlobalPoolOp):
                shown, taken = (
                    Cat(inside[f"{name}.{port}__{side}"] for port in op.input_names).all()
                    for side in ("valid", "ready")
                )
                busy, blocked = shown & taken, shown & ~taken
            elif isinstance(op, ConcatOp):
                shown, taken = (inside[f"{name}.{signal}"] for signal in ("shown", "taken"))
                busy, blocked = taken, shown & ~taken
            else:
                # a step that is held and not issued lets no other come
                busy, blocked = inside[f"{name}.sequencer.valid"], ~inside[f"{name}.sequencer.advance"]
            for what, high in (("busy", busy), ("blocked", blocked)):
                counter = getattr(self, f"{what}_{name}")
                m.d.sync += counter.eq(counter + high)
        return m


def check_work(graph: Graph, mapping: Mapping, frames: list[Frame], seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, sink = stalls(rng), stalls(rng)
    accelerator = AcceleratorTop(graph, mapping)
    run = run_op(
        Watched(accelerator),
        [[beat for frame in frames for beat in accelerator.plan.input_layout.beats(frame)]],
        len(frames),
        source_stall=lambda cycle: bool(source[cycle % len(source)]),
        sink_stall=lambda cycle: bool(sink[cycle % len(sink)]),
    )
    simulated = simulate(graph, mapping, [frame.mask for frame in frames], source=source, sink=sink)
    assert simulated.cycles == run.outputs[-1][0] + 1
    for name, work in simulated.ops.items():
        assert (work.busy, work.blocked) == (run.flags[f"busy_{name}"], run.flags[f"blocked_{name}"]), name
        assert sum(work) == simulated.cycles
        assert min(work) >= 0
    assert any(work.blocked for work in simulated.ops.values())


@pytest.mark.few(1)
@pytest.mark.parametrize("name", NETS)
def test_dense_networks(name: str) -> None:
    rng = np.random.default_rng([6, *name.encode()])
    graph = NETS[name](rng, "int4")
    frames = [random_frame(rng, graph), empty_frame(graph), random_frame(rng, graph)]
    check_work(graph, size_queues(graph, random_mapping(rng, graph)), frames, 0)


@pytest.mark.whole
@pytest.mark.parametrize("seed", range(3))
def test_sparse_networks(seed: int) -> None:
    rng = np.random.default_rng([7, seed])
    graph = random_sparse_net(rng, side=8)
    masks = random_masks(rng, graph.input.shape[:2], 5)
    mapping = size_queues(graph, random_mapping(rng, graph), masks[:1])
    check_work(graph, mapping, [masked_frame(rng, graph, mask) for mask in masks], seed)

"""What ops do in a run, by the cycle simulator, against what is seen in every cycle of the RTL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from benchmarks.inputs.nets import NETS, random_mapping
from benchmarks.inputs.ops import empty_frame, random_frame
from benchmarks.inputs.sparse_nets import masked_frame, random_masks, random_sparse_net
from cosim.cycle import simulate, size_queues
from hw.accelerator import Accelerator
from hw.mapping import Mapping
from hw.ops.elementwise import ElementwiseComponent
from hw.ops.global_pool import GlobalPoolComponent
from hw.ops.linear import LinearComponent
from hw.sequencer import Sequencer
from hw.window_op import WindowComponent
from models.ir.frame import Frame
from models.ir.graph import Graph
from tests.cosim.test_cycle_stalls import stalls
from tests.support.streams import run_op


class Watched(wiring.Component):
    """An accelerator with ports that count, by op, the cycles in which it is busy and blocked."""

    i: Any
    o: Any

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        plan = accelerator.plan
        counts = {f"{what}_{name}": Out(32) for name in plan.ops for what in ("busy", "blocked")}
        super().__init__({"i": In(plan.source.signature), "o": Out(plan.output.signature), **counts})

    def count(self, m: Module, name: str, busy: Any, blocked: Any) -> None:
        for what, high in (("busy", busy), ("blocked", blocked)):
            counter = getattr(self, f"{what}_{name}")
            m.d.sync += counter.eq(counter + high)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.accelerator = self.accelerator
        wiring.connect(m, wiring.flipped(self.i), self.accelerator.i)  # type: ignore[attr-defined]
        wiring.connect(m, self.accelerator.o, wiring.flipped(self.o))  # type: ignore[attr-defined]
        return m


def watched(monkeypatch: pytest.MonkeyPatch, accelerator: Accelerator) -> Watched:
    """Its ops' inputs and sequencers are looked at from within."""
    top, names = Watched(accelerator), {}

    def elaborate_op(original: Callable[..., Module]) -> Callable[..., Module]:
        def elaborate(self: Any, platform: object) -> Module:
            names["op"] = self.op.node.name
            m = original(self, platform)
            if isinstance(self, ElementwiseComponent | GlobalPoolComponent):
                ins = [getattr(self, name) for name in self.op.input_names]
                shown, taken = Cat(i.valid for i in ins).all(), Cat(i.ready for i in ins).all()
                top.count(m, names["op"], shown & taken, shown & ~taken)
            return m

        return elaborate

    def init(self: Sequencer, *args: Any) -> None:
        names[self] = names["op"]
        original_init(self, *args)

    def issue(self: Sequencer, m: Module, advance: Any, there: Any) -> None:
        original_issue(self, m, advance, there)
        # a step that is held and not issued lets no other come
        top.count(m, names[self], self.valid, ~advance)

    original_init, original_issue = Sequencer.__init__, Sequencer._issue
    monkeypatch.setattr(Sequencer, "__init__", init)
    monkeypatch.setattr(Sequencer, "_issue", issue)
    for component in (WindowComponent, LinearComponent, ElementwiseComponent, GlobalPoolComponent):
        monkeypatch.setattr(component, "elaborate", elaborate_op(component.elaborate))
    return top


def check_work(monkeypatch: pytest.MonkeyPatch, graph: Graph, mapping: Mapping, frames: list[Frame], seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, sink = stalls(rng), stalls(rng)
    accelerator = Accelerator(graph, mapping)
    run = run_op(
        watched(monkeypatch, accelerator),
        [[beat for frame in frames for beat in accelerator.plan.source.beats(frame)]],
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


@pytest.mark.parametrize("name", NETS)
def test_dense_networks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng([6, *name.encode()])
    graph = NETS[name](rng, "int4")
    frames = [random_frame(rng, graph), empty_frame(graph), random_frame(rng, graph)]
    check_work(monkeypatch, graph, size_queues(graph, random_mapping(rng, graph)), frames, 0)


@pytest.mark.parametrize("seed", range(3))
def test_sparse_networks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng([7, seed])
    graph = random_sparse_net(rng, side=8)
    masks = random_masks(rng, graph.input.shape[:2], 5)
    mapping = size_queues(graph, random_mapping(rng, graph), masks[:1])
    check_work(monkeypatch, graph, mapping, [masked_frame(rng, graph, mask) for mask in masks], seed)

# amaranth: UnusedElaboratable=no
"""Whole networks in RTL against golden, and the pace of composed ops."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from amaranth.back import rtlil

from benchmarks.inputs.nets import NETS, random_mapping
from benchmarks.inputs.ops import empty_frame, random_frame
from hw.accelerator.composition import AcceleratorPlan, AcceleratorTop
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping, OpMapping
from hw.ops.registry import inputs_of, mappings
from models.ir import golden
from models.ir.activity import activity
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.ops.add import Add
from models.ir.ops.input import Input
from tests.support.streams import Pace, Run, run_op

MIXTURES = [
    ("int8", None), ("int4", None), ("dybit8", None), ("dybit4", None),
    ("int8", "dybit4"), ("dybit8", "int4"), ("int4", "int8"), ("dybit4", "dybit8"),
]  # fmt: skip

STALLS = [
    {},
    {"source_stall": 0.4, "sink_stall": 0.3},
    {"source_stall": 0.1, "sink_stall": Pace.AFTER_VALID},
    {"sink_stall": lambda cycle: cycle % 400 < 300},
]


def quick_mapping(rng: np.random.Generator, graph: Graph, limit: int = 600) -> Mapping:
    """A random mapping in which no op takes more than ``limit`` cycles a frame."""
    mapping = random_mapping(rng, graph)
    figures = activity(graph, None)
    while slow := [
        op for op in AcceleratorPlan(graph, mapping).ops.values() if op.cycles(figures[op.node.name]) > limit
    ]:
        ops = dict(mapping.ops)
        for op in slow:
            legal = mappings(op.node, op.inputs, DEVICES["zu3eg"])
            ops[op.node.name] = legal[int(rng.integers(len(legal)))]
        mapping = replace(mapping, ops=ops)
    return mapping


def run(graph: Graph, mapping: Mapping, frames: list[Frame], **stalls: object) -> Run:
    """The accelerator over the frames; its outputs must be golden's."""
    accelerator = AcceleratorTop(graph, mapping)
    plan = accelerator.plan
    beats = [beat for frame in frames for beat in plan.input.beats(frame)]
    done = run_op(accelerator, [beats], len(frames), **stalls)  # type: ignore[arg-type]
    got = list(plan.output.frames(done.payloads))
    assert got == [golden.run(graph, frame)[graph.output] for frame in frames]
    return done


def some_frames(rng: np.random.Generator, graph: Graph, pattern: str) -> list[Frame]:
    """One frame a letter: f full, e empty."""
    return [random_frame(rng, graph) if letter == "f" else empty_frame(graph) for letter in pattern]


def mixtures(name: str) -> list[tuple[str, str | None]]:
    """Each format alone, and one or two mixtures, others for each network."""
    return [*MIXTURES[:4], *MIXTURES[4 + list(NETS).index(name) :: 3]]


@pytest.mark.few(1)
@pytest.mark.parametrize(("name", "mixture"), [(name, mixture) for name in NETS for mixture in mixtures(name)], ids=str)
def test_networks_equal_golden(name: str, mixture: tuple[str, str | None]) -> None:
    """Full and empty frames back to back, random foldings; stalls in turn."""
    seed = list(NETS).index(name) * len(MIXTURES) + MIXTURES.index(mixture)
    rng = np.random.default_rng(seed)
    graph = NETS[name](rng, *mixture)
    run(graph, quick_mapping(rng, graph), some_frames(rng, graph, "feeff"), seed=seed, **STALLS[seed % len(STALLS)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_more_networks_equal_golden(seed: int) -> None:
    rng = np.random.default_rng(seed + 100)
    graph = list(NETS.values())[seed % 3](rng, *MIXTURES[int(rng.integers(len(MIXTURES)))])
    pattern = "".join("fe"[int(n)] for n in rng.random(6) < 0.3)
    stalls = STALLS[int(rng.integers(len(STALLS)))]
    run(graph, quick_mapping(rng, graph, 1500), some_frames(rng, graph, pattern), seed=seed, **stalls)


@pytest.mark.few(1)
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("seed", range(2))
def test_networks_take_the_cycles_of_their_bottleneck(name: str, seed: int) -> None:
    """Frames back to back, without a drain: from end to end it takes what the slowest op or edge takes, exactly."""
    rng = np.random.default_rng(seed)
    graph = NETS[name](rng, "int4")
    mapping = quick_mapping(rng, graph, 250)
    # queues that hold more than a frame keep one op's bursts from another
    mapping = replace(mapping, queues={f"{a}->{b}": 400 for a, b, _ in graph.edges})
    plan, figures = AcceleratorPlan(graph, mapping), activity(graph, None)
    cycles = {name: op.cycles(figures[name]) for name, op in plan.ops.items()}
    for edge in plan.edges:
        shape, lanes = edge.layout.shape, min(edge.layout.lanes, *edge.lanes, edge.layout.lanes)
        cycles[edge.name] = shape.height * shape.width * shape.channels // lanes + 1
    done = run(graph, mapping, some_frames(rng, graph, "f" * 7))
    periods = [after - before for before, after in pairwise(done.end_cycles)]
    assert set(periods[-3:]) == {max(cycles.values())}, f"{cycles}, measured {periods}"


def test_queues_of_the_mapping_stand_on_their_edges() -> None:
    graph = NETS["residual"](np.random.default_rng(3))
    mapping = random_mapping(np.random.default_rng(3), graph)
    edges = AcceleratorPlan(graph, mapping).edges
    assert [edge.queue for edge in edges] == [256 if isinstance(graph[edge.consumer], Add) else 0 for edge in edges]


def test_lanes_are_converted_where_they_differ() -> None:
    rng = np.random.default_rng(4)
    graph = NETS["chain"](rng)
    ops: dict[str, OpMapping] = {}
    for node in graph.nodes:
        legal = [OpMapping(2)] if isinstance(node, Input) else mappings(node, inputs_of(graph, node), DEVICES["zu3eg"])
        # the widest output beside the narrowest input, in turn
        ops[node.name] = max(legal, key=lambda m: (m.pe, -m.simd) if len(ops) % 2 else (-m.pe, m.simd))
    mapping = Mapping("zu3eg", 100.0, ops)
    assert any(edge.lanes for edge in AcceleratorPlan(graph, mapping).edges)
    run(graph, mapping, some_frames(rng, graph, "fef"), source_stall=0.2, sink_stall=0.2)


@pytest.mark.whole
def test_probes_show_every_edge() -> None:
    graph = NETS["residual"](np.random.default_rng(5))
    mapping = quick_mapping(np.random.default_rng(5), graph)
    accelerator = AcceleratorTop(graph, mapping, probes=True)
    probes = {name for name in accelerator.signature.members if name.startswith("edge_")}
    fields = ("payload", "valid", "ready")
    assert probes == {f"edge_{a}__{b}_{i}__{field}" for a, b, i in graph.edges for field in fields}
    assert len(probes) == 3 * len(graph.edges)
    rtlil.convert(accelerator)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": None}, r"ops missing \['logits'\], ops of no node \[\]"),
        ({"extra": OpMapping()}, r"ops missing \[\], ops of no node \['extra'\]"),
        ({"conv1": OpMapping(3)}, r"op 'conv1', field 'pe': 3 does not divide 4 output channels; 1, 2, 4 do"),
        ({"conv1": OpMapping(4, 2, 4)}, r"op 'conv1', field 'taps': 4 must be one of \(1, 9\)"),
        ({"input": OpMapping(3)}, r"lanes must divide the 2 channels, not 3"),
    ],
)
def test_a_mapping_that_does_not_fit_the_graph_is_named(change: dict[str, OpMapping | None], message: str) -> None:
    rng = np.random.default_rng(6)
    graph = NETS["chain"](rng)
    mapping = random_mapping(rng, graph)
    ops = {name: op for name, op in {**mapping.ops, **change}.items() if op is not None}
    with pytest.raises(ValueError, match=message):
        AcceleratorTop(graph, replace(mapping, ops=ops))

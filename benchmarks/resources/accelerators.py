"""Six whole accelerators: the demo's network in two formats, and random ones, each with modest random foldings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.inputs.demo import demo
from benchmarks.inputs.nets import chain_net, residual_net, strided_net
from benchmarks.inputs.sparse_nets import random_masks, random_sparse_net
from benchmarks.resources.made import DEVICE, Syntheses
from dse.estimate import estimate
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.device import Device, Resources
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping, Memory, Multiplier, OpMapping
from hw.ops.registry import build, inputs_of, mappings
from models.ir.activity import with_activity
from models.ir.graph import Graph
from models.ir.ops.add import Add
from models.ir.ops.conv import Conv
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear

LANES = {Multiplier.LUT: 2, Multiplier.TABLE: 2, Multiplier.DSP: 8, Multiplier.PACKED: 8}
"""Products of an op at most: Yosys should take a minute or two for the whole."""
TABLE_BITS = 2_000
QUEUE = 32
"""Beats before an add."""


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def sparse() -> Graph:
    graph = random_sparse_net(rng(), side=24)
    return with_activity(graph, random_masks(rng(), graph.input.shape[:2], 2))


ACCELERATORS: dict[str, Callable[[], Graph]] = {
    "digits_dvs, int8": lambda: demo("int8"),
    "digits_dvs, dybit4": lambda: demo("dybit4"),
    "dense chain, int8 and int4": lambda: chain_net(rng(), "int8", "int4"),
    "dense residual, dybit8 and int4": lambda: residual_net(rng(), "dybit8", "int4"),
    "dense strided, dybit4": lambda: strided_net(rng(), "dybit4"),
    "random sparse, int4": sparse,
}


@dataclass(frozen=True)
class Compared:
    """``estimated`` and ``synthesized`` figures of an accelerator."""

    name: str
    estimated: Resources
    synthesized: Resources


def folding(graph: Graph, device: Device) -> Mapping:
    """Small random foldings; an op takes as many lanes as the one before gives where it can."""
    draw = rng()
    ops: dict[str, OpMapping] = {}
    lanes: dict[str, int] = {}
    for node in graph.nodes:
        if isinstance(node, Input):
            ops[node.name], lanes[node.name] = OpMapping(1), 1
            continue
        inputs = inputs_of(graph, node)
        choices = [
            m for m in mappings(node, inputs, device) if m.taps == 1 and _products(node, m) <= LANES[m.multiplier]
        ]
        choices = [m for m in choices if m.memory is Memory.BRAM or _weight_bits(node) <= TABLE_BITS] or choices
        choices = [m for m in choices if m.simd == lanes[node.inputs[0]]] or choices
        ops[node.name] = choices[int(draw.integers(len(choices)))]
        lanes[node.name] = build(node, inputs, ops[node.name]).out_lanes
    queues = {f"{a}->{b}": QUEUE for a, b, _ in graph.edges if isinstance(graph[b], Add)}
    return Mapping(device.name, device.clock_mhz, ops, queues)


def _products(node: object, m: OpMapping) -> int:
    return m.pe * (1 if getattr(node, "depthwise", True) else m.simd)


def _weight_bits(node: object) -> int:
    return node.weight.size * node.weight_dtype.width if isinstance(node, Conv | Linear) else 0


def compare(family: str) -> list[Compared]:
    device, kept = DEVICES[DEVICE[family]], Syntheses(family)
    found = []
    for name, make in ACCELERATORS.items():
        graph = make()
        mapping = folding(graph, device)
        estimated = Resources(**estimate(graph, mapping, device).resources)
        found.append(Compared(name, estimated, kept.made(AcceleratorTop(graph, mapping)).resources))
    return found

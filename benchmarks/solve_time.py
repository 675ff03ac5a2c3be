"""How long the integer program takes: MobileNetV2, a front of it, and networks of 10 to 200 layers.

MobileNetV2 at 224 x 224 has all its weights on a ZCU102, int8, with every folding, memory and multiplier there is. Its
front has a format of the weights for each layer, int8 or int4, activations int8; the error of int4 is a stand-in for a
measured one: the layer's squared error of rounding, as a share of the squares of all weights. The longer networks are
one inverted residual block after the other. CPU seconds of one thread, which other load changes little; the time that
passes is longer where cores are shared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from dse.candidates import Table
from dse.epsilon import trades
from dse.milp import Solution, solve
from dse.problem import Objective, Problem
from hw.device import DEVICES, Resources
from models.ir.dtype import IntType
from models.ir.graph import Conv, Graph, Linear
from reports.style import CHOSEN, STEPS, STYLE
from tests.support.nets import Builder

DEVICE = DEVICES["zcu102"]
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""MobileNetV2's expansion, channels, blocks and stride (arXiv 1801.04381)."""
SHARE, GRAINS = 0.8, 64
"""Of the device, for the front, and steps of the error from all layers in int4 to none."""
BLOCKS = (2, 5, 10, 20, 30, 49)
"""Of the longer networks: four layers each, and four more."""
GAP = 0.02
"""Asked for along the front."""
LATENCY_BLOCKS, LATENCY_GAP = 10, 0.05
"""Where latency is the objective: the longest network, and the gap asked for."""
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "solve_time.png"
Result = TypeVar("Result")


def mobilenet_v2(side: int = 224) -> Graph:
    net = Builder(np.random.default_rng(0), (side, side, 3), IntType(8))
    net.conv(32, 3, "int8", stride=2)
    channels = 32
    for expansion, out, blocks, stride in STAGES:
        for block in range(blocks):
            _inverted_residual(net, channels, out, expansion, 1 if block else stride)
            channels = out
    net.conv(1280, 1, "int8")
    net.global_pool("int8")
    return net.linear(1000, "int8")


def chain(blocks: int) -> Graph:
    """A stem, so many blocks of 16 channels at 32 x 32, pooling and a linear layer."""
    net = Builder(np.random.default_rng(0), (32, 32, 2), IntType(8))
    net.conv(16, 3, "int8")
    for _ in range(blocks):
        _inverted_residual(net, 16, 16, 3, 1)
    net.global_pool("int8")
    return net.linear(10, "int8")


def _inverted_residual(net: Builder, channels: int, out: int, expansion: int, stride: int) -> None:
    entering = net.last
    if expansion > 1:
        net.conv(expansion * channels, 1, "int8")
    net.conv(expansion * channels, 3, "int8", stride=stride, depthwise=True)
    leaving = net.conv(out, 1, "int8")
    if stride == 1 and channels == out:
        net.add(leaving, entering, "int8")


def of_int4_weights(graph: Graph) -> tuple[Graph, dict[str, float]]:
    """With weights rounded to 4 bits, and each layer's squared error as a share of the squares of all weights."""
    nodes, errors = [], {}
    for node in graph.nodes:
        if isinstance(node, Conv | Linear):
            rounded = np.clip(np.rint(node.weight / 16), -8, 7).astype(np.int64)
            errors[node.name] = float(((node.weight - 16.0 * rounded) ** 2).sum())
            node = replace(node, weight=rounded, weight_dtype=IntType(4))
        nodes.append(node)
    squares = sum(float((n.weight**2.0).sum()) for n in graph.nodes if isinstance(n, Conv | Linear))
    return graph.replace(nodes=tuple(nodes)), {name: error / squares for name, error in errors.items()}


def part(share: float) -> Resources:
    return Resources(*(int(share * getattr(DEVICE, kind)) for kind in Resources.names()))


def timed(work: Callable[[], Result]) -> tuple[Result, dict[str, float]]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    spent = {"CPU seconds": time.process_time() - cpu, "seconds": time.perf_counter() - wall}
    return result, {name: round(value, 2) for name, value in spent.items()}


def entry(found: Solution, spent: dict[str, float]) -> dict[str, Any]:
    report = found.report
    figures = {
        "status": report.status,
        "objective": report.objective,
        "bound": report.bound,
        "gap": round(report.gap, 5),
    }
    return {**figures, "utilisation": round(float(found.evaluation.utilisation), 4), **spent}


def _solved(problem: Problem, objective: Objective, gap: float = 0.0) -> dict[str, Any]:
    return entry(*timed(lambda: solve(problem, objective, gap=gap)))


def single() -> dict[str, Any]:
    table = Table({"int8": mobilenet_v2()}, DEVICE)
    candidates, spent = timed(lambda: table.candidates)
    own = [len(found) for name, found in candidates.items() if name in table.layers]
    figures: dict[str, Any] = {
        "label": "estimated",
        "ops": len(candidates),
        "candidates": sum(map(len, candidates.values())),
        "candidates an op, mean": round(sum(map(len, candidates.values())) / len(candidates)),
        "ops with 300 candidates or more": sum(count >= 300 for count in own),
        "table": spent,
    }
    for share in (1.0, 0.9, 0.8):
        figures[f"bottleneck, {share:.0%} of {DEVICE.name}"] = _solved(table.problem(part(share)), Objective.BOTTLENECK)
    return figures


def front() -> dict[str, Any]:
    graph = mobilenet_v2()
    coarse, errors = of_int4_weights(graph)
    errors_by_format = {name: {"int8": 0.0, "int4": error} for name, error in errors.items()}
    table = Table({"int8": graph, "int4": coarse}, DEVICE, errors_by_format)
    candidates, spent = timed(lambda: table.candidates)
    problem = table.problem(part(SHARE))
    grain = sum(round(error * 1e6) for error in errors.values()) // GRAINS
    found, taken = timed(lambda: trades(problem, Objective.BOTTLENECK, grain, GAP))
    return {
        "label": "estimated",
        "candidates": sum(map(len, candidates.values())),
        "table": spent,
        "points": len(found.points),
        **taken,
        "bottleneck and its bound, error, by point": [
            (point.report.objective, point.report.bound, point.evaluation.error) for point in found.points
        ],
    }


def growth() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for blocks in BLOCKS:
        graph = chain(blocks)
        problem = Table({"int8": graph}, DEVICE).problem(part(1.0))
        own: dict[str, Any] = {"label": "estimated", "candidates": sum(len(op.candidates) for op in problem.ops)}
        own["bottleneck, gap 0 asked"] = _solved(problem, Objective.BOTTLENECK)
        if blocks <= LATENCY_BLOCKS:
            own[f"latency, gap {LATENCY_GAP:g} asked"] = _solved(problem, Objective.LATENCY, LATENCY_GAP)
        figures[f"{len(graph.nodes)} ops"] = own
    return figures


def picture(figures: dict[str, Any]) -> Figure:
    """CPU seconds against ops."""
    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=(6.4, 3.2), layout="constrained")
        axes = drawn.add_subplot()
        for name, color in (("bottleneck, gap 0 asked", STEPS), (f"latency, gap {LATENCY_GAP:g} asked", CHOSEN)):
            taken = {int(ops.split()[0]): own[name]["CPU seconds"] for ops, own in figures.items() if name in own}
            axes.plot(list(taken), list(taken.values()), "o-", color=color, label=name)
        axes.set_yscale("log")
        axes.set_xlabel("ops, inverted residual blocks one after the other")
        axes.set_ylabel("CPU seconds")
        axes.set_title("time to solve the integer program (zcu102, estimated costs)")
        axes.grid(True)
        axes.legend(frameon=False)
    return drawn


def measure() -> dict[str, Any]:
    longer = growth()
    picture(longer).savefig(PICTURE)
    return {"MobileNetV2": single(), "front of MobileNetV2": front(), **longer}

"""``python -m netweave.compiled``: compile what Numba compiles, so that no later command waits for it.

The environment is made with it. Where the code has changed since, the next command that needs it compiles it again.
"""

from __future__ import annotations

import numpy as np

from cosim.cycle.simulator import simulate
from dse.anneal import MILD, anneal
from dse.candidates import Table
from dse.estimate import forecast
from dse.milp import solve
from dse.problem import Objective
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping, OpMapping
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.node import Shape
from models.ir.ops.conv import Conv
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.requant import Requant

DEVICE = "zu3eg"


def network() -> Graph:
    """A convolution and a linear layer, for which every compiled function runs."""
    byte = IntType(8)
    side, channels, classes = 4, 4, 2
    conv = Conv(
        name="conv", inputs=("input",), dtype=byte, kernel=3, padding=1, weight_dtype=byte,
        weight=np.ones((channels, 1, 3, 3), np.int64), requant=Requant.identity(channels, -128, 127),
    )  # fmt: skip
    linear = Linear(
        name="linear", inputs=("conv",), dtype=byte, weight_dtype=byte,
        weight=np.ones((classes, side, side, channels), np.int64), requant=Requant.identity(classes, -128, 127),
    )  # fmt: skip
    return Graph("compiled", (Input(name="input", shape=Shape(side, side, 1), dtype=byte), conv, linear), "linear")


def main() -> None:
    graph = network()
    mapping = Mapping(DEVICE, 200.0, {node.name: OpMapping() for node in graph.nodes})
    simulate(graph, mapping, 2)
    forecast(graph, mapping)
    device = DEVICES[DEVICE]
    problem = Table({"int8": graph}, device).problem(device.resources)
    solution = solve(problem, Objective.LATENCY)
    anneal(problem, solution.selection, MILD, 0)


if __name__ == "__main__":
    main()

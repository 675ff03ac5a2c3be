"""ResNet-20 in DyBit of 4 bits: explored for two devices, and a real image through the RTL of one of the designs.

It takes minutes; ``tests/cosim/rtl/test_resnet20.py`` does the same, and looks at every edge inside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.resnet20 import BASE, DATA, DEVICE, GAP, MODEL, SHARE
from cosim.cycle.simulator import simulate, size_queues
from cosim.rtl.design import cosim
from dse.candidates import Table
from dse.explore import ExploredDesign, SearchSettings, best
from dse.problem import Objective
from hw.fpga.families.registry import DEVICES
from hw.generate.emit import generate
from models import data
from models.ir.graph import Graph
from models.quant import quantize
from models.quant.formats import uniform
from models.quant.qat import plan_for
from models.zoo import load_model

WORK = Path("runs") / "resnet20_rtl"
RTL_FORMAT = "dybit4"
DEVICES_EXPLORED = ("zu3eg", "zcu102")


def quantized() -> Graph:
    """The published network, calibrated and not trained; in ``RTL_FORMAT`` but for the first and the last weights and
    for what goes into adds alone, as in the tables of accuracies."""
    images = data.load(DATA)
    plan = plan_for(load_model(MODEL), images, "resnet20")
    return quantize(plan, images, uniform(plan, RTL_FORMAT, RTL_FORMAT, BASE, BASE), epochs=0).export()


def designed(graph: Graph, device: str) -> ExploredDesign:
    """Its design of least latency in ``SHARE`` of a device."""
    return best(Table({RTL_FORMAT: graph}, DEVICES[device]), SearchSettings(Objective.LATENCY, limit=SHARE, gap=GAP))


def measure() -> dict[str, Any]:
    """Explored for both devices, and one test image through the RTL of the zu3eg's design."""
    graph = quantized()
    figures: dict[str, Any] = {}
    for device in DEVICES_EXPLORED:
        design = designed(graph, device)
        mapping = size_queues(graph, design.mapping, 2)
        figures[device] = {
            "cycles, estimated": round(design.solver.objective or 0),
            "cycles, simulated": simulate(graph, mapping).first_latency,
            "solver": design.solver.status,
            "gap": design.solver.gap,
        }
        if device == DEVICE:
            generate(graph, mapping, WORK / "design")
            run = cosim(WORK / "design", data.load(DATA).frames("test", 1), build_dir=WORK / "builds")
            figures[device] |= {"cycles, rtl": run.first_latency, "outputs equal golden's": run.equal}
    return figures

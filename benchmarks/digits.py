"""The dense example, digits: how long the integer program, the cycle simulator and the RTL take for it.

Rests on its run folder, which is made first where it is not there. The RTL's and the cycle simulator's
figures come from one run on the same frames, so that their ratio holds on a noisy machine.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from cosim.cycle.simulator import simulate
from cosim.rtl.design import cosim
from dse.candidates import Table
from dse.milp import solve
from dse.problem import Objective
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from hw.generate.emit import MAPPING_FILE
from models import data
from models.ir.serialize import load
from netweave import config as configuration
from netweave import flow

CONFIG = Path(__file__).resolve().parent.parent / "examples" / "digits.toml"
FRAMES = 100
"""Test images through the RTL."""
FEW = 1
"""The same under Icarus."""


def measure() -> dict[str, Any]:
    config = configuration.load(CONFIG)
    run = Path("runs") / config.name
    flow.run(config, run)
    figures: dict[str, Any] = {}
    for name in ("int8", "dybit4"):
        table = Table({name: load(run / "quantize" / name)}, DEVICES["zu3eg"])
        for objective in (Objective.BOTTLENECK, Objective.LATENCY):
            for gap in (0.0, 0.02):
                problem = table.problem(DEVICES["zu3eg"].resources)
                reports = [solve(problem, objective, gap=gap).report for _ in range(3)]
                label = f"integer program, {name} on zu3eg, {objective}, gap asked {gap:g}"
                figures[label] = {
                    "seconds": round(statistics.median(report.seconds for report in reports), 3),
                    "status": reports[0].status,
                    "objective": reports[0].objective,
                    "bound": reports[0].bound,
                    "candidates": sum(len(op.candidates) for op in problem.ops),
                }
    for target in config.device:
        device = target.target.name
        design = run / "generate" / device / "design"
        frames = data.load(config.data).frames("test", FRAMES)
        rtl = cosim(design, frames, build_dir=run / "simulators")
        few = cosim(design, frames[:FEW], simulator="icarus", build_dir=run / "simulators")
        graph, mapping = load(design), Mapping.load(design / MAPPING_FILE)
        begin = time.perf_counter()
        simulated = simulate(graph, mapping, FRAMES)
        seconds = time.perf_counter() - begin
        figures[f"{device}, {FRAMES} images"] = {
            "rtl": str(rtl.check),
            "rtl latency, cycles": rtl.first_latency,
            "simulated latency, cycles": simulated.first_latency,
            "rtl interval, cycles": rtl.interval,
            "simulated interval, cycles": simulated.interval,
            "verilator, cycles a second": round(rtl.cycles_per_second),
            "icarus, cycles a second": round(few.cycles_per_second),
            "cycle simulator, cycles a second": round(simulated.cycles / seconds),
        }
    return figures

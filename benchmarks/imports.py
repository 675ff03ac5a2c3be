"""Networks of other tools whole: what golden, the cycle simulator and the RTL make of their files.

Each file of ``FILES`` is imported, and golden's outputs are compared with the expected ones that came with it. For each
device the design with the fewest cycles a frame in ``SHARE`` of it is chosen; its cycles are ``simulated``, its
resources ``estimated``, its frames a second at a clock that no router confirmed. The design of ``RTL_DEVICE`` runs as
RTL on ``RTL_FRAMES`` of the inputs, and its outputs are compared with golden's.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inputs.data import DATA
from cosim.cycle.simulator import simulate, size_queues
from cosim.rtl.design import cosim
from dse.candidates import Table
from dse.estimate import estimate
from dse.explore import SearchSettings, best
from dse.problem import Infeasible, Objective
from hw.fpga.families.registry import DEVICES
from hw.generate.emit import generate
from models.frontend.imported import ImportedNetwork
from models.frontend.importers import import_file
from models.ir.frame import Frame
from models.ir.requant import Requant

WORK = Path("runs") / "imports"
FILES = ("tflite/ad01_int8.tflite", "tflite/resnet8_int8.tflite", "tflite/vww_96_int8.tflite", "onnx/tfc_w1a1.onnx")
DEVICES_EXPLORED = ("z7020", "ecp5-85k")
RTL_DEVICE = "z7020"
RTL_FRAMES = 4
SHARE, GAP = 0.8, 0.05
CLOCK_MHZ = 100.0


def measure() -> dict[str, Any]:
    """What each file is, and its designs; a file that has been measured is kept."""
    WORK.mkdir(parents=True, exist_ok=True)
    figures = {}
    for file in FILES:
        kept = WORK / f"{Path(file).stem}.json"
        if not kept.is_file():
            print(f"imports: {file}", file=sys.stderr, flush=True)
            kept.write_text(json.dumps(measured(DATA / file), indent=1) + "\n", encoding="utf-8")
        figures[Path(file).name] = json.loads(kept.read_text(encoding="utf-8"))
    return figures


def expected(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A file's inputs, and the outputs that came with them."""
    published = path.with_name(f"{path.stem}_golden.npz")
    if published.is_file():
        with np.load(published) as archive:
            return archive["input"], archive["output"]
    given, found = (np.load(path.with_name(f"{path.stem}_{name}.npy")) for name in ("input", "expected"))
    return given, found


def measured(path: Path) -> dict[str, Any]:
    """A file's figures."""
    begun = time.time()
    network = import_file(path)
    seconds = round(time.time() - begun, 1)
    graph = network.graph
    x, wanted = expected(path)
    found = network.run(x).reshape(len(x), -1)
    rules = [getattr(node, "requant", None) or getattr(node, "total", None) for node in graph.nodes]
    figures: dict[str, Any] = {
        "seconds to import": seconds,
        "nodes": len(graph.nodes),
        "of these with thresholds": sum(rule is not None and not isinstance(rule, Requant) for rule in rules),
        "inputs": len(x),
        "outputs": found.size,
        "outputs that differ": int((found != wanted.reshape(found.shape)).sum()),
        "notes": list(network.notes),
    }
    for name in DEVICES_EXPLORED:
        print(f"imports: {path.name} on {name}", file=sys.stderr, flush=True)
        figures[name] = designed(network, name, x[:RTL_FRAMES] if name == RTL_DEVICE else None, path.stem)
    return figures


def designed(network: ImportedNetwork, device: str, x: np.ndarray | None, name: str) -> dict[str, Any]:
    """The figures of a device's design.

    Parameters
        network    the network
        device     name of the device
        x          the file's inputs with which its RTL runs; None where it does not
        name       name of the folder for its Verilog
    """
    graph = network.graph
    search = SearchSettings(Objective.BOTTLENECK, limit=SHARE, gap=GAP)
    try:
        design = best(Table({"imported": graph}, DEVICES[device]), search)
    except Infeasible as error:
        return {"no design": str(error)}
    mapping = size_queues(graph, design.mapping, RTL_FRAMES)
    run = simulate(graph, mapping, RTL_FRAMES)
    figures: dict[str, Any] = {
        "cycles a frame, simulated": run.interval,
        "cycles of the first frame, simulated": run.first_latency,
        "frames a second at an assumed clock": round(CLOCK_MHZ * 1e6 / run.interval),
        "solver": design.solver.status,
        "resources, estimated": dict(estimate(graph, mapping, DEVICES[device]).resources.items()),
    }
    if x is not None:
        generate(graph, mapping, WORK / name / "design")
        frames = [Frame.from_dense(numbers) for numbers in network.inputs(x)]
        rtl = cosim(WORK / name / "design", frames, build_dir=WORK / name / "builds")
        figures |= {"cycles of the first frame, rtl": rtl.first_latency, "rtl equals golden": rtl.equal}
    return figures

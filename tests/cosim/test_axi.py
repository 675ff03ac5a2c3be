"""The generated AXI top, the Verilog of a design folder, among the masters of cocotbext-axi, under Icarus."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cocotb_tools.runner import get_runner

from hw.accelerator import Plan
from hw.emit import AXI_FILE, AXI_TOP, VERILOG_FILE, generate
from hw.interface.axi_layout import axi_input, axi_output
from hw.interface.rules import Fault
from hw.manifest import MANIFEST_FILE
from models.ir import golden
from models.ir.frame import Frame
from tests.hw.interface.model import packets, random_frame, random_traffic, verdict
from tests.hw.interface.test_axi import DESIGNS
from tests.support.nets import random_mapping


def build_case(name: str, folder: Path, frames: int) -> None:
    """The design, and ``case.json`` for what runs in the simulator."""
    make, frame_input = DESIGNS[name]
    rng = np.random.default_rng(11)
    graph = make(rng)
    mapping = replace(random_mapping(rng, graph), frame_input=frame_input)
    generate(graph, mapping, folder / "design")
    plan, whole = Plan(graph, mapping), not graph.input.sparse
    source, result = axi_input(plan), axi_output(plan)

    def answer(frame: Frame) -> Frame:
        return golden.run(graph, frame)[graph.output]

    drawn = [random_frame(rng, source, whole) for _ in range(frames)]
    parts = list(packets(random_traffic(rng, source, whole, drawn, 0.4)))
    told = [verdict(source, whole, part) for part in parts]
    faults = Counter(one for one in told if isinstance(one, Fault))
    given = [frame for frame in drawn if len(frame.sites) or not whole][:6]
    case = {
        "manifest": str(folder / "design" / MANIFEST_FILE),
        "packets": [[[beat.data, beat.keep] for beat in part] for part in parts],
        "told": [one.name if isinstance(one, Fault) else None for one in told],
        "faults": {fault.name.lower(): faults[fault] for fault in Fault},
        "answers": [
            [[beat.data, beat.keep] for beat in result.beats(answer(one))] for one in told if isinstance(one, Frame)
        ],
        "frames": [
            {
                "values": frame.to_dense().tolist(),
                "mask": frame.mask.tolist(),
                "answer": answer(frame).to_dense().tolist(),
                "answer_mask": answer(frame).mask.tolist(),
            }
            for frame in given
        ],
    }
    (folder / "case.json").write_text(json.dumps(case))


@pytest.mark.parametrize(
    "name",
    ["tokens to a vector", *(pytest.param(name, marks=pytest.mark.slow) for name in list(DESIGNS)[1:])],
)
def test_the_axi_top(name: str, tmp_path: Path, icarus: str) -> None:
    """Every test of ``cocotb_axi`` passes, and all of them ran."""
    build_case(name, tmp_path, frames=24)
    design = tmp_path / "design"
    runner = get_runner(icarus)
    runner.build(
        sources=[design / VERILOG_FILE, design / AXI_FILE],
        hdl_toplevel=AXI_TOP,
        build_dir=tmp_path / "build",
        timescale=("1ns", "1ps"),
        build_args=["-g2005"],
    )
    results = runner.test(
        test_module="tests.cosim.cocotb_axi",
        hdl_toplevel=AXI_TOP,
        hdl_toplevel_lang="verilog",
        build_dir=tmp_path / "build",
        test_dir=tmp_path,
        results_xml=str(tmp_path / "results.xml"),
        log_file=tmp_path / "log",
    )
    text = Path(results).read_text()
    assert (text.count("<testcase"), text.count("<failure"), text.count("<error")) == (13, 0, 0)

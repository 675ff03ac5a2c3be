"""The generated AXI top, the Verilog of a design folder, among the masters of cocotbext-axi, under Verilator."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cocotb_tools.runner import get_runner

from benchmarks.inputs.nets import random_mapping
from benchmarks.inputs.packets import packets, random_frame, random_traffic, verdict
from cosim.rtl.axi import run_axi
from cosim.rtl.simulator import TIMESCALE, SimulatorKind, environment, patched
from cosim.rtl.testbench_runner import SimulationTimeout, Stalls
from hw.accelerator.composition import AcceleratorPlan
from hw.generate.emit import AXI_FILE, AXI_TOP, VERILOG_FILE, generate
from hw.interface.axi_layout import Beat, axi_input, axi_output
from hw.interface.rules import Fault
from hw.streams.manifest import MANIFEST_FILE
from models.ir import golden
from models.ir.frame import Frame
from tests.hw.interface.test_axi import DESIGNS


class Case:
    """A design folder, traffic for it with bad frames, and what must become of that."""

    def __init__(self, name: str, folder: Path, frames: int, share: float = 0.4) -> None:
        make, frame_input = DESIGNS[name]
        rng = np.random.default_rng(11)
        self.graph, self.folder = make(rng), folder
        mapping = replace(random_mapping(rng, self.graph), frame_input=frame_input)
        generate(self.graph, mapping, folder)
        plan, self.whole = AcceleratorPlan(self.graph, mapping), not self.graph.input.sparse
        self.source, self.result = axi_input(plan), axi_output(plan)
        self.frames = [random_frame(rng, self.source, self.whole) for _ in range(frames)]
        self.traffic = random_traffic(rng, self.source, self.whole, self.frames, share)
        self.packets = list(packets(self.traffic))
        self.told = [verdict(self.source, self.whole, packet) for packet in self.packets]
        self.faults = Counter(one for one in self.told if isinstance(one, Fault))
        self.answers = [self.result.beats(self.answer(one)) for one in self.told if isinstance(one, Frame)]

    def answer(self, frame: Frame) -> Frame:
        return golden.run(self.graph, frame)[self.graph.output]

    def save(self, path: Path) -> None:
        """What ``cocotb_axi`` reads."""
        given = [frame for frame in self.frames if len(frame.sites) or not self.whole][:6]
        case = {
            "manifest": str(self.folder / MANIFEST_FILE),
            "packets": [[[beat.data, beat.keep] for beat in packet] for packet in self.packets],
            "told": [one.name if isinstance(one, Fault) else None for one in self.told],
            "faults": {fault.name.lower(): self.faults[fault] for fault in Fault},
            "answers": [[[beat.data, beat.keep] for beat in beats] for beats in self.answers],
            "frames": [
                {
                    "values": frame.to_dense().tolist(),
                    "mask": frame.mask.tolist(),
                    "answer": self.answer(frame).to_dense().tolist(),
                    "answer_mask": self.answer(frame).mask.tolist(),
                }
                for frame in given
            ],
        }
        path.write_text(json.dumps(case))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.whole if name == "tokens to a vector" else pytest.mark.slow)
        for name in DESIGNS
    ],
)
def test_the_axi_top(name: str, tmp_path: Path, verilator: str) -> None:
    """Every test of ``cocotb_axi`` passes, and all of them ran."""
    design = tmp_path / "design"
    Case(name, design, frames=24).save(tmp_path / "case.json")
    runner = get_runner(verilator)
    tools = environment(SimulatorKind(verilator), None)
    # compiling takes most of the time, whatever is played
    hasty = {"MAKEFLAGS": tools["MAKEFLAGS"].replace("-O2", "-O0").replace("-O1", "-O0")}
    with patched(tools | hasty):
        runner.build(
            sources=[design / VERILOG_FILE, design / AXI_FILE],
            hdl_toplevel=AXI_TOP,
            build_dir=tmp_path / "build",
            timescale=TIMESCALE,
            build_args=["-Wno-fatal"],
        )
        results = runner.test(
            test_module="tests.cosim.rtl.cocotb_axi",
            hdl_toplevel=AXI_TOP,
            hdl_toplevel_lang="verilog",
            build_dir=tmp_path / "build",
            test_dir=tmp_path,
            results_xml=str(tmp_path / "results.xml"),
            log_file=tmp_path / "log",
        )
    text = Path(results).read_text()
    assert (text.count("<testcase"), text.count("<failure"), text.count("<error")) == (13, 0, 0)


def check_raw_beats(case: Case, simulator: SimulatorKind, build_dir: Path) -> None:
    run = run_axi(case.folder, case.traffic, simulator=simulator, stalls=Stalls(0.2, 0.3), build_dir=build_dir)
    assert run.beats == [beat for beats in case.answers for beat in beats]
    assert len(run.in_cycles) == len(case.traffic)
    assert {fault: run.registers[f"error_{fault.name.lower()}"] for fault in Fault} == {
        fault: case.faults[fault] for fault in Fault
    }
    assert run.registers["frames_in"] == len(case.told)
    assert run.registers["frames_out"] == len(case.answers)


@pytest.mark.whole
def test_raw_beats_are_played_and_recorded(tmp_path: Path, build_dir: Path, verilator: str) -> None:
    case = Case("mask to tokens", tmp_path / "design", frames=60)
    check_raw_beats(case, SimulatorKind(verilator), build_dir)
    with pytest.raises(ValueError, match="beats: the last one must have `last`"):
        run_axi(case.folder, [Beat(0, 1, False)], build_dir=build_dir)
    with pytest.raises(SimulationTimeout, match=r"nothing moved for 3 cycles after \d+ of \d+ beats in"):
        run_axi(case.folder, case.traffic, simulator=SimulatorKind(verilator), build_dir=build_dir, quiet_limit=3)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.2, 0.7])
@pytest.mark.parametrize("name", DESIGNS)
def test_many_raw_beats(name: str, share: float, tmp_path: Path, build_dir: Path, verilator: str) -> None:
    case = Case(name, tmp_path / "design", frames=4000, share=share)
    check_raw_beats(case, SimulatorKind(verilator), build_dir)

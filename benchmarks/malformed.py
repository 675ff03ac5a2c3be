"""A million beats of malformed frames through the demo's accelerator behind AXI, good frames between them.

The RTL of ``netweave_axi`` under Verilator, with stalls on both sides. Nothing may hang, every bad frame must be
counted with its kind, and every good frame answered as golden says. What is right is told by
``benchmarks/inputs/packets.py``, the rules written again over whole packets. The design is that of the demo's run
folder, made first where it is not there.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inputs.packets import DAMAGES, damaged, packets, verdict
from benchmarks.inputs.sparse_nets import masked_frame, random_masks
from cosim.rtl.axi import run_axi
from cosim.rtl.design import default_build_dir
from cosim.rtl.testbench_runner import Stalls
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from hw.generate.emit import AXI_FILE, AXI_TOP, VERILOG_FILE, generate
from hw.interface.axi_layout import AxiLayout, Beat, axi_input, axi_output
from hw.interface.rules import Fault
from hw.tools.yosys import synthesize
from models.ir import golden
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.serialize import load
from netweave import config as configuration
from netweave import flow

CONFIG = Path(__file__).resolve().parent.parent / "examples" / "digits_dvs.toml"
KEPT = Path("runs") / "malformed"
MALFORMED = 1_000_000
FRAMES = 64
"""Different good frames."""
STALLS = Stalls(0.1, 0.2)


def design() -> tuple[Graph, Mapping, Path]:
    """The demo's network and mapping, and a design folder of them."""
    config = configuration.load(CONFIG)
    run = Path("runs") / config.name
    for stage in (flow.train, flow.quantize, flow.explore, flow.generate):
        stage(config, run)
    made = run / "generate" / config.device[0].target.name / "design"
    graph, mapping = load(made), Mapping.load(made / "mapping.json")
    shutil.rmtree(KEPT / "design", ignore_errors=True)
    generate(graph, mapping, KEPT / "design")
    return graph, mapping, KEPT / "design"


def packet(rng: np.random.Generator, layout: AxiLayout, frame: Frame) -> list[Beat]:
    """The beats of a frame that was damaged once or more."""
    beats = layout.beats(frame)
    for _ in range(1 + int(rng.integers(3))):
        if beats:
            beats = damaged(rng, layout, beats, str(rng.choice(DAMAGES)), int(rng.integers(len(beats))))
    return beats


Told = tuple[list[Beat], Frame | Fault]
"""A packet, and its frame or what is wrong with it."""


def traffic(
    rng: np.random.Generator, layout: AxiLayout, whole: bool, frames: list[Frame], malformed: int
) -> list[Told]:
    """Damaged frames and, about one in four, good ones, until the packets of bad frames have ``malformed`` beats."""
    told: list[Told] = []
    count = 0
    while count < malformed:
        beats: list[Beat] = []
        for _ in range(FRAMES):
            frame = frames[int(rng.integers(len(frames)))]
            beats += packet(rng, layout, frame) if rng.integers(4) else layout.beats(frame)
        # what is damaged may run into the next frame, but not out of the lot
        beats.append(Beat(0, 0, True))
        lot = [(part, verdict(layout, whole, part)) for part in packets(beats)]
        count += sum(len(part) for part, one in lot if isinstance(one, Fault))
        told += lot
    return told


def cost(folder: Path) -> dict[str, Any]:
    """What the interface adds to the accelerator, as Yosys counts."""
    figures: dict[str, Any] = {}
    whole = folder / "whole.v"
    whole.write_text((folder / VERILOG_FILE).read_text() + (folder / AXI_FILE).read_text())
    for name in ("zu3eg", "ecp5-25k"):
        made = [
            synthesize(source, DEVICES[name].synth, log=KEPT / f"{name}.log", top=top).resources
            for source, top in ((folder / VERILOG_FILE, "netweave"), (whole, AXI_TOP))
        ]
        alone, behind = made
        figures[name] = {
            "kind": "synthesized",
            **{field: getattr(behind, field) - getattr(alone, field) for field in ("lut", "ff", "bram", "dsp")},
            "accelerator_lut": alone.lut,
            "accelerator_ff": alone.ff,
        }
    whole.unlink()
    return figures


def measure(malformed: int = MALFORMED) -> dict[str, Any]:
    graph, mapping, folder = design()
    plan = AcceleratorPlan(graph, mapping)
    source, result = axi_input(plan), axi_output(plan)
    rng = np.random.default_rng(2026)
    frames = [masked_frame(rng, graph, mask) for mask in random_masks(rng, graph.input.shape[:2], FRAMES)]
    packed = traffic(rng, source, not graph.input.sparse, frames, malformed)
    beats, told = [beat for part, _ in packed for beat in part], [one for _, one in packed]
    faults = Counter(one for one in told if isinstance(one, Fault))
    answers: dict[bytes, list[Beat]] = {}

    def answer(frame: Frame) -> list[Beat]:
        key = frame.sites.tobytes() + frame.features.tobytes()
        if key not in answers:
            answers[key] = result.beats(golden.run(graph, frame)[graph.output])
        return answers[key]

    expected = [beat for one in told if isinstance(one, Frame) for beat in answer(one)]
    run = run_axi(folder, beats, build_dir=default_build_dir(), stalls=STALLS)
    counted = {fault: run.registers[f"error_{fault.name.lower()}"] for fault in Fault}
    bad = sum(len(part) for part, one in packed if isinstance(one, Fault))
    if run.beats != expected:
        raise AssertionError("an answer is not golden's")
    if counted != {fault: faults[fault] for fault in Fault}:
        raise AssertionError(f"counted {counted}, expected {faults}")
    frames_bad, frames_in = run.registers["frames_bad"], run.registers["frames_in"]
    if (frames_bad, frames_in) != (faults.total(), len(told)):
        raise AssertionError(f"{frames_bad} of {frames_in} frames bad, expected {faults.total()} of {len(told)}")
    return {
        "kind": "rtl",
        "network": graph.name,
        "beats": len(beats),
        "beats_of_bad_frames": bad,
        "bad_frames": faults.total(),
        "good_frames": len(told) - faults.total(),
        "good_frames_different": len(answers),
        "answers_right": len(told) - faults.total(),
        "bad_frames_by_kind": {fault.name.lower(): counted[fault] for fault in Fault},
        "hangs": 0,
        "stalls": [STALLS.source, STALLS.sink],
        "cycles": run.cycles,
        "cycles_per_second": round(run.cycles / run.wall_seconds),
        "interface": cost(folder),
    }

"""Each layer of a design on its own: its cycles a frame when no other layer holds it up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from amaranth.back import verilog
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cosim.rtl.check import Mismatch, first_mismatch
from cosim.rtl.testbench_runner import FRAME_LIMIT, Source, Stalls, run_testbench
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.mapping import Mapping
from hw.generate.emit import TOP
from hw.streams.layout import TokenLayout
from models.ir import golden
from models.ir.frame import Frame
from models.ir.graph import Graph


@dataclass(frozen=True)
class LayerRun:
    """The run of one layer.

    Parameters
        intervals    RTL cycles between the ends of consecutive frames out
        mismatch     the first difference from golden; None where there is none
    """

    intervals: tuple[int, ...]
    mismatch: Mismatch | None


class IsolatedLayers(wiring.Component):
    """The ops of a plan, side by side, without the streams between them.

    Parameters
        plan        the accelerator
    Ports
        <op>_in0    in, first input of the op
        <op>_in1    in, second input of the op, if it has one
        <op>_out    out, output of the op
    Timing          that of each op
    Reset           drops everything
    """

    def __init__(self, plan: AcceleratorPlan) -> None:
        self.plan = plan
        self.inputs: dict[str, TokenLayout] = {}
        self.outputs: dict[str, TokenLayout] = {}
        for name, op in plan.ops.items():
            for index, tensor in enumerate(op.inputs):
                self.inputs[f"{name}_in{index}"] = TokenLayout(tensor.shape, tensor.dtype, op.in_lanes)
            self.outputs[f"{name}_out"] = op.out_layout
        ports = {port: In(layout.signature) for port, layout in self.inputs.items()}
        super().__init__({**ports, **{port: Out(layout.signature) for port, layout in self.outputs.items()}})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, op in self.plan.ops.items():
            m.submodules[name] = component = op.component()
            for index, stream in enumerate(op.input_names):
                wiring.connect(m, wiring.flipped(getattr(self, f"{name}_in{index}")), getattr(component, stream))
            wiring.connect(m, component.o, wiring.flipped(getattr(self, f"{name}_out")))
        return m


def run_layers(
    graph: Graph,
    mapping: Mapping,
    frames: Sequence[Frame],
    *,
    simulator: str = "verilator",
    build_dir: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, LayerRun]:
    """Play golden's frames into every layer at once, each with a source and a sink that never wait.

    Parameters
        graph        the network
        mapping      its mapping
        frames       at least two frames, as an interval lies between two
        simulator    ``verilator`` or ``icarus``
        build_dir    folder for simulator builds
        progress     called with what happens next
    Returns          the run of each layer, by node name
    Raises           ValueError: fewer than two frames; SimulationError, SimulationTimeout: as for ``simulate``
    """
    if len(frames) < 2:
        raise ValueError(f"frames: {len(frames)} are too few; an interval lies between two")
    results = [golden.run(graph, frame) for frame in frames]
    bench = IsolatedLayers(AcceleratorPlan(graph, mapping))
    producers = {f"{node}_in{index}": producer for producer, node, index in graph.edges}
    sources = {
        port: Source(layout, [result[producers[port]] for result in results]) for port, layout in bench.inputs.items()
    }
    progress("writing every layer's Verilog on its own")
    text = verilog.convert(bench, name=TOP, emit_src=False, strip_internal_attrs=True)
    build_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=build_dir, prefix="layers-") as scratch:
        path = Path(scratch) / "layers.v"
        path.write_text(text)
        recording = run_testbench(
            path,
            sources,
            bench.outputs,
            {},
            simulator=simulator,
            stalls=Stalls(),
            waveform=None,
            build_dir=build_dir,
            frame_limit=FRAME_LIMIT,
            progress=progress,
        )
    runs = {}
    for name in bench.plan.ops:
        beats = recording.beats[f"{name}_out"]
        ends = beats.end_cycles
        mismatch = first_mismatch(name, f"{name}_out", [result[name] for result in results], beats)
        runs[name] = LayerRun(tuple(late - early for early, late in itertools.pairwise(ends)), mismatch)
    return runs

# amaranth: UnusedElaboratable=no
"""Layers on their own: the streams of each op, and what their records become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Fragment

from benchmarks.inputs.nets import Builder, random_mapping
from benchmarks.inputs.ops import random_frame
from cosim.rtl import layers
from cosim.rtl.layers import IsolatedLayers, LayerRun, run_layers
from cosim.rtl.simulator import SimulatorKind
from cosim.rtl.testbench_runner import Source, Trace
from cosim.rtl.trace import StreamTrace
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.mapping import Mapping
from hw.streams.layout import TokenLayout
from models.ir import golden
from models.ir.formats.integer import IntType
from models.ir.graph import Graph


@pytest.fixture(scope="module")
def graph() -> Graph:
    """A convolution whose output goes two ways into an add."""
    net = Builder(np.random.default_rng(5), (2, 2, 1), IntType(8, signed=False))
    stem = net.conv(2, 1, "int4")
    net.add(net.conv(2, 1, "int4"), stem, "int4")
    return Graph("net", tuple(net.nodes), net.last)


@pytest.fixture(scope="module")
def mapping(graph: Graph) -> Mapping:
    return random_mapping(np.random.default_rng(6), graph)


def test_each_op_has_its_own_streams(graph: Graph, mapping: Mapping) -> None:
    plan = AcceleratorPlan(graph, mapping)
    bench = IsolatedLayers(plan)
    assert list(bench.inputs) == ["conv1_in0", "conv2_in0", "add3_in0", "add3_in1"]
    assert list(bench.outputs) == ["conv1_out", "conv2_out", "add3_out"]
    # an input has the format of what it comes from, in the lanes of the op that reads it
    producers = {"conv1_in0": "input", "conv2_in0": "conv1", "add3_in0": "conv2", "add3_in1": "conv1"}
    for port, layout in bench.inputs.items():
        producer = producers[port]
        assert (layout.shape, layout.dtype) == (graph.shapes[producer], graph[producer].dtype)
        assert layout.lanes == plan.ops[port.partition("_")[0]].in_lanes
    assert set(bench.signature.members) == {*bench.inputs, *bench.outputs}


def elaborated(bench: IsolatedLayers, *, name: str, **_: object) -> str:
    """An empty module, once the component is elaborated."""
    Fragment.get(bench, None)
    return f"module {name}; endmodule"


def test_a_layer_s_intervals_and_its_first_difference(
    graph: Graph, mapping: Mapping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(7)
    frames = [random_frame(rng, graph) for _ in range(3)]
    results = [golden.run(graph, frame) for frame in frames]

    def simulated(
        path: Path, sources: dict[str, Source], sinks: dict[str, TokenLayout], probes: dict, **_: Any
    ) -> Trace:
        """Golden's beats, one every ``n + 1`` cycles at the n-th sink; the first feature of frame 1 of conv2 is off."""
        assert "module netweave" in path.read_text()
        assert sources["add3_in1"].frames == [result["conv1"] for result in results]
        assert not probes
        traces = {}
        for number, (port, layout) in enumerate(sinks.items()):
            payloads = [beat for result in results for beat in layout.beats(result[port.partition("_")[0]])]
            if port == "conv2_out":
                payloads[len(layout.beats(results[0]["conv2"]))] ^= 1 << 3
            traces[port] = StreamTrace(layout, (number + 1) * np.arange(len(payloads)), payloads)
        return Trace(SimulatorKind.ICARUS, traces, 100, 0.0, 0.0)

    monkeypatch.setattr(layers, "run_testbench", simulated)
    # writing the Verilog takes seconds; that all ports connect is checked before
    monkeypatch.setattr(layers.verilog, "convert", elaborated)
    runs = run_layers(graph, mapping, frames, build_dir=tmp_path / "builds")
    plan = AcceleratorPlan(graph, mapping)
    # four tokens and an end
    beats = {name: 4 * plan.layout(name).beats_per_token + 1 for name in plan.ops}
    assert runs["conv1"] == LayerRun((beats["conv1"],) * 2, None)
    assert runs["add3"] == LayerRun((3 * beats["add3"],) * 2, None)
    assert runs["conv2"].intervals == (2 * beats["conv2"],) * 2
    mismatch = runs["conv2"].mismatch
    assert mismatch is not None
    assert (mismatch.layer, mismatch.edge, mismatch.frame, mismatch.site) == ("conv2", "conv2_out", 1, (0, 0))
    assert (mismatch.channel, mismatch.cycle) == (0, 2 * beats["conv2"])
    assert list((tmp_path / "builds").iterdir()) == []


def test_one_frame_has_no_interval(graph: Graph, mapping: Mapping, tmp_path: Path) -> None:
    frame = random_frame(np.random.default_rng(8), graph)
    with pytest.raises(ValueError, match=r"^frames: 1 are too few; an interval lies between two$"):
        run_layers(graph, mapping, [frame], build_dir=tmp_path)

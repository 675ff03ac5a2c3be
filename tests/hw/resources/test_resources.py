"""Whole ops: every mapping has figures, and they are near what Yosys makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from amaranth.back import verilog

from benchmarks.inputs.nets import NETS
from benchmarks.inputs.ops import one_op
from hw.arithmetic.codecs.registry import codec
from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.ops.registry import build, inputs_of, mappings
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.ops.input import Input
from models.ir.ops.windowed import WindowNode
from tests.support.estimates import assert_near, conv, estimate, sparse, synthesized

# LUTs that decode a DyBit code, and that find the code of an integer.
CODERS = [
    ("xcup", "udybit4", 7, 15), ("xcup", "udybit6", 12, 28), ("xcup", "udybit8", 20, 52),
    ("xcup", "dybit4", 6, 16), ("xcup", "dybit6", 21, 38), ("xcup", "dybit8", 29, 63),
    ("ecp5", "udybit4", 8, 25), ("ecp5", "udybit6", 17, 67), ("ecp5", "udybit8", 32, 115),
    ("ecp5", "dybit4", 6, 14), ("ecp5", "dybit6", 30, 63), ("ecp5", "dybit8", 51, 112),
]  # fmt: skip


@pytest.mark.parametrize(("family", "name", "decoding", "encoding"), CODERS)
def test_luts_of_tapered_codes_are_near_those_of_yosys(family: str, name: str, decoding: int, encoding: int) -> None:
    f, dtype = FAMILIES[family], parse_dtype(name)
    assert codec(dtype).decoder_luts(f.lut_inputs) == pytest.approx(decoding, rel=0.1)
    assert codec(dtype).encoder_luts(f.lut_inputs) == pytest.approx(encoding, rel=0.12)


@pytest.mark.whole
def test_every_mapping_of_whole_networks_has_figures_on_every_device() -> None:
    for device in DEVICES.values():
        for make in NETS.values():
            graph = make(np.random.default_rng(1), "dybit4", "int8")
            for node in graph.nodes:
                if isinstance(node, Input):
                    continue
                for mapping in mappings(node, inputs_of(graph, node), device):
                    used = build(node, inputs_of(graph, node), mapping).resources(device)
                    assert used.lut > 20, (node.name, mapping, device.name)
                    assert used.ff > 20, (node.name, mapping, device.name)
                    assert used.bram >= (mapping.memory is Memory.BRAM and _rom_words(node, mapping) > 1)


def _rom_words(node: object, mapping: OpMapping) -> int:
    weight = getattr(node, "weight", np.zeros(1))
    return weight.size // (mapping.pe * (1 if getattr(node, "depthwise", False) else mapping.simd) * mapping.taps)


def test_more_lanes_take_more() -> None:
    graph = conv()
    for device in DEVICES:
        for lanes in (1, 2, 4):
            less, more = (estimate(graph, OpMapping(n, n, 1, Memory.LUT, Multiplier.LUT), device) for n in (lanes, 8))
            assert less.lut < more.lut
            assert less.ff < more.ff


@pytest.mark.whole
def test_an_op_is_near_what_yosys_makes(tmp_path: Path) -> None:
    graph, mapping = conv(("uint4", "int8", "uint8"), 4), OpMapping(2, 2, 1, Memory.BRAM, Multiplier.DSP)
    node = graph["op"]
    op = build(node, inputs_of(graph, node), mapping)
    assert_near(op.resources(DEVICES["ecp5-85k"]), synthesized(op.component(), DEVICES["ecp5-85k"], tmp_path))


@pytest.mark.parametrize("mapping", [OpMapping(2, 2, 1), OpMapping(4, 4, 9)], ids=str)
def test_a_dense_op_pays_nothing_for_sparse_ones(mapping: OpMapping) -> None:
    kinds = []
    for graph in (conv(), sparse(conv())):
        op = build(graph["op"], inputs_of(graph, graph["op"]), mapping)
        kinds.append({part.kind for part in op.parts(FAMILIES["xcup"])})
    assert kinds[1] - kinds[0] == {"sparse_source"}
    assert "sparse_source" not in kinds[0]


def test_finding_sites_takes_more_of_every_device() -> None:
    for device in DEVICES.values():
        for make in NETS.values():
            dense = make(np.random.default_rng(1), "int4", "int8")
            for node in dense.nodes[1:]:
                if isinstance(node, WindowNode) and 3 in (node.window.y.stride, node.window.x.stride):
                    continue  # frames with inactive sites have no such op
                mapping = mappings(node, inputs_of(dense, node), device)[0]
                graphs = (dense, sparse(dense))
                less, more = (build(node, inputs_of(g, node), mapping).resources(device) for g in graphs)
                finds = isinstance(node, WindowNode) and not node.window.pointwise
                if finds and sparse(dense).sparse[node.inputs[0]]:
                    assert less.lut < more.lut, (node.name, device.name)
                    assert less.ff < more.ff, (node.name, device.name)
                    assert less.dsp == more.dsp


@pytest.mark.parametrize("stride", [1, 2])
def test_only_the_sparse_component_finds_sites(stride: int) -> None:
    """Lists of cells, bits of presence and slots are in the one, not in the other."""
    rng = np.random.default_rng(0)
    int4 = IntType(4)
    dense = one_op(rng, "conv", (8, 8, 2), out=2, kernel=3, stride=stride, padding=1, x=int4, w=int4, y=int4)
    for graph, finds in ((dense, False), (sparse(dense), True)):
        op = build(graph["op"], inputs_of(graph, graph["op"]), OpMapping(1, 1, 1))
        text = verilog.convert(op.component(), name="netweave", emit_src=False)
        assert [f"cells{n}" in text for n in range(2)] == [finds, finds and stride == 2]
        assert ("presence" in text) == finds
        assert ("live0" in text) == finds


@pytest.mark.slow
@pytest.mark.parametrize("device", ["zu3eg", "ecp5-85k"])
@pytest.mark.parametrize(("stride", "taps"), [(1, 1), (2, 1), (1, 9)])
def test_a_sparse_op_is_near_what_yosys_makes(device: str, stride: int, taps: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, w, y = (parse_dtype(name) for name in ("uint4", "int8", "uint4"))
    graph = one_op(
        rng, "conv", (20, 24, 4), out=4, kernel=3, stride=stride, padding=1, x=x, w=w, y=y, sparse=True
    )  # fmt: skip
    op = build(graph["op"], inputs_of(graph, graph["op"]), OpMapping(2, 1, taps, Memory.LUT, Multiplier.DSP))
    assert_near(op.resources(DEVICES[device]), synthesized(op.component(), DEVICES[device], tmp_path))

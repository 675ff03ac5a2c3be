from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import verilog
from amaranth.lib import wiring

from benchmarks.inputs.nets import NETS
from benchmarks.inputs.ops import one_op
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.multipliers import in_table
from hw.fpga.device import Device, Resources
from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.formulas import (
    constant_block,
    distinct,
    dsp_blocks,
    joined_bits,
    lut_memory,
    small_product,
    total,
    written_block,
)
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.ops.registry import build, inputs_of, mappings
from hw.resources.arrays import sums
from hw.resources.requantizers import requantizer
from hw.resources.streams import converter_resources, fork_resources, queue_resources
from hw.streams.layout import TokenLayout
from hw.streams.stream import BLOCK_DEPTH, Fork, Queue, converter
from hw.tools.yosys import synthesize
from models.ir.accumulator import width
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.graph import Graph
from models.ir.node import Shape
from models.ir.ops.input import Input
from models.ir.ops.windowed import WindowNode
from models.ir.requant import MULT_BITS, Requant

LAYOUT = TokenLayout(Shape(8, 8, 8), IntType(8), 2)


def conv(formats: tuple[str, str, str] = ("uint8", "int8", "uint8"), channels: int = 8) -> Graph:
    x, w, y = (parse_dtype(name) for name in formats)
    rng = np.random.default_rng(0)
    return one_op(rng, "conv", (8, 8, channels), out=channels, kernel=3, padding=1, x=x, w=w, y=y)


def sparse(graph: Graph) -> Graph:
    """The same network on frames in which only some sites are active."""
    return graph.replace(nodes=(dataclasses.replace(graph.input, sparse=True), *graph.nodes[1:]))


def estimate(graph: Graph, mapping: OpMapping, device: str) -> Resources:
    node = graph["op"]
    return build(node, inputs_of(graph, node), mapping).resources(DEVICES[device])


# What Yosys 0.70 makes of a product of two signed numbers, each size synthesized on its own.
PRODUCTS = [
    ("xcup", 4, 4, 0), ("xcup", 5, 3, 0), ("xcup", 5, 4, 1), ("xcup", 27, 17, 1), ("xcup", 28, 17, 2),
    ("xcup", 36, 17, 2), ("ecp5", 2, 2, 1), ("ecp5", 18, 17, 1), ("ecp5", 19, 17, 1), ("ecp5", 20, 17, 2),
    ("ecp5", 20, 12, 2), ("ecp5", 36, 17, 2),
]  # fmt: skip


@pytest.mark.parametrize(("family", "a", "b", "blocks"), PRODUCTS)
def test_dsp_blocks_of_a_product_are_those_of_yosys(family: str, a: int, b: int, blocks: int) -> None:
    assert dsp_blocks(FAMILIES[family], a, b) == dsp_blocks(FAMILIES[family], b, a) == blocks


def test_what_joins_the_parts_of_a_product_is_counted() -> None:
    """On ECP5 LUTs multiply by one bit more than a block takes; two are another block's."""
    assert joined_bits(FAMILIES["ecp5"], 19, 17, fixed=True) == 18
    assert [joined_bits(FAMILIES["ecp5"], a, 17) for a in (18, 19, 20, 37, 38)] == [0, 54, 19, 144, 74]
    assert [joined_bits(FAMILIES["xcup"], a, 17) for a in (27, 28, 44, 45)] == [0, 28, 44, 90]


# LUTs of products too small for a DSP block.
SMALL_PRODUCTS = [
    ("xcup", 3, 3, 8), ("xcup", 4, 3, 16), ("xcup", 4, 4, 26), ("xcup", 5, 3, 19),
    ("ice40", 3, 3, 19), ("ice40", 4, 4, 37), ("ice40", 5, 3, 29), ("ice40", 5, 5, 64), ("ice40", 6, 4, 56),
]  # fmt: skip


@pytest.mark.parametrize(("family", "a", "b", "luts"), SMALL_PRODUCTS)
def test_luts_of_a_small_product_are_near_those_of_yosys(family: str, a: int, b: int, luts: int) -> None:
    assert small_product(FAMILIES[family], b, a) == small_product(FAMILIES[family], a, b)
    assert small_product(FAMILIES[family], a, b) == pytest.approx(luts, rel=0.25, abs=3)


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


# LUTs and registers of arrays of 4 lanes of some terms, whose products are in LUTs.
ARRAYS = [
    ("xcup", "uint8", "dybit4", 2, 407, 323), ("xcup", "udybit8", "dybit4", 2, 631, 445),
    ("xcup", "int8", "dybit3", 2, 301, 279), ("xcup", "udybit8", "dybit8", 2, 1397, 945),
    ("xcup", "udybit5", "dybit5", 2, 586, 474), ("ecp5", "uint8", "dybit4", 2, 673, 323),
    ("ecp5", "udybit8", "dybit4", 2, 1009, 445), ("ecp5", "int8", "dybit3", 2, 465, 279),
    ("ecp5", "udybit8", "dybit8", 2, 2208, 945), ("ecp5", "udybit5", "dybit5", 2, 987, 474),
    ("xcup", "uint8", "int8", 4, 1081, 952), ("xcup", "uint8", "int4", 4, 554, 455),
    ("xcup", "uint4", "int4", 4, 362, 343), ("xcup", "uint4", "dybit4", 4, 460, 347),
    ("xcup", "udybit4", "dybit4", 4, 685, 415), ("xcup", "uint4", "int4", 16, 1367, 1200),
    ("ecp5", "udybit4", "dybit4", 4, 1133, 463), ("ecp5", "udybit4", "dybit4", 16, 4214, 1660),
    ("xcup", "udybit4", "dybit4", 16, 2698, 1464), ("xcup", "uint8", "dybit4", 16, 3013, 1768),
]  # fmt: skip


@pytest.mark.parametrize(("family", "features", "weights", "terms", "lut", "ff"), ARRAYS)
def test_arrays_of_products_in_luts_are_near_those_of_yosys(
    family: str, features: str, weights: str, terms: int, lut: int, ff: int
) -> None:
    x, w, f = parse_dtype(features), parse_dtype(weights), FAMILIES[family]
    limit = 576 * x.max * max(-w.min, w.max)
    kind = Multiplier.TABLE if in_table(x, w, f.lut_inputs) else Multiplier.LUT
    spec = MacArraySpec(4, terms, 1, x, w, kind, channelwise=False, width=width(-limit, limit))
    said = total(f, sums(f, spec, 1000, spec.weight_bits, Memory.BRAM, masked=False))
    assert said.lut == pytest.approx(lut, rel=0.06)
    assert said.ff == pytest.approx(ff, rel=0.02)


# Registers of four lanes of requantizing, 6 bits of fraction, by channels: Yosys keeps one where biases are the same.
FRACTIONS = [("uint4", 4, 226), ("uint4", 16, 277), ("udybit4", 4, 277), ("udybit4", 16, 327)]


@pytest.mark.parametrize(("name", "channels", "ff"), FRACTIONS)
def test_registers_of_fractions_are_near_those_of_yosys(name: str, channels: int, ff: int) -> None:
    rng, dtype, fraction = np.random.default_rng(0), parse_dtype(name), 6
    bias = rng.integers(-(1 << 8 + fraction), 1 << 8 + fraction, channels)
    mult = rng.integers(1 << MULT_BITS - 1, 1 << MULT_BITS, channels)
    shift = MULT_BITS + 11 - dtype.max.bit_length() + fraction
    requant = Requant(bias, mult, shift, 0, dtype.max, fraction)
    for family in ("xcup", "ecp5"):
        f = FAMILIES[family]
        parts = requantizer(f, requant, dtype, 4, (-(1 << 11), (1 << 11) - 1), encoded=True)
        assert total(f, parts).ff == pytest.approx(ff, rel=0.06)


# Blocks of a lane whose multiplier is always the same, of 16-bit sums (multiplier, blocks); two to a power is wires.
CONSTANT_FACTORS = [(64, 0), (3, 1), (5, 1), (21, 1), (120, 1), (171, 1), (341, 1)]


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
@pytest.mark.parametrize(("mult", "blocks"), CONSTANT_FACTORS)
def test_dsp_blocks_of_a_constant_multiplier_are_those_of_yosys(family: str, mult: int, blocks: int) -> None:
    f = FAMILIES[family]
    requant = Requant(np.array([7]), np.array([mult]), 12, 0, 255)
    parts = requantizer(f, requant, IntType(8, False), 1, (-(1 << 15), (1 << 15) - 1), encoded=True)
    assert total(f, parts).dsp == blocks


# The same of memories in blocks (depth, bits, blocks of one that is written, and of constants, which share words).
BLOCKS = [
    (2, 8, 1, 1), (64, 130, 4, 4), (128, 72, 2, 2), (512, 36, 1, 1), (513, 18, 1, 1), (1024, 9, 1, 1),
    (1024, 36, 2, 2), (1100, 36, 3, 3), (2304, 8, 2, 2), (3000, 4, 1, 1), (5000, 2, 1, 1), (5000, 4, 2, 2),
    (4096, 32, 8, 8), (64, 200, 6, 6), (5184, 3, 2, 1), (700, 20, 2, 2),
]  # fmt: skip


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_blocks_of_a_memory_are_those_of_yosys(family: str) -> None:
    for depth, bits, written, constant in BLOCKS:
        f = FAMILIES[family]
        assert (written_block(f, depth, bits).bram, constant_block(f, depth, bits).bram) == (written, constant)


def test_constant_bits_and_copies_are_not_counted() -> None:
    words = np.array([[5, 1], [4, 0], [4, 0], [7, 3]])
    # of the first lane the highest bit is constant, and the second's two are the other two
    assert distinct(words, 3) == 2
    assert distinct(words[:1], 3) == 0


# And of memories in LUTs that are read without a clock (depth, bits, LUTs).
LUT_MEMORIES = [
    ("xcup", 4, 13, 8), ("xcup", 32, 32, 24), ("xcup", 40, 8, 16), ("xcup", 64, 32, 40), ("xcup", 100, 32, 114),
    ("xcup", 200, 32, 196), ("ecp5", 8, 13, 24), ("ecp5", 32, 32, 130), ("ecp5", 40, 32, 211),
    ("ecp5", 64, 32, 324), ("ecp5", 100, 32, 535), ("ecp5", 200, 32, 1110),
]  # fmt: skip


@pytest.mark.parametrize(("family", "depth", "bits", "luts"), LUT_MEMORIES)
def test_luts_of_a_memory_are_near_those_of_yosys(family: str, depth: int, bits: int, luts: int) -> None:
    lut, registers = lut_memory(FAMILIES[family], depth, bits)
    assert lut == pytest.approx(luts, rel=0.1)
    assert registers == 0


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


def test_multipliers_are_dsp_blocks_or_luts() -> None:
    """16 products in DSP blocks; in LUTs only the requantize lane has one."""
    by_dsp, by_lut = (
        estimate(conv(), OpMapping(4, 4, 1, Memory.LUT, kind), "zu3eg") for kind in (Multiplier.DSP, Multiplier.LUT)
    )
    assert by_dsp.dsp - by_lut.dsp == 16
    assert by_lut.lut > by_dsp.lut
    # 4-bit products are too small for Yosys to give them a DSP block of Xilinx
    small = conv(("uint4", "int4", "uint4"))
    node = small["op"]
    assert dsp_blocks(FAMILIES["xcup"], 5, 3) == 0
    made = build(node, inputs_of(small, node), OpMapping(4, 4, 1, Memory.LUT, Multiplier.DSP))
    assert made.resources(DEVICES["zu3eg"]).dsp in range(16, 18)


def test_weights_lie_in_blocks_or_in_luts() -> None:
    """128 bits a word: four blocks of 36 bits, none in LUTs."""
    for device in ("zu3eg", "ecp5-85k"):
        blocks, tables = (estimate(conv(), OpMapping(4, 4, 1, kind), device) for kind in (Memory.BRAM, Memory.LUT))
        assert blocks.bram - tables.bram == 4
        assert tables.lut > blocks.lut
        assert tables.ff - blocks.ff == 128


def test_a_family_without_figures_is_named() -> None:
    odd = dataclasses.replace(DEVICES["zu3eg"], name="mine", family="stratix")
    with pytest.raises(ValueError, match=r"device 'mine', field 'family': no resource figures for 'stratix'; .* ecp5"):
        fork_resources(LAYOUT, 2, odd)


def test_a_deep_queue_is_a_block_memory() -> None:
    shallow, deep = (queue_resources(LAYOUT, depth, DEVICES["zu3eg"]) for depth in (BLOCK_DEPTH, BLOCK_DEPTH + 1))
    assert shallow.bram == 0
    assert deep.bram == 1
    assert deep.lut < shallow.lut


def made_by_yosys(component: wiring.Component, device: Device, folder: Path) -> Resources:
    source = folder / "part.v"
    source.write_text(verilog.convert(component, name="netweave", emit_src=False, strip_internal_attrs=True))
    return synthesize(source, device.synth, log=folder / "yosys.log").resources


def assert_near(estimated: Resources, made: Resources) -> None:
    assert (estimated.bram, estimated.dsp) == (made.bram, made.dsp)
    assert estimated.ff == pytest.approx(made.ff, rel=0.08, abs=4)
    assert estimated.lut == pytest.approx(made.lut, rel=0.1, abs=12)


def test_an_op_is_near_what_yosys_makes(tmp_path: Path) -> None:
    graph, mapping = conv(("uint4", "int8", "uint8"), 4), OpMapping(2, 2, 1, Memory.BRAM, Multiplier.DSP)
    node = graph["op"]
    op = build(node, inputs_of(graph, node), mapping)
    assert_near(op.resources(DEVICES["ecp5-85k"]), made_by_yosys(op.component(), DEVICES["ecp5-85k"], tmp_path))


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
                mapping = mappings(node, inputs_of(dense, node), device)[0]
                graphs = (dense, sparse(dense))
                less, more = (build(node, inputs_of(g, node), mapping).resources(device) for g in graphs)
                finds = isinstance(node, WindowNode) and (node.kernel, node.stride) != (1, 1)
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


# Blocks of a sparse convolution over 3 x 400 sites: a store of rows, and a list of cells for each row of a stride.
WIDE = [("zu3eg", 1, 4), ("zu3eg", 2, 5), ("ecp5-85k", 1, 4), ("ecp5-85k", 2, 5)]


@pytest.mark.parametrize(("device", "stride", "blocks"), WIDE)
def test_blocks_of_the_lists_of_cells_are_those_of_yosys(device: str, stride: int, blocks: int) -> None:
    rng, int4, uint4 = np.random.default_rng(0), IntType(4), IntType(4, False)
    graph = one_op(
        rng, "conv", (3, 400, 1), out=1, kernel=3, stride=stride, padding=1, x=uint4, w=int4, y=uint4, sparse=True
    )  # fmt: skip
    assert estimate(graph, OpMapping(1, 1, 1, Memory.LUT, Multiplier.LUT), device).bram == blocks


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
    assert_near(op.resources(DEVICES[device]), made_by_yosys(op.component(), DEVICES[device], tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("device", ["zu3eg", "ecp5-85k"])
def test_what_composition_adds_is_near_what_yosys_makes(device: str, tmp_path: Path) -> None:
    target = DEVICES[device]
    pairs = [
        (queue_resources(LAYOUT, 20, target), Queue(LAYOUT.struct, 20)),
        (queue_resources(LAYOUT, 200, target), Queue(LAYOUT.struct, 200)),
        (fork_resources(LAYOUT, 3, target), Fork(LAYOUT.struct, 3)),
        (converter_resources(LAYOUT, 8, target), converter(LAYOUT, 8)),
        (converter_resources(LAYOUT, 1, target), converter(LAYOUT, 1)),
    ]
    for estimated, component in pairs:
        assert_near(estimated, made_by_yosys(component, target, tmp_path))

"""What ops and streams take of a device, estimated from their parameters.

An op is a sum of parts, the same as its component: source, sequencer, weight memory, sums, drain, output queue.
Registers, block memories and DSP blocks are counted as the component has them; LUTs are its adders, selections, tables
and memories, in LUTs of the family, each kind with the factor that ``benchmarks/resources.py`` fits to what
Yosys makes of them. A figure that is not known raises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from hw.codes import signed_width
from hw.device import Device, Resources
from hw.layout import TokenLayout, index_bits
from hw.mac import TREE_RADIX, Sums
from hw.mapping import Memory, Multiplier
from hw.requantizer import drain_latency
from hw.sequencer import Rounds
from hw.source import FRAMES_AHEAD, WindowGeometry, read_latency, store_is_block, token_slots
from hw.stream import BLOCK_DEPTH
from models.ir.accumulator import width
from models.ir.dtype import DType, DyBitType
from models.ir.graph import MULT_BITS, Add, Requant

if TYPE_CHECKING:
    from hw.ops.elementwise import ElementwiseOp
    from hw.ops.global_pool import GlobalPoolOp
    from hw.ops.linear import LinearOp
    from hw.window_op import WindowOp


class Cost(NamedTuple):
    """A part's share; LUTs may be fractions until an op is summed."""

    lut: float = 0.0
    ff: int = 0
    bram: int = 0
    dsp: int = 0


@dataclass(frozen=True, eq=False)
class Family:
    """How Yosys makes things of a family.

    ``dsp``: signed operand widths of a DSP block; ``dsp_slice``: the operand width of all but the last block of a
    product that takes several; ``dsp_result``: the narrowest product that becomes a DSP block. ``lut_words``: words of
    a LUT's table; ``ram``: (words, bits, LUTs) of a LUT memory, None where there is none; ``block``: (words, bits)
    shapes of one block memory.
    """

    name: str
    dsp: tuple[int, int]
    dsp_slice: int
    dsp_result: int
    lut_words: int
    ram: tuple[int, int, int] | None
    block: tuple[tuple[int, int], ...]


_RAMB18 = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("xcup", (27, 18), 18, 9, 64, (64, 7, 8), _RAMB18),
        Family("xc7", (25, 18), 18, 9, 64, (64, 3, 4), _RAMB18),
        Family("ecp5", (18, 18), 18, 0, 16, (16, 4, 6), _RAMB18),
        Family("ice40", (16, 16), 16, 11, 16, None, ((256, 16), (512, 8), (1024, 4), (2048, 2))),
    )
}


def family(device: Device) -> Family:
    if device.family not in FAMILIES:
        raise ValueError(
            f"device {device.name!r}, field 'family': no resource figures for {device.family!r}; "
            f"there are some for {', '.join(FAMILIES)}"
        )
    return FAMILIES[device.family]


def total(parts: list[Cost]) -> Resources:
    lut = ff = bram = dsp = 0
    for part in parts:
        lut, ff, bram, dsp = lut + part[0], ff + part[1], bram + part[2], dsp + part[3]
    return Resources(math.ceil(lut), ff, bram, dsp)


def index(count: int) -> int:
    """Bits that remain of an index below ``count``: none when it is always 0."""
    return (count - 1).bit_length()


# What parts are made of.


def select(f: Family, ways: int) -> float:
    """LUTs of one bit of a choice among ``ways``."""
    return 0.0 if ways < 2 else max(1.0, (ways - 1) / (3 if f.lut_words == 64 else 2))


def dsp_blocks(f: Family, a: int, b: int) -> int:
    """DSP blocks of a product of signed numbers of ``a`` and ``b`` bits; 0 when Yosys makes it of LUTs."""
    if a < b:
        a, b = b, a
    if b < 2 or a + b < f.dsp_result:
        return 0
    return _dsp_blocks(f, a, b)


def _dsp_blocks(f: Family, a: int, b: int) -> int:
    if min(a, b) < 2:
        return 0
    step = f.dsp_slice - 1
    if a > f.dsp[0]:
        n = -(-(a - f.dsp[0]) // step)
        return n * _dsp_blocks(f, f.dsp_slice, b) + _dsp_blocks(f, a - n * step, b)
    if b > f.dsp[1]:
        n = -(-(b - f.dsp[1]) // step)
        return n * _dsp_blocks(f, a, f.dsp_slice) + _dsp_blocks(f, a, b - n * step)
    return 1


def lut_product(a: int, b: int) -> float:
    """LUTs of a product of signed numbers out of adders, a row for each of the ``b`` bits."""
    return b * (a + 1.0)


@cache
def block_memory(f: Family, depth: int, bits: int) -> int:
    """Block memories that hold ``depth`` words."""
    return min(-(-depth // words) * -(-bits // lanes) for words, lanes in f.block)


@cache
def lut_memory(f: Family, depth: int, bits: int) -> Cost:
    """A memory that is read without a clock."""
    if depth == 1:
        return Cost(bits, bits)
    if f.ram is None:
        return Cost(bits * (select(f, depth) + 0.1 * depth), bits * depth)
    words, lanes, luts = f.ram
    banks = -(-depth // words)
    return Cost(banks * -(-bits // lanes) * luts + bits * select(f, banks))


def table(f: Family, depth: int, bits: int) -> float:
    """LUTs of constants by address."""
    return bits * max(1.0, depth / f.lut_words) * 1.2


def decoder(f: Family, dtype: DType) -> float:
    if not isinstance(dtype, DyBitType):
        return 0.0
    return dtype.decoded_width * (2.0 if f.lut_words == 64 else 4.0)


def encoder(f: Family, dtype: DType) -> float:
    if not isinstance(dtype, DyBitType):
        return 0.0
    return dtype.width * (6.0 if f.lut_words == 64 else 10.0)


# Parts.


@cache
def queue(f: Family, bits: int, depth: int) -> Cost:
    count = depth.bit_length()
    pointers = 2 * index(depth)
    control = 5 + 1.5 * pointers + 2.0 * count
    if depth > BLOCK_DEPTH:
        return Cost(control, pointers + count + 1, block_memory(f, depth, bits))
    store = lut_memory(f, depth, bits)
    return Cost(control + store.lut, pointers + count + store.ff)


def output(f: Family, layout: TokenLayout, depth: int) -> Cost:
    store = queue(f, layout.width, depth)
    count = depth.bit_length()
    return Cost(store.lut + 2.5 * count, store.ff + count, store.bram)


@cache
def store(f: Family, depth: int, bits: int) -> Cost:
    """A source's memory with the register at its output."""
    if store_is_block(depth, bits):
        return Cost(2.0, 0, block_memory(f, depth, bits))
    memory = lut_memory(f, depth, bits)
    return Cost(memory.lut, memory.ff + bits, memory.bram)


@cache
def token_source(f: Family, layout: TokenLayout, steps: int) -> Cost:
    words, bits = layout.beats_per_token, layout.lanes * layout.dtype.width
    slots = token_slots(words, steps)
    depth = slots * words
    site = 1 + index(layout.shape.height) + index(layout.shape.width)
    words_store, places = store(f, depth, bits), lut_memory(f, slots, site)
    slot, counts = index(slots), 2 * slots.bit_length()
    ff = 3 * slot + index(words) + counts + index(depth) + 2 + 1 + site
    lut = 12 + 2.0 * counts + 2.0 * (slot + index(words)) + index(depth)
    return Cost(lut + words_store.lut + places.lut, ff + words_store.ff + places.ff, words_store.bram)


@cache
def window_source(f: Family, layout: TokenLayout, g: WindowGeometry, parallel: bool) -> Cost:
    bits = layout.lanes * layout.dtype.width
    site = 1 + index(g.out_height) + index(g.out_width)
    row, column, release = index(g.rows), index(g.width + 2 * g.padding), g.rows.bit_length()
    wide = site + row + column + g.taps + release
    counts = release + index(g.height + g.rows + 1) + g.height.bit_length()
    places = index(g.words) + index(g.width) + row + index(g.out_height) + index(g.out_width) + row + column
    ff = 1 + places + counts + 1 + 2 * release + 1 + wide
    lut = 60.0 + 2.5 * places + 4.0 * counts + wide + g.kernel * 4
    frames = queue(f, 1, FRAMES_AHEAD)
    banks, depth = g.banks(parallel)
    one = store(f, depth, bits)
    ff += frames.ff + banks * one.ff
    lut += frames.lut + banks * one.lut
    if not parallel:
        return Cost(lut + 4.0 * index(depth), ff + index(depth), banks * one.bram)
    turn = g.columns.bit_length() - 1
    ff += g.columns * index(depth) + 2 * row + 3 * turn + bits * (g.kernel * g.columns + g.taps)
    lut += banks + 3.0 * g.columns * index(depth)
    lut += bits * (g.kernel * g.columns * select(f, g.rows) + g.taps * select(f, g.columns))
    return Cost(lut, ff, banks * one.bram)


@cache
def sequencer(f: Family, rounds: Rounds, depth: int) -> Cost:
    busy = rounds.end_beats if rounds.whole_frame else rounds.beats
    counts = index(rounds.groups) + index(rounds.words) + index(busy)
    taps = rounds.kernel**2 if rounds.kernel else 0
    ff = counts + (taps + 1 if taps else 0)
    return Cost(8 + 2.0 * counts + 1.5 * depth.bit_length() + 5.0 * taps, ff)


@cache
def weights(f: Family, bits: int, depth: int, memory: Memory, delay: int) -> Cost:
    if depth == 1:
        return Cost()
    address = index(depth) * (1 + delay)
    if memory is Memory.BRAM:
        return Cost(0.0, address, block_memory(f, depth, bits))
    return Cost(table(f, depth, bits), address + bits)


@cache
def add_tree(f: Family, terms: int, bits: int) -> Cost:
    """The registered sum of ``terms`` numbers of ``bits`` bits."""
    lut, ff = 0.0, 0
    while terms > 1:
        left = -(-terms // TREE_RADIX)
        radix = min(terms, TREE_RADIX)
        bits += radix - 1
        lut += (terms - left) * bits * (1.0 if radix == 2 else 1.6)
        ff += left * bits
        terms = left
    return Cost(lut, ff)


@cache
def sums(f: Family, s: Sums, constant: bool) -> Cost:
    """``constant``: the weights never change."""
    if s.largest:
        return _maxima(f, s)
    feature = signed_width(s.features)
    lanes = s.taps * s.simd
    lut = lanes * (decoder(f, s.features) + (s.features.decoded_width if s.taps > 1 else 0))
    ff = lanes * s.features.decoded_width + s.latency - 1
    dsp, term = 0, feature
    if s.weights is not None:
        weight = signed_width(s.weights)
        macs, term = s.pe * s.terms, feature + weight
        if not constant:
            ff += macs * weight
            lut += macs * decoder(f, s.weights)
        ff += macs * term
        blocks = dsp_blocks(f, feature, weight) if s.multiplier is Multiplier.DSP else 0
        dsp = macs * blocks
        lut += 0 if blocks else macs * lut_product(feature, weight)
    tree = add_tree(f, s.terms, term)
    lut += s.pe * (tree.lut + 2.0 * s.width)
    return Cost(lut, ff + s.pe * (tree.ff + s.width), 0, dsp)


def _maxima(f: Family, s: Sums) -> Cost:
    bits = s.features.width
    terms, ff, lut = s.taps, s.taps * bits + bits, s.taps * bits + 3.0 * bits
    while terms > 1:
        left = -(-terms // TREE_RADIX)
        ff, lut, terms = ff + left * bits, lut + (terms - left) * 2.0 * bits, left
    return Cost(s.pe * lut, s.pe * ff + s.latency - 1)


@cache
def requantizer(f: Family, requant: _Constants, dtype: DType, lanes: int, in_width: int, encoded: bool) -> Cost:
    biased = in_width + 1
    clipped = requant.out_width
    product = biased + MULT_BITS
    per_lane = in_width + biased + product + clipped
    lut = biased + 2.0 * (product - requant.shift) + 2.0 * clipped
    if encoded and isinstance(dtype, DyBitType):
        per_lane += dtype.width
        lut += encoder(f, dtype)
    ff, beats = lanes * per_lane, requant.channels // lanes
    lut *= lanes
    if beats > 1:
        bits = lanes * (requant.bias_width + MULT_BITS)
        ff += bits + index(beats)
        lut += table(f, beats, bits)
    return Cost(lut, ff, 0, lanes * dsp_blocks(f, biased, MULT_BITS + 1))


class _Constants(NamedTuple):
    """What a requantize lane needs to know of its constants."""

    channels: int
    shift: int
    bias_width: int
    out_width: int


def _constants(requant: Requant) -> _Constants:
    bias = width(int(requant.bias.min()), int(requant.bias.max()))
    return _Constants(len(requant.bias), requant.shift, bias, width(requant.lo, requant.hi))


def drain(f: Family, layout: TokenLayout, pe: int, requant: Requant | None, sum_width: int) -> Cost:
    beats, groups = pe // layout.lanes, layout.shape.channels // pe
    place = index(layout.shape.height) + index(layout.shape.width)
    bits = layout.lanes * layout.dtype.width
    delay = drain_latency(layout.dtype, requant)
    ff, lut = delay * (2 + place), 4.0 + place + bits
    if beats > 1:
        waiting = pe - layout.lanes
        ff += waiting * sum_width + 2 * index(beats) + index(groups) + place
        lut += (waiting + layout.lanes) * sum_width + 4.0 * index(beats) + index(groups) + place
    if requant is None:
        return Cost(lut, ff + bits)
    lanes = requantizer(f, _constants(requant), layout.dtype, layout.lanes, sum_width, True)
    return Cost(lut + lanes.lut, ff + lanes.ff, 0, lanes.dsp)


@cache
def frame_sums(f: Family, pe: int, groups: int, beats: int, bits: int) -> Cost:
    banks = lut_memory(f, 2 * groups, pe * bits)
    counts = index(beats) + index(groups)
    lut = 2 * banks.lut + 3.0 * pe * bits + 3.0 * counts + 8
    return Cost(lut, banks.ff + counts + 5)


# Ops.


def window_resources(op: WindowOp, device: Device) -> Resources:
    f = family(device)
    s, rounds, g = op.sums, op.rounds, op.geometry
    place = index(op.shape.height) + index(op.shape.width)
    groups = index(rounds.groups)
    fetch = read_latency(op.parallel)
    finish = fetch + s.latency
    step = 4 + place + groups + index(rounds.words) + finish * (2 + place + groups) + fetch
    depth = 1
    if op.pointwise:
        parts = [token_source(f, op.in_layout, rounds.cycles(1))]
        step += 2
    else:
        parts = [window_source(f, op.in_layout, g, op.parallel)]
        step += index(g.rows) + index(g.width + 2 * g.padding)
        if op.parallel:
            step += g.taps * (1 + fetch)
        else:
            step += 2 * index(g.kernel)
    if s.weights is not None:
        depth = rounds.groups * rounds.words * (op.node.kernel**2 if op.walks_taps else 1)
        parts.append(weights(f, s.weight_bits, depth, op.mapping.memory, fetch - 2))
    parts += [
        Cost(8.0 + 2.0 * (index(depth) if op.walks_taps else 0), step),
        sequencer(f, rounds, op.depth),
        sums(f, s, depth == 1),
        drain(f, op.out_layout, op.mapping.pe, op.requant, s.width),
        output(f, op.out_layout, op.depth),
    ]
    return total(parts)


def linear_resources(op: LinearOp, device: Device) -> Resources:
    f = family(device)
    s, rounds, shape = op.sums, op.rounds, op.inputs[0].shape
    place, groups = index(shape.height) + index(shape.width), index(rounds.groups)
    depth = shape.height * shape.width * rounds.groups * rounds.words
    fetch = read_latency(parallel=False)
    finish = fetch + s.latency
    step = 4 + place + groups + index(rounds.words) + 2 + finish * (2 + groups) + fetch
    parts = [
        Cost(8.0 + 2.0 * index(depth), step),
        token_source(f, op.in_layout, rounds.cycles(1)),
        sequencer(f, rounds, op.depth),
        weights(f, s.weight_bits, depth, op.mapping.memory, 0),
        sums(f, s, depth == 1),
        frame_sums(f, op.mapping.pe, rounds.groups, rounds.beats, s.width),
        drain(f, op.out_layout, op.mapping.pe, op.node.requant, s.width),
        output(f, op.out_layout, op.depth),
    ]
    return total(parts)


def global_pool_resources(op: GlobalPoolOp, device: Device) -> Resources:
    f = family(device)
    dtype, pe = op.inputs[0].dtype, op.mapping.pe
    sum_width, counts = width(*op.accumulator), index(op.end_beats) + 2 * index(op.groups)
    parts = [
        Cost(10.0 + 2.0 * counts + pe * decoder(f, dtype), counts + 2 + pe * dtype.decoded_width),
        frame_sums(f, pe, op.groups, 1, sum_width),
        drain(f, op.out_layout, pe, op.node.requant, sum_width),
        output(f, op.out_layout, op.depth),
    ]
    return total(parts)


def elementwise_resources(op: ElementwiseOp, device: Device) -> Resources:
    f = family(device)
    pe, dtype, layout = op.mapping.pe, op.node.dtype, op.out_layout
    add = isinstance(op.node, Add)
    beats = index(layout.beats_per_token)
    place = 2 + index(layout.shape.height) + index(layout.shape.width)
    lut, ff = 8.0 + 2.0 * beats + pe * dtype.width, 2 * beats + (op.pipeline - 1) * place
    parts = []
    for tensor, requant in zip(op.inputs, op.branches, strict=True):
        lut += pe * decoder(f, tensor.dtype)
        ff += pe * tensor.dtype.decoded_width
        in_width = signed_width(tensor.dtype)
        parts.append(requantizer(f, _constants(requant), dtype, pe, in_width, not add))
    if isinstance(op.node, Add):
        bits = width(op.node.lo, op.node.hi)
        lut += pe * (4.0 * bits + encoder(f, dtype))
        ff += pe * (bits + (dtype.width if isinstance(dtype, DyBitType) else 0))
    return total([*parts, Cost(lut, ff), output(f, layout, op.depth)])


# What composition adds.


def queue_resources(layout: TokenLayout, depth: int, device: Device) -> Resources:
    """A queue of ``depth`` beats."""
    return total([queue(family(device), layout.width, depth)])


def fork_resources(layout: TokenLayout, ways: int, device: Device) -> Resources:
    """A fork of a stream; its payload is only wires."""
    family(device)
    return Resources(lut=3 * ways, ff=ways)


def converter_resources(layout: TokenLayout, o_lanes: int, device: Device) -> Resources:
    """One step from ``layout`` to ``o_lanes``."""
    family(device)
    wide = TokenLayout(layout.shape, layout.dtype, max(layout.lanes, o_lanes))
    few = min(layout.lanes, o_lanes)
    ways = wide.lanes // few
    lanes = wide.lanes * layout.dtype.width
    place = 1 + index_bits(layout.shape.height) + index_bits(layout.shape.width)
    if o_lanes > layout.lanes:
        return Resources(
            lut=round(lanes * (ways - 1) / ways) + 3 * ways + 6,
            ff=place + lanes + lanes * (ways - 1) // ways + 1 + index(ways),
        )
    return Resources(lut=lanes + 3 * ways.bit_length() + 4, ff=place + lanes + ways.bit_length())

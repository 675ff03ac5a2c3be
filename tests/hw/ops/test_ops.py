"""Every op's RTL against golden, token by token: formats, foldings, windows, stalls, borders, kinds of frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.ops.registry import inputs_of, mappings
from models.ir import golden
from models.ir.formats.integer import IntType
from models.ir.formats.registry import FORMAT_NAMES, parse_dtype
from models.ir.window import Window
from tests.hw.ops.cases import FOLDED, FORMATS, FRAMES, KINDS, STALLS, WINDOWS, Case, by_levels, draw_case, draw_format
from tests.support.ops import check_op

ANY_WIDTH = FORMAT_NAMES


def check(case: Case, pattern: str, stall: str, mapping: OpMapping | None = None) -> None:
    graph = case.graph()
    mapping = mapping or case.mapping(graph)
    check_op(graph, mapping, case.frames(graph, pattern), seed=case.seed, **STALLS[stall])


def pattern_for(case: Case, rng: np.random.Generator) -> str:
    """One of FRAMES; where the op takes them, full frames may be sparse ones instead."""
    pattern = FRAMES[int(rng.integers(len(FRAMES)))]
    return "".join("p" if letter == "f" and case.sparse and rng.integers(2) else letter for letter in pattern)


def stall_for(rng: np.random.Generator) -> str:
    return list(STALLS)[int(rng.integers(len(STALLS)))]


@pytest.mark.few(20)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("x", "w"), list(product(FORMATS, FORMATS)))
def test_formats(kind: str, x: str, w: str) -> None:
    """Every mixture of the input's format and the weights' (for add the second branch's, for others the output's)."""
    seed = KINDS.index(kind) * 16 + FORMATS.index(x) * 4 + FORMATS.index(w)
    rng = np.random.default_rng(seed)
    case = draw_case(seed, kind, side=4)
    i = parse_dtype(("", "u")[seed % 2] + x)
    weighted = kind in ("full", "depthwise", "pointwise", "linear", "add", "concat", "grouped")
    out = i if kind == "max_pool" else draw_format(rng) if weighted else parse_dtype(("", "u")[seed // 2 % 2] + w)
    out = IntType(16) if kind == "linear" and seed % 3 == 0 else out
    case = dataclasses.replace(case, x=i, w=parse_dtype(w), y=out)
    check(case, pattern_for(case, rng), stall_for(rng))


RESCALED = ("full", "depthwise", "grouped", "pointwise", "linear", "global_pool", "avg_pool", "concat", "requantize")


@pytest.mark.few(9)
@pytest.mark.parametrize("y", ["uint2", "int4", "udybit4", "dybit3"])
@pytest.mark.parametrize("kind", RESCALED)
def test_levels_in_place_of_a_requantizer(kind: str, y: str) -> None:
    """The RTL searches among them; the integers are those of the requantizer."""
    seed = RESCALED.index(kind) * 4 + ("uint2", "int4", "udybit4", "dybit3").index(y)
    rng = np.random.default_rng(seed)
    case = dataclasses.replace(draw_case(seed, kind, side=4), y=parse_dtype(y))
    graph = case.graph()
    searching, frames = by_levels(graph), case.frames(graph, pattern_for(case, rng))
    assert all(golden.run(graph, frame)["op"] == golden.run(searching, frame)["op"] for frame in frames)
    check_op(searching, case.mapping(graph), frames, seed=seed, **STALLS[stall_for(rng)])


def foldings(case: Case) -> list[tuple[int, int, int]]:
    return sorted({(m.pe, m.simd, m.taps) for m in case.mappings(case.graph())})


@pytest.mark.few(20)
@pytest.mark.parametrize(
    ("name", "fold"), [(name, fold) for name, case in FOLDED.items() for fold in foldings(case)], ids=str
)
def test_foldings(name: str, fold: tuple[int, int, int]) -> None:
    """Every legal folding, with the memory and multiplier kinds in turn."""
    case, number = FOLDED[name], foldings(FOLDED[name]).index(fold)
    legal = {(m.multiplier, m.operand) for m in case.mappings(case.graph()) if (m.pe, m.simd, m.taps) == fold}
    kinds = sorted(legal | {(Multiplier.DSP, 0)})
    mapping = OpMapping(*fold, list(Memory)[number % 2], *kinds[number // 2 % len(kinds)])
    rng = np.random.default_rng(number)
    check(FOLDED[name], "feff", stall_for(rng), mapping)


@pytest.mark.pairwise
@pytest.mark.parametrize("device", ["zu3eg", "z7020", "ecp5-25k", "ice40up5k"])
@pytest.mark.parametrize(("x", "w"), [("uint8", "int8"), ("int8", "int4"), ("uint4", "int4"), ("dybit4", "dybit4")])
@pytest.mark.parametrize("kind", ["full", "pointwise", "linear"])
def test_lanes_that_share_multipliers(kind: str, x: str, w: str, device: str) -> None:
    """As the DSP blocks of each family allow it."""
    rng = np.random.default_rng([*kind.encode(), *x.encode(), *device.encode()])
    out = int(rng.choice([3, 4, 5, 6]))
    case = Case(kind, (3, 4, 4), parse_dtype(x), parse_dtype(w), parse_dtype("int8"), out, 3, 1, 1)
    graph = case.graph()
    listed = mappings(graph["op"], inputs_of(graph, graph["op"]), DEVICES[device])
    packed = [mapping for mapping in listed if mapping.multiplier is Multiplier.PACKED]
    needed = {"uint8 int8": 25, "int8 int4": 17}.get(f"{x} {w}", 16)
    assert bool(packed) == (DEVICES[device].dsp_widths[0] >= needed)
    if packed:
        check(case, "fef", stall_for(rng), packed[int(rng.integers(len(packed)))])


GEOMETRIES = [
    (kernel, stride, padding, WINDOWS[number % 4], all_taps)
    for kernel in (1, 2, 3, 4, 5, 6, 7)
    for stride in (1, 2)
    for padding in range((kernel - 1) // 2 + 1)
    for all_taps in (False, True)
    for number in ((0, 1, 2, 3) if kernel < 4 else (padding + stride, padding + stride + 1 + all_taps))
    if stride <= kernel or number < 2
]
"""Small kernels with every kind; large ones with two of four, which change with the padding."""


@pytest.mark.few(10)
@pytest.mark.parametrize(("kernel", "stride", "padding", "kind", "all_taps"), GEOMETRIES)
def test_windows(kernel: int, stride: int, padding: int, kind: str, all_taps: bool) -> None:
    """Every kernel, stride and padding, on frames from as small as they may be to a few sites more."""
    seed = GEOMETRIES.index((kernel, stride, padding, kind, all_taps))
    rng = np.random.default_rng(seed)
    least = max(1, kernel - 2 * padding)
    height, width = (least + int(rng.integers(4)) for _ in range(2))
    channels = 2 if kernel < 4 else 1
    x, w, y = draw_format(rng), parse_dtype(FORMATS[seed % 4]), draw_format(rng)
    y = x if kind == "max_pool" else y
    taps = kernel**2 if all_taps else 1

    def choose(legal: Sequence[OpMapping]) -> OpMapping:
        fitting = [mapping for mapping in legal if mapping.taps == taps]
        return fitting[int(rng.integers(len(fitting)))]

    case = Case(kind, (height, width, channels), x, w, y, 2, kernel, stride, padding, seed, choose)
    check(case, "ffeff", stall_for(rng))


OBLONG = [
    Window.of((1, 5), 1, (0, 2)), Window.of((4, 1), (2, 1), (1, 0, 2, 0)), Window.of((1, 15), (1, 4), (0, 7)),
    Window.of((10, 4), 2, (4, 1, 5, 1)), Window.of(3, 2, (0, 0, 1, 1)), Window.of((2, 3), (3, 1), (0, 1, 1, 1)),
    Window.of((1, 3), (2, 3), (0, 1)), Window.of(3, 1, 2, 2), Window.of((2, 3), (1, 2), (0, 2, 1, 2), (2, 2)),
    Window.of((3, 1), 1, (3, 0), (3, 1)), Window.of(2, 1, (1, 1, 2, 2), 3), Window.of((4, 4), 4),
]  # fmt: skip
"""Of unequal sides, strides and paddings, and dilated."""


@pytest.mark.few(12)
@pytest.mark.parametrize("all_taps", [False, True])
@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize("window", OBLONG, ids=str)
def test_oblong_windows(window: Window, kind: str, all_taps: bool) -> None:
    """On frames from as small as they may be to a few sites more."""
    y, x = window.y, window.x
    if kind.endswith("pool") and window.may_be_empty:
        kind = "full" if kind == "max_pool" else "depthwise"
    seed = (OBLONG.index(window) * 4 + WINDOWS.index(kind)) * 2 + all_taps
    rng = np.random.default_rng(seed)
    height, width = (
        max(1, axis.span - axis.before - axis.after) + int(rng.integers(2 * axis.stride + 2)) for axis in (y, x)
    )
    formats = draw_format(rng), parse_dtype(FORMATS[seed % 4]), draw_format(rng)
    out = formats[0] if kind == "max_pool" else formats[2]
    taps = window.taps if all_taps else 1

    def choose(legal: Sequence[OpMapping]) -> OpMapping:
        fitting = [mapping for mapping in legal if mapping.taps == taps]
        return fitting[int(rng.integers(len(fitting)))]

    sizes = (y.kernel, x.kernel), (y.stride, x.stride), (y.before, x.before, y.after, x.after)
    case = Case(kind, (height, width, 2), *formats[:2], out, 2, *sizes, seed, choose, dilation=(y.dilation, x.dilation))
    check(case, "ffeff", stall_for(rng))


@pytest.mark.few(20)
@pytest.mark.parametrize("pattern", ["e", "ffff", "fefeef"])
@pytest.mark.parametrize("side", [(1, 1), (1, 6), (6, 1), (5, 6)], ids=["1x1", "one row", "one column", "5x6"])
@pytest.mark.parametrize("kind", KINDS)
def test_frames(kind: str, side: tuple[int, int], pattern: str) -> None:
    """Frames that are all border, empty frames alone and among others, frames back to back."""
    seed = KINDS.index(kind) * 100 + sum(side) * 7 + len(pattern)
    rng = np.random.default_rng(seed)
    x, w, y = draw_format(rng), parse_dtype(FORMATS[seed % 4]), draw_format(rng)
    y = x if kind == "max_pool" else y
    stride = 1 + int(rng.integers(2))
    case = Case(kind, (*side, 2), x, w, y, 2, 3, stride, 1, seed)
    check(case, pattern, stall_for(rng))


@pytest.mark.few(20)
@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_stalls(kind: str, stall: str) -> None:
    case = draw_case(KINDS.index(kind) * 10 + list(STALLS).index(stall) + 5000, kind)
    check(case, "fffeef", stall)


@pytest.mark.parametrize("kind", ["pointwise", "linear", "global_pool", "add", "concat", "requantize"])
@pytest.mark.parametrize("seed", range(4))
def test_sparse_frames(kind: str, seed: int) -> None:
    """Ops without a window take frames in which only some sites are active."""
    case = draw_case(7000 + seed, kind)
    check(case, "pppefpp", stall_for(np.random.default_rng(seed)))


@pytest.mark.few(10)
@pytest.mark.parametrize("kind", ["full", "linear", "requantize", "avg_pool"])
@pytest.mark.parametrize("name", [name for name in ANY_WIDTH if name not in FORMATS])
def test_other_widths(kind: str, name: str) -> None:
    """Formats of every width between, as input, weights and output at once."""
    seed = 9000 + ANY_WIDTH.index(name)
    case = draw_case(seed, kind, side=3, channels=(1, 2))
    unsigned = parse_dtype("u" + name)
    case = dataclasses.replace(case, x=unsigned if seed % 2 else parse_dtype(name), w=parse_dtype(name), y=unsigned)
    check(case, "ff", "none")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(400))
def test_random_ops(seed: int) -> None:
    rng = np.random.default_rng(seed + 10**6)
    case = draw_case(seed + 20_000, KINDS[seed % len(KINDS)], names=ANY_WIDTH if seed % 3 == 0 else FORMATS, side=9)
    check(case, pattern_for(case, rng) + pattern_for(case, rng), stall_for(rng))

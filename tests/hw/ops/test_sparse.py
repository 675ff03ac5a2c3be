"""Windows over sparse frames: the RTL against golden, token by token, over densities, borders, foldings and stalls."""

from __future__ import annotations

import dataclasses
from itertools import product

import numpy as np
import pytest

from hw.fpga.mapping import OpMapping
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.frame import Frame
from tests.hw.ops.cases import (
    DENSITIES,
    FORMATS,
    STALLS,
    WINDOWS,
    Case,
    draw_case,
    draw_format,
    masked_frame,
)
from tests.support.ops import check_op

INT4 = IntType(4)
LETTERS = ("e", "o", "1", "5", "2", "6", "f")


def check(case: Case, pattern: str, stall: str, mapping: OpMapping | None = None) -> None:
    graph = case.graph()
    check_op(graph, mapping or case.mapping(graph), case.frames(graph, pattern), seed=case.seed, **STALLS[stall])


def fold(all_taps: bool):
    """Chooses some mapping with all taps at once, or with one at a time."""
    return lambda legal: sorted((m for m in legal if (m.taps > 1) == all_taps), key=lambda m: (m.pe, m.simd))[-1]


def sparse_case(kind: str, kernel: int, stride: int, padding: int, all_taps: bool, seed: int, side: int = 6) -> Case:
    rng = np.random.default_rng(seed)
    least = max(1, kernel - 2 * padding)
    height, width = (least + int(rng.integers(side)) for _ in range(2))
    x, w, y = draw_format(rng), parse_dtype(FORMATS[seed % 4]), draw_format(rng)
    y = x if kind == "max_pool" else y
    choose = fold(all_taps) if kernel > 1 else None
    return Case(kind, (height, width, 1 + seed % 2), x, w, y, 2, kernel, stride, padding, seed, choose, True)


CROSSED: list[tuple[str, str, bool]] = list(product(WINDOWS, LETTERS, (False, True)))


@pytest.mark.few(10)
@pytest.mark.parametrize(
    ("kind", "letter", "all_taps"),
    [pytest.param(*case, marks=[pytest.mark.slow] * (n % 4 in (1, 2))) for n, case in enumerate(CROSSED)],
)
def test_densities(kind: str, letter: str, all_taps: bool) -> None:
    """Each density before and after other kinds of frame; strides, formats and stalls in turn."""
    seed = CROSSED.index((kind, letter, all_taps))
    case = sparse_case(kind, 3, 1 + seed // 2 % 2, 1, all_taps, seed)
    others = LETTERS[seed % 7 :] + LETTERS[: seed % 7]
    check(case, f"{letter}{letter}{others[1]}{letter}{others[3]}{others[5]}{letter}", list(STALLS)[seed % len(STALLS)])


GEOMETRIES = [
    (kernel, stride, padding)
    for kernel in (1, 2, 3, 4, 5, 6, 7)
    for stride in (1, 2)
    for padding in range((kernel - 1) // 2 + 1)
    if (kernel, stride) != (1, 1)
]


def check_geometry(kernel: int, stride: int, padding: int, kind: str, all_taps: bool, seed: int, side: int = 6) -> None:
    rng = np.random.default_rng(seed)
    pattern = "".join(LETTERS[n] for n in rng.integers(len(LETTERS), size=5))
    case = sparse_case(kind, kernel, stride, padding, all_taps, seed, side)
    check(case, pattern, list(STALLS)[int(rng.integers(len(STALLS)))])


@pytest.mark.few(10)
@pytest.mark.parametrize(("kernel", "stride", "padding"), GEOMETRIES)
def test_geometries(kernel: int, stride: int, padding: int) -> None:
    """Every kernel, stride and padding; sides odd and even, from as small as they may be."""
    seed = GEOMETRIES.index((kernel, stride, padding)) + 100
    kind = WINDOWS[seed % 2 if kernel < stride else seed % 4]
    check_geometry(kernel, stride, padding, kind, kernel < 4 and seed % 3 == 0, seed, side=4 if kernel < 6 else 2)


@pytest.mark.slow
@pytest.mark.parametrize(("geometry", "all_taps", "kind"), list(product(GEOMETRIES, (False, True), WINDOWS)))
def test_all_geometries(geometry: tuple[int, int, int], all_taps: bool, kind: str) -> None:
    if geometry[0] < geometry[1] and kind == "max_pool":
        kind = "full"
    for seed in range(3):
        check_geometry(*geometry, kind, all_taps, 1000 * seed + GEOMETRIES.index(geometry) * 8 + WINDOWS.index(kind))


LONELY = [
    # every site lies beside the cells: no output site ever frees a row
    ("max_pool", 2, 2, 0, (12, 3), np.s_[:, 2]),
    ("full", 3, 1, 0, (12, 5), np.s_[:, 0]),
    ("full", 3, 1, 0, (12, 5), np.s_[:, 4]),
    ("full", 7, 2, 0, (20, 9), np.s_[:, :2]),
    # none, or all, above and below
    ("full", 3, 1, 0, (9, 5), np.s_[0, :]),
    ("full", 4, 2, 0, (9, 6), np.s_[8, :]),
    ("full", 5, 1, 0, (12, 5), np.s_[::11, 2]),
    # a row, a column, every other row: rows that one list of cells never sees
    ("depthwise", 3, 2, 1, (12, 6), np.s_[::2, :]),
    ("depthwise", 3, 2, 1, (12, 6), np.s_[1::2, ::3]),
    ("depthwise", 3, 2, 1, (12, 6), np.s_[:, 3]),
    # windows without an active tap: the site that makes them active is beside them
    ("full", 1, 2, 0, (8, 7), np.s_[1::2, 1::2]),
    ("avg_pool", 1, 2, 0, (8, 7), np.s_[::3, ::3]),
]


@pytest.mark.few(6)
@pytest.mark.parametrize(("kind", "kernel", "stride", "padding", "side", "active"), LONELY)
def test_shapes_of_activity(
    kind: str, kernel: int, stride: int, padding: int, side: tuple[int, int], active: tuple
) -> None:
    mask = np.zeros(side, dtype=bool)
    mask[active] = True
    case = Case(kind, (*side, 1), INT4, INT4, INT4, 2, kernel, stride, padding, sparse_windows=True)
    graph = case.graph()
    frames = [masked_frame(case.rng, graph, mask) for _ in range(3)]
    check_op(graph, OpMapping(1, 1, 1), [*frames, *case.frames(graph, "fe"), *frames], limit_cycles=20_000)


@pytest.mark.parametrize("pattern", ["oooooooooooo", "eeeeeeeeeoeee", "ooeeeeeeofeeeoo"])
@pytest.mark.parametrize("stall", ["none", "back pressure"])
def test_many_frames_at_a_time(pattern: str, stall: str) -> None:
    """More short frames than the source lets in before the first is done."""
    check(sparse_case("full", 3, 1, 1, False, 4), pattern, stall, OpMapping(1, 1, 1))


@pytest.mark.parametrize(("side", "stride"), [((3, 200), 1), ((3, 200), 2), ((200, 3), 1), ((2, 33), 2)])
def test_long_sides(side: tuple[int, int], stride: int) -> None:
    """Rows of many words of activity, and lists of cells in block memory."""
    case = Case("full", (*side, 1), INT4, INT4, INT4, 1, 3, stride, 1, sparse_windows=True)
    check(case, "215o2", "none", OpMapping(1, 1, 1))


def few(rng: np.random.Generator, side: tuple[int, int], count: int) -> np.ndarray:
    """Sites in clusters, as edges that move before an event camera leave them."""
    centers = rng.integers(0, side, (max(1, count // 12), 2))
    sites = centers[rng.integers(len(centers), size=count)] + rng.normal(0, 3, (count, 2)).astype(int)
    mask = np.zeros(side, dtype=bool)
    mask[tuple(np.clip(sites, 0, np.array(side) - 1).T)] = True
    return mask


@pytest.mark.slow
@pytest.mark.parametrize(("kernel", "stride", "all_taps"), [(3, 1, False), (3, 2, True), (5, 2, False), (1, 2, True)])
def test_the_largest_frame(kernel: int, stride: int, all_taps: bool) -> None:
    rng = np.random.default_rng(kernel)
    case = Case("full", (720, 1280, 2), INT4, INT4, INT4, 2, kernel, stride, (kernel - 1) // 2, sparse_windows=True)
    graph = case.graph()
    frames = [masked_frame(rng, graph, few(rng, (720, 1280), count)) for count in (400, 1, 600)]
    check_op(graph, OpMapping(2, 2, kernel**2 if all_taps else 1), frames, sink_stall=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300))
def test_random_ops(seed: int) -> None:
    rng = np.random.default_rng(seed + 10**6)
    case = draw_case(seed + 40_000, WINDOWS[seed % 4], side=12, sparse_windows=True)
    pattern = "".join(list(DENSITIES)[n] for n in rng.integers(len(DENSITIES), size=8))
    check(case, pattern, list(STALLS)[int(rng.integers(len(STALLS)))])


@pytest.mark.parametrize("kind", ["pointwise", "linear", "global_pool", "add", "concat", "requantize"])
def test_ops_without_windows(kind: str) -> None:
    case = dataclasses.replace(draw_case(8000, kind), shape=(7, 9, 2))
    check(case, "eo15o26fe2", "both")


def test_frames_are_what_their_letters_say() -> None:
    case = Case("full", (30, 30, 1), INT4, INT4, INT4, 1, 3, 1, 1, sparse_windows=True)
    frames: list[Frame] = case.frames(case.graph(), "".join(LETTERS))
    shares = [len(frame.sites) / 900 for frame in frames]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1], len(frames[1].sites)) == (0.0, 1.0, 1)

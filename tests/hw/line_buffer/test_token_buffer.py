"""Window geometry and storage by brute force, and the token buffer: every word is read before it is overwritten."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed

from hw.line_buffer.token_buffer import (
    LUT_STORE_BITS,
    TokenBuffer,
    WindowGeometry,
    clamp,
    dense_taps,
    row_margin,
    spare_rows,
    store_is_block,
    tap_conditions,
    token_slots,
    wrap,
)
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.window import Window
from tests.hw.line_buffer.generators import Read, play
from tests.support.gates import evaluate

GEOMETRIES = [
    WindowGeometry(height, width, 1, Window.of(kernel, stride, padding))
    for (height, width), kernel, stride, padding in product([(5, 6), (7, 4)], (1, 2, 3), (1, 2), (0, 1))
    if padding < kernel
] + [
    WindowGeometry(5, 6, 1, window)
    for window in (
        Window.of((1, 5), 1, (0, 2)), Window.of((4, 2), (3, 1), (1, 0, 2, 1)), Window.of(3, 2, (0, 0, 1, 1)),
        Window.of((2, 3), (1, 4), (1, 0, 1, 0), 2),
    )
]  # fmt: skip


@pytest.mark.parametrize("g", GEOMETRIES, ids=str)
def test_sites_taps_and_cells_by_enumeration(g: WindowGeometry) -> None:
    """A stride cell begins where its window's middle is, or left of it so that it lies within the window."""
    ys, xs = (
        [n for n in range(-axis.before, side) if (n + axis.before) % axis.stride == 0 and n + reach < side + axis.after]
        for axis, side in ((g.y, g.height), (g.x, g.width))
        for reach in [axis.dilation * (axis.kernel - 1)]
    )
    assert (g.out_height, g.out_width) == (len(ys), len(xs))
    taps = [
        sum(0 <= y + ky < g.height and 0 <= x + kx < g.width for ky, kx in g.window.positions) for y in ys for x in xs
    ]
    assert dense_taps(g) == [taps.count(n) for n in range(g.taps + 1)]
    reach = g.x.dilation * (g.x.kernel - 1)
    cells = [x + max(0, min(reach // 2, reach + 1 - g.x.stride)) + n for x in xs for n in range(g.x.stride)]
    columns = range(g.width)
    assert g.dummy_columns == (
        int(any(x < min(cells) for x in columns)),
        int(any(x > max(cells) for x in columns)),
    )
    assert g.x.extent == max(xs[0] + reach, max(cells[: g.x.stride]))


@pytest.mark.parametrize("g", [*GEOMETRIES, WindowGeometry(9, 9, 1, Window.of(5, 1, 2))], ids=str)
def test_bits_of_a_mask_that_differ_by_enumeration(g: WindowGeometry) -> None:
    """Over every value that the counters of sites can have, those beyond the last site too."""
    rows, columns = (range(1 << (n - 1).bit_length()) for n in (g.out_height, g.out_width))
    masks = {
        tuple(
            0 <= g.y.stride * y - g.y.before + ky < g.height and 0 <= g.x.stride * x - g.x.before + kx < g.width
            for y in rows
            for x in columns
        )
        for ky, kx in g.window.positions
    }
    assert tap_conditions(g) == len(masks)


@pytest.mark.parametrize(("words", "cycles", "slots"), [(1, 1, 8), (1, 7, 4), (4, 4, 8), (8, 1, 16), (99, 99, 4)])
def test_slots_for_the_tokens_that_are_worked_on_while_a_slot_is_freed(words: int, cycles: int, slots: int) -> None:
    """A token is written in ``words`` cycles, waits 3 for its first step, and is freed 2 after its last.

    The fewest slots, as a power of two, that hold what comes in this time, and one for ``end``.
    """
    assert token_slots(words, cycles) == slots
    busy = words + 3 + cycles + 2
    assert (slots // 2 - 1) * cycles < busy <= (slots - 1) * cycles


@pytest.mark.parametrize(("depth", "width", "block"), [(64, 128, False), (64, 129, True), (63, 1000, False)])
def test_a_deep_store_of_many_bits_is_block_memory(depth: int, width: int, block: bool) -> None:
    assert store_is_block(depth, width) is block
    assert LUT_STORE_BITS == 64 * 128


def test_only_short_rows_need_spare_rows() -> None:
    short, long = (WindowGeometry(8, width, 1, Window.of(3, 1, 1)) for width in (2, 64))
    assert spare_rows(long, lambda taps: 1) == spare_rows(long, lambda taps: taps) == 0
    assert spare_rows(short, lambda taps: 1) > 0


def test_margin_of_rows_with_one_token() -> None:
    """Without a spare row a row of windows is one site, and storage takes a word and 8 cycles to be used again."""
    bare, spare = (WindowGeometry(8, 8, 1, Window.of(3, 1, 1), spare=n) for n in (0, 2))
    assert row_margin(bare, 9) == 0
    assert row_margin(bare, 4) == -5
    assert row_margin(spare, 4) == 3


def test_wrap_and_clamp() -> None:
    m, value = Module(), Signal(signed(6))
    wrapped, clamped = Signal(signed(6)), Signal(signed(6))
    m.d.comb += [wrapped.eq(wrap(value, 7)), clamped.eq(clamp(value, 9))]
    rows = evaluate(m, [value], [wrapped, clamped], [(n,) for n in range(14)])
    assert rows == [(n % 7, min(n, 9)) for n in range(14)]


@pytest.mark.parametrize(("lanes", "stall"), [(4, 0.0), (2, 0.3), (1, 0.0)])
def test_every_token_is_a_site_whose_words_stay_until_they_are_read(lanes: int, stall: float) -> None:
    shape, dtype = Shape(3, 4, 4), IntType(5, signed=False)
    layout, rng = TokenLayout(shape, dtype, lanes), np.random.default_rng(lanes)
    frames = [Frame.from_dense(rng.integers(0, 32, shape), rng.random(shape[:2]) < share) for share in (1.0, 0.0, 0.5)]
    tokens = [(y, x, codes) for f in frames for (y, x), codes in [*zip(f.sites, f.features, strict=True), ((0, 0), [])]]
    queue = iter(tokens)

    def reads(site: dict[str, int]) -> list[Read]:
        _, _, codes = next(queue)
        return [
            ({"read_slot": site["slot"], "read_word": word}, [int(n) for n in codes[word * lanes :][:lanes]])
            for word in range(len(codes) // lanes)
        ]

    dut = TokenBuffer(layout, 1)
    beats = [beat for frame in frames for beat in layout.beats(frame)]
    sites, accepted = play(dut, beats, len(tokens), reads, 2, stall=stall)
    assert [(own["y"], own["x"], own["end"]) for _, own in sites] == [
        (y, x, int(len(codes) == 0)) for (y, x, codes) in tokens
    ]
    # a site shows the cycle after its last beat, and storage delays no beat
    assert sites[0].cycle == accepted[4 // lanes - 1] + 1
    assert stall or accepted == list(range(len(beats)))

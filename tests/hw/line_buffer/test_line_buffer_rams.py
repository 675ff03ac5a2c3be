"""Line buffer memories against a table of what was written: one word, or all taps of a window at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hw.line_buffer.line_buffer_rams import BankedLineBuffer, SerialLineBuffer
from hw.line_buffer.token_buffer import WindowGeometry
from models.ir.window import Window
from tests.support.clocked import clocked

BITS = 9
GEOMETRIES = [
    WindowGeometry(3, 5, 2, Window.of(3, 1, 1)),
    WindowGeometry(6, 7, 1, Window.of(2, 2, 0)),
    WindowGeometry(3, 5, 3, Window.of(1, 2, 0)),
    WindowGeometry(3, 5, 1, Window.of((1, 5), 1, (0, 2))),
    WindowGeometry(5, 3, 1, Window.of((3, 1), (2, 1), (0, 0, 1, 0))),
    WindowGeometry(5, 5, 1, Window.of((2, 3), 1, (1, 2, 1, 2), 2)),
]


def written(g: WindowGeometry) -> np.ndarray:
    """A number for each word ``[rows, width, words]``, no two alike."""
    return np.random.default_rng(0).permutation(1 << BITS)[: g.rows * g.width * g.words].reshape(-1, g.width, g.words)


def play(dut: Any, g: WindowGeometry, reads: list[tuple[int, int, int]], latency: int) -> list[int]:
    """Every word is written, in any order; then each of ``reads`` (row, column, word) is asked for, one per cycle."""
    table = written(g)
    places = np.random.default_rng(1).permutation(list(np.ndindex(*table.shape))).tolist()

    def put(ctx: Any, step: int) -> None:
        ctx.set(dut.put, step < len(places))
        if step < len(places):
            row, x, word = places[step]
            for name, value in (("row", row), ("x", x), ("word", word), ("data", int(table[row, x, word]))):
                ctx.set(getattr(dut, name), value)
        else:
            row, column, word = reads[step - len(places)]
            ctx.set(dut.read_row, row)
            ctx.set(dut.read_column, column)
            ctx.set(dut.read_word, word)
            # what is offered without put must not be written
            ctx.set(dut.data, 0)

    results = clocked(dut, len(places) + len(reads), latency, put, lambda ctx: ctx.get(dut.read_data))
    return results[len(places) :]


@pytest.mark.parametrize("g", GEOMETRIES, ids=str)
def test_a_word_is_read_in_two_cycles_by_its_padded_column(g: WindowGeometry) -> None:
    table = written(g)
    reads = [(row, x + g.x.before, word) for row, x, word in np.ndindex(*table.shape)]
    assert play(SerialLineBuffer(g, BITS), g, reads, 2) == table.ravel().tolist()


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("g", GEOMETRIES, ids=str)
def test_all_taps_of_any_window_are_read_in_four_cycles(g: WindowGeometry, scattered: bool) -> None:
    table, rng = written(g), np.random.default_rng(2)
    row_bits = max(1, (g.rows - 1).bit_length())
    reads, expected = [], []
    for _ in range(40):
        left, word = int(rng.integers(g.padded_width - g.x.span + 1)), int(rng.integers(g.words))
        top = int(rng.integers(g.rows))
        rows = [(top + g.y.dilation * ky) % g.rows for ky in range(g.y.kernel)]
        if scattered:
            rows = rng.permutation(g.rows)[: g.y.kernel].tolist()
            top = sum(row << n * row_bits for n, row in enumerate(rows))
        reads.append((top, left, word))
        xs = [left + g.x.dilation * kx - g.x.before for kx in range(g.x.kernel)]
        expected.append([int(table[row, x, word]) if 0 <= x < g.width else None for row in rows for x in xs])
    for data, taps in zip(play(BankedLineBuffer(g, BITS, scattered), g, reads, 4), expected, strict=True):
        for n, tap in enumerate(taps):
            assert tap in (None, data >> n * BITS & (1 << BITS) - 1)

"""The dense generator: its sites and masks by enumeration, and every tap that is read before it is overwritten."""

from __future__ import annotations

import numpy as np
import pytest

from hw.line_buffer.sliding_window import SlidingWindow
from hw.line_buffer.token_buffer import WindowGeometry
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.window import Window
from tests.hw.line_buffer.generators import Read, play

DTYPE = IntType(6, signed=False)
KINDS = [True, False, False, True]
"""Frames with every site and empty ones, one after the other."""
GEOMETRIES = [
    WindowGeometry(3, 4, 1, Window.of(3, 1, 1)),
    WindowGeometry(4, 3, 2, Window.of(2, 2, 0)),
    WindowGeometry(4, 5, 1, Window.of(3, 2, 1)),
    WindowGeometry(3, 3, 1, Window.of(1, 2, 0)),
    WindowGeometry(3, 5, 1, Window.of((1, 5), 1, (0, 2))),
    WindowGeometry(5, 3, 1, Window.of((3, 1), (2, 1), (0, 0, 1, 0))),
    WindowGeometry(5, 5, 1, Window.of((2, 3), 1, (1, 2, 1, 2), 2)),
]


@pytest.mark.few(4)
@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("g", GEOMETRIES, ids=str)
def test_every_tap_of_every_site_is_read_while_beats_come_as_fast_as_they_may(
    g: WindowGeometry, parallel: bool
) -> None:
    shape = Shape(g.height, g.width, g.words)
    layout, rng = TokenLayout(shape, DTYPE, 1), np.random.default_rng(g.taps)
    images = [rng.integers(0, 64, shape) for _ in KINDS]
    beats = [
        beat
        for image, full in zip(images, KINDS, strict=True)
        for beat in layout.beats(Frame.from_dense(image, np.full(shape[:2], full)))
    ]
    expected = []
    taps_of = []
    for image, full in zip(images, KINDS, strict=True):
        for y, x in np.ndindex(g.out_height, g.out_width) if full else ():
            taps = [
                (ky, kx, image[py, px] if 0 <= py < g.height and 0 <= px < g.width else None)
                for ky, kx in g.window.positions
                for py, px in [(y * g.y.stride + ky - g.y.before, x * g.x.stride + kx - g.x.before)]
            ]
            mask = sum((tap is not None) << n for n, (_, _, tap) in enumerate(taps))
            expected.append((0, y, x, mask))
            taps_of.append(taps)
        expected.append((1, 0, 0, None))
        taps_of.append([])
    queue = iter(taps_of)

    def reads(site: dict[str, int]) -> list[Read]:
        taps = next(queue)
        result: list[Read] = []
        for word in range(g.words if taps else 0):
            codes = [None if tap is None else int(tap[word]) for _, _, tap in taps]
            if parallel:
                result.append(({"read_row": site["row"], "read_column": site["column"], "read_word": word}, [*codes]))
                continue
            for (ky, kx, _), code in zip(taps, codes, strict=True):
                place = {"read_row": (site["row"] + ky) % g.rows, "read_column": site["column"] + kx}
                if code is not None:
                    result.append((place | {"read_word": word}, [code]))
        return result

    dut = SlidingWindow(layout, g, parallel)
    sites, accepted = play(dut, beats, len(expected), reads, 4 if parallel else 2)
    for (_, own), (end, y, x, mask) in zip(sites, expected, strict=True):
        assert (own["end"], own["y"], own["x"]) == (end, y, x)
        assert end or own["mask"] == mask
    # all rows of a frame are released by the time of its end
    ends = [n for n, (end, *_) in enumerate(expected) if end]
    assert sum(own["release"] for _, own in sites[: ends[0] + 1]) == g.height
    assert sum(own["release"] for _, own in sites) == g.height * KINDS.count(True)
    # the last input of the first window completes its site, which shows a cycle later
    y, x = (min(axis.below, side - 1) for axis, side in ((g.y, g.height), (g.x, g.width)))
    assert sites[0].cycle == accepted[(y * g.width + x + 1) * g.words - 1] + 1

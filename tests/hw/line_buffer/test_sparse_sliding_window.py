"""The sparse generator: its active sites and taps by enumeration, and every tap read before it is overwritten."""

from __future__ import annotations

import numpy as np
import pytest

from hw.line_buffer.sparse_sliding_window import SparseSlidingWindow
from hw.line_buffer.token_buffer import SPARSE_SITE_LATENCY, WindowGeometry
from hw.streams.layout import TokenLayout, index_bits
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.window import Window
from tests.hw.line_buffer.generators import Read, play

DTYPE = IntType(6, signed=False)
SHARES = [0.5, 0.0, 1.0]
"""Share of active sites of each frame."""
GEOMETRIES = [
    WindowGeometry(4, 5, 1, Window.of(3, 1, 1)),
    WindowGeometry(5, 4, 1, Window.of(3, 2, 1)),
    WindowGeometry(4, 4, 2, Window.of(2, 2, 0)),
    WindowGeometry(5, 5, 1, Window.of(3, 1, 0)),
    WindowGeometry(3, 5, 1, Window.of((1, 5), 1, (0, 2))),
    WindowGeometry(5, 3, 1, Window.of((3, 1), (2, 1), (0, 0, 1, 0))),
    WindowGeometry(5, 5, 1, Window.of((2, 3), 1, (1, 2, 1, 2), 2)),
]
Taps = list[tuple[int, int, np.ndarray | None]]


def sites_of(g: WindowGeometry, image: np.ndarray, active: np.ndarray) -> list[tuple[tuple[int, int, int], Taps]]:
    """The (``end``, y, x) of each site by golden's rule, with the values of its active taps, and the frame's end."""
    offsets = [(axis.span - 1) // 2 - axis.before for axis in (g.y, g.x)]
    result: list[tuple[tuple[int, int, int], Taps]] = []
    for y, x in np.ndindex(g.out_height, g.out_width):
        rows, columns = (
            slice(n * axis.stride + offset, (n + 1) * axis.stride + offset)
            for n, axis, offset in zip((y, x), (g.y, g.x), offsets, strict=True)
        )
        if not active[rows, columns].any():
            continue
        taps: Taps = []
        for ky, kx in np.ndindex(g.y.kernel, g.x.kernel):
            py = y * g.y.stride + ky * g.y.dilation - g.y.before
            px = x * g.x.stride + kx * g.x.dilation - g.x.before
            inside = 0 <= py < g.height and 0 <= px < g.width
            taps.append((ky, kx, image[py, px] if inside and active[py, px] else None))
        result.append(((0, y, x), taps))
    return [*result, ((1, 0, 0), [])]


@pytest.mark.few(3)
@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("g", GEOMETRIES, ids=str)
def test_every_active_tap_of_every_site_is_read_while_beats_come_as_fast_as_they_may(
    g: WindowGeometry, parallel: bool, stall: float
) -> None:
    shape = Shape(g.height, g.width, g.words)
    layout, rng = TokenLayout(shape, DTYPE, 1), np.random.default_rng(g.taps + g.y.stride)
    beats: list[int] = []
    expected: list[tuple[tuple[int, int, int], Taps]] = []
    stored = 0
    for share in SHARES:
        image, active = rng.integers(0, 64, shape), rng.random(shape[:2]) < share
        beats += layout.beats(Frame.from_dense(image, active))
        expected += sites_of(g, image, active)
        stored += int(active.any(axis=1).sum())
    queue = iter(expected)

    def reads(site: dict[str, int]) -> list[Read]:
        _, taps = next(queue)
        row_bits, result = index_bits(g.rows), []
        for word in range(g.words if taps else 0):
            codes = [None if tap is None else int(tap[word]) for _, _, tap in taps]
            if parallel:
                ports = {"read_row": site["rows"], "read_column": site["column"], "read_word": word}
                result.append((ports, [*codes]))
                continue
            for (ky, kx, _), code in zip(taps, codes, strict=True):
                row = site["rows"] >> ky * row_bits & (1 << row_bits) - 1
                if code is not None:
                    result.append(
                        (
                            {"read_row": row, "read_column": site["column"] + g.x.dilation * kx, "read_word": word},
                            [code],
                        )
                    )
        return result

    dut = SparseSlidingWindow(layout, g, parallel)
    sites, _ = play(dut, beats, len(expected), reads, 4 if parallel else 2, begins=True, stall=stall)
    for (_, own), ((end, y, x), taps) in zip(sites, expected, strict=True):
        assert own["end"] == end
        assert end or (own["y"], own["x"]) == (y, x)
        assert end or own["mask"] == sum((tap is not None) << n for n, (_, _, tap) in enumerate(taps))
    # rows above the dummy cell at the side of a narrow output may be freed without a site
    assert sum(own["release"] for _, own in sites) == stored or any(g.dummy_columns)


@pytest.mark.parametrize(("place", "beat"), [((1, 1), 1), ((0, 0), 0)])
def test_a_site_shows_its_latency_after_the_input_that_completes_it(place: tuple[int, int], beat: int) -> None:
    """The end completes the first site; or a token beyond its window that shows."""
    layout = TokenLayout(Shape(4, 4, 1), DTYPE, 1)
    active = np.zeros((4, 4), bool)
    active[place] = active[3, 3] = True
    frame = Frame.from_dense(np.ones((4, 4, 1), np.int64), active)
    dut = SparseSlidingWindow(layout, WindowGeometry(4, 4, 1, Window.of(3, 1, 1)), parallel=False)
    sites, accepted = play(dut, layout.beats(frame), 3, lambda site: [], 2, begins=True)
    assert sites[0].cycle == accepted[1] + SPARSE_SITE_LATENCY - 2

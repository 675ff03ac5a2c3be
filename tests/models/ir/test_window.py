"""The sliding window in plain loops: what it sees, how far it reaches, and when a site is complete."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.ops.windowed import WindowNode
from models.ir.sites import walk
from models.ir.window import Axis, Window, missing_zeros
from tests.models.ir.builders import every_op
from tests.models.ir.by_hand import WINDOWS

LINES = [
    *(Axis(kernel, stride, padding, padding) for kernel, stride, padding in WINDOWS),
    Axis(2, 1, 0, 1), Axis(3, 2, 0, 1), Axis(4, 3, 1, 2), Axis(15, 4, 7, 7), Axis(3, 1, 2, 2, 2), Axis(4, 2, 3, 4, 3),
    Axis(2, 1, 0, 1, 4),
]  # fmt: skip


@pytest.mark.parametrize("axis", LINES, ids=str)
def test_how_far_a_pixel_reaches(axis: Axis) -> None:
    """One active pixel at each place of a line tells which outputs its window and its cell belong to."""
    window, side = Window(axis, axis), 23
    below, extent = -side, -side
    stride, outputs = axis.stride, axis.outputs(side)
    for place in range(side):
        frame = Frame.from_dense(np.ones((side, side, 1), int), np.arange(side * side).reshape(side, side) == place)
        _, _, active = window.out_sites(frame)
        line = np.stack([np.zeros(outputs, int), np.arange(outputs)], axis=1)
        seen = (window.input_rows(frame, line) >= 0).any(axis=0)
        for output in range(outputs):
            mine = seen[output] or (active[:, 1] == output).any()
            below = max(below, place - stride * output if seen[output] else -side)
            extent = max(extent, place - stride * output if mine else -side)
    assert (axis.below, axis.extent) == (below, extent)


@pytest.mark.parametrize("axis", LINES, ids=str)
@pytest.mark.parametrize("side", [15, 16, 20])
def test_taps_inside_and_outputs_that_see_by_enumeration(axis: Axis, side: int) -> None:
    inside = [
        [0 <= start + k * axis.dilation < side for k in range(axis.kernel)]
        for start in range(-axis.before, side + axis.after - (axis.kernel - 1) * axis.dilation, axis.stride)
    ]
    assert axis.outputs(side) == len(inside)
    assert axis.taps_inside(side) == [sum(taps) for taps in inside]
    for k, (first, last) in enumerate(axis.outputs_seeing(side)):
        assert [first <= n <= last for n in range(len(inside))] == [taps[k] for taps in inside]
    assert any(not any(taps) for taps in inside) <= axis.may_miss


@pytest.mark.parametrize("axis", LINES, ids=str)
def test_a_cell_lies_within_its_window_where_the_stride_is_no_larger(axis: Axis) -> None:
    """So that no window of an active site is empty, unless its taps leave sites out."""
    start = axis.cell_offset + axis.before
    assert start >= 0
    assert (start + axis.stride <= axis.span) == (axis.stride <= axis.span)
    if axis.stride <= 2 <= axis.span:
        assert start == (axis.span - 1) // 2


SQUARES = [Window.of(*sizes) for sizes in [(1, 1, 0), (2, 2, 0), (3, 1, 1), (4, 2, 1), (7, 1, 3)]]
OBLONG = [
    Window.of((1, 5), 1, (0, 2)), Window.of((5, 1), (2, 1), (2, 0)), Window.of((2, 3), (3, 1), (0, 1, 1, 1)),
    Window.of(3, 2, (0, 0, 1, 1)), Window.of(3, 1, 2, 2), Window.of((2, 3), 1, (1, 0, 1, 2), (3, 2)),
]  # fmt: skip


def test_sizes_of_one_two_and_four_numbers() -> None:
    axes = Axis(3, 2, 1, 1, 1), Axis(5, 1, 2, 0, 2)
    assert Window.of((3, 5), (2, 1), (1, 2, 1, 0), (1, 2)) == Window(*axes)
    assert Window.of(3, 2, 1, 1) == Window(axes[0], axes[0]) == Window.of(3, 2, (1, 1))


@pytest.mark.parametrize("window", SQUARES + OBLONG, ids=str)
def test_every_tap_sees_the_site_at_its_place(window: Window) -> None:
    mask = np.random.default_rng(0).random((9, 8)) < 0.5
    frame = Frame.from_dense(np.zeros((9, 8, 1), int), mask)
    row_of = {tuple(site): row for row, site in enumerate(frame.sites.tolist())}
    height, width, sites = window.out_sites(frame)
    assert (height, width) == window.out_sides(9, 8)
    seen = window.input_rows(frame, sites).reshape(window.y.kernel, window.x.kernel, -1)
    for ky, kx, n in np.ndindex(*seen.shape):
        place = tuple(
            axis.stride * int(site) + axis.dilation * k - axis.before
            for axis, site, k in zip((window.y, window.x), sites[n], (ky, kx), strict=True)
        )
        assert seen[ky, kx, n] == row_of.get(place, -1)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return every_op(np.random.default_rng(0))


def test_a_site_is_complete_when_no_later_token_can_change_it(graph: Graph) -> None:
    rng = np.random.default_rng(9)
    for share in (0.1, 0.5, 1.0):
        sites = walk(graph, rng.random((8, 10)) < share)
        for node in graph.nodes:
            if not isinstance(node, WindowNode):
                continue
            own, (height, width, _) = sites[node.name], graph.shapes[node.inputs[0]]
            before = 0
            for (y, x), need, whole in zip(own.sites.tolist(), own.needs.tolist(), own.whole.tolist(), strict=True):
                corner = [
                    min(axis.stride * at + axis.extent, side - 1)
                    for axis, at, side in ((node.window.y, y, height), (node.window.x, x, width))
                ]
                earlier = sum(token < corner for token in own.source.tolist())
                assert whole == (corner in own.source.tolist())
                before = max(before, earlier + 1)
                assert need == before


@pytest.mark.parametrize("kernel, stride, dilation", [(3, 1, 1), (3, 2, 1), (2, 2, 1), (1, 3, 1), (5, 3, 2)])
def test_zeros_that_are_missing_are_the_fewest_that_give_every_stride_an_output(
    kernel: int, stride: int, dilation: int
) -> None:
    for side in range(1, 20):
        zeros = next(n for n in range(99) if Axis(kernel, stride, 0, n, dilation).outputs(side) >= -(-side // stride))
        assert missing_zeros(side, kernel, stride, dilation) == zeros

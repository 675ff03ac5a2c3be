"""The sliding window in plain loops: what it sees, how far it reaches, and when a site is complete."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.ops.windowed import WindowNode
from models.ir.sites import walk
from models.ir.window import Window
from tests.models.ir.builders import every_op
from tests.models.ir.by_hand import WINDOWS


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
def test_how_far_a_pixel_reaches(kernel: int, stride: int, padding: int) -> None:
    """One active pixel at each place of a line tells which outputs its window and its cell belong to."""
    window, side = Window(kernel, stride, padding), 17
    below, extent = -side, -side
    for place in range(side):
        frame = Frame.from_dense(np.ones((side, side, 1), int), np.arange(side * side).reshape(side, side) == place)
        _, _, active = window.out_sites(frame)
        outputs = window.out_side(side)
        line = np.stack([np.zeros(outputs, int), np.arange(outputs)], axis=1)
        seen = (window.input_rows(frame, line) >= 0).any(axis=0)
        for output in range(outputs):
            below = max(below, place - stride * output if seen[output] else -side)
            extent = max(extent, place - stride * output if seen[output] or [0, output] in active.tolist() else -side)
    assert (window.below, window.extent) == (below, extent)


@pytest.mark.parametrize("kernel, stride, padding", [(1, 1, 0), (2, 2, 0), (3, 1, 1), (4, 2, 1), (7, 1, 3)])
def test_every_tap_sees_the_site_at_its_place(kernel: int, stride: int, padding: int) -> None:
    window = Window(kernel, stride, padding)
    mask = np.random.default_rng(0).random((9, 8)) < 0.5
    frame = Frame.from_dense(np.zeros((9, 8, 1), int), mask)
    row_of = {tuple(site): row for row, site in enumerate(frame.sites.tolist())}
    height, width, sites = window.out_sites(frame)
    assert (height, width) == tuple(len(range(0, side + 2 * padding - kernel + 1, stride)) for side in (9, 8))
    seen = window.input_rows(frame, sites).reshape(kernel, kernel, -1)
    for ky, kx, n in np.ndindex(*seen.shape):
        y, x = (stride * sites[n] - padding + (ky, kx)).tolist()
        assert seen[ky, kx, n] == row_of.get((y, x), -1)


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
                    min(node.stride * at + node.window.extent, side - 1) for at, side in ((y, height), (x, width))
                ]
                earlier = sum(token < corner for token in own.source.tolist())
                assert whole == (corner in own.source.tolist())
                before = max(before, earlier + 1)
                assert need == before
